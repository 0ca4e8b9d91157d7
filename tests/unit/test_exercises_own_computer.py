"""What a solution may do on the student's own computer: four kinds of lines, of hosts that there are, and no more."""

from __future__ import annotations

from typing import Any

import pytest

from lab import power
from lab.errors import HostUnreachable, UsageError
from lab.exercises import own_computer
from lab.exercises.own_computer import LONGEST_SLEEP_S, faults_of, run
from lab.home import Home
from tests.unit.playing import Playing

HOSTS = ("akuma", "voxy", "zero")


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How long was slept, and nothing waits for an application."""
    times: list[int] = []
    monkeypatch.setattr(own_computer, "sleep", times.append)
    monkeypatch.setattr(power, "require_answer", lambda *words: None)
    return times


def test_each_kind_of_line(home: Home, slept: list[int]) -> None:
    """In their order; comments and empty lines are none."""
    lab = Playing(home)
    run(
        lab.session,
        "# dark\nlab halt --force voxy\n\nsleep 4  # as a cable\n  lab start voxy\nlab halt zero\nlab reboot akuma",
    )
    assert lab.machines.told == ["cut voxy", "on voxy", "shut down zero", "shut down akuma", "on akuma"]
    assert slept == [4]


@pytest.mark.parametrize(
    "line",
    [
        "rm -rf ~", "lab destroy --yes", "lab halt", "lab halt voxy zero", "lab halt --Force voxy",
        "lab start voxy; reboot", "lab start voxy && id", "lab start $(id)", "lab start `id`", "lab start Voxy",
        "sleep 1.5", "sleep -1", "sleep", "sleep 1; id", "sudo lab start voxy", "lab ssh voxy id", "lab start voxy|id",
        "lab  start voxy", "lab reboot --force voxy", "cd", "\x1b[2J",
    ],
)  # fmt: skip
def test_anything_else_is_refused_before_anything_is_done(home: Home, slept: list[int], line: str) -> None:
    """Also where the lines above it are right."""
    lab = Playing(home)
    with pytest.raises(UsageError) as caught:
        run(lab.session, f"lab halt voxy\nsleep 1\n{line}\n")
    assert caught.value.message == f"lab.sh: `{line.strip()}` is none of lab halt, lab start, lab reboot, sleep"
    assert (lab.machines.told, slept) == ([], [])


@pytest.mark.parametrize(
    ("line", "host"), [("lab start luna", "luna"), ("lab halt --force", "--force"), ("lab reboot -", "-")]
)
def test_hosts_are_known(home: Home, slept: list[int], line: str, host: str) -> None:
    """Nothing is done to a host that the lab has not."""
    lab = Playing(home)
    with pytest.raises(UsageError, match=f"`{line}`: there is no host {host}"):
        run(lab.session, f"lab halt voxy\n{line}")
    assert lab.machines.told == []


def test_a_sleep_is_bounded(home: Home, slept: list[int]) -> None:
    """The longest is allowed, and not a second more."""
    run(Playing(home).session, f"sleep {LONGEST_SLEEP_S}")
    assert slept == [LONGEST_SLEEP_S]
    with pytest.raises(UsageError, match=f"`sleep {LONGEST_SLEEP_S + 1}` is longer than {LONGEST_SLEEP_S} s"):
        run(Playing(home).session, f"sleep {LONGEST_SLEEP_S + 1}")
    assert slept == [LONGEST_SLEEP_S]


def test_all_faults_are_told() -> None:
    """A sentence each, for lint."""
    text = "lab start voxy\nid\nlab halt luna\nsleep 99\n"
    assert list(faults_of(text, HOSTS)) == [
        "`id` is none of lab halt, lab start, lab reboot, sleep", "`lab halt luna`: there is no host luna",
        "`sleep 99` is longer than 30 s",
    ]  # fmt: skip
    assert list(faults_of("", HOSTS)) == []


def test_a_host_that_does_not_come_back(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is told as it is everywhere, and what comes after it is not done."""
    lab = Playing(home)
    lab.hosts["voxy"].dead = True
    done: list[Any] = []
    monkeypatch.setattr(own_computer, "sleep", done.append)
    with pytest.raises(HostUnreachable, match="ssh on voxy"):
        run(lab.session, "lab start voxy\nsleep 1")
    assert done == []
