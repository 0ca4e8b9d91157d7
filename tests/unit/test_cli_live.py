"""What is shown while work goes on: a live view on a terminal, plain lines elsewhere."""

from __future__ import annotations

import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

import lab
from lab.cli.live import LiveView, plain, shown
from lab.events import Event, Note, PhaseEnded, PhaseStarted, StepEnded, StepStarted, phase, silent
from tests.fakes import Heard

EVENTS: list[Event] = [
    PhaseStarted("app"),
    PhaseEnded("app", True, 0.25),
    PhaseStarted("boot", "three guests"),
    Note("quiet"),
    Note("listen", loud=True),
    StepStarted("voxy", "packages nginx"),
    StepEnded("voxy", "packages nginx", changed=True),
    StepEnded("zero", "file /a", changed=False),
    StepEnded("zero", "file /b", changed=False, ok=False),
    PhaseEnded("boot", False, 12.34),
]

ON_A_TERMINAL = """
from io import StringIO
from rich.console import Console
from rich.live import Live
from lab.cli.live import LiveView
from tests.unit.test_cli_live import EVENTS

console = Console(file=StringIO(), force_terminal=True, width=80, highlight=False)
view = LiveView(console)
with Live(view, console=console, refresh_per_second=50, transient=True):
    for _ in range(20):
        for event in EVENTS:
            view(event)
print(console.file.getvalue().count("packages nginx"))
"""


def _view() -> tuple[LiveView, StringIO, Console]:
    out = StringIO()
    console = Console(file=out, width=80, highlight=False, color_system=None)
    return LiveView(console), out, console


def _drawn(view: LiveView) -> str:
    """What the redrawn part of the screen shows now."""
    out = StringIO()
    Console(file=out, width=80, highlight=False, color_system=None).print(view)
    return out.getvalue()


def test_what_happened_scrolls_by() -> None:
    """Phases with their time, steps that changed or failed, notes; what was so already is not worth a line."""
    view, out, _ = _view()
    for event in EVENTS:
        view(event)
    expected = [
        "✓ app 0.2 s",
        "  quiet",
        "! listen",
        "  ✓ voxy     packages nginx",
        "  ✗ zero     file /b",
        "✗ boot 12.3 s",
    ]
    assert expected == [line.rstrip() for line in out.getvalue().splitlines()]


def test_what_goes_on_is_drawn() -> None:
    """The phase, and what each host is doing, in the order of their names; nothing when nothing goes on."""
    view, _, _ = _view()
    assert _drawn(view).strip() == ""
    for event in (PhaseStarted("boot", "three"), StepStarted("zero", "file /z"), StepStarted("akuma", "file /a")):
        view(event)
    first, second, third = _drawn(view).splitlines()
    assert "boot: three" in first
    assert "akuma" in second and "file /a" in second
    assert "zero" in third and "file /z" in third
    view(StepEnded("zero", "file /z", changed=False))
    assert "zero" not in _drawn(view)
    view(PhaseEnded("boot", True, 1))
    assert _drawn(view).strip() == ""


def test_an_outer_phase_is_shown_again() -> None:
    """When the one inside it has ended."""
    view, _, _ = _view()
    for event in (PhaseStarted("box", "build"), PhaseStarted("base"), PhaseEnded("base", True, 1)):
        view(event)
    assert "box: build" in _drawn(view)


def test_markup_in_a_text_is_shown_as_it_is() -> None:
    """A path with brackets is no colour."""
    view, out, _ = _view()
    view(Note("see /a/[red]/b"))
    view(StepEnded("voxy", "file /[bold]x", changed=True))
    assert "see /a/[red]/b" in out.getvalue()
    assert "file /[bold]x" in out.getvalue()


def test_the_view_does_not_block_on_a_real_terminal() -> None:
    """While it is live, printing a line draws the view again: that must not wait for itself."""
    done = subprocess.run(
        [sys.executable, "-c", ON_A_TERMINAL], capture_output=True, text=True, timeout=8, check=False,
        cwd=Path(lab.__file__).parents[1],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 20


def test_plain_lines_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """One an event that says something, on standard error."""
    for event in EVENTS:
        plain(event)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "app …",
        "app: done after 0.2 s",
        "boot: three guests",
        "quiet",
        "! listen",
        "  voxy: packages nginx",
        "  zero: file /b: failed",
        "boot: failed after 12.3 s",
    ]


def test_what_is_shown_depends_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Plain lines into a pipe; nothing at all when JSON is wanted."""
    with shown() as listener:
        listener(Note("hello"))
    with shown(quiet=True) as listener:
        listener(Note("secret"))
    silent(Note("secret"))
    assert capsys.readouterr().err == "hello\n"


def test_a_phase_tells_its_end_also_after_an_error() -> None:
    """The error goes on; the listener knows that the phase failed."""
    heard = Heard()
    with pytest.raises(ZeroDivisionError), phase(heard, "boot", "x"):
        raise ZeroDivisionError
    with phase(heard, "proof"):
        pass
    told = [(each.phase, each.ok) for each in heard.events if isinstance(each, PhaseEnded)]
    assert told == [("boot", False), ("proof", True)]
    assert heard.events[0] == PhaseStarted("boot", "x")
