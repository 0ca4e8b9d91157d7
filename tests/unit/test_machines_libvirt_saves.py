"""Snapshots of virtual machines, as virsh is told to make them. virsh itself is a fake."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import process
from lab.errors import CommandFailed, HostUnreachable, Result
from lab.machines import libvirt as module
from lab.machines.libvirt import Libvirt


class Virsh:
    """Domains and their snapshots in memory, and a record of what changes them."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.running = {"p-akuma", "p-voxy"}
        self.domains = ["p-akuma", "p-voxy", "p-zero"]
        self.snapshots: dict[str, list[str]] = {name: [] for name in self.domains}
        self.told: list[str] = []
        self.fails = ""
        self.deaf = ""
        patch.setattr(process, "run", self._run)
        patch.setattr(module, "STORE", Path("/nonexistent"))

    def _run(self, *argv: str, check: bool = True) -> Result:
        assert argv[:3] == ("virsh", "--connect", "qemu:///system")
        line = " ".join(argv[3:])
        verb, guest, *rest = argv[3:]
        said = ""
        if verb == "list":
            states = {True: "1 %s running", False: "- %s shut off"}
            said = "\n".join([" Id Name State", "---", *(states[name in self.running] % name for name in self.domains)])
        elif verb == "snapshot-list":
            said = "\n".join([*self.snapshots[guest], ""])
        else:
            self.told.append(line)
            if self.fails == line:
                raise CommandFailed("this computer", Result(line, 1, "", ""))
            self._change(verb, guest, rest)
        return Result(line, 0, said, "")

    def _change(self, verb: str, guest: str, rest: list[str]) -> None:
        if verb in ("shutdown", "destroy") and guest != self.deaf:
            self.running.remove(guest)
        if verb == "start":
            assert guest not in self.running
            self.running.add(guest)
        if verb == "snapshot-create-as":
            assert guest not in self.running, "a snapshot of a disk that is in use would hold the memory too"
            self.snapshots[guest].append(rest[0])
        if verb == "snapshot-revert":
            assert guest not in self.running
            assert rest[0] in self.snapshots[guest]
        if verb == "snapshot-delete":
            self.snapshots[guest].remove(rest[0])


@pytest.fixture
def virsh(monkeypatch: pytest.MonkeyPatch) -> Virsh:
    """Two domains that run, and one that is off."""
    return Virsh(monkeypatch)


def test_a_save_is_a_snapshot_of_all_while_all_are_off(virsh: Virsh) -> None:
    """So it is one point of time; those that ran are booted again."""
    assert Libvirt().save(virsh.domains, "12345678") == 0
    assert [sorted(virsh.told[:2]), sorted(virsh.told[2:5]), sorted(virsh.told[5:])] == [
        ["shutdown p-akuma", "shutdown p-voxy"],
        [f"snapshot-create-as {guest} 12345678 --atomic" for guest in virsh.domains],
        ["start p-akuma", "start p-voxy"],
    ]
    assert virsh.running == {"p-akuma", "p-voxy"}


def test_after_a_save_that_fails_the_guests_run_on(virsh: Virsh) -> None:
    """Each that ran."""
    virsh.fails = "snapshot-create-as p-voxy 12345678 --atomic"
    with pytest.raises(CommandFailed):
        Libvirt().save(virsh.domains, "12345678")
    assert virsh.running == {"p-akuma", "p-voxy"}


def test_a_guest_that_does_not_shut_down_prevents_the_save(virsh: Virsh, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its power is not taken unasked; the others run on."""
    monkeypatch.setattr(module, "SHUTDOWN_S", 0)
    virsh.deaf = "p-voxy"
    with pytest.raises(HostUnreachable, match="power off of p-voxy"):
        Libvirt().save(virsh.domains, "12345678")
    assert virsh.running == {"p-akuma", "p-voxy"}
    assert not any(virsh.snapshots.values())


@pytest.mark.parametrize(("guest", "expected"), [("p-voxy", ["destroy p-voxy"]), ("p-zero", [])])
def test_a_restore_takes_the_power_goes_back_and_boots(virsh: Virsh, guest: str, expected: list[str]) -> None:
    """From either state."""
    virsh.snapshots[guest] = ["12345678"]
    Libvirt().restore(guest, "12345678")
    assert virsh.told == [*expected, f"snapshot-revert {guest} 12345678", f"start {guest}"]


def test_only_snapshots_of_ours_are_listed_and_removed(virsh: Virsh) -> None:
    """A snapshot that somebody made by hand stays; a domain that is gone has none."""
    virsh.snapshots["p-voxy"] = ["11111111", "by-hand", "22222222", "33333333"]
    assert Libvirt().saves("p-voxy") == {"11111111", "22222222", "33333333"}
    Libvirt().prune("p-voxy", ["22222222", "44444444"])
    assert virsh.snapshots["p-voxy"] == ["by-hand", "22222222"]
    assert Libvirt().saves("p-gone") == frozenset()
    Libvirt().prune("p-gone", [])
