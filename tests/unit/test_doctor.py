"""Doctor: everything that this computer lacks, at once."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from lab import config, doctor, preflight
from lab.boxes.build import refuse_full_disk
from lab.doctor import examine
from lab.errors import MissingTool, NetworkTaken
from lab.home import Home
from lab.machines.choose import Choice
from lab.network import Network
from lab.preflight import Finding
from lab.topology import Lab


@pytest.fixture(autouse=True)
def healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    """This computer has everything for containers; a test takes something away."""
    monkeypatch.setattr(doctor, "choose", lambda wanted: Choice("lxc", f"asked for {wanted}"))
    monkeypatch.setattr(preflight, "findings", lambda provider: (Finding("vagrant", True, f"for {provider}"),))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=50 * 2**30))
    monkeypatch.setattr(Network, "refuse_taken_subnet", lambda self: None)
    monkeypatch.setattr(doctor, "resolv_conf", lambda lab: "nameserver 9.9.9.9\n")


def _failed(lab: Lab, home: Home) -> list[tuple[str, str]]:
    return [(finding.what, finding.mend) for finding in examine(lab, home, None)[1] if not finding.ok]


def test_a_healthy_computer(home: Home) -> None:
    """Every finding is fine, and says what was found."""
    chosen, found = examine(Lab(), home, None)
    assert chosen == "lxc"
    assert all(finding.ok and finding.detail for finding in found)
    assert [finding.what for finding in found] == ["provider", "python", "vagrant", "disk", "disk", "subnet", "dns"]
    assert found[-1].detail == "9.9.9.9"


def test_the_topologys_provider_is_looked_at(home: Home) -> None:
    """Unless another is named."""
    lab = config.parse({"provider": "libvirt"})
    assert examine(lab, home, None)[1][0].detail == "asked for libvirt"
    assert examine(lab, home, "virtualbox")[1][0].detail == "asked for virtualbox"


def test_all_that_is_missing_is_told(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not only the first; each with its mend. With tools missing the subnet is not looked at."""
    missing = Finding("nft", False, "not installed", "apt install nftables")
    monkeypatch.setattr(preflight, "findings", lambda provider: (missing, missing))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=2**30))
    monkeypatch.setattr(doctor, "resolv_conf", lambda lab: "")
    failed = _failed(Lab(), home)
    assert [what for what, _ in failed] == ["nft", "nft", "disk", "disk", "dns"]
    assert all(mend for _, mend in failed)


def test_a_taken_subnet_is_told(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the network's own mend."""

    def taken(self: Network) -> None:
        raise NetworkTaken("in use", "choose another")

    monkeypatch.setattr(Network, "refuse_taken_subnet", taken)
    assert _failed(Lab(), home) == [("subnet", "choose another")]


def test_no_provider_at_all(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """The usual one is looked at, so that the user learns what to install."""

    def nothing(wanted: str) -> Choice:
        raise MissingTool("nothing works")

    monkeypatch.setattr(doctor, "choose", nothing)
    for platform, expected in (("linux", "lxc"), ("darwin", "virtualbox")):
        monkeypatch.setattr("sys.platform", platform)
        chosen, found = examine(Lab(), home, None)
        assert chosen == expected
        assert (found[0].ok, found[0].detail) == (False, "nothing works")


def test_only_servers_are_shown_as_servers(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search domain is none."""
    monkeypatch.setattr(doctor, "resolv_conf", lambda lab: "search lan.example\nnameserver 9.9.9.9\n")
    assert examine(Lab(), home, None)[1][-1].detail == "9.9.9.9"


def test_free_space_is_asked_where_the_folder_will_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the nearest folder that exists."""
    asked: list[Path] = []

    def usage(path: Path) -> SimpleNamespace:
        asked.append(path)
        return SimpleNamespace(free=3 * 2**30)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    refuse_full_disk(tmp_path / "not" / "yet")
    assert asked == [tmp_path]
