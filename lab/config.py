"""Reads lab.toml into a `Lab`, and says what is wrong with it in one sentence a fault."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from lab.errors import TopologyError
from lab.topology import App, Box, Engine, Host, Lab, Upstream, Versions

FILE = "lab.toml"
_ENGINE = {
    "supernet": "a network as 10.96.0.0/14",
    "url": "https://NAME:8443, or the path of a socket", "address": "an address as 10.0.0.1",
    "network": "at most 15 small letters, digits and hyphens",
    **dict.fromkeys(("project", "member", "pool"), "letters, digits, hyphens and dots"),
}  # fmt: skip
_TABLES = {"host": Host, "upstream": Upstream, "app": App, "box": Box, "engine": Engine, "versions": Versions}

T = TypeVar("T")


def load(path: Path | None = None) -> Lab:
    """The lab that a file describes; without a file the built-in default.

    Args:
        path: the file; None takes lab.toml of the current folder when it is there.

    Raises:
        TopologyError: the file is missing, is not TOML, or does not describe a lab.
    """
    if path is None:
        path = Path(FILE)
        if not path.exists():
            return Lab()
    try:
        return parse_text(path.read_text(encoding="utf-8"), str(path))
    except FileNotFoundError:
        raise TopologyError(f"{path}: there is no such file", f"write it, or leave --file {path} out") from None
    except (OSError, UnicodeDecodeError) as fault:
        raise TopologyError(f"{path}: cannot be read: {fault}") from None


def parse_text(text: str, name: str = FILE) -> Lab:
    """The lab that the text of a file describes; `name` is the file that errors name.

    Raises:
        TopologyError: it is not TOML, or does not describe a lab.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise TopologyError(f"{name}: is not TOML: {fault}", "mend the place that it names") from None
    return parse(table, name)


def parse(table: dict[str, Any], name: str = FILE) -> Lab:
    """The lab that a table of keys describes; `name` is the file that errors name.

    Raises:
        TopologyError: with a line for each fault.
    """
    return validated(Lab, table, name, _TABLES)


def validated(kind: type[T], table: dict[str, Any], name: str, tables: Mapping[str, type]) -> T:
    """What a table of keys describes, as a dataclass that validates itself.

    Args:
        kind: the dataclass.
        table: as TOML gave it.
        name: the file that errors name.
        tables: key → the dataclass of the table under that key, at any depth.

    Raises:
        TopologyError: with a line for each fault.
    """
    try:
        return TypeAdapter(kind).validate_python(table)
    except ValidationError as faults:
        kinds = {"": kind, **tables}
        lines = [_sentence(fault, table, name, kinds) for fault in _first_causes(faults.errors())]
        raise TopologyError("\n".join(lines)) from None


def schema() -> dict[str, Any]:
    """The JSON Schema of lab.toml, for editors."""
    found = TypeAdapter(Lab).json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": FILE, **found}


def _first_causes(faults: list[Any]) -> list[Any]:
    """Without the faults of a list that only follow from a fault of one of its items."""
    places = [fault["loc"] for fault in faults]
    return [
        fault for fault in faults
        if not any(place != fault["loc"] == place[: len(fault["loc"])] for place in places)
    ]  # fmt: skip


def _sentence(fault: Any, table: dict[str, Any], name: str, kinds: Mapping[str, type]) -> str:
    """One fault of pydantic's, said as: file: key: what is wrong; the mend."""
    place = fault["loc"]
    key = _key(place, table)
    kind = fault["type"]
    if kind == "unexpected_keyword_argument":
        return f"{name}: {key}: there is no such key{_did_you_mean(str(place[-1]), _keys_beside(place, kinds))}"
    if kind == "missing":
        return f"{name}: {key}: is missing; add it"
    if kind == "literal_error" or kind == "enum":
        choices = fault["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
        close = _did_you_mean(str(fault["input"]), choices)
        return f"{name}: {key}: {fault['input']!r} is not one of {', '.join(choices)}{close}"
    if kind == "string_pattern_mismatch" and place[-1] in ("name", "user", "domain"):
        return f"{name}: {key}: {fault['input']!r} is no DNS label; use a to z, 0 to 9 and inner hyphens"
    if kind == "string_pattern_mismatch" and place[-1] == "host_key":
        return f"{name}: {key}: is no host key; write SHA256:… as ssh-keygen -l prints it, or the line of a .pub file"
    if kind == "string_pattern_mismatch" and place[0] == "engine" and place[-1] in _ENGINE:
        return f"{name}: {key}: {fault['input']!r} will not do; write {_ENGINE[place[-1]]}"
    if kind == "value_error":
        return f"{name}: {key}{'.' if key else ''}{fault['ctx']['error']}"
    said = fault["msg"][0].lower() + fault["msg"][1:]
    return f"{name}: {key}: {fault['input']!r} will not do; {said}"


def _key(place: tuple[str | int, ...], table: dict[str, Any]) -> str:
    """The key as the user would look for it: `host[1] (voxy).address`."""
    words = ""
    for index, part in enumerate(place):
        if isinstance(part, int):
            words += f"[{part}]{_called(place[: index + 1], table)}"
        else:
            words += f".{part}" if words else part
    return words


def _called(place: tuple[str | int, ...], table: Any) -> str:
    try:
        for part in place:
            table = table[part]
        return f" ({table['name']})"
    except (KeyError, IndexError, TypeError):
        return ""


def _keys_beside(place: tuple[str | int, ...], kinds: Mapping[str, type]) -> list[str]:
    above = [str(part) for part in place[:-1] if part in kinds]
    kind = kinds[above[-1] if above else ""]
    return [field.name for field in fields(kind)] if is_dataclass(kind) else []


def _did_you_mean(word: str, choices: list[str]) -> str:
    close = difflib.get_close_matches(word, choices, n=1)
    return f"; did you mean {close[0]}?" if close else f"; there are: {', '.join(choices)}"
