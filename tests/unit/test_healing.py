"""Injecting and healing: armed before it is done, confirmed by a probe, undone as often as anybody asks."""

from __future__ import annotations

import shlex
from collections.abc import Callable

import pytest

from lab import faults, healing
from lab.errors import CommandFailed, EnvironmentProblem, HostUnreachable
from lab.faults import Fault
from lab.healing import confirm_healed, heal, heal_all, inject, write_down
from lab.home import Home
from lab.ledger import Ledger
from lab.machines.capabilities import NOTHING
from lab.machines.protocol import State
from lab.quantities import seconds
from lab.topology import Lab
from lab.vagrantfile import BOOT_TIMEOUT_S
from tests.unit.playing import Playing, entry


@pytest.fixture
def lab(home: Home) -> Playing:
    """A lab that runs."""
    return Playing(home)


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Deadlines of tests, and every backend serves; the names that were asked."""
    asked: list[str] = []

    def serving(lab: Lab, name: str, within_s: float) -> None:
        asked.append(name)

    monkeypatch.setattr(healing, "CONFIRM_S", 0.05)
    monkeypatch.setattr(healing, "require_serving", serving)
    return asked


def bound(make: Callable[[str], Fault], host: str = "voxy") -> Fault:
    """A fault of the default lab."""
    return make(host).bound_to(Lab())


def test_it_is_written_down_with_what_undoes_it(lab: Playing) -> None:
    """Each time under a name of its own."""
    ledger = Ledger(lab.home)
    written = [write_down(bound(faults.cut_link), ledger, "run1") for _ in range(2)]
    assert {each.id for each in ledger.entries()} == {each.id for each in written}
    assert len({each.id for each in written}) == 2
    found = ledger.entries()[0]
    assert (found.what, found.host, found.kind, found.run) == ("cut_link voxy", "voxy", "command", "run1")
    assert found.undo == bound(faults.cut_link).undo


def test_a_command_is_armed_before_it_is_run(lab: Playing) -> None:
    """The timer on the host undoes it, should we die: after the fault's time and a margin."""
    fault = faults.cut_link("voxy", lasting=seconds(7)).bound_to(lab.lab)
    inject(lab.session, fault, entry("abc"))
    timer, command = lab.hosts["voxy"].ran
    words = shlex.split(timer.command)
    assert words[0] == "systemd-run"
    assert "--unit=lab-undo-abc" in words and "--on-active=37" in words
    assert words[-3:] == ["sh", "-c", fault.undo]
    assert command.command == fault.inject
    assert timer.root and command.root


def test_what_is_done_on_the_balancer_is_undone_there(lab: Playing) -> None:
    """Though the victim is another: the entry says where, and both the timer and the fault go there."""
    fault = bound(faults.drain)
    written = write_down(fault, Ledger(lab.home), "run1", "akuma")
    assert (written.what, written.host) == ("drain voxy", "akuma")
    inject(lab.session, fault, written)
    heal(lab.session, written)
    assert lab.commands("voxy") == []
    assert lab.commands("akuma")[1:3] == [fault.inject, fault.undo]


def test_what_cannot_be_armed_is_not_injected(lab: Playing) -> None:
    """Without a timer no fault."""
    lab.hosts["voxy"].script["systemd-run"] = 1
    with pytest.raises(CommandFailed):
        inject(lab.session, bound(faults.cut_link), entry())
    assert len(lab.commands("voxy")) == 1


def test_power_goes_by_the_providers_switch(lab: Playing) -> None:
    """At once, and without a word to the host."""
    inject(lab.session, bound(faults.power_off), entry(kind="power"))
    assert lab.machines.told == ["cut voxy"]
    assert lab.commands("voxy") == []


def test_power_is_given_back(lab: Playing) -> None:
    """The old connection is dead, and the machine may take its boot's time."""
    lab.machines.power_off("voxy", graceful=False)
    heal(lab.session, entry(kind="power"))
    assert lab.machines.states()["voxy"] is State.RUNNING
    assert lab.hosts["voxy"].closed == 1
    assert lab.hosts["voxy"].waited == [BOOT_TIMEOUT_S["virtualbox"]]
    assert lab.commands("voxy") == []


def test_a_command_is_undone_and_its_timer_stopped(lab: Playing) -> None:
    """In this order: the timer is the last rope."""
    heal(lab.session, entry("abc"))
    assert lab.commands("voxy") == ["undo abc", "systemctl stop lab-undo-abc.timer 2>/dev/null || true"]
    assert all(ran.root for ran in lab.hosts["voxy"].ran)
    assert lab.machines.told == []


def test_a_host_that_lost_its_power_meanwhile_gets_it_first(lab: Playing) -> None:
    """As after a reboot of the computer."""
    lab.machines.power_off("voxy")
    heal(lab.session, entry("abc"))
    assert lab.machines.told[-1] == "on voxy"
    assert lab.commands("voxy")[0] == "undo abc"


def test_a_host_whose_power_is_not_ours_is_only_waited_for(lab: Playing) -> None:
    """As in the middle of its own reboot."""
    lab.machines.capabilities = NOTHING
    lab.machines.power_off("voxy")
    heal(lab.session, entry("abc"))
    assert "on voxy" not in lab.machines.told
    assert lab.hosts["voxy"].waited and lab.commands("voxy")[0] == "undo abc"


@pytest.mark.parametrize("kind", ["power", "command"])
def test_healing_twice_is_harmless(lab: Playing, kind: str) -> None:
    """The same commands, no complaint, an empty ledger."""
    ledger = Ledger(lab.home)
    ledger.write(entry(kind=kind))
    for _ in range(2):
        heal(lab.session, entry(kind=kind))
        confirm_healed(lab.session, entry(kind=kind), ledger)
    assert ledger.entries() == ()


def test_an_undo_that_fails_leaves_the_timer_armed(lab: Playing) -> None:
    """And raises."""
    lab.hosts["voxy"].script["undo abc"] = 1
    with pytest.raises(CommandFailed):
        heal(lab.session, entry("abc"))
    assert lab.commands("voxy") == ["undo abc"]


def test_a_backend_is_healed_when_it_serves(lab: Playing, hasty: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Only then the entry goes."""
    ledger = Ledger(lab.home)
    ledger.write(entry())
    confirm_healed(lab.session, entry(), ledger)
    assert (hasty, ledger.entries()) == (["voxy"], ())

    def silent(lab: Lab, name: str, within_s: float) -> None:
        raise HostUnreachable("the app on voxy: not there")

    ledger.write(entry())
    monkeypatch.setattr(healing, "require_serving", silent)
    with pytest.raises(HostUnreachable):
        confirm_healed(lab.session, entry(), ledger)
    assert ledger.entries() == (entry(),)


def test_the_balancer_is_healed_when_nginx_runs_and_likes_its_files(lab: Playing, hasty: list[str]) -> None:
    """A broken file that is still there is not healed."""
    ledger = Ledger(lab.home)
    broken = entry(what="break_config akuma", host="akuma")
    ledger.write(broken)
    lab.hosts["akuma"].script["nginx -t"] = 1
    with pytest.raises(CommandFailed):
        confirm_healed(lab.session, broken, ledger)
    assert ledger.entries() == (broken,)
    lab.hosts["akuma"].script["nginx -t"] = ""
    confirm_healed(lab.session, broken, ledger)
    assert (hasty, ledger.entries()) == ([], ())


def test_everything_is_healed(lab: Playing) -> None:
    """The newest first, as a run does; what was undone is told; the second time it is nothing."""
    ledger = Ledger(lab.home)
    left = (entry("a"), entry("b", "pause zero", "zero"))
    for each in left:
        ledger.write(each)
    ledger_before = ledger.entries()
    assert heal_all(lab.session, ledger) == tuple(reversed(ledger_before))
    assert heal_all(lab.session, ledger) == ()


def test_one_failure_stops_nobody(lab: Playing) -> None:
    """The others are healed; the failed one stays in the ledger and is named, with the mend."""
    ledger = Ledger(lab.home)
    for each in (entry("a"), entry("b", "pause zero", "zero"), entry("c", "stop_nginx akuma", "akuma")):
        ledger.write(each)
    lab.hosts["zero"].dead = True
    with pytest.raises(EnvironmentProblem, match="pause zero: ssh on zero: not there") as caught:
        heal_all(lab.session, ledger)
    assert "cut_link" not in str(caught.value) and "`lab heal` again" in caught.value.mend
    assert [each.id for each in ledger.entries()] == ["b"]
    assert "undo c" in lab.commands("akuma")


def test_a_fault_of_a_host_that_is_no_longer_in_the_topology_stops_nobody(lab: Playing) -> None:
    """lab.toml was changed in between: a sentence that names it, and the rest is healed."""
    ledger = Ledger(lab.home)
    ledger.write(entry("a", "cut_link luna", "luna"))
    ledger.write(entry("b"))
    with pytest.raises(EnvironmentProblem, match="cut_link luna"):
        heal_all(lab.session, ledger)
    assert [each.id for each in ledger.entries()] == ["a"]
