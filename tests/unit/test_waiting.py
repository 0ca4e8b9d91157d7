"""Waiting: every wait has a name and a deadline."""

from __future__ import annotations

from itertools import count

import pytest

from lab import waiting
from lab.errors import HostUnreachable
from lab.waiting import wait_for


class Clock:
    """A time that passes only while somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        """The time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """It passes."""
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock that wait_for reads."""
    made = Clock()
    monkeypatch.setattr(waiting, "monotonic", made.monotonic)
    monkeypatch.setattr(waiting, "sleep", made.sleep)
    return made


def test_the_value_is_given_back(clock: Clock) -> None:
    """The first that is true, without a wait after it."""
    values = iter([None, "", "voxy", "zero"])
    assert wait_for("a name", lambda: next(values), within_s=5, every_s=1) == "voxy"
    assert clock.now == 2


def test_the_deadline_names_the_wait(clock: Clock) -> None:
    """And says how long it was, and what can be done."""
    with pytest.raises(HostUnreachable) as caught:
        wait_for("ssh on voxy", lambda: None, within_s=3, every_s=1, mend="lab reboot voxy")
    assert str(caught.value) == "ssh on voxy: not there after 3 s\n  → lab reboot voxy"
    assert clock.now == 3


def test_the_probe_is_asked_once_more_at_the_deadline(clock: Clock) -> None:
    """What comes in the last moment counts."""
    asked = count(1)
    assert wait_for("it", lambda: next(asked) >= 4, within_s=3, every_s=1) is True


def test_a_deadline_in_the_past_still_asks_once(clock: Clock) -> None:
    """What is there already needs no time."""
    assert wait_for("it", lambda: 1, within_s=0) == 1
