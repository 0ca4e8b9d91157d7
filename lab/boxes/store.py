"""The boxes on this computer: list, add to Vagrant, export, import, remove.

A box is in two places: its file in the user's cache, and unpacked at Vagrant. That for LXC is unpacked once more
under /var/lib/lab, as the lower layer of all its guests.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from lab import home, process
from lab.errors import EnvironmentProblem, UsageError

BASES = Path("/var/lib/lab/boxes")
NAME = re.compile(r"^lab-(?P<provider>lxc|libvirt|virtualbox|lxd)-[0-9a-f]{12}$")


@dataclass(frozen=True)
class Box:
    """A box file: its name, size in bytes, and the folders of the guests that stand on it."""

    name: str
    path: str
    bytes: int
    used_by: tuple[str, ...]


def box_file(name: str) -> Path:
    """Where the box's file is, or would be."""
    return home.cache() / "boxes" / f"{name}.box"


def base_folder(name: str) -> Path:
    """Where the box is unpacked for overlays, or would be."""
    return BASES / name


def boxes() -> tuple[Box, ...]:
    """The boxes in the cache, by name."""
    found = [path for path in sorted((home.cache() / "boxes").glob("lab-*.box")) if NAME.fullmatch(path.stem)]
    return tuple(Box(path.stem, str(path), path.stat().st_size, users(path.stem)) for path in found)


def provider_of(name: str) -> str:
    """Whose guests a box of ours is for; empty for a box of somebody else."""
    found = NAME.fullmatch(name)
    return found["provider"] if found else ""


def is_for_vagrant(name: str) -> bool:
    """Whether Vagrant makes the guests of a box of ours; LXD does it itself."""
    return provider_of(name) != "lxd"


def users(name: str) -> tuple[str, ...]:
    """The containers whose lower layer the box is. Virtual machines stand on a copy in the provider's own store."""
    if provider_of(name) != "lxc":
        return ()
    lower = f"{base_folder(name)}/rootfs:"
    told = process.as_root("grep", "-lF", lower, "-r", "/var/lib/lxc", "--include=config", check=False).stdout
    return tuple(sorted(Path(line).parent.name for line in told.splitlines()))


def is_added(name: str) -> bool:
    """Whether Vagrant has the box; looks in its folder, which takes no time."""
    vagrant_home = Path(os.environ.get("VAGRANT_HOME") or Path.home() / ".vagrant.d")
    return (vagrant_home / "boxes" / name / "0" / provider_of(name) / "metadata.json").exists()


def add(name: str) -> None:
    """Give the box's file to Vagrant."""
    quiet = {"VAGRANT_CHECKPOINT_DISABLE": "1"}  # no question about news of Vagrant
    process.run("vagrant", "box", "add", "--force", "--name", name, box_file(name), env=quiet, timeout_s=600)


def export(name: str, to: Path) -> Path:
    """Copy a box's file out of the cache.

    Raises:
        UsageError: there is no such box, or the file exists already.
    """
    if to.exists():
        raise UsageError(f"{to} exists already", "name a new file")
    _copied(_existing(name), to)
    return to


def import_(file: Path) -> str:
    """Take a box file into the cache, and give it to Vagrant where that uses it; the box's name.

    Raises:
        UsageError: the file is not a box that `lab box export` wrote.
    """
    name = _name_inside(file)
    target = box_file(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    _copied(file, target)
    if is_for_vagrant(name):
        add(name)
    return name


def remove(name: str) -> None:
    """Remove a box from all places.

    Raises:
        UsageError: there is no such box, or guests stand on it.
    """
    path = _existing(name)
    if users(name):
        raise UsageError(f"box {name} is in use by {', '.join(users(name))}", "destroy that lab first: lab destroy")
    if is_added(name):
        process.run("vagrant", "box", "remove", "--force", "--all", name)
    process.as_root("rm", "-rf", base_folder(name))
    path.unlink()


def _copied(source: Path, to: Path) -> None:
    """Copy a file all or nothing."""
    fresh = to.with_name(to.name + ".new")
    try:
        shutil.copyfile(source, fresh)
        fresh.replace(to)
    except OSError as fault:
        fresh.unlink(missing_ok=True)
        raise EnvironmentProblem(f"{to}: cannot be written: {fault.strerror}") from None


def _existing(name: str) -> Path:
    path = box_file(name)
    if not NAME.fullmatch(name) or not path.exists():
        known = ", ".join(box.name for box in boxes()) or "none"
        raise UsageError(f"there is no box {name!r}; there are: {known}", "lab box build makes one")
    return path


def _name_inside(file: Path) -> str:
    try:
        with tarfile.open(file) as archive:
            metadata = archive.extractfile("./metadata.json")
            name = str(json.loads(metadata.read())["lab"]["name"]) if metadata else ""
    except (OSError, EOFError, zlib.error, KeyError, TypeError, ValueError, tarfile.TarError) as fault:
        raise UsageError(f"{file}: is not a box of the lab: {fault}", "name a file that lab box export wrote") from None
    if not NAME.fullmatch(name):
        raise UsageError(f"{file}: the name in it, {name!r}, is none of ours", "name a file that lab box export wrote")
    return name
