"""What a measurement is here: values with a unit, a table of them, a target, and the words that a page prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True)
class Series:
    """The values of one quantity, run by run.

    Attributes:
        values: in the order of the runs; empty where it was not measured.
        unit: what follows the number.
        digits: after the point.
    """

    values: tuple[float, ...]
    unit: str = "s"
    digits: int = 1

    @property
    def median(self) -> float:
        """The middle value.

        Raises:
            ValueError: nothing was measured.
        """
        if not self.values:
            raise ValueError("nothing was measured")
        return median(self.values)

    def __str__(self) -> str:
        """The median, and the range where there is more than one value."""
        if not self.values:
            return "–"
        text = f"{self.median:.{self.digits}f} {self.unit}".rstrip()
        if len(self.values) == 1:
            return text
        return f"{text} ({min(self.values):.{self.digits}f} to {max(self.values):.{self.digits}f})"


@dataclass(frozen=True)
class Row:
    """One line of a table: what was measured, and a cell for each column."""

    what: str
    cells: tuple[Series, ...]


@dataclass(frozen=True)
class Table:
    """Rows under column titles; the first column is the rows' own."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def __str__(self) -> str:
        lines = [self.columns, tuple("---" for _ in self.columns)]
        lines += [(row.what, *map(str, row.cells)) for row in self.rows]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)


@dataclass(frozen=True)
class Target:
    """What was promised of a quantity, beside what came out.

    Attributes:
        claim: the promise in words.
        measured: the figure that is held against it.
        bound: the least, or the most, that keeps the promise.
        at_least: whether the bound is the least.
        unit: of both.
    """

    claim: str
    measured: float
    bound: float
    at_least: bool = True
    unit: str = "×"

    @property
    def met(self) -> bool:
        """Whether the promise was kept."""
        return self.measured >= self.bound if self.at_least else self.measured <= self.bound

    def __str__(self) -> str:
        word = "at least" if self.at_least else "at most"
        said = "met" if self.met else "**missed**"
        return f"- {self.claim}: {self.measured:.1f} {self.unit}, target {word} {self.bound:g} {self.unit}: {said}"


@dataclass(frozen=True)
class Part:
    """One part of the comparison, as it is kept on disk and printed on the page.

    Attributes:
        name: what it is run by.
        title: its heading.
        when: the UTC time at which it ended.
        seconds: how long it took altogether.
        machine: system, kernel, cores and memory.
        load: the load average at its begin and end: what else the machine had to do.
        versions: program → version.
        setting: what was done, and under which conditions; one sentence an entry.
        commands: what was timed.
        tables: the figures.
        targets: what was promised.
    """

    name: str
    title: str
    when: str
    seconds: float
    machine: str
    load: str
    versions: dict[str, str]
    setting: tuple[str, ...]
    commands: tuple[str, ...]
    tables: tuple[Table, ...]
    targets: tuple[Target, ...] = field(default=())


def ratio(slow: Series, fast: Series) -> float:
    """How many times the one is of the other, by their medians."""
    return slow.median / fast.median


def page(parts: Sequence[Part]) -> str:
    """The text of docs/benchmarks.md."""
    lines = [
        "# Beside our rivals", "",
        "Written by `python bench/rivals.py`, which `make bench` calls, from what it measured; no figure in a table",
        "was typed by hand. A cell is the median, with the range of all runs behind it. Take single figures as orders",
        "of magnitude, and the ratios as what they are: the same work, one after the other, on the same machine.", "",
    ]  # fmt: skip
    for part in parts:
        lines += [*_section(part), ""]
    return "\n".join(lines)


def _section(part: Part) -> list[str]:
    lines = [f"## {part.title}", "", *(f"- {sentence}" for sentence in part.setting), ""]
    lines += ["```sh", *part.commands, "```", ""]
    for table in part.tables:
        lines += [str(table), ""]
    lines += [*map(str, part.targets), *([""] if part.targets else [])]
    versions = ", ".join(f"{name} {version}" for name, version in sorted(part.versions.items()))
    lines += [f"Measured until {part.when} in {part.seconds / 60:.0f} min on {part.machine}; {part.load}."]
    return [*lines, *([f"Versions: {versions}."] if versions else [])]
