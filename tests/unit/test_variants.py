"""The balancer's configurations: what each says, and that one which nginx refuses leaves no trace."""

from __future__ import annotations

import pytest

from lab import config, nginx_config
from lab.errors import CommandFailed, Result
from lab.faults import SITE
from lab.home import Home
from lab.ledger import Ledger
from lab.records import Finding
from lab.scenario import Variant
from lab.topology import Lab
from lab.variants import SAVED, put_on, text_of, upstream_of
from tests.fakes import default_hosts
from tests.unit.playing import Playing


@pytest.fixture
def lab(home: Home) -> Playing:
    """A lab that runs."""
    return Playing(home)


def linted(variant: Variant, lab: Lab | None = None) -> dict[str, Finding]:
    """What our lint says of a variant, by subject."""
    text = f"events {{}}\nhttp {{\n{text_of(variant, lab or Lab())}\n}}\n"
    return {finding.subject: finding for finding in nginx_config.lint(text, "akuma.xyz")}


def test_default_is_the_labs_own() -> None:
    """As lab.toml has it."""
    own = config.parse({"host": default_hosts(), "upstream": {"fail_timeout_s": 33, "method": "random"}})
    assert upstream_of("default", own) == own.upstream
    assert "fail_timeout=33s" in text_of("default", own)


def test_tuned_bounds_every_failure() -> None:
    """By two seconds, and a 503 is one."""
    text = text_of("tuned", Lab())
    for line in (
        "least_conn;", "max_fails=2 fail_timeout=5s", "proxy_connect_timeout 1s;", "proxy_read_timeout 2s;",
        "proxy_next_upstream error timeout http_502 http_503 http_504;", "proxy_next_upstream_tries 2;",
    ):  # fmt: skip
        assert line in text
    assert upstream_of("tuned", Lab()).name == Lab().upstream.name


def test_naive_waits_as_nginx_does() -> None:
    """60 s for everything, by round robin, whatever lab.toml says."""
    own = config.parse({"host": default_hosts(), "upstream": {"method": "ip_hash", "read_timeout_s": 1}})
    text = text_of("naive", own)
    assert "proxy_connect_timeout 60s;" in text and "proxy_read_timeout 60s;" in text
    assert "ip_hash" not in text
    assert linted("naive")["timeouts"].holds is False


def test_ip_hash_is_the_default_with_one_word() -> None:
    """Only the method differs."""
    assert text_of("ip_hash", Lab()).replace("    ip_hash;\n", "") == text_of("default", Lab())
    assert linted("ip_hash")["method"].holds is False


def test_non_idempotent_tries_a_post_again() -> None:
    """One word more than the default, and our lint warns of it."""
    assert "proxy_next_upstream error timeout non_idempotent;" in text_of("non_idempotent", Lab())
    assert linted("non_idempotent")["retries"].holds is False


@pytest.mark.parametrize("variant", ["default", "tuned", "naive", "ip_hash", "non_idempotent"])
def test_the_upstream_is_used(variant: Variant) -> None:
    """With both members, in all that are no mistake."""
    found = linted(variant)
    assert found["upstream"].holds is True
    assert found["members"].holds is True
    assert "192.168.56.11:3000, 192.168.56.12:3000" in found["members"].text


def test_ghost_declares_the_upstream_and_does_not_use_it() -> None:
    """The tutorial's mistake; the site is still the site, and logs as ever."""
    found = linted("ghost")
    assert found["upstream"].holds is False
    assert "domain" in found["upstream"].text and "http://127.0.0.1:3000" in found["upstream"].text
    text = text_of("ghost", Lab())
    assert "server 192.168.56.11:3000;" in text and "akuma.access.json lab_json" in text


def test_default_touches_nothing(lab: Playing) -> None:
    """Neither the host nor the ledger."""
    assert put_on("default", lab.session, Ledger(lab.home), "run1") is None
    assert lab.commands("akuma") == [] and Ledger(lab.home).entries() == ()


def test_a_variant_is_written_down_and_then_put_on(lab: Playing) -> None:
    """The old file is saved first, nginx is asked, and only then reloads."""
    ledger = Ledger(lab.home)
    in_ledger: list[int] = []

    def saved(command: str) -> str:
        in_ledger.append(len(ledger.entries()))
        return ""

    lab.hosts["akuma"].script["cp -p"] = saved
    entry = put_on("tuned", lab.session, ledger, "run1")
    assert entry is not None and ledger.entries() == (entry,)
    assert in_ledger == [1]
    assert (entry.what, entry.host, entry.kind, entry.run) == ("config tuned akuma", "akuma", "command", "run1")
    assert lab.hosts["akuma"].files == {SITE: text_of("tuned", lab.lab).encode()}
    save, test, reload = lab.commands("akuma")
    assert save == f"test -e {SAVED} || cp -p {SITE} {SAVED}"
    assert (test, reload) == ("nginx -t", "systemctl reload nginx")
    assert all(ran.root for ran in lab.hosts["akuma"].ran)


def test_what_nginx_refuses_is_taken_back(lab: Playing) -> None:
    """The old file is back, the ledger is empty, and nginx's own words are told."""
    lab.hosts["akuma"].script["nginx -t"] = Result("nginx -t", 1, "", "nginx: [emerg] unknown directive")
    with pytest.raises(CommandFailed) as caught:
        put_on("tuned", lab.session, Ledger(lab.home), "run1")
    assert "unknown directive" in str(caught.value) and "the old configuration is back" in str(caught.value)
    assert f"mv -f {SAVED} {SITE}" in lab.commands("akuma")[-1]
    assert Ledger(lab.home).entries() == ()


def test_a_host_that_goes_away_meanwhile_leaves_the_entry(lab: Playing) -> None:
    """For `lab heal`: nobody knows how far it came."""
    lab.hosts["akuma"].script["cp -p"] = 255
    with pytest.raises(CommandFailed):
        put_on("naive", lab.session, Ledger(lab.home), "run1")
    (entry,) = Ledger(lab.home).entries()
    assert entry.undo.startswith(f"test ! -e {SAVED} || ")
