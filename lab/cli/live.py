"""Shows events while work goes on: a live view on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from lab.events import Event, Listener, Note, PhaseEnded, PhaseStarted, Progress, StepEnded, StepStarted, Traffic

BAR = 24
IN_FLIGHT = 5
"""So many requests are under way at any time; more of them are waiting for somebody."""
MARKS = {True: ("✓", "green"), False: ("✗", "red")}


class LiveView:
    """The hosts with what each is doing, redrawn in place; finished phases scroll by above."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._now: dict[str, str] = {}
        self._lock = threading.Lock()
        self._phases: list[str] = []
        self._spinner = Spinner("dots")
        self._traffic = ""
        self._progress: Progress | None = None

    def __rich__(self) -> Table:
        table = Table.grid(padding=(0, 1))
        with self._lock:
            if self._phases:
                table.add_row(self._spinner, Text(self._phases[-1], style="bold"))
            if self._progress:
                table.add_row("", progress_line(self._progress))
            if self._traffic:
                table.add_row("", self._traffic)
            for host, step in sorted(self._now.items()):
                table.add_row("", Text.assemble((f"{host:<8}", "cyan"), " ", step), style="dim")
        return table

    def __call__(self, event: Event) -> None:
        """Take an event; may be called from any thread.

        The line is printed after the lock is let go: the redrawing thread takes the console's lock
        first and ours second, and the other order would be a deadlock.
        """
        with self._lock:
            line = self._take(event)
        if line is not None:
            self._console.print(line)

    def _take(self, event: Event) -> Text | None:
        """Remember what the event tells; the line to leave above the live part, if any."""
        match event:
            case PhaseStarted(name, detail):
                self._phases.append(f"{name}: {detail}" if detail else name)
            case PhaseEnded(name, ok, seconds):
                self._phases = [each for each in self._phases if each.partition(":")[0] != name]
                self._now.clear()
                self._progress = None
                return Text.assemble(MARKS[ok], f" {name} ", (f"{seconds:.1f} s", "dim"))
            case StepStarted(host, step):
                self._now[host] = step
            case StepEnded(host, step, changed, ok):
                self._now.pop(host, None)
                if changed or not ok:
                    return Text.assemble("  ", MARKS[ok], " ", (f"{host:<8}", "cyan"), " ", step)
            case Traffic():
                self._traffic = traffic_line(event)
            case Progress():
                self._progress = event
            case Note(text, loud):
                return Text(("! " if loud else "  ") + text, style="bold yellow" if loud else "dim")
        return None


def traffic_line(seen: Traffic) -> str:
    """The last second in a line: a bar and a number for each backend, failures, the slowest answer."""
    total = max(sum(seen.answers.values()) + seen.failed, 1)
    bars = [_bar(name or "(no name)", count, total) for name, count in sorted(seen.answers.items())]
    failed = _bar("failed", seen.failed, total) if seen.failed else "no failure"
    waiting = [f"{seen.waiting} waiting"] if seen.waiting > IN_FLIGHT else []
    return f"{seen.t:5.1f} s  " + "   ".join([*bars, failed, *waiting, f"slowest {seen.slowest_ms:.0f} ms"])


def progress_line(seen: Progress) -> str:
    """How far it is: a bar and two numbers."""
    share = seen.done / max(seen.total, 1)
    return f"{'█' * round(BAR * share):<{BAR}} {seen.done / 2**20:.0f} of {seen.total / 2**20:.0f} MiB"


def _bar(name: str, count: int, total: int) -> str:
    return f"{name} {'█' * round(BAR * count / total)} {count}"


def plain(event: Event) -> None:
    """One line an event that changed something, on standard error."""
    match event:
        case PhaseStarted(name, detail):
            line = f"{name}: {detail}" if detail else f"{name} …"
        case PhaseEnded(name, ok, seconds):
            line = f"{name}: {'done' if ok else 'failed'} after {seconds:.1f} s"
        case StepEnded(host, step, changed, ok) if changed or not ok:
            line = f"  {host}: {step}" + ("" if ok else ": failed")
        case Traffic():
            line = f"  {traffic_line(event)}"
        case Note(text, loud):
            line = f"{'! ' if loud else ''}{text}"
        case _:
            return
    print(line, file=sys.stderr, flush=True)


@contextmanager
def shown(quiet: bool = False) -> Iterator[Listener]:
    """A listener for a block of work: live on a terminal, plain lines without one, nothing when quiet."""
    console = Console(stderr=True, highlight=False)
    if quiet:
        yield lambda event: None
    elif not console.is_terminal:
        yield plain
    else:
        view = LiveView(console)
        with Live(view, console=console, refresh_per_second=12, transient=True):
            yield view
