"""The signals that end a command in order, and the work that they must not cut in two."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

HANGUP = getattr(signal, "SIGHUP", None)
"""The terminal was closed, or the connection to it broke; Windows has no such signal."""
KEPT = tuple(number for number in (signal.SIGINT, signal.SIGTERM, HANGUP) if number is not None)


def heed() -> None:
    """Let SIGTERM and a closed terminal end this process as Ctrl-C does: what was begun is put back.

    A SIGHUP that whoever started us ignores, as `nohup` does, stays ignored.
    """
    signal.signal(signal.SIGTERM, _interrupted)
    if HANGUP is not None and signal.getsignal(HANGUP) is not signal.SIG_IGN:
        screens = [stream.fileno() for stream in (sys.__stdout__, sys.__stderr__) if stream and stream.isatty()]

        def hung_up(number: int, frame: FrameType | None) -> None:
            """Writing to a terminal that is gone would fail, in the middle of healing too."""
            nowhere = os.open(os.devnull, os.O_WRONLY)
            for screen in screens:
                os.dup2(nowhere, screen)
            _interrupted(number, frame)

        signal.signal(HANGUP, hung_up)


def _interrupted(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextmanager
def shielded() -> Iterator[None]:
    """Keep these signals back until the block has ended; only the main thread ever gets them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {number: signal.signal(number, lambda got, frame: came.append(got)) for number in KEPT}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        signal.raise_signal(came[0])
