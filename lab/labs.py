"""Which labs are on this computer: this user's, as they were written down, and whatever has bridges or containers here.

A lab owns its subnet from its first `up` until it is destroyed, also while its machines are off. What was written down
may be old, so it is looked whether there is something of the lab.
"""

from __future__ import annotations

import fcntl
import os
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network
from pathlib import Path

from lab import ip, process, registry
from lab.errors import NoPermission
from lab.home import FOLDER, Home
from lab.lxd import trace
from lab.machines.vagrant import providers_in_use
from lab.registry import Entry
from lab.waiting import wait_for

CONTAINERS = Path("/var/lib/lxc")
BRIDGE = re.compile(r"lab([0-9a-f]{8})")
_GUEST = re.compile(r"lab-([0-9a-f]{8})-(.+)")
_ALIAS = re.compile(r"lab (\S+) in (/.*)")
_SETTING = re.compile(r"(?P<path>[^:]+)/config:\s*lxc\.(?P<key>[a-z0-9.]+)\s*=\s*(?P<value>.*?)\s*")
_TURN_S = 120
"""Longer than any network takes to make; another lab holds it for about 0.2 s (measured)."""


@dataclass(frozen=True)
class KnownLab:
    """A lab and what of it is here.

    Attributes:
        entry: what is known of it.
        containers: the names of its hosts that are containers here.
        bridge: whether its bridge is here.
        virtual: whether Vagrant has made virtual machines of it, or LXD anything.
        busy: whether a command is changing it right now, as an `up` that has made nothing yet.
    """

    entry: Entry
    containers: tuple[str, ...] = ()
    bridge: bool = False
    virtual: bool = False
    busy: bool = False

    @property
    def owns(self) -> bool:
        """Whether its subnet is still its own."""
        return bool(self.containers) or self.bridge or self.virtual or self.busy

    @property
    def remembers(self) -> bool:
        """Whether it may come back to its subnet: it owns it, or its folder is there."""
        return self.owns or bool(self.entry.folder and not self.entry.is_gone)


@contextmanager
def one_at_a_time(doing: str) -> Iterator[None]:
    """Hold back every other lab of this computer, of whatever user, until the block ends.

    The lock is on a folder that is on every computer, that everybody may open, and that no network file system serves.

    Raises:
        HostUnreachable: another lab did not let go of it.
    """
    handle = os.open(next(path for path in ("/run", "/") if os.path.isdir(path)), os.O_RDONLY)
    try:
        wait_for(f"the turn for {doing}", lambda: _locked(handle), within_s=_TURN_S, every_s=0.02, mend="try again")
        yield
    finally:
        os.close(handle)


def known() -> tuple[KnownLab, ...]:
    """Every lab; what was written down beats what bridges and containers tell."""
    found = {entry.id: _written_down(entry) for entry in registry.entries()}
    for id, container in _containers().items():
        found[id] = replace(found.get(id, KnownLab(container.entry())), containers=tuple(sorted(container.hosts)))
    for link in ip.links():
        match = BRIDGE.fullmatch(link.name)
        if match:
            subnet = str(link.held[0].network) if link.held else ""
            lab = found.get(match[1]) or KnownLab(
                _identified(Entry(match[1], provider="lxc", subnet=subnet), link.alias)
            )
            found[match[1]] = replace(lab, bridge=True)
    return tuple(found.values())


def _written_down(entry: Entry) -> KnownLab:
    home = Home(Path(entry.folder), entry.name)
    virtual = any(provider != "lxc" for provider in providers_in_use(home))
    return KnownLab(entry, virtual=virtual or bool(trace.in_use(home)), busy=home.is_held)


def owner(subnet: IPv4Network, but: str) -> Entry | None:
    """The lab that owns a part of a subnet, other than the one with this id; None when there is none."""
    for lab in known():
        theirs = lab.entry.network
        if lab.entry.id != but and lab.owns and theirs is not None and theirs.overlaps(subnet):
            return lab.entry
    return None


def find(id: str) -> KnownLab | None:
    """The lab with this id; None when there is none."""
    return next((lab for lab in known() if lab.entry.id == id), None)


@dataclass
class _Containers:
    """The containers of one lab, as LXC's configurations tell of them."""

    id: str
    hosts: set[str] = field(default_factory=set)
    home: Path | None = None
    subnet: str = ""

    def entry(self) -> Entry:
        entry = Entry(self.id, provider="lxc", subnet=self.subnet, hosts=tuple(sorted(self.hosts)))
        if self.home is None:
            return entry
        return replace(entry, folder=str(self.home.parent), name=self.home.name.removeprefix(FOLDER).removeprefix("-"))


def _containers() -> dict[str, _Containers]:
    """By lab. Two lines of a container's configuration tell its address, and the folder that its keys come from."""
    found: dict[str, _Containers] = {}
    for line in _settings():
        match = _SETTING.fullmatch(line)
        guest = match and _GUEST.fullmatch(Path(match["path"]).name)
        if not match or not guest:
            continue
        lab = found.setdefault(guest[1], _Containers(guest[1]))
        lab.hosts.add(guest[2])
        if match["key"] == "net.0.ipv4.address":
            lab.subnet = str(IPv4Network(match["value"], strict=False))
        elif match["key"] == "hook.mount" and "/keys/guests" in match["value"]:
            lab.home = Path(shlex.split(match["value"])[-2]).parents[1]
    return found


def _settings() -> list[str]:
    if process.find("lxc-ls") is None:
        return []
    wanted = r"^\s*lxc\.(hook\.mount|net\.0\.ipv4\.address)\s*="
    try:
        return process.as_root(
            "find", CONTAINERS, "-maxdepth", "2", "-path", "*/lab-*/config",
            "-exec", "grep", "-HE", wanted, "{}", "+", check=False,
        ).stdout.splitlines()  # fmt: skip
    except NoPermission:  # then nobody makes containers here either
        return []


def _identified(entry: Entry, alias: str) -> Entry:
    """With name and folder, where what is written beside a bridge gives this very id."""
    match = _ALIAS.fullmatch(alias)
    for name in (match[1], "") if match else ():
        home = Home(Path(match[2]), name) if match else None
        if home and home.id == entry.id:
            return replace(entry, name=name, folder=str(home.folder))
    return entry


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
