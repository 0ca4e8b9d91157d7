"""Who the student is, and what is theirs alone: domain, port, and for each exercise a token and a fault.

Everything is derived by HMAC-SHA256 from the student's key, which the teacher derives from the course's secret. So
the teacher needs to keep one secret, and a solution that is copied from a neighbour does not fit.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from lab.errors import UsageError
from lab.topology import Lab

FILE = "student.toml"
PORTS = range(3100, 3900)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
LONGEST = 200


@dataclass(frozen=True)
class Student:
    """A student as their card, student.toml, tells.

    Attributes:
        id: unique within the course; letters, digits, dots, hyphens and underscores.
        name: for people; at most 200 characters, all printable, as the course's.
        course: the course's name.
        key: 64 hexadecimal digits; empty for practice, which keeps the lab's own domain and port.
    """

    id: str = "practice"
    name: str = ""
    course: str = ""
    key: str = ""

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise UsageError(f"{self.id!r} is no student's id", "use letters, digits, dots, hyphens and underscores")
        for text in (self.name, self.course):
            if len(text) > LONGEST or not text.isprintable():
                raise UsageError(f"{self.id}: a name is longer than {LONGEST} characters, or no text", "write it anew")
        if self.key and not re.fullmatch(r"[0-9a-f]{64}", self.key):
            raise UsageError(f"{self.id}: the key is damaged", "ask the teacher for the card again")

    def digest(self, *what: str) -> bytes:
        """32 bytes that only this student's key gives for these words."""
        return hmac.new(bytes.fromhex(self.key), "\0".join(what).encode(), hashlib.sha256).digest()

    def token(self, exercise: str) -> str:
        """What shows in an exercise that the work is the student's own: 12 hexadecimal digits."""
        return self.digest("token", exercise).hex()[:12]

    def choice(self, exercise: str, choices: Sequence[str]) -> str:
        """One of an exercise's faults; empty when it has none, the first for practice."""
        if not choices:
            return ""
        number = int.from_bytes(self.digest("fault", exercise)[:8], "big") if self.key else 0
        return choices[number % len(choices)]

    def own(self, lab: Lab) -> Lab:
        """The lab with the student's own domain and port."""
        if not self.key:
            return lab
        label, _, rest = lab.domain.partition(".")
        number = int.from_bytes(self.digest("port")[:8], "big")
        return replace(
            lab,
            domain=f"{label}-{self.digest('domain').hex()[:6]}.{rest or 'xyz'}",
            app=replace(lab.app, port=PORTS[number % len(PORTS)]),
        )


PRACTICE = Student()


def student_key(secret: str, course: str, id: str) -> str:
    """The key of one student of a course: 64 hexadecimal digits."""
    return hmac.new(bytes.fromhex(secret), f"{course}\0{id}".encode(), hashlib.sha256).hexdigest()


def load_student(folder: Path) -> Student:
    """The student whose card lies in a folder; without one, practice.

    Raises:
        UsageError: the card cannot be read.
    """
    path = folder / FILE
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Student)
    except FileNotFoundError:
        return PRACTICE
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as fault:
        raise UsageError(f"{path}: is no student's card: {fault}", "ask the teacher for the card again") from None
