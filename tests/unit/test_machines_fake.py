"""The fake machines, which other tests stand on."""

from __future__ import annotations

import pytest

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


def test_a_strange_name_is_a_key_error() -> None:
    """As with the real ones."""
    machines = FakeMachines(Lab())
    with pytest.raises(KeyError):
        machines.power_on("nobody")
    with pytest.raises(KeyError):
        machines.power_off("nobody")
    assert [each.name for each in machines.targets()] == ["akuma", "voxy", "zero"]
