"""What this computer passes on to its hosts: certificates and proxies."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import config, context
from lab.context import context_for
from lab.errors import TopologyError
from lab.topology import Lab

PEM = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n"


@pytest.fixture(autouse=True)
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The certificates that this computer's owner added are in the test's folder."""
    folder = tmp_path / "ca-certificates"
    monkeypatch.setattr(context, "_LOCAL_CAS", folder)
    return folder


def _bundle(path: Path) -> str:
    return context_for(config.parse({"ca_bundle": str(path)}), None).ca_bundle


def test_without_any_there_is_no_bundle_and_no_proxy() -> None:
    """A plain computer passes on nothing."""
    made = context_for(Lab(), None)
    assert (made.ca_bundle, made.proxies, made.source) == ("", {}, None)


def test_the_named_bundle_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over the variables, also with a tilde in its path."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "mine.pem").write_text(PEM + "mine\n")
    (tmp_path / "other.pem").write_text(PEM)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "other.pem"))
    assert _bundle(Path("~/mine.pem")) == PEM + "mine\n"


@pytest.mark.parametrize("variable", ["LAB_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_variable_names_the_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """One of those that other programs read too; a file that is not there is passed over."""
    monkeypatch.setenv(variable, str(tmp_path / "no.pem"))
    assert context_for(Lab(), None).ca_bundle == ""
    (tmp_path / "no.pem").write_text(PEM)
    assert context_for(Lab(), None).ca_bundle == PEM


def test_the_labs_own_variable_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then Node's, and so on."""
    for name in ("SSL_CERT_FILE", "LAB_CA_BUNDLE"):
        (tmp_path / name).write_text(name)
        monkeypatch.setenv(name, str(tmp_path / name))
    assert context_for(Lab(), None).ca_bundle == "LAB_CA_BUNDLE"


def test_certificates_of_this_computers_owner_are_passed_on(local: Path) -> None:
    """All of them, in the order of their names."""
    (local / "deep").mkdir(parents=True)
    (local / "b.crt").write_text("B\n")
    (local / "a.crt").write_text("A\n")
    (local / "deep" / "c.crt").write_text("C\n")
    (local / "readme.txt").write_text("no")
    assert context_for(Lab(), None).ca_bundle == "A\nB\nC"


def test_a_named_bundle_must_be_one(tmp_path: Path) -> None:
    """The errors name key, file and mend."""
    (tmp_path / "empty.pem").write_text("hello\n")
    for name, reason in (("no.pem", "No such file"), ("empty.pem", "holds no certificate"), ("", "Is a directory")):
        with pytest.raises(TopologyError) as caught:
            _bundle(tmp_path / name)
        assert f"lab.toml: ca_bundle: {tmp_path / name}" in caught.value.message
        assert reason in caught.value.message
        assert caught.value.mend == "name a file in PEM format"


def test_proxies_are_passed_on_and_never_used_for_the_lab(monkeypatch: pytest.MonkeyPatch) -> None:
    """In lower or upper case; the site, the hosts and this computer are asked directly."""
    monkeypatch.setenv("HTTP_PROXY", "http://proxy:3128")
    monkeypatch.setenv("https_proxy", "http://proxy:3129")
    monkeypatch.setenv("NO_PROXY", "intra.net")
    expected = {
        "http_proxy": "http://proxy:3128",
        "https_proxy": "http://proxy:3129",
        "no_proxy": "intra.net,akuma.xyz,localhost,127.0.0.1,192.168.56.10,192.168.56.11,192.168.56.12",
    }
    assert expected == context_for(Lab(), None).proxies


def test_no_proxy_alone_is_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing to make an exception from."""
    monkeypatch.setenv("no_proxy", "intra.net")
    assert context_for(Lab(), None).proxies == {}
