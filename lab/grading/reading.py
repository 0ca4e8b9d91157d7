"""Reads a hand-in as hostile input: nothing of it is believed, run or shown before it was looked at.

A hand-in is JSON and nothing else; it is decoded into typed values, and nothing in it chooses a class or a file here.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from lab.errors import DEVIATED, LabError
from lab.exercises.exercise import Exercise
from lab.grading.grade import Grade
from lab.grading.hostile import plain
from lab.grading.plausible import fault_of
from lab.grading.signing import PUBLIC, HandIn, again, fits

LIMIT = 2 * 1024 * 1024
_MEND = "ask the student for the file that `lab grade` wrote"


class Refused(LabError):
    """A file is no hand-in, or says what cannot be."""

    exit_code = DEVIATED


@dataclass(frozen=True)
class Submission:
    """A hand-in that can be shown; whether it is to be believed is another question.

    Attributes:
        file: the name of the file, fit to be shown.
        grade: what it claims.
        document: the canonical JSON text of the grade as it was in the file.
        public_key: whose signature it bears: `ssh-ed25519 …`.
        signature: armoured.
    """

    file: str
    grade: Grade
    document: bytes
    public_key: str
    signature: str

    def is_signed(self) -> bool:
        """Whether the signature fits the grade and the key that is in the file."""
        return fits(self.document, self.public_key, self.signature)


def read(path: Path, exercises: Iterable[Exercise]) -> Submission:
    """The hand-in in a file of at most 2 MiB.

    Raises:
        Refused: it is none, or it says what cannot be.
    """
    name = plain(path.name, 120)
    try:
        content = _content(path, name)
    except OSError as fault:
        raise Refused(f"{name}: cannot be read: {fault.strerror}", _MEND) from None
    return parse(content, name, exercises)


def parse(content: bytes, name: str, exercises: Iterable[Exercise]) -> Submission:
    """The hand-in in some bytes.

    Args:
        content: at most 2 MiB.
        name: of the file, for sentences.
        exercises: those that ship.

    Raises:
        Refused: as `read`.
    """
    if len(content) > LIMIT:
        raise Refused(f"{name}: has more than {LIMIT // 2**20} MiB", _MEND)
    try:
        found = msgspec.json.decode(content, type=HandIn)
        document = again(bytes(found.grade))
        grade = msgspec.json.decode(document, type=Grade)
    except RecursionError:
        raise Refused(f"{name}: is nested too deeply to be a hand-in", _MEND) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise Refused(f"{name}: is no hand-in: {plain(str(fault), 200)}", _MEND) from None
    if wrong := fault_of(grade, exercises):
        raise Refused(f"{name}: {wrong}", _MEND)
    if not PUBLIC.fullmatch(found.public_key):
        raise Refused(f"{name}: its public key is no ed25519 key", _MEND)
    return Submission(name, grade, document, found.public_key, found.signature)


def _content(path: Path, name: str) -> bytes:
    """The bytes of a plain file; a pipe or a device is not waited for."""
    opened = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(opened, "rb") as file:
        about = os.fstat(opened)
        if not stat.S_ISREG(about.st_mode):
            raise Refused(f"{name}: is no plain file", _MEND)
        if about.st_size > LIMIT:
            raise Refused(f"{name}: has {about.st_size} bytes; {LIMIT // 2**20} MiB are the most", _MEND)
        return file.read(LIMIT + 1)
