"""How measurements are written for people: everywhere the same digits, units and words."""

from __future__ import annotations

from lab.verdict import Evidence

WORDS = {True: "holds", False: "does not hold", None: "cannot be told"}
MARKS = {True: "✓", False: "✗", None: "?"}


def measured(evidence: Evidence) -> str:
    """A measurement with its unit: `12.5 %`, `0.084 s`, `never`, or a dash for none."""
    if evidence.measured is None:
        return "–"
    if isinstance(evidence.measured, str):
        return evidence.measured
    one = evidence.measured == 1 and len(evidence.unit) > 1
    return f"{number(evidence.measured)} {evidence.unit.removesuffix('s') if one else evidence.unit}".strip()


def number(value: float) -> str:
    """At most three decimals, thousands apart, no empty zeros; what is smaller is not shown as 0."""
    if 0 < abs(value) < 0.001:
        return f"{value:.2g}"
    text = f"{value:,.3f}".rstrip("0").rstrip(".") if value % 1 else f"{value:,.0f}"
    return text.replace(",", "\N{NO-BREAK SPACE}")


def duration(seconds: float | None) -> str:
    """Seconds to the millisecond; below one second in milliseconds; a dash for what did not happen."""
    if seconds is None:
        return "–"
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.3f} s"
