"""The folder of one run, `.lab/runs/<id>/`, and the link `latest`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from lab.errors import EnvironmentProblem, UsageError
from lab.home import Home

LATEST = "latest"


@dataclass(frozen=True)
class RunFolder:
    """Where a run is recorded."""

    id: str
    path: Path

    @property
    def journal(self) -> Path:
        """The record of everything."""
        return self.path / "journal.jsonl"

    @property
    def verdict(self) -> Path:
        """What was concluded from it."""
        return self.path / "verdict.json"


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file of a run.

    Raises:
        EnvironmentProblem: it cannot be written, as on a full disk.
    """
    try:
        path.write_bytes(content)
    except OSError as fault:
        raise EnvironmentProblem(
            f"{path}: cannot be written: {fault.strerror}", "make room, then run it again"
        ) from None


def new_run(home: Home, scenario: str) -> RunFolder:
    """A folder for a run that begins now; `latest` points to it.

    Raises:
        EnvironmentProblem: it cannot be made.
    """
    id = f"{datetime.now():%Y%m%d-%H%M%S}-{scenario}"
    runs = home.path / "runs"
    try:
        (runs / id).mkdir(parents=True)
        link = runs / f"{LATEST}.new"
        link.unlink(missing_ok=True)
        link.symlink_to(id)
        link.replace(runs / LATEST)
    except OSError as fault:
        raise EnvironmentProblem(f"{runs / id}: cannot be made: {fault.strerror}") from None
    return RunFolder(id, runs / id)


def find_run(home: Home, id: str = LATEST) -> RunFolder:
    """The folder of an earlier run.

    Raises:
        UsageError: there is none of that name.
    """
    runs = home.path / "runs"
    path = (runs / id).resolve()
    if not id or path.parent != runs.resolve() or not (path / "journal.jsonl").exists():
        known = sorted(entry.name for entry in runs.glob("*") if entry.is_dir() and not entry.is_symlink())
        hint = f"the newest are {', '.join(known[-3:])}" if known else "lab scenario NAME makes one"
        raise UsageError(f"there is no run {id!r}", hint)
    return RunFolder(path.name, path)
