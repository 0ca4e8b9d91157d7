"""The student's attempts on disk: `.lab/exercises/STUDENT/NAME/N.json`. They outlive the machines.

What one student reached is not another's: with another card beside lab.toml the attempts are others.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import msgspec

from lab.errors import EnvironmentProblem
from lab.exercises.results import Artefact, Attempt, Marked
from lab.exercises.student import load_student
from lab.home import Home

FOLDER = "exercises"


def current(home: Home, exercise: str) -> Attempt | None:
    """The present attempt at an exercise; None when it was never started.

    Raises:
        EnvironmentProblem: its file is damaged.
    """
    numbers = [int(path.stem) for path in _folder(home, exercise).glob("*.json") if path.stem.isdigit()]
    if not numbers:
        return None
    path = _folder(home, exercise) / f"{max(numbers)}.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=Attempt)
    except (OSError, ValueError) as fault:  # msgspec's errors, and text that is no UTF-8
        raise EnvironmentProblem(
            f"{path}: is damaged: {fault}", f"`lab exercise reset {exercise}` begins a new attempt"
        ) from None


def everything(home: Home) -> dict[str, Attempt]:
    """The present attempt at each exercise that was ever started, by name."""
    folders = sorted(path.name for path in _own(home).glob("*") if path.is_dir())
    return {name: attempt for name in folders if (attempt := current(home, name)) is not None}


def begin(home: Home, exercise: str) -> Attempt:
    """A new attempt; what was reached in earlier ones does not count any more."""
    folder = _folder(home, exercise)
    numbers = [int(path.stem) for path in folder.glob("*.json") if path.stem.isdigit()]
    attempt = Attempt(exercise, max(numbers, default=0) + 1, uuid4().hex, now())
    save(home, attempt)
    return attempt


def save(home: Home, attempt: Attempt) -> None:
    """Write an attempt down."""
    text = msgspec.json.format(msgspec.json.encode(attempt), indent=2).decode()
    home.write(f"{_own(home).relative_to(home.path)}/{attempt.exercise}/{attempt.number}.json", text + "\n")


def active(home: Home) -> str:
    """The exercise that was started last; empty for none."""
    try:
        return (_own(home) / "active").read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""


def activate(home: Home, exercise: str) -> None:
    """From now on commands without a name mean this exercise."""
    home.write(f"{_own(home).relative_to(home.path)}/active", exercise + "\n")


def record(home: Home, attempt: Attempt, marked: Marked, artefacts: tuple[Artefact, ...]) -> Attempt:
    """The attempt with a run of its checks, which counts when it earned at least as much as the best before."""
    if attempt.best is not None and _worth(marked) < _worth(attempt.best):
        return attempt
    changed = msgspec.structs.replace(attempt, best=marked, artefacts=artefacts)
    save(home, changed)
    return changed


def hinted(home: Home, attempt: Attempt, key: str, tier: int) -> Attempt:
    """The attempt with the tier of hints that was given for a message."""
    changed = msgspec.structs.replace(attempt, hints={**attempt.hints, key: tier})
    save(home, changed)
    return changed


def give_up(home: Home, attempt: Attempt) -> Attempt:
    """The attempt, which earns nothing any more."""
    changed = msgspec.structs.replace(attempt, gave_up=True)
    save(home, changed)
    return changed


def _worth(marked: Marked) -> tuple[int, bool, bool]:
    return marked.earned, marked.passed, marked.full


def now() -> str:
    """The time as it is stored: ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _folder(home: Home, exercise: str) -> Path:
    return _own(home) / exercise


def _own(home: Home) -> Path:
    """The folder of the student whose card lies beside lab.toml."""
    student = load_student(home.folder)
    mark = f"-{hashlib.sha256(student.key.encode()).hexdigest()[:8]}" if student.key else ""
    return home.path / FOLDER / f"{student.id}{mark}"
