"""The hand-ins of a folder, one for each student, with what is wrong with each; a bad file stops no other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from lab.errors import UsageError
from lab.exercises.exercise import Exercise
from lab.exercises.student import PRACTICE
from lab.grading.classroom import Classroom
from lab.grading.grade import Grade
from lab.grading.hostile import plain
from lab.grading.pinning import Pins
from lab.grading.reading import Refused, Submission, read
from lab.grading.roster import Enrolled
from lab.grading.signing import is_proved


class Flag(StrEnum):
    """What is wrong with a hand-in that could be read."""

    TAMPERED = "tampered"
    """The signature does not fit: it was changed after it was signed."""
    OTHER_KEY = "other-key"
    """The student's first hand-in was signed with another key; or two of theirs bear two keys, and none is known."""
    SHARED_KEY = "shared-key"
    """Another student signs with the same key."""
    NOT_ENROLLED = "not-enrolled"
    """The roster has no such student."""
    OTHER_CARD = "other-card"
    """It was not written with the card that this student has from this class."""
    OTHER_VERSION = "other-version"
    """An exercise in it is of another version than the one here."""


_WORDS = {
    Flag.TAMPERED: ("changed after it was signed", "diubah setelah ditandatangani"),
    Flag.OTHER_KEY: ("signed with another key than before", "ditandatangani dengan kunci lain dari sebelumnya"),
    Flag.SHARED_KEY: ("two students sign with this key", "dua siswa memakai kunci ini"),
    Flag.NOT_ENROLLED: ("is not on the roster", "tidak ada di daftar siswa"),
    Flag.OTHER_CARD: ("was not made with this student's card", "tidak dibuat dengan kartu siswa ini"),
    Flag.OTHER_VERSION: ("has another version of an exercise", "memuat versi lain dari sebuah latihan"),
}


def words(flag: Flag) -> tuple[str, str]:
    """What a flag means, in English and in Indonesian."""
    return _WORDS[flag]


@dataclass(frozen=True)
class Entry:
    """A student's hand-in.

    Attributes:
        file: its name.
        grade: what it claims.
        signature: `ok` fits, and the key is known to be this student's; `unknown` fits, and nothing says whose the key
            is; `changed` does not fit, or is another's.
        flags: what is wrong with it.
    """

    file: str
    grade: Grade
    signature: str
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True)
class LeftOut:
    """A file that does not count, and why, in a sentence; `bad` unless it merely was not meant to be read."""

    file: str
    why: str
    bad: bool


@dataclass(frozen=True)
class Collection:
    """A class's hand-ins.

    Attributes:
        entries: one for each student, by id.
        left_out: what else was in the folder.
        missing: students of the roster without a hand-in.
        pins: the keys that are known now.
    """

    entries: tuple[Entry, ...]
    left_out: tuple[LeftOut, ...] = ()
    missing: tuple[Enrolled, ...] = ()
    pins: Pins = Pins()  # noqa: RUF009  # frozen

    @property
    def is_sound(self) -> bool:
        """Whether nothing was flagged or refused."""
        return not any(entry.flags for entry in self.entries) and not any(each.bad for each in self.left_out)


def collect(
    folder: Path, exercises: Sequence[Exercise], classroom: Classroom | None = None, pins: Pins | None = None
) -> Collection:
    """Read every .json file of a folder, not of the folders in it; links are not followed.

    Args:
        folder: with the hand-ins.
        exercises: those that ship.
        classroom: the course, which knows who is in it and what their cards are.
        pins: the keys that are known; the result has those of first hand-ins too.

    Raises:
        UsageError: the folder cannot be read.
    """
    found: list[Submission] = []
    left: list[LeftOut] = []
    for path in _listed(folder):
        if path.is_symlink() or not path.is_file() or path.suffix.lower() != ".json":
            left.append(LeftOut(plain(path.name, 120), "is no .json file, and was not looked at", False))
            continue
        try:
            found.append(read(path, exercises))
        except Refused as fault:
            left.append(LeftOut(plain(path.name, 120), fault.message.partition(": ")[2], True))
    return merge(found, exercises, classroom, pins or Pins(), tuple(left))


def merge(
    found: Sequence[Submission], exercises: Sequence[Exercise], classroom: Classroom | None = None,
    pins: Pins = Pins(), left_out: tuple[LeftOut, ...] = (),  # noqa: B008  # frozen
) -> Collection:  # fmt: skip
    """One entry a student: of several hand-ins the newest among those with the fewest flags."""
    judged = [(each, judge(each, exercises, classroom, pins)) for each in found]
    judged = _two_keys(_shared(judged, pins), pins)
    by_student: dict[str, list[tuple[Submission, Entry]]] = defaultdict(list)
    for each in judged:
        by_student[each[0].grade.student].append(each)
    entries, left = [], list(left_out)
    for _, several in sorted(by_student.items()):
        several.sort(key=lambda pair: (-len(pair[1].flags), pair[0].grade.made_at, pair[0].file))
        submission, entry = several[-1]
        entries.append(entry)
        left += [_beaten(other, entry) for _, other in several[:-1]]
        if classroom and not entry.flags:
            pins = pins.and_(entry.grade.student, submission.public_key)
    absent = tuple(each for each in classroom.roster if each.id not in by_student) if classroom else ()
    return Collection(tuple(entries), tuple(left), absent, pins)


def judge(
    submission: Submission, exercises: Sequence[Exercise], classroom: Classroom | None = None, pins: Pins | None = None
) -> Entry:
    """What one hand-in is worth by itself."""
    grade = submission.grade
    flags = [] if submission.is_signed() else [Flag.TAMPERED]
    known = (pins or Pins()).key_of(grade.student)
    if known and known != submission.public_key:
        flags.append(Flag.OTHER_KEY)
    if classroom and not classroom.has(grade.student):
        flags.append(Flag.NOT_ENROLLED)
    elif classroom and not is_proved(submission.document, classroom.student(grade.student), grade.proof):
        flags.append(Flag.OTHER_CARD)
    versions = {exercise.id: exercise.about.version for exercise in exercises}
    if any(graded.version != versions[graded.id] for graded in grade.exercises):
        flags.append(Flag.OTHER_VERSION)
    return _entry(submission, flags, classroom is not None)


def _entry(submission: Submission, flags: Sequence[Flag], in_class: bool) -> Entry:
    if Flag.TAMPERED in flags or Flag.OTHER_KEY in flags:
        signature = "changed"
    else:
        signature = "ok" if in_class and not set(flags) - {Flag.OTHER_VERSION} else "unknown"
    return Entry(submission.file, submission.grade, signature, tuple(flags))


def _shared(judged: list[tuple[Submission, Entry]], pins: Pins) -> list[tuple[Submission, Entry]]:
    """A key with which two students sign is flagged at both; what was signed before there was a card is nobody's."""
    owners: dict[str, set[str]] = defaultdict(set)
    for pin in pins.pins:
        owners[pin.key].add(pin.student)
    for submission, entry in judged:
        if Flag.TAMPERED not in entry.flags and submission.grade.student != PRACTICE.id:
            owners[submission.public_key].add(submission.grade.student)
    return [
        (submission, _flagged(entry, Flag.SHARED_KEY) if _is_shared(submission, owners) else entry)
        for submission, entry in judged
    ]


def _is_shared(submission: Submission, owners: Mapping[str, set[str]]) -> bool:
    return submission.grade.student != PRACTICE.id and len(owners[submission.public_key]) > 1


def _two_keys(judged: list[tuple[Submission, Entry]], pins: Pins) -> list[tuple[Submission, Entry]]:
    """Two sound hand-ins of one student with two keys, and none is known: nobody can tell which is theirs."""
    keys: dict[str, set[str]] = defaultdict(set)
    for submission, entry in judged:
        if not entry.flags and not pins.key_of(submission.grade.student):
            keys[submission.grade.student].add(submission.public_key)
    return [
        (submission, _flagged(entry, Flag.OTHER_KEY) if len(keys[submission.grade.student]) > 1 else entry)
        for submission, entry in judged
    ]


def _flagged(entry: Entry, flag: Flag) -> Entry:
    signature = "changed" if flag is Flag.OTHER_KEY or entry.signature == "changed" else "unknown"
    return replace(entry, flags=tuple(dict.fromkeys((*entry.flags, flag))), signature=signature)


def _beaten(entry: Entry, by: Entry) -> LeftOut:
    if entry.flags:
        said = ", ".join(words(flag)[0] for flag in entry.flags)
        return LeftOut(entry.file, f"claims to be {entry.grade.student}'s: {said}; {by.file} counts", True)
    return LeftOut(entry.file, f"is older than {by.file} of the same student, which counts", False)


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as fault:
        raise UsageError(f"{folder}: cannot be read: {fault.strerror}", "name the folder with the hand-ins") from None
