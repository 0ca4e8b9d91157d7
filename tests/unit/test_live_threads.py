"""The live view takes events from many threads while it is being redrawn."""

from __future__ import annotations

import io
import threading

from rich.console import Console
from rich.live import Live

from lab.cli.live import LiveView
from lab.events import StepEnded, StepStarted

THREADS, EVENTS = 4, 300


def test_events_and_redrawing_do_not_wait_for_each_other() -> None:
    """Two locks taken in two orders would stop everything; every line arrives, and in time."""
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=80)
    view = LiveView(console)

    def work(host: str) -> None:
        for number in range(EVENTS):
            view(StepStarted(host, f"step {number}"))
            view(StepEnded(host, f"step {number}", changed=True))

    threads = [threading.Thread(target=work, args=(f"host{index}",), daemon=True) for index in range(THREADS)]
    with Live(view, console=console, refresh_per_second=500):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        assert [thread.is_alive() for thread in threads] == [False] * THREADS
    assert screen.getvalue().count(f"step {EVENTS - 1}") >= THREADS
