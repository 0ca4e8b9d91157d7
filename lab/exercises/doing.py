"""What a student does with an exercise: begin, check, ask for a hint, give up. Each is written down."""

from __future__ import annotations

from dataclasses import dataclass

from lab.errors import UsageError
from lab.exercises import marking, progress
from lab.exercises.exercise import Exercise, names
from lab.exercises.messages import TIERS
from lab.exercises.results import Attempt, CheckResult, Marked, Status
from lab.exercises.staging import run_scripts, stage, staged
from lab.exercises.student import Student
from lab.home import Home
from lab.session import Session


@dataclass(frozen=True)
class Hint:
    """The hint for a result: `tier` 1 is a nudge, 3 nearly the answer."""

    result: CheckResult
    tier: int


def begin(
    session: Session, exercise: Exercise, student: Student, *, anew: bool = False, again: bool = False
) -> tuple[Attempt, bool]:  # fmt: skip
    """Put the machines into the starting state; the attempt, and whether it was under way and was kept as it is.

    Args:
        session: with the student's own lab; the caller holds the lab's lock.
        exercise: what is begun.
        student: whose it is.
        anew: begin a new attempt, whatever there is; what was reached does not count any more.
        again: make the machines anew in the present attempt, as after having locked oneself out.

    Raises:
        LabError: what failed; beginning again mends it.
    """
    exercise.require_capable(session.machines.capabilities)
    attempt = None if anew else progress.current(session.home, exercise.id)
    if attempt is not None and not again and staged(session, exercise, attempt.id) is not None:
        progress.activate(session.home, exercise.called)
        return attempt, True
    attempt = attempt or progress.begin(session.home, exercise.id)
    progress.activate(session.home, exercise.called)
    stage(session, exercise, student, attempt.id)
    return attempt, False


def unfinished(home: Home, following: Exercise) -> Attempt | None:
    """The attempt that a start of another exercise leaves, when points are still to be earned in it."""
    name = progress.active(home)
    attempt = progress.current(home, name) if name not in ("", following.id) and "/" not in name else None
    if attempt is None or attempt.gave_up:
        return None
    return attempt if attempt.best is None or attempt.best.earned < attempt.best.possible else None


def attempt_at(home: Home, exercise: Exercise) -> Attempt:
    """The present attempt.

    Raises:
        UsageError: the exercise was never started.
    """
    found = progress.current(home, exercise.id)
    if found is None:
        raise UsageError(f"{exercise.id} was not started yet", f"lab exercise start {exercise.called}")
    return found


def check(
    session: Session, exercise: Exercise, student: Student, *, full: bool = False
) -> tuple[Marked, Attempt]:  # fmt: skip
    """Run the checks, and write down what counts; what they found, and the attempt after it.

    Raises:
        UsageError: the exercise was never started, or the machines are at another one.
    """
    attempt = attempt_at(session.home, exercise)
    marked = marking.mark(session, exercise, student, attempt, full=full)
    within = marked.checks[0].status is Status.PASS
    files = marking.artefacts(session, exercise) if within else attempt.artefacts
    return marked, progress.record(session.home, attempt, marked, files)


def hint(home: Home, attempt: Attempt, marked: Marked) -> Hint | None:
    """The next hint for the first thing that is wrong, written down; None when nothing is."""
    failed = next((result for result in marked.checks if result.status is Status.FAIL), None)
    if failed is None:
        return None
    tier = min(attempt.hints.get(failed.key, 0) + 1, TIERS)
    progress.hinted(home, attempt, failed.key, tier)
    return Hint(failed, tier)


def give_up(session: Session, exercise: Exercise, student: Student) -> None:
    """Put the solution on the machines, from the starting state. The attempt earns nothing any more.

    Raises:
        LabError: what failed; it can be done again.
    """
    attempt = progress.give_up(session.home, attempt_at(session.home, exercise))
    stage(session, exercise, student, attempt.id)
    run_scripts(session, exercise, student, exercise.solution)


def state(home: Home, exercise: str) -> str:
    """`open`, `started`, `passed` or `gave-up`."""
    attempt = progress.current(home, exercise)
    return attempt.state if attempt else "open"


def following(home: Home, exercise: str = "") -> str:
    """The next exercise that was not passed, after one or from the first; empty when there is none."""
    every = names()
    later = every[every.index(exercise) + 1 :] if exercise in every else every
    return next((name for name in later if state(home, name) != "passed"), "")
