"""What a part of the comparison hands back: its figures, and what it promised."""

from __future__ import annotations

from dataclasses import dataclass, field

from bench.figures import Table, Target


@dataclass(frozen=True)
class Result:
    """The figures of one part; bench/rivals.py adds time, machine and load.

    Attributes:
        title: the heading on the page.
        setting: what was done, and under which conditions; one sentence an entry.
        commands: what was timed.
        tables: the figures.
        targets: what was promised.
        versions: program → version.
    """

    title: str
    setting: tuple[str, ...]
    commands: tuple[str, ...]
    tables: tuple[Table, ...]
    targets: tuple[Target, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
