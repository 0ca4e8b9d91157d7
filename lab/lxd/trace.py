"""The mark in a lab's folder that something of it is, or may be, at an LXD: written before the first thing is made."""

from __future__ import annotations

from lab.home import Home

FILE = "lxd"


def leave(home: Home, place: str) -> None:
    """Write it down, with the place for whoever reads it; nothing when it is there."""
    if not (home.path / FILE).exists():
        home.write(FILE, place + "\n")


def in_use(home: Home) -> tuple[str, ...]:
    """The provider's name where the mark is; nothing where it is not."""
    return ("lxd",) if (home.path / FILE).exists() else ()
