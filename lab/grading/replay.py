"""A student's files on clean machines, marked with the teacher's own checks: the strongest proof there is.

For each exercise of a hand-in that has files: its machines are made anew and brought into the starting state that
this student had; the files are put in place, for root; the exercise's command makes them known; the checks of this
computer mark what has become of it. The files are written, and what they make run is run, inside the guests only.
What a student did outside these files, as to start a program, is not replayed; an exercise that asks for such things
should name no files, and is then said to be one that cannot be replayed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from dataclasses import replace as changed
from enum import StrEnum
from uuid import uuid4

import msgspec

from lab.errors import DEVIATED, HELD, INCONCLUSIVE, UsageError
from lab.events import Note
from lab.exercises.exercise import Exercise
from lab.exercises.results import ARTEFACTS, Attempt, Marked, Status
from lab.exercises.student import PRACTICE, Student
from lab.grading.classroom import Classroom
from lab.grading.collect import Entry
from lab.grading.grade import Grade, Graded
from lab.grading.hostile import plain
from lab.grading.plausible import fault_of_artefact
from lab.session import Session


class Outcome(StrEnum):
    """What a replay says of the points that were claimed."""

    AGREES = "agrees"
    DIFFERS = "differs"
    UNCLEAR = "unclear"
    """A check broke here, by our fault, and what it is worth could make up the difference."""
    NOT_REPLAYABLE = "not-replayable"


@dataclass(frozen=True)
class Replayed:
    """One exercise, replayed.

    Attributes:
        exercise: its id.
        outcome: see `Outcome`.
        claimed: the points in the hand-in.
        measured: the points here; None when nothing was measured.
        possible: the exercise's points.
        why: in a sentence, where there is something to say.
        differing: the checks that the hand-in says passed and that did not here, or the other way about.
    """

    exercise: str
    outcome: Outcome
    claimed: int
    measured: int | None
    possible: int
    why: str = ""
    differing: tuple[str, ...] = ()


def owner(grade: Grade, classroom: Classroom | None) -> Student:
    """Whose domain, port and tokens a hand-in was made with.

    Raises:
        UsageError: it was made with a card, and there is no class to know the card from.
    """
    if classroom is not None:
        return classroom.student(grade.student)
    if grade.proof or grade.course:
        raise UsageError(
            f"the hand-in is of the course {plain(grade.course, 100)!r}, with domain, port and tokens of its own",
            "--class FOLDER names the class's folder",
        )
    return PRACTICE


def replayable(grade: Grade, exercises: Sequence[Exercise], chosen: Collection[str] = ()) -> tuple[str, ...]:
    """The exercises of a hand-in that a replay would begin anew, in their order."""
    pairs = _pairs(grade, exercises, chosen)
    return tuple(graded.id for graded, exercise in pairs if not _hindrance(graded, exercise))


def hindered(grade: Grade, exercises: Sequence[Exercise], chosen: Collection[str] = ()) -> tuple[Replayed, ...]:
    """The exercises of a hand-in that were begun and cannot be replayed, and why."""
    return tuple(
        Replayed(graded.id, Outcome.NOT_REPLAYABLE, graded.earned, None, exercise.about.points, why)
        for graded, exercise in _pairs(grade, exercises, chosen)
        if (why := _hindrance(graded, exercise))
    )


def replay(
    session: Session, grade: Grade, classroom: Classroom | None, exercises: Sequence[Exercise],
    chosen: Collection[str] = (),
) -> tuple[Replayed, ...]:  # fmt: skip
    """Replay a hand-in that was read. All that was done on the exercises' machines is lost.

    Args:
        session: of a lab that is up, with its own domain and port; the student's are put in their place here.
        grade: from `lab.grading.reading.read`, which has looked at every path in it.
        classroom: the course, for a hand-in that was made with a card.
        exercises: those that ship.
        chosen: the ids to replay; empty for all that were begun.

    Raises:
        UsageError: see `owner`.
        LabError: the machines could not be brought into a starting state.
    """
    student = owner(grade, classroom)
    own = changed(session, lab=student.own(session.lab))
    names = replayable(grade, exercises, chosen)
    results = hindered(grade, exercises, chosen)
    for graded, exercise in _pairs(grade, exercises, chosen):
        if graded.id in names:
            results += (_replayed(own, graded, exercise, student),)
    order = [exercise.id for exercise in exercises]
    return tuple(sorted(results, key=lambda each: order.index(each.exercise)))


class _Document(msgspec.Struct, frozen=True):
    student: str
    signature: str
    flags: tuple[str, ...]
    exercises: tuple[Replayed, ...]


def to_json(entry: Entry, done: Collection[Replayed]) -> str:
    """A replay as a JSON document, with what the signature of the hand-in says."""
    document = _Document(entry.grade.student, entry.signature, tuple(map(str, entry.flags)), tuple(done))
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def exit_code(done: Collection[Replayed]) -> int:
    """0 when all that could be replayed agrees, 1 when something differs, 3 when nothing can be concluded."""
    found = {each.outcome for each in done}
    if Outcome.DIFFERS in found:
        return DEVIATED
    return HELD if Outcome.AGREES in found and Outcome.UNCLEAR not in found else INCONCLUSIVE


def compared(graded: Graded, marked: Marked, why: str = "") -> Replayed:
    """What was claimed beside what was measured."""
    broken = sum(check.points for check in marked.checks if check.status is Status.ERROR)
    short = graded.earned - marked.earned
    outcome = Outcome.UNCLEAR if 0 < short <= broken else Outcome.DIFFERS if short else Outcome.AGREES
    claimed = {check.id for check in graded.checks if check.status is Status.PASS}
    measured = {check.id for check in marked.checks if check.status is Status.PASS}
    known = [check.id for check in marked.checks] + [check.id for check in graded.checks]
    differing = tuple(dict.fromkeys(id for id in known if id in claimed ^ measured))
    return Replayed(graded.id, outcome, graded.earned, marked.earned, marked.possible, why, differing)


def _pairs(
    grade: Grade, exercises: Sequence[Exercise], chosen: Collection[str]
) -> tuple[tuple[Graded, Exercise], ...]:  # fmt: skip
    """The exercises that were begun; of these the chosen ones."""
    unknown = sorted(set(chosen) - {graded.id for graded in grade.exercises})
    if unknown:
        raise UsageError(f"the hand-in has no exercise {unknown[0]!r}", "`lab grade verify FILE` lists them")
    found = [(grade.of(exercise.id), exercise) for exercise in exercises if not chosen or exercise.id in chosen]
    return tuple((graded, exercise) for graded, exercise in found if graded is not None and graded.state != "open")


def _hindrance(graded: Graded, exercise: Exercise) -> str:
    if graded.version != exercise.about.version or graded.state == "outdated":
        return "it is of another version of the exercise"
    if graded.state == "gave-up":
        return "the solution was looked at; nothing is claimed"
    if not exercise.about.artefacts:
        return "the exercise is not done in files"
    if not graded.artefacts:
        return "no file was handed in"
    if len(graded.artefacts) > ARTEFACTS:
        return f"it has more than {ARTEFACTS} files"
    return next(filter(None, (fault_of_artefact(each, exercise) for each in graded.artefacts)), "")


def _replayed(session: Session, graded: Graded, exercise: Exercise, student: Student) -> Replayed:
    from lab.exercises.marking import mark
    from lab.exercises.progress import now
    from lab.exercises.staging import put_files, stage

    attempt = Attempt(exercise.id, 1, uuid4().hex, now())
    session.listener(Note(f"replaying {exercise.id}: {len(graded.artefacts)} files of {student.id}"))
    stage(session, exercise, student, attempt.id)
    why = "; ".join(plain(said) for said in put_files(session, exercise, graded.artefacts))
    return compared(graded, mark(session, exercise, student, attempt, full=graded.full), why)
