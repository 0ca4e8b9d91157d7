"""Runs one `lab` command in each of many labs, a few at a time; a lab that fails stops no other.

Each is a process of its own: what a lab's command heals, locks and writes down is as when somebody types it there, and
one that dies or hangs takes nobody along. What it says goes to LAB/.lab/logs/.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from lab.errors import BUG, ENVIRONMENT, HELD, INTERRUPTED
from lab.home import FOLDER
from lab.signals import shielded

LAB = (sys.executable, "-P", "-m", "lab")
"""Our own program; without -P, a file lab.py in a lab's folder would be it."""
POLL_S = 0.05
LAST_BREATH_S = 60
"""How long a lab's command may take to end in order: it puts back what it has begun."""


@dataclass(frozen=True)
class Errand:
    """What is to be done for one student.

    Attributes:
        student: the id.
        folder: where the student's lab.toml is.
        words: the `lab` command, without `lab`.
    """

    student: str
    folder: Path
    words: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """How an errand ended.

    Attributes:
        student: the id.
        code: one of the lab's exit codes.
        seconds: how long it took; 0 when it was not begun.
        said: the error in a line; empty when there is none.
        result: what the command printed as JSON; None when that was none.
    """

    student: str
    code: int
    seconds: float = 0.0
    said: str = ""
    result: Any = None

    @property
    def ok(self) -> bool:
        """Whether the command ended with 0."""
        return self.code == HELD


@dataclass(frozen=True)
class Progress:
    """How far a crowd is.

    Attributes:
        ended: outcomes, in the order in which they came.
        running: who is at work, with the seconds since each began.
        total: how many errands there are.
    """

    ended: tuple[Outcome, ...]
    running: Mapping[str, float]
    total: int


Watcher = Callable[[Progress], None]
"""Told of progress a few times a second."""


class Stopped(KeyboardInterrupt):
    """The crowd was interrupted, and every command in it has ended; `outcomes` says how."""

    def __init__(self, outcomes: tuple[Outcome, ...]) -> None:
        super().__init__()
        self.outcomes = outcomes


def usual_parallel() -> int:
    """How many at once: a lab's command waits for its machines more than it computes."""
    return (os.cpu_count() or 1) + 1


def worst(outcomes: Sequence[Outcome]) -> int:
    """The exit code of all: the greatest, for the lab's codes grow with what is wrong."""
    return max((each.code for each in outcomes), default=HELD)


def run(
    errands: Sequence[Errand], doing: str, *, parallel: int = 0, within_s: float = 900,
    watch: Watcher = lambda progress: None, program: Sequence[str] = LAB, last_breath_s: float = LAST_BREATH_S,
) -> tuple[Outcome, ...]:  # fmt: skip
    """Run all errands.

    Args:
        errands: one a student; a later one begins when an earlier one has ended.
        doing: a word for the log file's name: class-DOING.log.
        parallel: how many at once; 0 is `usual_parallel`.
        within_s: the deadline of each, from its own beginning.
        watch: told of progress.
        program: what is run with the errand's words.
        last_breath_s: how long one that is interrupted may take to end.

    Returns:
        an outcome for each errand, in their order.

    Raises:
        Stopped: Ctrl-C or SIGTERM came. No errand was begun any more, and those under way were interrupted and have
            ended.
    """
    crowd = _Crowd(errands, doing, parallel or usual_parallel(), within_s, tuple(program), last_breath_s)
    try:
        while not crowd.is_done:
            with shielded():  # a command that was started is never lost sight of
                crowd.step()
            watch(crowd.progress)
            time.sleep(POLL_S)
    except KeyboardInterrupt:
        with shielded():
            crowd.stop()
        raise Stopped(crowd.outcomes) from None
    except BaseException:
        with shielded():
            crowd.stop()
        raise
    return crowd.outcomes


class _Child:
    """A command that runs, in a session of its own: Ctrl-C reaches it by us, and once."""

    def __init__(self, errand: Errand, doing: str, program: tuple[str, ...]) -> None:
        self.errand = errand
        self.began = time.monotonic()
        self.interrupted_at: float | None = None
        self.late = False
        logs = errand.folder / FOLDER / "logs"
        logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.out = logs / f"class-{doing}.out"
        self.log = logs / f"class-{doing}.log"
        with self.out.open("wb") as out, self.log.open("wb") as err:
            self.process = self._started([*program, *errand.words], out, err)

    def _started(self, words: list[str], out: IO[bytes], err: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            words, cwd=self.errand.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True,
            env={key: value for key, value in os.environ.items() if key != "LAB_NAME"},
        )  # fmt: skip

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def interrupt(self) -> None:
        """Have the command put back what it has begun, and end with what it has started.

        By SIGTERM, which our program takes for Ctrl-C: what a shell runs in the background ignores SIGINT.
        """
        if self.interrupted_at is None:
            self.interrupted_at = time.monotonic()
            self.process.terminate()

    def has_had_time(self, last_breath_s: float) -> bool:
        """Whether it was interrupted so long ago that it will not end by itself."""
        return self.interrupted_at is not None and time.monotonic() - self.interrupted_at > last_breath_s

    def kill(self) -> None:
        """At once, with all that it has started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def outcome(self, within_s: float) -> Outcome:
        """How it ended, which it has."""
        code = self.process.returncode
        told = _last_error(self.log)
        if self.late:
            code, told = ENVIRONMENT, f"not finished after {within_s:.0f} s; {self.log} has what it said"
        elif code < 0:
            code, told = BUG, f"ended by signal {-code}; {self.log} has what it said"
        return Outcome(self.errand.student, code, self.seconds, told if code else "", _json(self.out))


class _Crowd:
    """All errands: those that wait, those under way, and how the others ended."""

    def __init__(
        self, errands: Sequence[Errand], doing: str, parallel: int, within_s: float, program: tuple[str, ...],
        last_breath_s: float,
    ) -> None:  # fmt: skip
        self._errands = tuple(errands)
        self._waiting = list(errands)
        self._running: list[_Child] = []
        self._ended: dict[str, Outcome] = {}
        self._doing, self._parallel, self._program = doing, parallel, program
        self._within_s, self._last_breath_s = within_s, last_breath_s

    @property
    def is_done(self) -> bool:
        return not self._waiting and not self._running

    @property
    def progress(self) -> Progress:
        running = {child.errand.student: child.seconds for child in self._running}
        return Progress(tuple(self._ended.values()), running, len(self._errands))

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        return tuple(self._ended[errand.student] for errand in self._errands)

    def step(self) -> None:
        """Take note of what has ended, end what is late, begin what waits."""
        self._reap()
        for child in self._running:
            if child.seconds > self._within_s:
                child.late = True
                child.interrupt()
        while self._waiting and len(self._running) < self._parallel:
            self._begin(self._waiting.pop(0))

    def stop(self) -> None:
        """Begin nothing any more, interrupt what runs, and wait until it has ended."""
        for errand in self._waiting:
            self._ended[errand.student] = Outcome(errand.student, INTERRUPTED, said="was not begun")
        self._waiting.clear()
        for child in self._running:
            child.interrupt()
        while self._running:
            self._reap()
            time.sleep(POLL_S)

    def _begin(self, errand: Errand) -> None:
        try:
            self._running.append(_Child(errand, self._doing, self._program))
        except OSError as fault:
            said = f"{errand.folder}: cannot be begun: {fault.strerror}"
            self._ended[errand.student] = Outcome(errand.student, ENVIRONMENT, said=said)

    def _reap(self) -> None:
        for child in list(self._running):
            if child.process.poll() is not None:
                self._running.remove(child)
                self._ended[child.errand.student] = child.outcome(self._within_s)
            elif child.has_had_time(self._last_breath_s):
                child.kill()


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None


def _last_error(path: Path) -> str:
    """The sentence of the command's error, without the mend; else the last line that it said."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    found = [line for line in lines if line.startswith(("lab: ", "Error: "))] or [
        line for line in lines if line.strip()
    ]
    return found[-1].removeprefix("lab: ").removeprefix("Error: ").strip() if found else ""
