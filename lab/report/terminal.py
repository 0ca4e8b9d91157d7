"""A verdict for the terminal: a banner, the figures, and the evidence as a table."""

from __future__ import annotations

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from lab.report.figures import MARKS, duration, measured, number
from lab.verdict import Evidence, Outcome, Verdict

COLOURS = {Outcome.HELD: "green", Outcome.DEVIATED: "red", Outcome.INCONCLUSIVE: "yellow"}
MARK_COLOURS = {True: "green", False: "red", None: "yellow"}


def table(verdict: Verdict, *, all_gates: bool = False) -> RenderableType:
    """Something for `Console.print`. Gates that are open are counted, not listed, unless `all_gates`."""
    shut = tuple(gate for gate in verdict.gates if not gate.holds)
    shown = verdict.gates if all_gates else shut
    parts: list[RenderableType] = [_banner(verdict), _figures(verdict), _rows(shown + verdict.claims)]
    if not all_gates and not shut and verdict.gates:
        parts.append(Text(f"{len(verdict.gates)} conditions of a sound measurement hold", style="dim"))
    return Group(*parts)


def _banner(verdict: Verdict) -> RenderableType:
    colour = COLOURS[verdict.outcome]
    text = Text(f" {verdict.outcome} ", style=f"bold white on {colour}")
    text.append(f"  {verdict.scenario}", style="bold")
    for reason in verdict.reasons:
        text.append(f"\n{reason}", style="default")
    return Panel(text, border_style=colour, box=box.HEAVY, expand=False)


def _figures(verdict: Verdict) -> RenderableType:
    requests, timings = verdict.requests, verdict.timings
    grid = Table.grid(padding=(0, 3))
    grid.add_row(
        f"{number(requests.sent)} requests",
        Text(f"{number(requests.failed)} failed", style="red" if requests.failed else ""),
        f"detected after {duration(timings.detect_s)}",
        f"rerouted after {duration(timings.reroute_s)}",
        f"back after {duration(timings.recover_s)}",
    )
    return grid


def _rows(pieces: tuple[Evidence, ...]) -> RenderableType:
    found = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    found.add_column("")
    found.add_column("claim", ratio=1)
    found.add_column("measured", justify="right")
    found.add_column("n", justify="right")
    for piece in pieces:
        mark = Text(MARKS[piece.holds], style=f"bold {MARK_COLOURS[piece.holds]}")
        found.add_row(mark, Text(piece.claim), Text(measured(piece)), number(piece.n))
    return found
