"""What one student has reached in every exercise: the value that is stored, signed, handed in and merged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

import msgspec

from lab.exercises.exercise import Exercise
from lab.exercises.results import Artefact, Attempt, CheckResult, Status
from lab.exercises.student import Student
from lab.grading.hostile import plain

FORMAT = "lab-grade/1"
EVIDENCE = 2000
VALUE = 400
"""Characters of a check's evidence, and of a value in its message, that a grade carries."""
State = Literal["open", "started", "passed", "gave-up", "outdated"]


class Both(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line in both languages."""

    en: str
    id: str


class Graded(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What has been reached in one exercise.

    Attributes:
        id, version: which exercise, in the version that ships.
        title: in both languages.
        possible: points that could be earned; those of a check that broke by our fault are taken off.
        earned: points that count.
        state: `open` was never started; `started`; `passed`; `gave-up` looked at the solution first; `outdated` was
            checked in another version of the exercise: it counts nothing until it is checked again.
        attempt: which, from 1; 0 for none.
        hints: how many were asked for.
        checks: of the attempt's best run.
        at: when that was, ISO 8601 in UTC; empty for never.
        full: whether the disruptive checks ran too.
        artefacts: the student's files at that run.
    """

    id: str
    version: int
    title: Both
    possible: int
    earned: int
    state: State
    attempt: int = 0
    hints: int = 0
    checks: tuple[CheckResult, ...] = ()
    at: str = ""
    full: bool = False
    artefacts: tuple[Artefact, ...] = ()


class Grade(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one student has reached.

    Attributes:
        format: `lab-grade/1`.
        lab_version: of the program that wrote it.
        course: empty for practice.
        student, name: the id on the card, and the name for people.
        made_at: ISO 8601 in UTC.
        exercises: all that ship, in their order.
        proof: that the card's key was there; see lab/grading/signing.py. Empty for practice.
    """

    format: str
    lab_version: str
    course: str
    student: str
    name: str
    made_at: str
    exercises: tuple[Graded, ...]
    proof: str = ""

    @property
    def earned(self) -> int:
        """Points over all exercises."""
        return sum(each.earned for each in self.exercises)

    @property
    def possible(self) -> int:
        """Points that could have been earned."""
        return sum(each.possible for each in self.exercises)

    def of(self, exercise: str) -> Graded | None:
        """One exercise of it."""
        return next((each for each in self.exercises if each.id == exercise), None)


def grade(
    student: Student, exercises: Iterable[Exercise], attempts: Mapping[str, Attempt], made_at: str
) -> Grade:  # fmt: skip
    """A student's grade from their present attempts, by exercise; without proof yet."""
    found = tuple(graded(exercise, attempts.get(exercise.id)) for exercise in exercises)
    return Grade(FORMAT, lab_version(), student.course, student.id, student.name, made_at, found)


def graded(exercise: Exercise, attempt: Attempt | None) -> Graded:
    """What an attempt has come to; None is an exercise that was never started."""
    about = exercise.about
    title = Both(about.title.en, about.title.id)
    if attempt is None:
        return Graded(exercise.id, about.version, title, about.points, 0, "open")
    best = attempt.best
    if best is None:
        state: State = "gave-up" if attempt.gave_up else "started"
        return Graded(exercise.id, about.version, title, about.points, 0, state, attempt.number, _hints(attempt))
    fresh = best.version == about.version
    broken = sum(check.points for check in best.checks if check.status is Status.ERROR) if fresh else 0
    return Graded(
        exercise.id, about.version, title, about.points - broken, attempt.earned if fresh else 0,
        _state(attempt) if fresh else "outdated", attempt.number, _hints(attempt),
        tuple(map(_shortened, best.checks)), best.at, best.full, attempt.artefacts,
    )  # fmt: skip


def lab_version() -> str:
    """The version of this program."""
    try:
        return version("failover-lab")
    except PackageNotFoundError:
        return "0"


def _state(attempt: Attempt) -> State:
    if attempt.gave_up:
        return "gave-up"
    return "passed" if attempt.state == "passed" else "started"


def _hints(attempt: Attempt) -> int:
    return sum(attempt.hints.values())


def _shortened(check: CheckResult) -> CheckResult:
    """A check as a hand-in carries it: nothing in it that a reader would refuse."""
    values = {name: plain(value, VALUE, lines=True) for name, value in check.values.items()}
    evidence = plain(check.evidence, EVIDENCE, lines=True)
    return msgspec.structs.replace(check, values=values, evidence=evidence, seconds=round(check.seconds, 3))
