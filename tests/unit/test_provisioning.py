"""Provisioning: all hosts at once, one failure stops only its own host, a second time changes nothing."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from lab.errors import CommandFailed, HostUnreachable, Result
from lab.events import StepEnded, StepStarted, silent
from lab.host import Host
from lab.provisioning import bring_about, provision
from tests.fakes import FakeHost, Heard


@dataclass
class Remembered:
    """A state that a host has once it was applied."""

    title: str
    broken: bool = False
    had: set[str] = field(default_factory=set)

    def is_met(self, host: Host) -> bool:
        """Whether it was applied there."""
        return host.name in self.had

    def apply(self, host: Host) -> None:
        """Remember the host, or fail as a command does."""
        if self.broken:
            said = "\n".join(f"line {number}" for number in range(1, 21))
            raise CommandFailed(host.name, Result("make it", 7, said, ""))
        self.had.add(host.name)


def test_a_second_run_changes_nothing() -> None:
    """The first changes every step of every host."""
    plan = {name: [Remembered(f"{name} one"), Remembered(f"{name} two")] for name in ("akuma", "voxy", "zero")}
    first = provision(plan, FakeHost, silent)
    second = provision(plan, FakeHost, silent)
    assert [(each.name, each.ok, each.changed, each.failed) for each in first] == [
        ("akuma", True, 2, 0),
        ("voxy", True, 2, 0),
        ("zero", True, 2, 0),
    ]
    assert [each.changed for each in second] == [0, 0, 0]
    assert all(each.ok and each.error == "" and each.seconds >= 0 for each in second)


def test_one_failing_host_does_not_stop_the_others() -> None:
    """It stops at its first failure; the reports keep the order of the plan."""
    late = Remembered("late")
    plan = {
        "akuma": [Remembered("a")],
        "voxy": [Remembered("good"), Remembered("bad", broken=True), late],
        "zero": [Remembered("z"), Remembered("y")],
    }
    reports = provision(plan, FakeHost, silent)
    expected = [("akuma", True, 1, 0), ("voxy", False, 1, 1), ("zero", True, 2, 0)]
    assert expected == [(each.name, each.ok, each.changed, each.failed) for each in reports]
    assert late.had == set()


def test_an_error_names_host_step_command_code_and_last_lines() -> None:
    """Everything that is needed to look for the cause."""
    (report,) = provision({"voxy": [Remembered("the bad step", broken=True)]}, FakeHost, silent)
    assert report.error.startswith("voxy, at “the bad step”: voxy: `make it` ended with exit code 7")
    assert "| line 20" in report.error and "| line 11" in report.error
    assert "| line 10\n" not in report.error


def test_a_host_that_cannot_be_opened_failed_while_waiting() -> None:
    """And the listener hears of it."""
    heard = Heard()

    def opener(name: str) -> FakeHost:
        raise HostUnreachable(f"{name}: no SSH")

    (report,) = provision({"voxy": [Remembered("a")]}, opener, heard)
    assert (report.ok, report.failed, report.error) == (False, 1, "voxy, at “waiting until it answers”: voxy: no SSH")
    doing = "waiting until it answers"
    assert heard.events == [StepStarted("voxy", doing), StepEnded("voxy", doing, changed=False, ok=False)]


def test_hosts_are_worked_on_at_once() -> None:
    """Each waits for all others in the middle of its step: one after the other would never end."""
    meeting = threading.Barrier(3, timeout=10)

    @dataclass
    class Meets(Remembered):
        def apply(self, host: Host) -> None:
            meeting.wait()

    reports = provision({name: [Meets("meet")] for name in "abc"}, FakeHost, silent)
    assert [report.ok for report in reports] == [True, True, True]


def test_the_listener_hears_every_step() -> None:
    """Its start, and whether it changed something."""
    heard, step = Heard(), Remembered("one")
    assert bring_about(step, FakeHost("voxy"), heard) is True
    assert bring_about(step, FakeHost("voxy"), heard) is False
    expected = [
        StepStarted("voxy", "one"), StepEnded("voxy", "one", True),
        StepStarted("voxy", "one"), StepEnded("voxy", "one", False),
    ]  # fmt: skip
    assert expected == heard.events


def test_nothing_to_do_is_no_report() -> None:
    """An empty plan needs no thread."""
    assert provision({}, FakeHost, silent) == ()
