"""A collection of hand-ins as one HTML file: readable from a USB stick, without network, on a projector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lab.exercises.exercise import Exercise
from lab.exercises.results import CheckResult, Status
from lab.grading.collect import Collection, Entry, words
from lab.grading.grade import Graded
from lab.grading.gradebook import possible
from lab.grading.telling import told

MARKS = {Status.PASS: "✓", Status.FAIL: "✗", Status.SKIP: "–", Status.ERROR: "!"}
STATES = {
    "passed": ("✓", "passed", "lulus"),
    "started": ("◐", "started", "dimulai"),
    "gave-up": ("⚑", "looked at the solution first", "melihat solusi dahulu"),
    "outdated": ("↻", "to be checked again", "perlu diperiksa lagi"),
    "open": ("", "not begun", "belum dimulai"),
}
"""A state's mark, and its name in both languages."""
SIGNATURES = {
    "ok": ("✓", "signed by this student", "ditandatangani siswa ini"),
    "unknown": ("?", "signed; nothing says by whom", "ditandatangani; tidak diketahui oleh siapa"),
    "changed": ("✗", "the signature does not hold", "tanda tangan tidak berlaku"),
}
ALL_OPEN = 2
"""Up to so many students the details are shown at once."""


@dataclass(frozen=True)
class Line:
    """A check as the page shows it; `actual` and `expected` are pairs in both languages."""

    kind: str
    mark: str
    sentence: tuple[str, str]
    expected: tuple[str, str]
    actual: tuple[str, str]
    points: str


@dataclass(frozen=True)
class Cell:
    """A student's exercise: in the table and, with its lines, in the details."""

    exercise: str
    number: int
    title: tuple[str, str]
    state: str
    earned: int
    possible: int
    graded: Graded | None
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Row:
    """A student."""

    entry: Entry
    cells: tuple[Cell, ...]
    possible: int
    remarks: tuple[tuple[str, str], ...]


def page(collection: Collection, exercises: Sequence[Exercise], made_at: str, title: str = "") -> str:
    """The page; everything that a hand-in brought along is escaped.

    Args:
        collection: the hand-ins, one or a class of them.
        exercises: those that ship; their titles and sentences are shown, not those of a hand-in.
        made_at: ISO 8601 in UTC.
        title: the course's name; empty for the student's.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("lab.grading", ""), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=StrictUndefined,
    )  # fmt: skip
    rows = [_row(entry, exercises) for entry in collection.entries]
    first = collection.entries[0].grade if collection.entries else None
    return environment.get_template("page.html.j2").render(
        collection=collection,
        exercises=exercises,
        rows=rows,
        title=title or (first and (first.course or first.name or first.student)) or "lab",
        made_at=made_at.replace("T", " ").replace("+00:00", " UTC"),
        flagged=sum(bool(row.remarks) for row in rows),
        most=sum(exercise.about.points for exercise in exercises),
        passed=sum(cell.state == "passed" for row in rows for cell in row.cells),
        STATES=STATES,
        SIGNATURES=SIGNATURES,
        open=len(rows) <= ALL_OPEN,
    )


def _row(entry: Entry, exercises: Sequence[Exercise]) -> Row:
    cells = tuple(_cell(entry, exercise, number, exercises) for number, exercise in enumerate(exercises, 1))
    return Row(entry, cells, possible(entry.grade, exercises), tuple(words(flag) for flag in entry.flags))


def _cell(entry: Entry, exercise: Exercise, number: int, exercises: Sequence[Exercise]) -> Cell:
    graded = entry.grade.of(exercise.id)
    title = (exercise.about.title.en, exercise.about.title.id)
    if graded is None:
        return Cell(exercise.id, number, title, "open", 0, exercise.about.points, None, ())
    lines = tuple(_line(exercise.id, check, exercises) for check in graded.checks)
    return Cell(exercise.id, number, title, graded.state, graded.earned, graded.possible, graded, lines)


def _line(exercise: str, check: CheckResult, exercises: Sequence[Exercise]) -> Line:
    en, id = told(exercises, exercise, check, "en"), told(exercises, exercise, check, "id")
    return Line(
        check.status.value, MARKS[check.status], (en.sentence, id.sentence), (en.expected, id.expected),
        (en.actual, id.actual), f"{check.earned}/{check.points}" if check.points else "",
    )  # fmt: skip
