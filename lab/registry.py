"""The labs of this user: a small file for each, from `lab up` to `lab destroy`.

The files only help to find a lab from elsewhere. What is lost or damaged is written again by the lab's next `up`.
"""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

import msgspec

from lab.errors import EnvironmentProblem


@dataclass(frozen=True)
class Entry:
    """A lab, as another one sees it.

    Attributes:
        id: the eight characters that its guests and bridge bear.
        name: what `--name` gave it; empty for the lab that has none.
        folder: where its lab.toml is; empty when nobody knows.
        provider: who makes its guests.
        subnet: as "192.168.56.0/24"; empty when nobody knows.
        url: where its site is; empty when nobody knows.
        hosts: the names of its hosts.
    """

    id: str
    name: str = ""
    folder: str = ""
    provider: str = ""
    subnet: str = ""
    url: str = ""
    hosts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.subnet:
            IPv4Network(self.subnet)

    @property
    def network(self) -> IPv4Network | None:
        """The subnet; None when nobody knows it."""
        return IPv4Network(self.subnet) if self.subnet else None

    @property
    def title(self) -> str:
        """As it stands in a sentence: "lab a in /home/ana/course"."""
        return f"lab {self.name or self.id if self.name or not self.folder else ''}".rstrip() + (
            f" in {self.folder}" if self.folder else ""
        )

    @property
    def is_gone(self) -> bool:
        """Whether its folder is known, and there no more."""
        try:
            return bool(self.folder) and not Path(self.folder).exists()
        except PermissionError:  # somebody else's
            return False

    @property
    def removal(self) -> str:
        """The command that removes it, from wherever it is typed."""
        if self.is_gone or not self.folder:
            return f"lab destroy --id {self.id}"
        return f"cd {shlex.quote(self.folder)} && lab {f'--name {self.name} ' if self.name else ''}destroy"


def folder() -> Path:
    """Where the files are: LAB_STATE, else the user's folder for state."""
    if chosen := os.environ.get("LAB_STATE"):
        return Path(chosen) / "labs"
    usual = Path.home() / (".local/state" if sys.platform != "darwin" else "Library/Application Support")
    return Path(os.environ.get("XDG_STATE_HOME") or usual) / "lab" / "labs"


def write(entry: Entry) -> None:
    """Write a lab down, or anew.

    Raises:
        EnvironmentProblem: it cannot be written.
    """
    path = folder() / f"{entry.id}.json"
    fresh = path.with_suffix(".new")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh.write_bytes(msgspec.json.format(msgspec.json.encode(entry)) + b"\n")
        fresh.replace(path)
    except OSError as fault:
        raise EnvironmentProblem(
            f"{path}: cannot be written: {fault.strerror}", "LAB_STATE=FOLDER names another place"
        ) from None


def remove(id: str) -> None:
    """Forget a lab; nothing when it is not known."""
    (folder() / f"{id}.json").unlink(missing_ok=True)


def entries() -> tuple[Entry, ...]:
    """Every lab that was written down, by folder and name; files that are damaged count as not there."""
    found = [_read(path) for path in folder().glob("*.json")]
    return tuple(sorted((each for each in found if each), key=lambda each: (each.folder, each.name)))


def _read(path: Path) -> Entry | None:
    try:
        entry = msgspec.json.decode(path.read_bytes(), type=Entry)
    except (OSError, ValueError):
        return None
    return entry if entry.id == path.stem else None
