"""Numbers with their units, as scenarios write them: `seconds(0.5)`, `"40 %"`, `12`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lab.errors import UsageError

_PERCENT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*%\s*")


@dataclass(frozen=True, order=True)
class Duration:
    """A length of time in seconds."""

    seconds: float

    def __str__(self) -> str:
        return f"{self.seconds:g} s"


def seconds(number: float) -> Duration:
    """A duration.

    Raises:
        UsageError: the number is negative or no number.
    """
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number < float("inf"):
        raise UsageError(f"seconds({number!r}): no length of time", "write a number from 0 up, as seconds(0.5)")
    return Duration(float(number))


@dataclass(frozen=True, order=True)
class Limit:
    """A bound of a claim: a value and its unit, "%", "s" or "requests"."""

    value: float
    unit: str

    def __str__(self) -> str:
        return f"{self.value:g} {self.unit}"


def limit(written: str | float | Duration) -> Limit:
    """Read a bound: `"40 %"`, `seconds(2)`, or a number of requests.

    Raises:
        UsageError: it is none of them; the message says how to write it.
    """
    if isinstance(written, Duration):
        return Limit(written.seconds, "s")
    if isinstance(written, str):
        found = _PERCENT.fullmatch(written)
        if found is None or float(found[1]) > 100:
            raise UsageError(f"{written!r} is no percentage", 'write "40 %", from "0 %" to "100 %"')
        return Limit(float(found[1]), "%")
    if isinstance(written, bool) or not isinstance(written, int | float) or not 0 <= written < float("inf"):
        raise UsageError(f"{written!r} is no bound", 'write "40 %", seconds(2), or a number of requests')
    return Limit(float(written), "requests")


def percentile(ordered: list[float], part: float) -> float:
    """The smallest value that at least this part of the values does not exceed; of a sorted list with one or more."""
    return ordered[max(0, -int(-len(ordered) * part // 1) - 1)]
