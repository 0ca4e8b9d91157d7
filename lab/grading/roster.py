"""Reads a roster: a CSV file with a header that has `id` and `name`, as a school's register writes it.

Columns for the e-mail address (`email` or `e-mail`) and the language (`language` or `lang`: en or id) may be there.
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Literal, get_args

import msgspec

from lab.errors import UsageError
from lab.grading.hostile import is_plain, plain

LIMIT = 1024 * 1024
NAME = 120
Spoken = Literal["", "en", "id"]
"""A student's language; empty when the roster does not tell."""
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_EMAIL = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_COLUMNS = {"email": ("email", "e-mail"), "language": ("language", "lang")}
"""What else a roster may tell, and the headers under which it does."""


class Enrolled(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A student of a course: the id, the name for people, and what the roster tells besides; empty is not told."""

    id: str
    name: str = ""
    email: str = ""
    language: Spoken = ""


def read_roster(path: Path) -> tuple[Enrolled, ...]:
    """The students of a roster, in its order.

    Columns that are not ours are left alone; commas or semicolons separate.

    Raises:
        UsageError: it cannot be read, or a line of it cannot be used; the sentence names the line.
    """
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
    except OSError as fault:
        raise UsageError(f"{path}: cannot be read: {fault.strerror}", "name the roster's CSV file") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: is not UTF-8", "save it as CSV in UTF-8") from None
    if len(content) > LIMIT:
        raise UsageError(f"{path}: has more than a MiB", "a roster has a line a student")
    try:
        return parse_roster(text, str(path))
    except csv.Error as fault:
        raise UsageError(f"{path}: is no CSV: {fault}", "write a header `id,name`, then a line a student") from None


def parse_roster(text: str, place: str) -> tuple[Enrolled, ...]:
    """The students in the text of a roster; `place` names the file in sentences."""
    head = text.partition("\n")[0]
    comma = ";" if ";" in head and "," not in head else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=comma, strict=True)
    header = [cell.strip().lower() for cell in next(reader, [])]
    if header.count("id") != 1 or header.count("name") != 1:
        raise UsageError(f"{place}: line 1: the header lacks `id` or `name`", "begin it with a line `id,name`")
    at = {"id": header.index("id"), "name": header.index("name"), **_optional(header, place)}
    found: list[Enrolled] = []
    lines: dict[str, int] = {}
    for row in reader:
        if not any(cell.strip() for cell in row):
            continue
        where = f"{place}: line {reader.line_num}"
        if len(row) <= max(at.values()):
            raise UsageError(f"{where}: has {len(row)} columns, the header has {len(header)}", "complete the line")
        student = _enrolled({column: row[index].strip() for column, index in at.items()}, where)
        before = lines.setdefault(student.id.casefold(), reader.line_num)
        if before != reader.line_num:
            raise UsageError(f"{where}: the id {student.id!r} is on line {before} too", "every student has another id")
        found.append(student)
    if not found:
        raise UsageError(f"{place}: names no student", "write a line a student under the header")
    return tuple(found)


def _optional(header: list[str], place: str) -> dict[str, int]:
    """Which of the optional columns are there, and where."""
    found: dict[str, int] = {}
    for column, titles in _COLUMNS.items():
        places = [index for index, title in enumerate(header) if title in titles]
        if len(places) > 1:
            raise UsageError(f"{place}: line 1: two columns are the {column}", "keep one of them")
        if places:
            found[column] = places[0]
    return found


def _enrolled(told: dict[str, str], where: str) -> Enrolled:
    id, name, email = told["id"], told["name"], told.get("email", "")
    if not _ID.fullmatch(id):
        raise UsageError(
            f"{where}: {plain(id, 60)!r} is no student's id", "use letters, digits, dots, hyphens and underscores"
        )
    if len(name) > NAME or not is_plain(name):
        raise UsageError(f"{where}: the name is longer than {NAME}, or has a character that does not show", "mend it")
    if email and not (_EMAIL.fullmatch(email) and is_plain(email)):
        raise UsageError(f"{where}: {plain(email, 60)!r} is no e-mail address", "mend it, or leave the cell empty")
    return Enrolled(id, name, email, _language(told.get("language", ""), where))


def _language(said: str, where: str) -> Spoken:
    for language in get_args(Spoken):
        if said.lower() == language:
            spoken: Spoken = language
            return spoken
    raise UsageError(f"{where}: {plain(said, 60)!r} is no language of the lab's", "write en or id, or nothing")
