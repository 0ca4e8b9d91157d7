"""The fake machines, which other tests stand on."""

from __future__ import annotations

import pytest

from lab.errors import UsageError
from lab.machines.fake import FakeMachines
from lab.machines.protocol import Machines, State
from lab.topology import Lab


def test_a_life_of_fake_machines() -> None:
    """Absent, made, off, on, gone; every verb twice is once."""
    machines: Machines = FakeMachines(Lab())
    assert set(machines.states().values()) == {State.ABSENT}
    machines.power_on("voxy")
    assert machines.states()["voxy"] is State.ABSENT
    assert machines.create() == ("akuma", "voxy", "zero")
    machines.power_off("voxy")
    machines.power_off("voxy")
    assert machines.states()["voxy"] is State.STOPPED
    assert machines.create() == ("voxy",)
    assert machines.create() == ()
    machines.destroy()
    machines.destroy()
    assert set(machines.states().values()) == {State.ABSENT}


def test_a_renewed_guest_runs_and_is_empty() -> None:
    """From any state but absent."""
    machines = FakeMachines(Lab())
    with pytest.raises(UsageError, match="voxy does not exist yet"):
        machines.renew("voxy")
    machines.create()
    machines.power_off("voxy")
    machines.disks["voxy"]["/mine"] = machines.disks["zero"]["/mine"] = "text"
    machines.renew("voxy")
    assert set(machines.states().values()) == {State.RUNNING}
    assert machines.disks == {"akuma": {}, "voxy": {}, "zero": {"/mine": "text"}}
    machines.destroy()
    assert machines.disks["zero"] == {}


def test_a_strange_name_is_a_key_error() -> None:
    """As with the real ones."""
    machines = FakeMachines(Lab())
    with pytest.raises(KeyError):
        machines.power_on("nobody")
    with pytest.raises(KeyError):
        machines.power_off("nobody")
    with pytest.raises(KeyError):
        machines.renew("nobody")
    assert [each.name for each in machines.targets()] == ["akuma", "voxy", "zero"]


def test_a_fake_save_is_a_copy() -> None:
    """What is written afterwards is not in it; destroyed machines have none."""
    machines = FakeMachines(Lab())
    machines.create()
    machines.disks["voxy"]["/a"] = "old"
    assert machines.save("1") == 3
    machines.disks["voxy"]["/a"] = "new"
    machines.save("2")
    machines.power_off("zero")
    machines.restore("1")
    assert machines.disks["voxy"] == {"/a": "old"}
    assert set(machines.states().values()) == {State.RUNNING}
    machines.prune(["2"])
    assert machines.saves() == {"akuma": {"2"}, "voxy": {"2"}, "zero": {"2"}}
    machines.destroy()
    assert machines.saves() == {"akuma": frozenset(), "voxy": frozenset(), "zero": frozenset()}
