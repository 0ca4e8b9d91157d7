"""Runs programs on this computer, as the user or as root."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from lab.errors import CommandFailed, MissingTool, NoPermission, Result

SBIN = "/usr/sbin:/sbin"


def find(program: str) -> str | None:
    """The path of a program, also where only root's PATH would find it; None when it is missing."""
    return shutil.which(program, path=os.environ.get("PATH", os.defpath) + ":" + SBIN)


def run(
    *argv: str | Path,
    check: bool = True,
    timeout_s: float = 120,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
    cwd: Path | None = None,
) -> Result:
    """Run a program and wait for it.

    Args:
        argv: the program and its arguments; no shell is involved.
        check: raise when the exit code is not 0.
        timeout_s: after this many seconds the program is ended and CommandFailed raised.
        env: what to add to the environment.
        stdin: text for its standard input.
        cwd: the folder to run it in.

    Raises:
        MissingTool: the program is not installed.
        CommandFailed: it ended with another code than 0, or not in time.
    """
    words = [str(word) for word in argv]
    program = find(words[0])
    if program is None:
        raise MissingTool(f"`{words[0]}` is not installed", "lab doctor says how to install it")
    result = _finished([program, *words[1:]], timeout_s, {**os.environ, **(env or {})}, stdin, cwd)
    if check and not result.ok:
        raise CommandFailed("this computer", result)
    return result


def as_root(*argv: str | Path, check: bool = True, timeout_s: float = 120, stdin: str = "") -> Result:
    """Run a program as root: directly when we are root, else through sudo.

    Raises:
        NoPermission: we are not root and there is no sudo.
    """
    return run(*privileged(argv), check=check, timeout_s=timeout_s, stdin=stdin)


def privileged(argv: Sequence[str | Path]) -> list[str]:
    """The same command, so that root runs it."""
    words = [str(word) for word in argv]
    if os.geteuid() == 0:
        return words
    if find("sudo") is None:
        raise NoPermission(
            f"`{words[0]}` needs root, and there is no sudo on this computer",
            "run the command as root, or install sudo",
        )
    return ["sudo", "--", *words]


class Will:
    """A command that root runs when `execute` says so, or when this process is gone, however it ended.

    It waits for the end of a pipe that only we hold, in a session of its own that no Ctrl-C or hang-up reaches.

    Raises:
        CommandFailed: there is nobody to run it.
    """

    def __init__(self, *argv: str | Path) -> None:
        heir = privileged(["setsid", "sh", "-c", 'echo; cat >/dev/null; exec "$@"', "sh", *argv])
        self._command = shlex.join(str(word) for word in argv)
        self._heir = subprocess.Popen(
            [find(heir[0]) or heir[0], *heir[1:]], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, errors="replace",
        )  # fmt: skip
        if not (self._heir.stdout and self._heir.stdout.readline()):  # it is in its session when it says a line
            self.execute()
            raise CommandFailed("this computer", Result(self._command, 126, "", "nobody waits to run it"))

    def execute(self, timeout_s: float = 30) -> None:
        """Run the command now; nothing when it has run.

        Raises:
            CommandFailed: it ended with another code than 0, or not in time.
        """
        if self._heir.returncode is not None:
            return
        try:
            out, err = self._heir.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            late = Result(self._command, 124, "", f"not finished after {timeout_s:.0f} s")
            raise CommandFailed("this computer", late) from None
        if self._heir.returncode:
            raise CommandFailed("this computer", Result(self._command, self._heir.returncode, out, err))


def interrupt_children() -> None:
    """Send SIGINT to the programs that this process has started and that still run.

    Ctrl-C reaches them by itself; SIGTERM reaches only us.
    """
    for task in Path("/proc/self/task").glob("*/children"):
        for pid in task.read_text().split():
            with suppress(ProcessLookupError, PermissionError):
                os.kill(int(pid), signal.SIGINT)


def _finished(words: list[str], timeout_s: float, env: Mapping[str, str], stdin: str, cwd: Path | None) -> Result:
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, errors="replace", timeout=timeout_s,
            env=dict(env), input=stdin, cwd=cwd, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as late:
        said = late.stderr.decode(errors="replace") if isinstance(late.stderr, bytes) else ""
        result = Result(shlex.join(words), 124, "", f"{said}\nnot finished after {timeout_s:.0f} s")
        raise CommandFailed("this computer", result) from None
    return Result(shlex.join(words), done.returncode, done.stdout, done.stderr)
