"""`lab list`: every lab with how many of its hosts run; and the end of those whose folder is gone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from lab import labs, listing, network, process, registry
from lab.cli import main
from lab.errors import MissingTool, Result, UsageError
from lab.events import silent
from lab.home import Home
from lab.labs import KnownLab
from lab.ledger import Entry as Fault
from lab.ledger import Ledger
from lab.listing import destroy_orphan, listed
from lab.machines import libvirtd, pool
from lab.machines.protocol import State
from lab.registry import Entry
from tests.fakes import FakePowerTool


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> FakePowerTool:
    """The guests of this computer, of any provider."""
    made = FakePowerTool()
    monkeypatch.setattr(listing, "tool_of", lambda provider: made)
    return made


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whose network was removed."""
    gone: list[str] = []
    monkeypatch.setattr(network, "remove", lambda id, subnet: gone.append(f"{id} {subnet}"))
    return gone


def _entry(home: Home, provider: str = "lxc") -> Entry:
    hosts = ("akuma", "voxy", "zero")
    entry = Entry(home.id, home.name, str(home.folder), provider, "192.168.57.0/24", "http://192.168.57.10/", hosts)
    registry.write(entry)
    return entry


def _main(*words: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(words)
    return int(str(left.value.code or 0))


def test_each_lab_is_listed_with_what_runs(tool: FakePowerTool, home: Home) -> None:
    """In the order of folders and names; another lab's guests are not counted, faults are named."""
    named = Home(home.folder, "b")
    for each in (named, home):
        _entry(each)
    tool.held = {f"lab-{home.id}-{name}": State.RUNNING for name in ("akuma", "voxy")}
    tool.held |= {f"lab-{home.id}-zero": State.STOPPED, f"lab-{named.id}-zero": State.RUNNING, "web": State.RUNNING}
    Ledger(named).write(Fault("1", "power_off voxy", "voxy", "power", "", "run"))
    first, second = listed()
    assert (first.name, first.running, first.hosts, first.faults, first.gone) == ("", 2, 3, (), False)
    assert (second.name, second.running, second.hosts, second.faults) == ("b", 1, 3, ("power_off voxy",))
    assert second.removal == f"cd {home.folder} && lab --name b destroy"


def test_a_provider_that_cannot_be_asked_hides_no_lab(monkeypatch: pytest.MonkeyPatch, home: Home) -> None:
    """How many run is unknown then; nor is the lab forgotten, though its folder is gone."""

    def missing(provider: str) -> FakePowerTool:
        raise MissingTool("VBoxManage is not installed")

    monkeypatch.setattr(listing, "tool_of", missing)
    _entry(home, "virtualbox")
    _entry(Home(home.folder / "gone"), "virtualbox")
    assert [(each.running, each.gone) for each in listed()] == [(None, False), (None, True)]
    assert len(registry.entries()) == 2


def test_a_lab_of_which_nothing_is_left_is_forgotten(tool: FakePowerTool, tmp_path: Path) -> None:
    """Its folder was removed after its machines."""
    _entry(Home(tmp_path / "gone"))
    assert listed() == ()
    assert registry.entries() == ()


def test_a_lab_whose_folder_is_gone_is_removed_by_its_id(
    tool: FakePowerTool, networks: list[str], tmp_path: Path
) -> None:
    """All its guests, its network, its file; no other lab's guest."""
    home = Home(tmp_path / "gone")
    _entry(home)
    tool.held = {
        f"lab-{home.id}-voxy": State.RUNNING,
        f"lab-{home.id}-old": State.STOPPED,
        "lab-00000000-x": State.RUNNING,
    }
    (lab,) = listed()
    assert lab.gone and lab.removal == f"lab destroy --id {home.id}"
    assert destroy_orphan(home.id, silent) == f"lab in {tmp_path / 'gone'}"
    assert (tool.held, networks) == ({"lab-00000000-x": State.RUNNING}, [f"{home.id} 192.168.57.0/24"])
    assert listed() == ()


def test_virtual_machines_have_no_network_of_ours(tool: FakePowerTool, networks: list[str], tmp_path: Path) -> None:
    """Only the guests are removed."""
    home = Home(tmp_path / "gone")
    _entry(home, "virtualbox")
    tool.held = {f"lab-{home.id}-voxy": State.STOPPED}
    destroy_orphan(home.id, silent)
    assert (tool.held, networks) == ({}, [])


def test_of_libvirt_the_network_goes_too(
    tool: FakePowerTool, networks: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """libvirt would bring it back; its daemon is there before, and goes last."""
    done: list[str] = []
    monkeypatch.setattr(libvirtd, "ensure", lambda: done.append("ensure"))
    monkeypatch.setattr(pool, "clear", lambda: done.append("clear"))
    monkeypatch.setattr(libvirtd, "release", lambda: done.append("release"))

    def run(*argv: str, **more: object) -> Result:
        done.append(" ".join(argv[3:]))
        return Result("", 0, "default\n", "")

    monkeypatch.setattr(process, "run", run)
    monkeypatch.setattr(process, "as_root", lambda *argv, **more: done.append(" ".join(map(str, argv))))
    home = Home(tmp_path / "gone")
    _entry(home, "libvirt")
    destroy_orphan(home.id, silent)
    notes = f"/run/libvirt/network/lab{home.id}"
    assert done == [
        "ensure", f"net-destroy lab{home.id}", f"net-undefine lab{home.id}", "net-list --all --name",
        f"rm -rf {notes} {notes}.pid", "clear", "release",
    ]  # fmt: skip
    assert networks == [f"{home.id} 192.168.57.0/24"]


def test_of_machines_of_others_only_the_memory_goes(networks: list[str], tmp_path: Path) -> None:
    """There is no tool for their power."""
    home = Home(tmp_path / "gone")
    _entry(home, "existing")
    destroy_orphan(home.id, silent)
    assert (registry.entries(), networks) == ((), [])


def test_a_lab_is_not_removed_behind_its_back(tool: FakePowerTool, networks: list[str], home: Home) -> None:
    """Where its folder is there, it is destroyed there; an id that nobody has is answered with the list."""
    entry = _entry(home)
    with pytest.raises(UsageError) as caught:
        destroy_orphan(home.id, silent)
    assert "is still there" in caught.value.message and f"cd {home.folder} && lab destroy" in caught.value.mend
    with pytest.raises(UsageError, match="no lab with the id 'ffffffff'"):
        destroy_orphan("ffffffff", silent)
    assert (registry.entries(), tool.told, networks) == ((entry,), [], [])


def test_what_is_printed(
    tool: FakePowerTool, networks: list[str], home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows for people with the mend below, all fields for programs; then the orphan's end."""
    assert _main("list") == 0
    assert "There is no lab on this computer" in capsys.readouterr().out
    gone = Home(tmp_path / "gone", "old")
    for each in (home, gone):
        _entry(each)
    tool.held = {f"lab-{gone.id}-voxy": State.STOPPED}
    Ledger(home).write(Fault("1", "power_off voxy", "voxy", "power", "", "run"))
    assert _main("list") == 0
    said = capsys.readouterr().out
    assert "192.168.57.0/24" in said and str(home.folder) in said and "0/3" in said
    assert "power_off voxy" in said and f"→ lab destroy --id {gone.id}" in said
    assert _main("list", "--json") == 0
    found = {each["id"]: each for each in json.loads(capsys.readouterr().out)}
    assert (found[home.id]["running"], found[home.id]["hosts"], found[home.id]["gone"]) == (0, 3, False)
    assert (found[gone.id]["name"], found[gone.id]["gone"]) == ("old", True)
    assert _main("destroy", "--id", home.id, "--yes") == 2
    assert _main("destroy", "--id", gone.id, "--yes") == 0
    assert f"Nothing is left of lab old in {gone.folder}." in capsys.readouterr().out
    assert [entry.id for entry in registry.entries()] == [home.id]


def test_a_lab_of_somebody_else_is_listed(tool: FakePowerTool, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what its bridge tells; its faults cannot be read."""
    theirs = KnownLab(Entry("0" * 8, provider="lxc", subnet="192.168.57.0/24"), bridge=True)
    monkeypatch.setattr(labs, "known", lambda: (theirs, replace(theirs, entry=replace(theirs.entry, id="1" * 8))))
    tool.held = {"lab-00000000-voxy": State.RUNNING}
    assert [(each.running, each.hosts, each.gone) for each in listed()] == [(1, 1, False), (0, 0, False)]
