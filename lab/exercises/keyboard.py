"""Single keys from a terminal, without Enter; the terminal is as before afterwards, however the block ends."""

from __future__ import annotations

import os
import select
import sys
import termios
import tty
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TextIO

ESCAPE = "\x1b"
_LONGEST = 32
"""More bytes than any key sends in one go."""


class Keyboard:
    """A terminal that gives each key at once and does not show it. Ctrl-C still raises KeyboardInterrupt.

    Where the stream is no terminal, or another program has it (`lab exercise watch &`), nothing is done to it and
    there are no keys.

    Attributes:
        fd: for `select`; None where no key will ever come.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stdin if stream is None else stream
        self._before: list[Any] | None = None
        self.fd: int | None = None

    def __enter__(self) -> Self:
        fd = _terminal_of(self._stream)
        if fd is not None:
            self._before = termios.tcgetattr(fd)
            self.fd = fd
            tty.setcbreak(fd)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            # Keys that nobody took must not end up in the student's shell: they are flushed.
            with suppress(termios.error, ValueError, OSError):  # the terminal may have been closed
                termios.tcsetattr(self._stream.fileno(), termios.TCSAFLUSH, self._before)
        self._before = self.fd = None

    def read_key(self) -> str:
        """The next key, waited for: one character; ESCAPE for a key that sends a sequence, such as an arrow.

        Empty where no more key will come: there is no terminal, or it was closed.
        """
        if self.fd is None:
            return ""
        try:
            first = os.read(self.fd, 1)
            if not first:
                self.fd = None
                return ""
            if first == ESCAPE.encode():
                self._drain()
                return ESCAPE
            more = next((count for least, count in ((0xF0, 3), (0xE0, 2), (0xC0, 1)) if first[0] >= least), 0)
            return (first + (os.read(self.fd, more) if more else b"")).decode(errors="replace")
        except OSError:
            self.fd = None
            return ""

    def _drain(self) -> None:
        """Take the rest of a sequence, which comes in one go."""
        if self.fd is not None and select.select([self.fd], [], [], 0)[0]:
            os.read(self.fd, _LONGEST)


def _terminal_of(stream: TextIO) -> int | None:
    """The number of the terminal that the stream is, when it is ours to change."""
    try:
        fd = stream.fileno()
        return fd if os.isatty(fd) and os.tcgetpgrp(fd) == os.getpgrp() else None
    except (OSError, ValueError):
        return None
