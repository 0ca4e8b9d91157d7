"""Makes the file that a student hands in, from what their machines and their attempts are now."""

from __future__ import annotations

from collections.abc import Sequence

from lab.errors import HostUnreachable, UsageError
from lab.exercises import progress
from lab.exercises.exercise import Exercise
from lab.exercises.results import Artefact, Marked
from lab.exercises.student import Student
from lab.grading.collect import Collection, Entry
from lab.grading.grade import grade
from lab.grading.reading import Refused, parse
from lab.grading.signing import hand_in
from lab.home import Home
from lab.session import Session


def active_exercise(home: Home, exercises: Sequence[Exercise]) -> Exercise | None:
    """The exercise that the machines are in now, of those that ship; None without one, or without machines."""
    name = progress.active(home) if home.state().provider else ""
    return next((each for each in exercises if each.id == name and progress.current(home, name)), None)


def check_again(session: Session, exercise: Exercise, student: Student) -> Marked | None:
    """Run all checks of an exercise, the disruptive ones too, and remember the run when it is the best.

    Args:
        session: with the student's own lab.
        exercise: the one that the machines are in.
        student: whose tokens the checks look for.

    Returns:
        the run; None when the machines are in no attempt at it any more, and nothing was checked.
    """
    from lab.exercises.marking import artefacts, mark
    from lab.exercises.staging import staged

    attempt = progress.current(session.home, exercise.id)
    if attempt is None or staged(session, exercise, attempt.id) is None:
        return None
    marked = mark(session, exercise, student, attempt, full=True)
    try:
        files: tuple[Artefact, ...] = artefacts(session, exercise)
    except HostUnreachable:
        files = ()
    progress.record(session.home, attempt, marked, files)
    return marked


def handed_in(
    home: Home, student: Student, exercises: Sequence[Exercise], made_at: str, name: str
) -> tuple[bytes, Collection]:  # fmt: skip
    """The file to hand in, and the same as a collection of one, to be shown.

    Raises:
        UsageError: a teacher's `lab grade collect` would refuse it; the sentence names what is too large or odd.
    """
    made = grade(student, exercises, progress.everything(home), made_at)
    content = hand_in(home, made, student)
    try:
        read = parse(content, name, exercises)
    except Refused as fault:
        raise UsageError(
            f"cannot be handed in as it is: {fault.message}", "mend what it names, then check again"
        ) from None
    return content, Collection((Entry(name, read.grade, "ok"),))
