"""Single keys from a terminal, which is given back as it was."""

from __future__ import annotations

import io
import os
import pty
import select
import signal
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.exercises.keyboard import ESCAPE, Keyboard


class Terminal:
    """A terminal with both its ends: `typed` by a person, `stream` for the program."""

    def __init__(self) -> None:
        self.person, program = pty.openpty()
        self.stream = os.fdopen(program)

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self.person, keys.encode())

    @property
    def settings(self) -> list[Any]:
        """As termios tells them."""
        return termios.tcgetattr(self.stream.fileno())


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    """One that belongs to this process."""
    made = Terminal()
    monkeypatch.setattr(os, "tcgetpgrp", lambda fd: os.getpgrp())
    yield made
    made.stream.close()
    os.close(made.person)


def test_keys_come_one_by_one_without_enter(terminal: Terminal) -> None:
    """And are not shown; letters of several bytes are one key."""
    with Keyboard(terminal.stream) as keyboard:
        terminal.type("hé猫q")
        assert [keyboard.read_key() for _ in range(4)] == ["h", "é", "猫", "q"]
        assert select.select([terminal.person], [], [], 0)[0] == []


def test_an_arrow_is_not_three_keys(terminal: Terminal) -> None:
    """Its last letter would be taken for a command."""
    with Keyboard(terminal.stream) as keyboard:
        terminal.type("\x1b[A")
        assert keyboard.read_key() == ESCAPE
        terminal.type("h")
        assert keyboard.read_key() == "h"


def test_select_sees_a_key(terminal: Terminal) -> None:
    """Its number is that of the terminal."""
    with Keyboard(terminal.stream) as keyboard:
        assert keyboard.fd == terminal.stream.fileno()
        assert select.select([keyboard.fd], [], [], 0)[0] == []
        terminal.type("h")
        assert select.select([keyboard.fd], [], [], 1)[0] == [keyboard.fd]


@pytest.mark.parametrize("fault", [None, ValueError, KeyboardInterrupt, SystemExit])
def test_the_terminal_is_given_back_however_the_block_ends(
    terminal: Terminal, fault: type[BaseException] | None
) -> None:
    """With keys that nobody read thrown away."""
    before = terminal.settings

    def block() -> None:
        with Keyboard(terminal.stream):
            assert not terminal.settings[3] & (termios.ICANON | termios.ECHO)
            assert terminal.settings[3] & termios.ISIG
            terminal.type("rm -rf\n")
            assert select.select([terminal.stream], [], [], 1)[0]
            if fault:
                raise fault

    if fault:
        with pytest.raises(fault):
            block()
    else:
        block()
    assert terminal.settings == before
    assert select.select([terminal.stream], [], [], 0)[0] == []


def test_without_a_terminal_there_are_no_keys(tmp_path: Path) -> None:
    """A file, a pipe, something that is no file at all."""
    (tmp_path / "file").touch()
    reading, writing = os.pipe()
    with (tmp_path / "file").open() as file, os.fdopen(reading) as pipe:
        for stream in (file, pipe, io.StringIO("h")):
            with Keyboard(stream) as keyboard:
                assert keyboard.fd is None
                assert keyboard.read_key() == ""
    os.close(writing)


def test_a_terminal_that_another_program_has_is_left_alone(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel would stop us for touching it."""
    monkeypatch.setattr(os, "tcgetpgrp", lambda fd: os.getpgrp() + 1)
    before = terminal.settings
    with Keyboard(terminal.stream) as keyboard:
        assert keyboard.fd is None
        assert terminal.settings == before


def test_a_terminal_that_is_closed_gives_no_more_keys() -> None:
    """Nor does it spoil the end of the block."""
    person, program = pty.openpty()
    with os.fdopen(program) as stream, pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "tcgetpgrp", lambda fd: os.getpgrp())
        with Keyboard(stream) as keyboard:
            os.close(person)
            assert keyboard.read_key() == ""
            assert keyboard.fd is None


_PROGRAM = """
from lab.exercises.keyboard import Keyboard
import sys, termios
before = termios.tcgetattr(0)
try:
    with Keyboard() as keyboard:
        print("ready", flush=True)
        keyboard.read_key()
except KeyboardInterrupt:
    print("interrupted", termios.tcgetattr(0) == before, flush=True)
"""


def test_ctrl_c_is_still_an_interrupt() -> None:
    """In a process of its own, with a terminal of its own."""
    pid, person = pty.fork()
    if pid == 0:  # pragma: no cover
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.execv(sys.executable, [sys.executable, "-c", _PROGRAM])
    said = _read_until(person, "ready")
    assert "ready" in said
    os.write(person, b"\x03")
    assert "interrupted True" in _read_until(person, "interrupted True")
    os.close(person)
    os.waitpid(pid, 0)


def _read_until(fd: int, part: str) -> str:
    said = ""
    while part not in said and select.select([fd], [], [], 10)[0]:
        try:
            said += os.read(fd, 1024).decode()
        except OSError:
            break
    return said
