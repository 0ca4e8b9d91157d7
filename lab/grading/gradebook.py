"""A collection of hand-ins as CSV for a gradebook, and as one JSON document."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import msgspec

from lab.exercises.exercise import Exercise
from lab.grading.collect import Collection, Entry, words
from lab.grading.grade import Grade, lab_version

FORMAT = "lab-gradebook/1"
_FORMULA = "=+-@\t\r\n＝＋－＠"
"""A cell that begins with one of these is a command to a spreadsheet."""


class Student(msgspec.Struct, frozen=True):
    """A student's hand-in in the merged document."""

    file: str
    signature: str
    flags: tuple[str, ...]
    earned: int
    possible: int
    grade: Grade


class Verified(msgspec.Struct, frozen=True):
    """What `lab grade verify` says of one hand-in."""

    file: str
    student: str
    course: str
    made_at: str
    earned: int
    possible: int
    signature: str
    flags: tuple[str, ...]


class LeftOut(msgspec.Struct, frozen=True):
    """A file that does not count, and why."""

    file: str
    why: str


class Gradebook(msgspec.Struct, frozen=True):
    """The merged document."""

    format: str
    lab_version: str
    made_at: str
    students: tuple[Student, ...]
    missing: tuple[str, ...]
    left_out: tuple[LeftOut, ...]


def merged(collection: Collection, exercises: Sequence[Exercise], made_at: str) -> str:
    """All hand-ins as one JSON document, with what is wrong with each."""
    students = tuple(
        Student(entry.file, entry.signature, tuple(map(str, entry.flags)), entry.grade.earned,
                possible(entry.grade, exercises), entry.grade)
        for entry in collection.entries
    )  # fmt: skip
    left = tuple(LeftOut(each.file, each.why) for each in collection.left_out)
    missing = tuple(each.id for each in collection.missing)
    book = Gradebook(FORMAT, lab_version(), made_at, students, missing, left)
    return msgspec.json.format(msgspec.json.encode(book), indent=2).decode() + "\n"


def verified(entry: Entry, exercises: Sequence[Exercise]) -> str:
    """One hand-in as a JSON document, without its exercises."""
    grade = entry.grade
    said = Verified(
        entry.file, grade.student, grade.course, grade.made_at, grade.earned, possible(grade, exercises),
        entry.signature, tuple(map(str, entry.flags)),
    )  # fmt: skip
    return msgspec.json.format(msgspec.json.encode(said), indent=2).decode() + "\n"


def as_csv(collection: Collection, exercises: Sequence[Exercise]) -> str:
    """A row a student, a column an exercise that ships; an empty cell was never started."""
    ids = [exercise.id for exercise in exercises]
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["student", "name", "course", *ids, "total", "possible", "signature", "remarks"])
    for entry in collection.entries:
        writer.writerow(map(harmless, _row(entry, exercises)))
    for each in collection.missing:
        blank = [""] * (len(ids) + 2)
        writer.writerow(map(harmless, [each.id, each.name, "", *blank, "missing", "no hand-in"]))
    return text.getvalue()


def possible(grade: Grade, exercises: Sequence[Exercise]) -> int:
    """Points that could have been earned; an exercise that the hand-in leaves out counts in full."""
    found = ((grade.of(exercise.id), exercise.about.points) for exercise in exercises)
    return sum(points if graded is None else graded.possible for graded, points in found)


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(tuple(_FORMULA)) or cell.lstrip().startswith(tuple(_FORMULA)) else cell


def _row(entry: Entry, exercises: Sequence[Exercise]) -> list[str]:
    grade = entry.grade
    cells = []
    for exercise in exercises:
        graded = grade.of(exercise.id)
        cells.append("" if graded is None or graded.state == "open" else str(graded.earned))
    total, most = str(grade.earned), str(possible(grade, exercises))
    remarks = "; ".join(words(flag)[0] for flag in entry.flags)
    return [grade.student, grade.name, grade.course, *cells, total, most, entry.signature, remarks]
