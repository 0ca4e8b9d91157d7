"""A course at the teacher's: one secret, a roster, and a card for each student that is derived from both.

FOLDER/class.toml             the secret and the roster; the teacher's alone
FOLDER/cards/ID/student.toml  what each student gets, and puts beside lab.toml
FOLDER/keys.toml              the key of each student's first hand-in; see lab/grading/pinning.py
"""

from __future__ import annotations

import os
import secrets
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from lab.errors import EnvironmentProblem, UsageError
from lab.exercises.student import FILE, Student, student_key
from lab.grading.hostile import is_plain
from lab.grading.roster import Enrolled
from lab.topology import Lab

CLASS = "class.toml"
CARDS = "cards"
DRAWS = 400
"""So many secrets are tried for one that gives every student another port; 40 students need three, 60 need ten."""
_NOTE = "# This file holds the course's secret. Keep it, and give it to nobody: every card follows from it.\n"


class _Class(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """class.toml."""

    course: str
    secret: str
    student: tuple[Enrolled, ...] = ()


@dataclass(frozen=True)
class Classroom:
    """A course.

    Attributes:
        folder: where it is kept.
        course: its name, which the cards bear.
        secret: 64 hexadecimal digits.
        roster: its students.
    """

    folder: Path
    course: str
    secret: str = field(repr=False)
    roster: tuple[Enrolled, ...]

    def has(self, id: str) -> bool:
        """Whether a student is on the roster."""
        return any(each.id == id for each in self.roster)

    def enrolled(self, id: str) -> Enrolled:
        """A student as the roster tells.

        Raises:
            UsageError: the roster has no such student.
        """
        for each in self.roster:
            if each.id == id:
                return each
        raise UsageError(f"{self.folder / CLASS}: has no student {id!r}", "`lab class init` takes a longer roster")

    def student(self, id: str) -> Student:
        """A student as their card tells.

        Raises:
            UsageError: the roster has no such student.
        """
        return self._student(self.enrolled(id))

    @property
    def students(self) -> tuple[Student, ...]:
        """All of them, in the roster's order."""
        return tuple(self._student(each) for each in self.roster)

    def _student(self, each: Enrolled) -> Student:
        return Student(each.id, each.name, self.course, student_key(self.secret, self.course, each.id))

    def card(self, id: str) -> Path:
        """Where a student's card lies."""
        return self.folder / CARDS / id / FILE

    def card_text(self, id: str) -> str:
        """What a student's card says, whether it lies there or not.

        Raises:
            UsageError: the roster has no such student.
        """
        return _card(self.student(id))


def init(roster: Iterable[Enrolled], folder: Path, course: str = "") -> tuple[Classroom, tuple[str, ...]]:
    """Make a course, or add the students of a longer roster to it; the secret and the cards that exist stay.

    Of students who are there already, e-mail and language become what the roster tells now, where it tells them.

    Args:
        roster: from `lab.grading.roster.read_roster`.
        folder: made when it is missing, for its owner only.
        course: its name; empty keeps the one there is, or takes the folder's.

    Returns:
        the course, and the ids whose cards were written now.

    Raises:
        UsageError: the folder holds another course, or what it holds is damaged.
    """
    enrolled = tuple(roster)
    if (folder / CLASS).exists():
        before = load(folder)
        if course and course != before.course:
            raise UsageError(f"{folder}: holds the course {before.course!r}", "name another --folder")
        new = tuple(each for each in enrolled if not before.has(each.id))
        told = {each.id: each for each in enrolled}
        known = tuple(_with(each, told.get(each.id, each)) for each in before.roster)
        made = Classroom(folder, before.course, before.secret, _distinct(known + new))
    else:
        name = course or folder.resolve().name
        if not name or len(name) > 100 or not is_plain(name):
            raise UsageError(f"{name!r} is no name for a course", "--course names it in at most 100 characters")
        made = Classroom(folder, name, _drawn(name, enrolled), enrolled)
    return made, _written(made)


def load(folder: Path) -> Classroom:
    """The course that a folder holds.

    Raises:
        UsageError: it holds none, or the file is damaged.
    """
    path = folder / CLASS
    try:
        found = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _Class)
        if len(bytes.fromhex(found.secret)) < 16:
            raise ValueError("the secret is too short")
    except FileNotFoundError:
        raise UsageError(f"{folder}: holds no course", "`lab class init ROSTER.csv` makes one") from None
    except (OSError, ValueError) as fault:
        raise UsageError(
            f"{path}: cannot be used: {fault}", "take it from your backup; a new secret is new cards"
        ) from None
    return Classroom(folder, found.course, found.secret, found.student)


def keep_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, in one move.

    Raises:
        EnvironmentProblem: it cannot be written.
    """
    fresh = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh.unlink(missing_ok=True)
        opened = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(opened, "w", encoding="utf-8") as file:
            file.write(text)
        fresh.replace(path)
    except OSError as fault:
        raise EnvironmentProblem(f"{path}: cannot be written: {fault.strerror}") from None


def quoted(text: str) -> str:
    """A text without control characters as TOML writes it."""
    return msgspec.json.encode(text).decode()


def _written(made: Classroom) -> tuple[str, ...]:
    lines = [_NOTE, f"course = {quoted(made.course)}\n", f'secret = "{made.secret}"\n']
    lines += [_entry(each) for each in made.roster]
    keep_private(made.folder / CLASS, "".join(lines))
    if not (made.folder / ".gitignore").exists():
        keep_private(made.folder / ".gitignore", "*\n")
    missing = [student for student in made.students if not made.card(student.id).exists()]
    for student in missing:
        keep_private(made.card(student.id), _card(student))
    return tuple(student.id for student in missing)


def _entry(enrolled: Enrolled) -> str:
    """A student in class.toml; what is not told is left out."""
    told = {"id": enrolled.id, "name": enrolled.name, "email": enrolled.email, "language": enrolled.language}
    kept = {key: value for key, value in told.items() if value or key in ("id", "name")}
    return "\n[[student]]\n" + "".join(f"{key} = {quoted(value)}\n" for key, value in kept.items())


def _with(known: Enrolled, told: Enrolled) -> Enrolled:
    """A student who is there already, with what a roster tells anew."""
    return Enrolled(known.id, known.name, told.email or known.email, told.language or known.language)


def _card(student: Student) -> str:
    fields = {"id": student.id, "name": student.name, "course": student.course, "key": student.key}
    lines = "".join(f"{name} = {quoted(value)}\n" for name, value in fields.items())
    return f"# Put this file beside lab.toml. It is yours alone: who has it can be taken for you.\n{lines}"


def _drawn(course: str, roster: tuple[Enrolled, ...]) -> str:
    """A secret of 32 bytes; one that gives every student another domain and port, unless they are too many."""
    lab = Lab()
    secret = ""
    for _ in range(DRAWS if len(roster) <= 100 else 1):
        secret = secrets.token_hex(32)
        own = [Student(each.id, key=student_key(secret, course, each.id)).own(lab) for each in roster]
        if len({each.app.port for each in own}) == len({each.domain for each in own}) == len(own):
            break
    return secret


def _distinct(roster: tuple[Enrolled, ...]) -> tuple[Enrolled, ...]:
    """The roster, unless two ids are one folder where capitals do not count.

    Raises:
        UsageError: two are.
    """
    seen: dict[str, str] = {}
    for each in roster:
        other = seen.setdefault(each.id.casefold(), each.id)
        if other != each.id:
            raise UsageError(f"the course has {other!r} already, and {each.id!r} is too much like it", "change the id")
    return roster
