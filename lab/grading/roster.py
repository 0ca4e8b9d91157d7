"""Reads a roster: a CSV file with a header that has `id` and `name`, as a school's register writes it."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import msgspec

from lab.errors import UsageError
from lab.grading.hostile import is_plain, plain

LIMIT = 1024 * 1024
NAME = 120
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


class Enrolled(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A student of a course: the id, and the name for people."""

    id: str
    name: str = ""


def read_roster(path: Path) -> tuple[Enrolled, ...]:
    """The students of a roster, in its order.

    Columns other than `id` and `name` are left alone; commas or semicolons separate.

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
    at_id, at_name = header.index("id"), header.index("name")
    found: list[Enrolled] = []
    lines: dict[str, int] = {}
    for row in reader:
        if not any(cell.strip() for cell in row):
            continue
        where = f"{place}: line {reader.line_num}"
        if len(row) <= max(at_id, at_name):
            raise UsageError(f"{where}: has {len(row)} columns, the header has {len(header)}", "complete the line")
        student = _enrolled(row[at_id].strip(), row[at_name].strip(), where)
        before = lines.setdefault(student.id.casefold(), reader.line_num)
        if before != reader.line_num:
            raise UsageError(f"{where}: the id {student.id!r} is on line {before} too", "every student has another id")
        found.append(student)
    if not found:
        raise UsageError(f"{place}: names no student", "write a line a student under the header")
    return tuple(found)


def _enrolled(id: str, name: str, where: str) -> Enrolled:
    if not _ID.fullmatch(id):
        raise UsageError(
            f"{where}: {plain(id, 60)!r} is no student's id", "use letters, digits, dots, hyphens and underscores"
        )
    if len(name) > NAME or not is_plain(name):
        raise UsageError(f"{where}: the name is longer than {NAME}, or has a character that does not show", "mend it")
    return Enrolled(id, name)
