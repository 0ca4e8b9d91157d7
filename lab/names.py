"""The names and addresses that tell one lab's guests and bridge from every other lab's."""

from __future__ import annotations

import hashlib

from lab.home import Home


def container_prefix(home: Home) -> str:
    """What every guest's name begins with."""
    return f"lab-{home.id}-"


def bridge_name(home: Home) -> str:
    """The bridge of the lab's network; 11 characters, of the kernel's 15."""
    return f"lab{home.id}"


def hardware_address(home: Home, name: str) -> str:
    """The MAC address of a guest, or of the bridge: the same after every start, as a real card's is.

    A guest that came back with another one would be unreachable until its neighbours forget the old
    (20 to 50 s, measured), and a bridge without one of its own changes it as guests come and go.
    """
    digest = hashlib.sha256(f"{home.id} {name}".encode()).hexdigest()
    return ":".join(["02", "1a", *(digest[index : index + 2] for index in range(0, 8, 2))])
