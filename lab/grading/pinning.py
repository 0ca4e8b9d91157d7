"""Which key belongs to which student: it is remembered from the first hand-in that was in order, in keys.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from lab.errors import UsageError
from lab.grading.classroom import keep_private, quoted
from lab.grading.signing import PUBLIC

FILE = "keys.toml"
_NOTE = "# The key of each student's first hand-in. Remove a line when a student has lost theirs and has a new one.\n"


@dataclass(frozen=True)
class Pin:
    """A student's id and public key."""

    student: str
    key: str


@dataclass(frozen=True)
class Pins:
    """The keys that are known."""

    pins: tuple[Pin, ...] = ()

    def key_of(self, student: str) -> str:
        """A student's key; empty while none is known."""
        return next((pin.key for pin in self.pins if pin.student == student), "")

    def and_(self, student: str, key: str) -> Pins:
        """These and one more; what is known of the student already stays."""
        return self if self.key_of(student) else replace(self, pins=(*self.pins, Pin(student, key)))


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keys: dict[str, str] = {}


def load(folder: Path) -> Pins:
    """The keys that a class folder remembers.

    Raises:
        UsageError: the file is damaged.
    """
    path = folder / FILE
    try:
        found = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _File).keys
        if not all(map(PUBLIC.fullmatch, found.values())):
            raise ValueError("a key is no ed25519 key")
    except FileNotFoundError:
        return Pins()
    except (OSError, ValueError) as fault:
        raise UsageError(f"{path}: cannot be used: {fault}", "mend the place, or take it from your backup") from None
    return Pins(tuple(Pin(student, key) for student, key in found.items()))


def save(folder: Path, pins: Pins) -> None:
    """Remember them."""
    lines = "".join(f"{quoted(pin.student)} = {quoted(pin.key)}\n" for pin in pins.pins)
    keep_private(folder / FILE, f"{_NOTE}[keys]\n{lines}")
