"""The ledger of faults: each is on the disk, with what undoes it, before it is injected.

Whatever happens to us afterwards, `lab heal` finds here what is still in force.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from lab.errors import EnvironmentProblem
from lab.home import Home


@dataclass(frozen=True)
class Entry:
    """A fault that is, or may be, in force.

    Attributes:
        id: the name of its file.
        what: as "power_off voxy".
        host: whom it hits.
        kind: power or command.
        undo: the command for root on the host; empty for power.
        run: the run that injected it.
    """

    id: str
    what: str
    host: str
    kind: str
    undo: str
    run: str


class Ledger:
    """The faults of one lab, a file each in `.lab/faults/`."""

    def __init__(self, home: Home) -> None:
        self._folder = home.path / "faults"

    def write(self, entry: Entry) -> None:
        """Put an entry on the disk; it is there when this returns.

        Raises:
            EnvironmentProblem: it cannot be written; then nothing may be injected.
        """
        fresh = self._folder / f"{entry.id}.new"
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with fresh.open("w", encoding="utf-8") as file:
                json.dump(asdict(entry), file)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path(entry))
        except OSError as fault:
            raise EnvironmentProblem(f"{fresh}: cannot be written: {fault.strerror}", "make room first") from None

    def remove(self, entry: Entry) -> None:
        """Take an entry out, once its fault was seen to be healed; nothing when it is out."""
        self._path(entry).unlink(missing_ok=True)

    def entries(self) -> tuple[Entry, ...]:
        """What is in force, oldest first. A damaged file is set aside; one that goes meanwhile is gone."""
        found = []
        for path in self._folder.glob("*.json"):
            try:
                found.append((path.stat().st_mtime_ns, Entry(**json.loads(path.read_text(encoding="utf-8")))))
            except FileNotFoundError:
                continue
            except (ValueError, TypeError):
                path.rename(path.with_suffix(".damaged"))
        return tuple(entry for _, entry in sorted(found, key=lambda pair: pair[0]))

    def _path(self, entry: Entry) -> Path:
        return self._folder / f"{entry.id}.json"
