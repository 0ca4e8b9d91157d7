"""What a check found, and what an attempt at an exercise has come to: values that are stored as they are.

Nothing here is in a human language: a result names a message by its key, and is printed in either.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Status(StrEnum):
    """The four results of a check."""

    PASS = "PASS"  # noqa: S105  # no password
    FAIL = "FAIL"
    SKIP = "SKIP"
    """What it depends on did not pass, or it runs only with `--full`."""
    ERROR = "ERROR"
    """Our fault: costs no points, and is no pass."""


class CheckResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one check found.

    Attributes:
        id: the check's name, unique within its exercise.
        status: see `Status`.
        points: what it is worth.
        key: the message that says what is wrong; empty for a pass. For a SKIP `needs` or `needs-full`, for an ERROR
            `error`.
        values: what the message's placeholders stand for.
        evidence: what was seen, for whoever doubts it; not in a human language of ours.
        seconds: how long it took.
    """

    id: str
    status: Status
    points: int
    key: str = ""
    values: dict[str, str] = {}
    evidence: str = ""
    seconds: float = 0.0

    @property
    def earned(self) -> int:
        """The points, if it passed."""
        return self.points if self.status is Status.PASS else 0


class Marked(msgspec.Struct, frozen=True):
    """All checks of an exercise, run once.

    Attributes:
        exercise, version: which, in which version.
        at: when, as ISO 8601 in UTC.
        full: whether the disruptive checks ran too.
        checks: in the order of the exercise.
    """

    exercise: str
    version: int
    at: str
    full: bool
    checks: tuple[CheckResult, ...]

    @property
    def passed(self) -> bool:
        """Everything that was to run passed."""
        ran = [check for check in self.checks if check.key != NEEDS_FULL]
        return bool(ran) and all(check.status is Status.PASS for check in ran)

    @property
    def earned(self) -> int:
        """Points of the checks that passed."""
        return sum(check.earned for check in self.checks)

    @property
    def possible(self) -> int:
        """Points that could have been earned; a check that failed by our fault does not count."""
        return sum(check.points for check in self.checks if check.status is not Status.ERROR)


NEEDS, NEEDS_FULL, ERROR = "needs", "needs-full", "error"
"""The keys of results that no exercise defines."""


ARTEFACT_BYTES, ARTEFACTS = 64 * 1024, 40
"""How large a file of a student's may be, and how many of them an exercise may have, when collected and when read."""


class Artefact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file that the student wrote on a host.

    Attributes:
        host: the host's name.
        path: absolute, on that host.
        text: its content.
    """

    host: str
    path: str
    text: str


class Attempt(msgspec.Struct, frozen=True):
    """One attempt at an exercise, from its start to the next reset.

    Attributes:
        exercise: its id.
        number: from 1.
        id: random; the machines bear it while they are in this attempt.
        began: ISO 8601 in UTC.
        hints: how many tiers of each message's hints were asked for.
        gave_up: whether the solution was looked at before a pass; such an attempt earns nothing.
        best: the run of the checks that earned most; None before the first.
        artefacts: the student's files at that run.
    """

    exercise: str
    number: int
    id: str
    began: str
    hints: dict[str, int] = {}
    gave_up: bool = False
    best: Marked | None = None
    artefacts: tuple[Artefact, ...] = ()

    @property
    def state(self) -> str:
        """`started`, `passed` or `gave-up`."""
        if self.gave_up:
            return "gave-up"
        return "passed" if self.best is not None and self.best.passed else "started"

    def tier(self, key: str) -> int:
        """Which hint is shown with a message: the last one that was asked for, else the first."""
        return max(1, self.hints.get(key, 1))

    @property
    def earned(self) -> int:
        """The points that count."""
        return self.best.earned if self.best is not None and not self.gave_up else 0
