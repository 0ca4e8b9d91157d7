"""What long work tells about itself while it goes on. Library code emits; the command line shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic


@dataclass(frozen=True)
class PhaseStarted:
    """A named part of the work begins, as "boot" or "provision"."""

    phase: str
    detail: str = ""


@dataclass(frozen=True)
class PhaseEnded:
    """The part is over, well or not."""

    phase: str
    ok: bool
    seconds: float


@dataclass(frozen=True)
class StepStarted:
    """A host begins to bring about a state."""

    host: str
    step: str


@dataclass(frozen=True)
class StepEnded:
    """The host has the state; `changed` tells whether anything had to be done."""

    host: str
    step: str
    changed: bool
    ok: bool = True


@dataclass(frozen=True)
class Note:
    """A sentence for the user; `loud` ones must not be missed."""

    text: str
    loud: bool = False


@dataclass(frozen=True)
class Traffic:
    """What users got in the last second of a run.

    Attributes:
        t: seconds on the run's clock.
        answers: good answers, by backend.
        failed: requests that failed.
        slowest_ms: the longest latency of those that ended, in milliseconds.
        waiting: requests that are due and not over.
    """

    t: float
    answers: Mapping[str, int]
    failed: int
    slowest_ms: float
    waiting: int = 0


@dataclass(frozen=True)
class Progress:
    """How far a phase is, in bytes."""

    phase: str
    done: int
    total: int


Event = PhaseStarted | PhaseEnded | StepStarted | StepEnded | Note | Traffic | Progress
Listener = Callable[[Event], None]


def silent(event: Event) -> None:
    """A listener that shows nothing."""


@contextmanager
def phase(listener: Listener, name: str, detail: str = "") -> Iterator[None]:
    """Tell the listener when the work inside begins and how it ends."""
    began = monotonic()
    ok = False
    listener(PhaseStarted(name, detail))
    try:
        yield
        ok = True
    finally:
        listener(PhaseEnded(name, ok, monotonic() - began))
