"""The text of `nginx -T` as a tree of directives, with every include put where it is included."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any

from lab.errors import EnvironmentProblem

_FILE = re.compile(r"^# configuration file (.+):$", re.MULTILINE)
_TIME = re.compile(r"(\d+)(ms|s|m|h|d|)")
_Tree = list[dict[str, Any]]
_UNITS = {"ms": 0.001, "": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True)
class Directive:
    """One directive: its name, its arguments, and what stands in its braces."""

    name: str
    args: tuple[str, ...] = ()
    block: tuple[Directive, ...] = ()

    def all(self, name: str) -> Iterator[Directive]:
        """The directives of that name in the braces."""
        return (inner for inner in self.block if inner.name == name)

    def last(self, name: str) -> Directive | None:
        """The one of that name that counts; None without."""
        return next(iter(reversed(list(self.all(name)))), None)


def parse(text: str) -> Directive:
    """The whole configuration as one directive without a name.

    Raises:
        EnvironmentProblem: the text is no configuration; the message has the file and the line.
    """
    parts = _FILE.split(text)
    files = dict(zip(parts[1::2], parts[2::2], strict=True)) or {"nginx.conf": text}
    trees = {name: _parsed(name, content) for name, content in files.items()}
    main = next(iter(files))
    return Directive("", (), tuple(_expanded(main, trees[main], trees, (main,))))


def _parsed(name: str, content: str) -> _Tree:
    import crossplane

    found = crossplane.parse_string(content, filename=name, single=True, check_ctx=False, check_args=False)
    if found["errors"]:
        fault = found["errors"][0]
        raise EnvironmentProblem(f"{name}, line {fault.get('line')}: {fault.get('error')}", "`nginx -t` says more")
    parsed: _Tree = found["config"][0]["parsed"]
    return parsed


def _expanded(main: str, tree: _Tree, trees: dict[str, _Tree], within: tuple[str, ...]) -> Iterator[Directive]:
    """The tree's directives. A file that includes itself, in however long a circle, is left out there."""
    for node in tree:
        if node["directive"] != "include":
            block = tuple(_expanded(main, node.get("block", []), trees, within))
            yield Directive(node["directive"], tuple(node["args"]), block)
            continue
        pattern = str(PurePosixPath(main).parent / node["args"][0])
        for name in sorted(name for name in trees if fnmatchcase(name, pattern) and name not in within):
            yield from _expanded(main, trees[name], trees, (*within, name))


def seconds_of(written: str) -> float:
    """A time as nginx writes it, in seconds: `500ms`, `1m30s`, `60`."""
    return sum(int(number) * _UNITS[unit] for number, unit in _TIME.findall(written))
