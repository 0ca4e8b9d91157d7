"""Healing is not cut in two: a signal that comes meanwhile is delivered afterwards."""

from __future__ import annotations

import os
import pty
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.errors import HostUnreachable
from lab.signals import KEPT, shielded
from lab.waiting import wait_for


@pytest.fixture(autouse=True)
def heeded() -> Iterator[None]:
    """Ctrl-C is heeded as at a terminal, also where the tests run in the background, which is told to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_waits_for_the_end_of_the_block() -> None:
    """The block ends, then KeyboardInterrupt comes."""
    done = []

    def healing() -> None:
        with shielded():
            signal.raise_signal(signal.SIGINT)
            done.append("healed")

    with pytest.raises(KeyboardInterrupt):
        healing()
    assert done == ["healed"]


def test_handlers_are_put_back() -> None:
    """Afterwards everything is as before, also when the block fails."""
    before = [signal.getsignal(number) for number in KEPT]
    with pytest.raises(ValueError, match="broken"), shielded():
        raise ValueError("broken")
    assert [signal.getsignal(number) for number in KEPT] == before


HEALS = """
import signal, sys
from lab.signals import heed
heed()
print("ready", flush=True)
try:
    signal.pause()
except KeyboardInterrupt:
    print("healing what is still in force", flush=True)
    open(sys.argv[1], "w").write("healed")
"""


@pytest.mark.parametrize(("ignored", "left"), [(False, "healed"), (True, "")])
def test_a_closed_terminal_heals(tmp_path: Path, ignored: bool, left: str) -> None:
    """What is printed goes nowhere and fails nothing; under nohup the command is not even interrupted."""
    mark = tmp_path / "mark"
    child, terminal = pty.fork()
    if child == 0:
        signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL)
        os.execv(sys.executable, [sys.executable, "-c", HEALS, str(mark)])
    said = b""
    while b"ready" not in said:
        said += os.read(terminal, 100)
    os.close(terminal)
    if ignored:
        with pytest.raises(HostUnreachable):
            wait_for("nothing", mark.exists, within_s=0.5)
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert (mark.read_text() if mark.exists() else "") == left
