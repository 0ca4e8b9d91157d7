"""A lab in which an exercise is tried without machines: only the state that it would be in is known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lab.exercises import rehearsal
from lab.exercises.exercise import Exercise, Script
from lab.exercises.rehearsal import Finding, rehearse
from lab.exercises.results import Artefact, Attempt, CheckResult, Marked, Status
from lab.exercises.student import Student
from lab.home import Home
from lab.session import Session
from tests.unit.classroom import MINE, Desk, made

PASS, FAIL, SKIP, ERROR = Status.PASS, Status.FAIL, Status.SKIP, Status.ERROR
MISTAKE = MINE["mistakes/old-page/mistake.toml"]
STARTED, SOLVED, MISTAKEN, REPLAYED = "started", "solved", "mistaken", "replayed"
FILE = Artefact("akuma", "/etc/nginx/conf.d/a.conf", "")


def found(works: Status, lasts: Status, survives: Status = SKIP, key: str = "no-token") -> tuple[CheckResult, ...]:
    """The three checks; the first's key when it fails."""
    values = {"status": "500"} if works is FAIL else {}
    return (
        CheckResult("reachable", PASS, 0),
        CheckResult("works", works, 5, key if works is FAIL else "", values),
        CheckResult("lasts", lasts, 3, {SKIP: "needs", FAIL: "no-token"}.get(lasts, "")),
        CheckResult("survives", survives, 2, {SKIP: "needs-full", FAIL: "no-token"}.get(survives, "")),
    )


class Theatre:
    """A lab in which only the state that it is in is known; what is found in each state can be changed."""

    def __init__(self, home: Home, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.desk = Desk(home)
        self.folder = folder
        self.state = ""
        self.log: list[str] = []
        self.attempts: list[str] = []
        self.in_state = {STARTED: found(FAIL, SKIP), SOLVED: found(PASS, PASS), MISTAKEN: found(FAIL, SKIP)}
        self.in_state[REPLAYED] = found(PASS, PASS)
        self.odd: Callable[[list[str]], tuple[CheckResult, ...] | None] = lambda log: None
        patch.setattr(rehearsal, "stage", self._stage)
        patch.setattr(rehearsal, "mark", self._mark)
        patch.setattr(rehearsal, "run_scripts", self._scripts)
        patch.setattr(rehearsal, "artefacts", lambda session, exercise: (FILE,) if self.state == SOLVED else ())
        patch.setattr(rehearsal, "put_files", self._put_files)
        self.complaints: tuple[str, ...] = ()
        self.disk = "a\nb\n"
        for host in self.desk.hosts.values():
            host.script["find /etc"] = lambda _: self.disk

    def _stage(self, session: Session, exercise: Exercise, student: Student, attempt: str) -> None:
        self.state = STARTED
        self.attempts.append(attempt)
        self.log.append(f"stage {student.id} {session.lab.domain == 'akuma.xyz'}")

    def _mark(
        self, session: Session, exercise: Exercise, student: Student, attempt: Attempt, *, full: bool = False
    ) -> Marked:
        assert attempt.id == self.attempts[-1]
        self.log.append(f"mark {self.state}{' full' * full}")
        checks = self.odd(self.log) or self.in_state[self.state]
        if full and self.state == SOLVED:
            checks = (*checks[:-1], found(PASS, PASS, PASS)[-1]) if checks[-1].status is SKIP else checks
        return Marked(exercise.id, 1, "", full, checks)

    def _scripts(self, session: Session, exercise: Exercise, student: Student, scripts: tuple[Script, ...]) -> None:
        self.state = SOLVED if scripts == exercise.solution else MISTAKEN
        self.log.append(self.state)

    def _put_files(self, session: Session, exercise: Exercise, files: tuple[Artefact, ...]) -> tuple[str, ...]:
        self.log.append(f"put {' '.join(file.path for file in files)} into {self.state}")
        self.state = REPLAYED
        return self.complaints

    def run(self, **changes: str | None) -> list[Finding]:
        """What comes of it; the changes are of the mistake."""
        text = str(MISTAKE) + "".join(f"{key} = {value}\n" for key, value in changes.items())
        exercise = made(self.folder, changes={**MINE, "mistakes/old-page/mistake.toml": text})
        return list(rehearse(self.desk.session, exercise))

    def red(self, **changes: str | None) -> list[str]:
        """The findings that are red."""
        return [each.what for each in self.run(**changes) if not each.ok]
