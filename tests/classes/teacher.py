"""A teacher of the tests: commands of `lab class` in a folder, and what students do on their machines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.classes import course as classes
from lab.classes import settings as settings_file
from lab.classes.settings import Memory, Settings
from lab.exercises.exercise import Exercise, Script
from lab.exercises.staging import run_scripts
from lab.exercises.student import load_student
from lab.session import open_session
from tests.cluster import Cluster
from tests.realm import CHECKOUT


@dataclass(frozen=True)
class Teacher:
    """Somebody who types commands in a folder."""

    folder: Path
    env: dict[str, str]

    @classmethod
    def make(cls, folder: Path, cluster: Cluster, students: Sequence[str]) -> Teacher:
        """With a class folder whose labs are small, and a list of labs of their own."""
        folder.mkdir(exist_ok=True)
        made = cls(folder, {**os.environ, "LAB_STATE": str(folder / "state"), "PYTHONPATH": str(CHECKOUT)})
        made.types("init", made.roster(*students))
        settings_file.save(folder / "class", Settings(
            subnets=cluster.supernet, disk_gb=1, reserve_mb=512, memory_mb=Memory(balancer=256, backend=512),
        ))  # fmt: skip
        return made

    def types(self, *words: str, expect: Sequence[int] = (0,), within_s: float = 900) -> str:
        """Run `lab class …`; what it prints on standard output."""
        done = subprocess.run(
            [sys.executable, "-P", "-m", "lab", "class", *words], cwd=self.folder, env=self.env, check=False,
            capture_output=True, text=True, timeout=within_s, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode in expect, (words, done.returncode, done.stdout[-3000:], done.stderr[-3000:])
        return done.stdout

    def asks(self, *words: str, expect: Sequence[int] = (0,)) -> Any:
        """The same with --json."""
        return json.loads(self.types(*words, "--json", expect=expect))

    def roster(self, *students: str) -> str:
        """Write a roster."""
        (self.folder / "roster.csv").write_text("id,name\n" + "".join(f"{id},{id.title()}\n" for id in students))
        return "roster.csv"

    @property
    def course(self) -> classes.Course:
        """The class as its folder tells."""
        return classes.load(self.folder / "class")

    def on(self, id: str, host: str, command: str) -> str:
        """What a command says on a student's host."""
        return self.types("ssh", id, host, "--", command)

    def does(self, id: str, exercise: Exercise, scripts: Sequence[Script]) -> None:
        """What a student types in an exercise."""
        lab, home = self.course.lab(id), self.course.home(id)
        with open_session(lab, home) as session:
            run_scripts(session, exercise, load_student(home.folder), scripts)
