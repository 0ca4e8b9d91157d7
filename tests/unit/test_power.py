"""Power of single hosts: off, on, and back until they serve."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lab import power
from lab.errors import HostUnreachable, UsageError
from lab.events import Note, PhaseEnded, PhaseStarted
from lab.home import Home
from lab.machines.capabilities import NOTHING
from lab.machines.fake import FakeMachines
from lab.machines.protocol import State
from lab.session import Session, named_hosts
from lab.topology import Lab
from tests.fakes import FakeHost, Heard
from tests.unit.playing import Playing


class Watched(Session):
    """A session that writes down what was waited for."""

    waited: list[str]

    def reachable_host(self, name: str, within_s: float, give_up: Any = None) -> FakeHost:  # type: ignore[override]
        """Waits not at all."""
        self.waited.append(f"ssh {name} {within_s:.0f}")
        return FakeHost(name)


@pytest.fixture
def session(home: Home, monkeypatch: pytest.MonkeyPatch) -> Watched:
    """The default lab, running in memory."""
    machines = FakeMachines(Lab())
    machines.create()
    made = Watched(Lab(), home, "lxc", machines, Heard())
    made.waited = []
    monkeypatch.setattr(power, "require_answer", lambda lab, name, within_s: made.waited.append(f"app {name}"))
    return made


def test_halt_stops_the_named_ones(session: Watched) -> None:
    """And the others run on; twice is once."""
    power.halt(session, ("voxy",))
    power.halt(session, ("voxy",))
    assert session.machines.states() == {"akuma": State.RUNNING, "voxy": State.STOPPED, "zero": State.RUNNING}


@pytest.mark.parametrize("force", [True, False])
def test_force_takes_the_power(session: Watched, monkeypatch: pytest.MonkeyPatch, force: bool) -> None:
    """Else the hosts are asked to shut down."""
    told: list[tuple[str, bool]] = []
    monkeypatch.setattr(session.machines, "power_off", lambda name, graceful: told.append((name, graceful)))
    power.halt(session, ("voxy", "zero"), force=force)
    assert sorted(told) == [("voxy", not force), ("zero", not force)]


def test_start_waits_until_hosts_let_us_in_and_backends_serve(session: Watched) -> None:
    """The balancer has no app to wait for."""
    power.halt(session, ("akuma", "voxy"))
    power.start(session, ("akuma", "voxy"))
    assert set(session.machines.states().values()) == {State.RUNNING}
    assert sorted(session.waited) == ["app voxy", "ssh akuma 60", "ssh voxy 60"]


def test_reboot_is_off_and_on(session: Watched) -> None:
    """Told as two phases."""
    power.reboot(session, ("zero",))
    heard = session.listener
    assert isinstance(heard, Heard)
    named = [event.phase for event in heard.events if isinstance(event, PhaseStarted | PhaseEnded)]
    assert named == ["halt", "halt", "start", "start"]
    assert session.waited == ["ssh zero 60", "app zero"]


def test_a_host_whose_power_is_not_ours_reboots_by_itself(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until it began anew; each look is on a new connection. A halt says aloud whose hand is needed."""
    lab = Playing(home)
    lab.machines.capabilities = NOTHING
    served: list[str] = []
    monkeypatch.setattr(power, "require_answer", lambda lab, name, within_s: served.append(name))
    lives: Iterator[str | HostUnreachable] = iter(["1 5\n", "1 5\n", HostUnreachable("gone"), "1 99\n"])

    def life(command: str) -> str:
        now = next(lives)
        if isinstance(now, HostUnreachable):
            raise now
        return now

    lab.hosts["voxy"].script["boot_id"] = life
    power.reboot(lab.session, ("voxy",))
    assert sum("systemctl reboot" in command for command in lab.commands("voxy")) == 1
    assert (lab.machines.told, lab.hosts["voxy"].closed, served) == (["on voxy"], 3, ["voxy"])
    power.halt(lab.session, ("zero",))
    assert [event.text for event in lab.heard.events if isinstance(event, Note) and event.loud] == [
        "only you can switch zero on again: the lab cannot"
    ]


@pytest.mark.parametrize("verb", [power.start, power.reboot])
def test_an_absent_host_is_refused(home: Home, verb: Any) -> None:
    """Before anything else is done; the mend is `lab up`."""
    machines = FakeMachines(Lab())
    machines.create()
    machines._states["voxy"] = State.ABSENT
    with pytest.raises(UsageError) as caught:
        verb(Session(Lab(), home, "lxc", machines), ("voxy", "zero"))
    assert str(caught.value) == "voxy does not exist yet\n  → lab up makes what is missing"
    assert machines.states()["zero"] is State.RUNNING


def test_one_failure_is_told_when_all_have_ended(session: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are switched all the same."""
    off: list[str] = []

    def power_off(name: str, graceful: bool) -> None:
        if name == "akuma":
            raise HostUnreachable("akuma is deaf")
        off.append(name)

    monkeypatch.setattr(session.machines, "power_off", power_off)
    with pytest.raises(HostUnreachable, match="akuma is deaf"):
        power.halt(session, ("akuma", "voxy", "zero"))
    assert sorted(off) == ["voxy", "zero"]


def test_hosts_are_named_in_the_labs_order() -> None:
    """None named means all, each once; an unknown one is refused with the known."""
    assert named_hosts(Lab(), ()) == ("akuma", "voxy", "zero")
    assert named_hosts(Lab(), ("zero", "akuma", "zero")) == ("akuma", "zero")
    with pytest.raises(UsageError) as caught:
        named_hosts(Lab(), ("voxi",))
    assert str(caught.value) == "there is no host 'voxi'\n  → name one of akuma, voxy, zero"
