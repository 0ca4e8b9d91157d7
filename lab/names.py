"""The names and addresses that tell one lab's guests and bridge from every other lab's."""

from __future__ import annotations

import hashlib
import re

from lab.home import Home


def container_prefix(home: Home) -> str:
    """What every guest's name begins with."""
    return f"lab-{home.id}-"


def vagrant_name(home: Home, name: str) -> str:
    """What Vagrant calls a host: its name, after the lab's prefix where Vagrant would take it for a machine's id.

    Vagrant looks among the ids of all machines of this computer first, and the first digits of one will
    do: `db` may be another lab's machine, and `b` often is.
    """
    return container_prefix(home) + name if re.fullmatch("[0-9a-f]+", name) else name


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
