"""What was measured of classes of several sizes, and the straight lines through it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

import msgspec

from lab.errors import UsageError

RESULTS = Path(__file__).parent / "results" / "class.json"
SIZES = 3
"""A line goes through any two points; only a third one says how well it fits."""


@dataclass(frozen=True)
class Point:
    """A class that was brought up.

    Attributes:
        labs: how many.
        seconds: from the command to its end.
        memory_bytes: that all members had less free afterwards.
        disk_bytes: that all members' pools had less free afterwards.
        api_calls: that the cluster was asked.
    """

    labs: int
    seconds: float
    memory_bytes: int
    disk_bytes: int
    api_calls: int


@dataclass(frozen=True)
class Healed:
    """A member that was lost: how many labs it had, and after how many seconds all served elsewhere."""

    labs: int
    seconds: float


@dataclass(frozen=True)
class Measured:
    """bench/results/class.json.

    Attributes:
        machine: what it was measured on, in words.
        when: in UTC.
        members: of the cluster.
        image_bytes: of the image, as the cluster keeps it.
        points: one for each class.
        healed: one for each member that was lost; empty where none was.
        notes: what was seen besides, in sentences; not part of the lines.
    """

    machine: str
    when: str
    members: int
    image_bytes: int
    points: tuple[Point, ...]
    healed: tuple[Healed, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len({point.labs for point in self.points}) < SIZES:
            raise ValueError(f"it has fewer than {SIZES} sizes of class")
        if min(self.members, *(point.labs for point in self.points), *(each.labs for each in self.healed)) < 1:
            raise ValueError("members and labs begin at 1")


@dataclass(frozen=True)
class Line:
    """A straight line by least squares.

    Attributes:
        fixed: at no lab at all.
        each: more for each lab.
        residual: the root of the mean of the squared distances of what was measured from it.
        worst: the largest distance, as a part of what was measured there.
    """

    fixed: float
    each: float
    residual: float
    worst: float

    def at(self, labs: int) -> float:
        """What it says for so many labs."""
        return self.fixed + self.each * labs


def fit(points: Sequence[tuple[float, float]]) -> Line:
    """The line through pairs of labs and a measured quantity.

    Raises:
        ValueError: all have the same number of labs.
    """
    count = len(points)
    middle, level = sum(x for x, _ in points) / count, sum(y for _, y in points) / count
    spread = sum((x - middle) ** 2 for x, _ in points)
    if not spread:
        raise ValueError("one size of class makes no line")
    each = sum((x - middle) * (y - level) for x, y in points) / spread
    fixed = level - each * middle
    distances = [(y - fixed - each * x, y) for x, y in points]
    worst = max(abs(distance) / abs(y) if y else float(bool(distance)) for distance, y in distances)
    return Line(fixed, each, sqrt(sum(distance**2 for distance, _ in distances) / count), worst)


def line_of(measured: Measured, quantity: str) -> Line:
    """The line of one of a point's quantities, by its name."""
    return fit([(point.labs, float(getattr(point, quantity))) for point in measured.points])


def load(path: Path = RESULTS) -> Measured:
    """What was measured.

    Raises:
        UsageError: nothing was, or the file is damaged.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Measured)
    except FileNotFoundError:
        raise UsageError(f"{path}: is not there, and nothing is planned without it", "python bench/class.py") from None
    except (OSError, ValueError) as fault:
        raise UsageError(f"{path}: cannot be used: {fault}", "python bench/class.py measures again") from None
