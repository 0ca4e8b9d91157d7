"""What every `Machines` keeps: the fake in memory, and Vagrant with LXC guests that really boot."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import up
from lab.apps.profile import resolve
from lab.apps.source import obtain
from lab.config import load
from lab.destroy import destroy
from lab.events import silent
from lab.machines import Machines, State
from lab.machines.choose import machines_for
from lab.machines.fake import FakeMachines
from lab.session import Session
from lab.topology import Lab
from tests.realm import Realm

RUNNING = {"akuma": State.RUNNING, "voxy": State.RUNNING, "zero": State.RUNNING}
ABSENT = dict.fromkeys(RUNNING, State.ABSENT)


@pytest.fixture(params=["fake", "lxc"])
def machines(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machines]:
    """The machines of a lab of three, none of them made yet."""
    if request.param == "fake":
        yield FakeMachines(Lab())
        return
    realm = Realm.make(tmp_path / "lab", 59)
    lab = load(realm.folder / "lab.toml")
    realm.home.make()
    real = machines_for(lab, realm.home, "lxc")
    try:
        up.prepare(Session(lab, realm.home, "lxc", real), obtain(resolve("hello")))
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
