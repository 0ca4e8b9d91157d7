"""A small course for tests of exercises: a folder of exercises, a lab that is at one of them, a web server of our own.

The exercise `mine` has three checks: `works`, `lasts` which needs it, and `survives` which runs only with --full. What
each finds is what the fake akuma answers to its name: see `SAID`.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from lab import config
from lab.errors import HostUnreachable
from lab.exercises import exercise as exercise_module
from lab.exercises import progress
from lab.exercises.exercise import Exercise, load
from lab.exercises.results import NEEDS_FULL, Attempt, CheckResult, Marked, Status
from lab.exercises.skeleton import FILES, write_skeleton
from lab.exercises.staging import MARK
from lab.home import Home
from lab.session import Session
from lab.topology import Lab
from tests.fakes import host_table
from tests.unit.playing import Playing

SINCE = 1_800_000_000.0
CHECKS = '''"""What akuma says is what is so."""

from lab import Scene, Wrong, check


@check(points=5)
def works(scene: Scene) -> None:
    """It works."""
    look(scene, "works")


@check(points=3, after=[works])
def lasts(scene: Scene) -> None:
    """It lasts."""
    look(scene, "lasts")


@check(points=2, full=True)
def survives(scene: Scene) -> None:
    """It survives."""
    look(scene, "survives")


def look(scene: Scene, what: str) -> None:
    """Ask akuma."""
    said = scene["akuma"].sh(what).stdout
    if said == "wrong":
        raise Wrong("no-token", evidence=f"{what} was asked", status=500)
    if said == "silent":
        raise Wrong("nothing-answers", error="refused")
    if said == "bug":
        raise ZeroDivisionError("by nought")
'''
IN_INDONESIAN = '[checks]\nworks = "Berhasil."\nlasts = "Bertahan."\nsurvives = "Selamat."\n'
ABOUT = FILES["exercise.toml"].replace('"serves_the_token"', '"works"')
MINE = {
    "checks.py": CHECKS,
    "exercise.toml": ABOUT,
    "messages.id.toml": FILES["messages.id.toml"].partition("[checks]")[0] + IN_INDONESIAN,
    "mistakes/old-page/mistake.toml": FILES["mistakes/old-page/mistake.toml"].replace("serves_the_token", "works"),
}
"""The files of `mine` that are not the skeleton's."""


def write(folder: Path, name: str = "mine", changes: Mapping[str, str | None] = MINE) -> Path:
    """The skeleton of an exercise with some files changed; None takes one away."""
    path = write_skeleton(name, folder / "exercises")
    for file, text in changes.items():
        (path / file).parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            (path / file).unlink()
        else:
            (path / file).write_text(text)
    return path


def made(folder: Path, name: str = "mine", changes: Mapping[str, str | None] = MINE) -> Exercise:
    """The same, loaded."""
    return load(str(write(folder, name, changes)))


def about(**changes: str) -> str:
    """The exercise.toml of `mine` with the values of some keys changed, as TOML."""
    lines = dict(line.split(" = ", 1) for line in ABOUT.partition("\n\n")[0].splitlines())
    return "".join(f"{key} = {value}\n" for key, value in {**lines, **changes}.items())


def shipped(folder: Path, patch: pytest.MonkeyPatch, *names: str) -> None:
    """Exercises like `mine` in place of those that ship."""
    folders = [write(folder, name) for name in names]
    patch.setattr(exercise_module, "_folders", lambda: folders)


class Desk(Playing):
    """A lab whose hosts keep the mark of the exercise that they are at; its akuma says what the checks find."""

    def __init__(self, home: Home, lab: Lab | None = None) -> None:
        super().__init__(home, lab)
        self.said = {"works": "", "lasts": "", "survives": ""}
        for name, host in self.hosts.items():
            host.script[f"cat {MARK}"] = partial(self._mark_of, name)
        for what in self.said:
            self.hosts["akuma"].script[what] = lambda command: self.said[command]

    def _mark_of(self, name: str, command: str) -> str:
        return self.hosts[name].files.get(MARK, b"").decode()

    def at(self, exercise: Exercise, number: int = 1) -> Attempt:
        """Begin an attempt without doing anything to the machines but marking them."""
        attempt = progress.begin(self.home, exercise.id)
        assert number == attempt.number
        self.stage(self.session, exercise, None, attempt.id)
        return attempt

    def stage(self, session: Session, exercise: Exercise, student: object, attempt: str) -> None:
        """In place of the real one: the mark alone."""
        mark = {"exercise": exercise.id, "attempt": attempt, "since": SINCE}
        for name in exercise.about.hosts:
            self.hosts[name].files[MARK] = json.dumps(mark).encode()

    def shut(self, *names: str) -> None:
        """These hosts let nobody in from now on."""

        def nobody(_: str) -> str:
            raise HostUnreachable("the SSH connection broke")

        for name in names:
            self.hosts[name].script = {"": nobody}


def lab_here(port: int = 3000) -> Lab:
    """A lab whose addresses are this computer's own."""
    hosts = [
        {**host_table(name, 0, role), "address": f"127.0.0.{last}"}
        for name, last, role in (("akuma", 10, "balancer"), ("voxy", 11, "backend"), ("zero", 12, "backend"))
    ]
    return config.parse({"subnet": "127.0.0.0/24", "host": hosts, "app": {"port": port}})


Talk = Callable[[socket.socket, str], None]
"""What a server does with a connection and the request on it."""


@contextmanager
def serving(talk: Talk, address: str = "127.0.0.10") -> Iterator[int]:
    """A server that does as told with each connection, on a free port of 127.0.0.10; its port."""
    with socket.create_server((address, 0)) as listener:
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.settimeout(5)
                    try:
                        talk(connection, connection.recv(65536).decode())
                    except OSError:
                        continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            over.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def answer(body: bytes = b"hello", status: str = "200 OK", *headers: str) -> Talk:
    """Answer each request with this."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return lambda connection, _: connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


def found(id: str, status: Status, points: int, **more: object) -> CheckResult:
    """The result of a check."""
    return CheckResult(id, status, points, **more)  # type: ignore[arg-type]  # by name


def marked(*statuses: Status, full: bool = False, name: str = "mine") -> Marked:
    """A run of `mine`: reachable passed, and these for works, lasts and survives; not run in full, it was skipped."""
    keys = {Status.FAIL: "no-token", Status.SKIP: "needs", Status.ERROR: "error", Status.PASS: ""}
    values = {"status": "500", "token": "abc", "needs": "works", "error": "ZeroDivisionError: by nought"}
    checks = [found("reachable", Status.PASS, 0)]
    for (id, points), status in zip((("works", 5), ("lasts", 3), ("survives", 2)), statuses, strict=False):
        key = keys[status]
        checks.append(found(id, status, points, key=key, values=values if key else {}))
    if len(statuses) == 2:
        checks.append(found("survives", Status.SKIP, 2, key=NEEDS_FULL))
    return Marked(name, 1, "2026-05-01T08:00:00+00:00", full, tuple(checks))
