"""Somebody on a host who tells when something changes there: watcher.pl, run over ssh."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import IO

SCRIPT = Path(__file__).with_name("watcher.pl")
RETRY_S = 1.0
END_S = 2.0
_LINE = re.compile(r"(?P<kind>[!=]) (?P<number>[0-9a-f]{16})")
GONE = ""
"""What is known of a host that cannot be asked: it is off, boots, or lets nobody in."""


class Lookout:
    """The ssh to one host, and what the script there said last. Nothing here waits, but for the end of ssh.

    Args:
        argv: the command that runs perl there, with the script on its standard input.

    Attributes:
        number: of how the host is; None until something is known.
        fileno: where the host is heard, for `select`; None while it is not called.
        call_at: when to call again a host that is gone, on the clock of `monotonic`.
    """

    def __init__(self, argv: Sequence[str]) -> None:
        self._argv = argv
        self._process: subprocess.Popen[bytes] | None = None
        self._pipes: tuple[IO[bytes], ...] = ()
        self._heard = b""
        self._asked = 0
        self.number: str | None = None
        self.fileno: int | None = None
        self.call_at = 0.0

    @property
    def is_awaited(self) -> bool:
        """Whether an answer is under way."""
        return self.fileno is not None and (self.number is None or self._asked > 0)

    def start(self) -> None:
        """Call the host. The ssh is in a process group of its own, so that Ctrl-C is ours to handle."""
        self._process = subprocess.Popen(
            self._argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0,
            process_group=0,
        )  # fmt: skip
        self._pipes = tuple(pipe for pipe in (self._process.stdin, self._process.stdout) if pipe is not None)
        self.fileno = self._pipes[1].fileno()
        os.set_blocking(self.fileno, False)
        self._heard, self._asked = b"", 0
        self._say(SCRIPT.read_bytes())

    def ask(self) -> None:
        """Have a host that was heard look now; one that is only being called tells by itself."""
        if self.fileno is not None and self.number not in (None, GONE):
            self._asked += 1
            self._say(b"\n")

    def wait_no_longer(self) -> None:
        """An answer that has not come is not waited for again."""
        self._asked = 0
        self.number = self.number or GONE

    def read(self) -> bool:
        """Take the lines that have come, or call the host again; whether it said something, or has gone."""
        if self.fileno is None:
            if monotonic() >= self.call_at:
                self.start()
            return False
        came, is_over = _all_of(self.fileno)
        *lines, self._heard = (self._heard + came).split(b"\n")
        for line in lines:
            self._take(line.decode(errors="replace"))
        if is_over:
            self._lose()
        return bool(lines) or is_over

    def end(self) -> None:
        """Let the script end, as its standard input does, and ssh with it."""
        for pipe in self._pipes:
            with suppress(OSError):
                pipe.close()
        self._pipes, self.fileno = (), None
        if self._process is not None:
            self._process.terminate()

    def bury(self) -> None:
        """Wait for the end of ssh."""
        if self._process is not None:
            try:
                self._process.wait(timeout=END_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def _take(self, line: str) -> None:
        """`! NUMBER` is a change, `= NUMBER` an answer; anything else is from the host's login shell."""
        told = _LINE.fullmatch(line)
        if told:
            self.number = told["number"]
            self._asked = max(0, self._asked - (told["kind"] == "="))

    def _lose(self) -> None:
        self.end()
        self.bury()
        self._asked, self.number = 0, GONE
        self.call_at = monotonic() + RETRY_S

    def _say(self, words: bytes) -> None:
        """Tell the script; where nobody hears it, its output ends and tells that."""
        with suppress(OSError):
            self._pipes[0].write(words)


def _all_of(fd: int) -> tuple[bytes, bool]:
    """What can be read without waiting, and whether it was the last."""
    came = b""
    with suppress(BlockingIOError):
        while part := os.read(fd, 65536):
            came += part
        return came, True
    return came, False
