"""What every `Machines` keeps: the fake in memory, and Vagrant with LXC guests that really boot."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import up
from lab.apps.profile import resolve
from lab.apps.source import obtain
from lab.config import load
from lab.destroy import destroy
from lab.errors import UsageError
from lab.events import silent
from lab.host import SshHost
from lab.machines import Machines, State
from lab.machines.choose import machines_for
from lab.machines.fake import FakeMachines
from lab.session import Session
from lab.topology import Lab
from tests.realm import Realm

RUNNING = {"akuma": State.RUNNING, "voxy": State.RUNNING, "zero": State.RUNNING}
REACHABLE_S = 300 if "LAB_VM" in os.environ else 20
ABSENT = dict.fromkeys(RUNNING, State.ABSENT)


REAL = ["lxc", pytest.param("libvirt", marks=pytest.mark.skipif("LAB_VM" not in os.environ, reason="make test-vm"))]


@pytest.fixture(params=["fake", *REAL])
def machines(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machines]:
    """The machines of a lab of three, none of them made yet."""
    if request.param == "fake":
        yield FakeMachines(Lab())
        return
    realm = Realm.make(tmp_path / "lab", 59 if request.param == "lxc" else 72)
    lab = load(realm.folder / "lab.toml")
    realm.home.make()
    real = machines_for(lab, realm.home, request.param)
    try:
        up.prepare(Session(lab, realm.home, request.param, real), obtain(resolve("hello")))
        yield real
    finally:
        destroy(lab, realm.home, silent)
        assert realm.leftovers() == []


def test_life_of_machines(machines: Machines) -> None:
    """Absent, made, off, on, gone; doing a thing twice is doing it once."""
    assert machines.states() == ABSENT
    machines.destroy()

    assert set(machines.create()) == set(RUNNING)
    assert machines.states() == RUNNING
    assert machines.create() == ()
    assert [target.name for target in machines.targets()] == list(RUNNING)

    machines.power_off("voxy", graceful=False)
    machines.power_off("voxy")
    assert machines.states() == {**RUNNING, "voxy": State.STOPPED}
    machines.power_on("voxy")
    machines.power_on("voxy")
    assert machines.states() == RUNNING

    machines.power_off("zero")
    assert machines.create() == ("zero",)
    assert machines.states() == RUNNING

    with pytest.raises(KeyError):
        machines.power_off("nobody")

    machines.destroy()
    machines.destroy()
    assert machines.states() == ABSENT


class Inside:
    """What is in a guest: over SSH with the host key that the lab pinned, or in the fake's memory."""

    def __init__(self, machines: Machines, name: str) -> None:
        self._disk = machines.disks[name] if isinstance(machines, FakeMachines) else None
        self._target = next(target for target in machines.targets() if target.name == name)

    def run(self, command: str) -> str:
        """What a command prints on the real one, as soon as it lets us in; the fake has no commands."""
        if self._disk is not None:
            return ""
        with SshHost(self._target) as host:
            host.wait_until_reachable(REACHABLE_S)
            return host.run(command, root=True).stdout

    def write(self, path: str) -> None:
        """Put a file there."""
        self.run(f"echo mine > {path}")
        if self._disk is not None:
            self._disk[path] = "mine"

    def has(self, path: str) -> bool:
        """Whether it is there."""
        if self._disk is not None:
            return path in self._disk
        return self.run(f"test -e {path} && echo yes || true") == "yes\n"


def test_renewal(machines: Machines) -> None:
    """From every state, and after any damage, a guest is what its box is, runs, and is reached with the same key."""
    with pytest.raises(UsageError, match="voxy does not exist yet"):
        machines.renew("voxy")
    assert machines.states() == ABSENT
    machines.create()
    with pytest.raises(KeyError):
        machines.renew("nobody")
    targets = machines.targets()
    voxy, zero = Inside(machines, "voxy"), Inside(machines, "zero")
    zero.write("/etc/mine")

    for stop in (None, "shut down", "cut"):
        voxy.write("/etc/mine")
        assert voxy.has("/etc/mine")
        if stop:
            machines.power_off("voxy", graceful=stop == "shut down")
        machines.renew("voxy")
        assert machines.states() == RUNNING
        assert not voxy.has("/etc/mine")

    voxy.write("/etc/mine")
    voxy.run("chattr +i /etc/hosts /; rm -rf /home/vagrant/.ssh /etc/ssh /usr/bin/sudo; systemctl mask ssh; true")
    machines.renew("voxy")
    machines.renew("voxy")
    assert not voxy.has("/etc/mine")
    assert zero.has("/etc/mine")
    assert machines.states() == RUNNING
    assert machines.targets() == targets
