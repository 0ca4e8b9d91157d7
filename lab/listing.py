"""Every lab on this computer, whichever folder it is in; and the end of those whose folder is gone: `lab list`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lab import labs, registry
from lab.errors import EnvironmentProblem, UsageError
from lab.events import Listener, phase
from lab.home import Home
from lab.labs import KnownLab
from lab.ledger import Ledger
from lab.machines import libvirtd, pool
from lab.machines.choose import tool_of
from lab.machines.protocol import State
from lab.machines.switch import Switch
from lab.virtual_network import remove_known_by


@dataclass(frozen=True)
class Listed:
    """One lab.

    Attributes:
        id: what its guests and bridge bear.
        name: what `--name` gave it; empty for the lab that has none.
        folder: where its lab.toml is; empty when nobody knows.
        provider, subnet, url: as they were when it was brought up; empty when nobody knows.
        running: how many of its hosts run; None when the provider cannot be asked.
        hosts: how many it has.
        faults: what is in force, as "power_off voxy".
        gone: whether its folder is there no more, while something of it still is.
        removal: the command that removes it.
    """

    id: str
    name: str
    folder: str
    provider: str
    subnet: str
    url: str
    running: int | None
    hosts: int
    faults: tuple[str, ...]
    gone: bool
    removal: str


def listed() -> tuple[Listed, ...]:
    """Every lab that is known; one of which nothing is left is forgotten on the way."""
    found = labs.known()
    guests = {provider: _guests(provider) for provider in {lab.entry.provider for lab in found}}
    shown = [_listed(lab, guests[lab.entry.provider]) for lab in found if not _forgotten(lab, guests)]
    return tuple(sorted(shown, key=lambda each: (each.folder, each.name, each.id)))


def destroy_orphan(id: str, listener: Listener) -> str:
    """Remove guests, network and memory of a lab whose folder is gone, so that only its id is left; what it was.

    Machines that were there already keep what was put on them: how to get into them went with the folder.

    Raises:
        UsageError: there is no such lab, or its folder is still there, where it is to be destroyed.
    """
    lab = orphan(id)
    provider = lab.entry.provider
    if provider == "libvirt":
        libvirtd.ensure()
    with phase(listener, "guests", provider):
        for guest in _guests(provider) or {}:
            if guest.startswith(_prefix(id)):
                Switch(tool_of(provider), _prefix(id)).forget(guest.removeprefix(_prefix(id)))
    with phase(listener, "network"):
        remove_known_by(id, provider, lab.entry.network)
    if provider == "libvirt":
        with labs.one_at_a_time("libvirt's store"):
            pool.clear()
            libvirtd.release()
    registry.remove(id)
    return lab.entry.title


def orphan(id: str) -> KnownLab:
    """The lab with this id, of which only guests, network and memory are left.

    Raises:
        UsageError: there is no such lab, or its folder is still there.
    """
    lab = labs.find(id)
    if lab is None:
        raise UsageError(f"there is no lab with the id {id!r}", "lab list shows what there is")
    if lab.entry.folder and not lab.entry.is_gone:
        raise UsageError(f"the folder of {lab.entry.title} is still there", f"`{lab.entry.removal}`")
    return lab


def _prefix(id: str) -> str:
    return f"lab-{id}-"


def _listed(lab: KnownLab, guests: Mapping[str, State] | None) -> Listed:
    entry = lab.entry
    own = {name: state for name, state in (guests or {}).items() if name.startswith(_prefix(entry.id))}
    running = sum(state is State.RUNNING for state in own.values())
    unknown = guests is None or (entry.provider == "lxd" and not own)  # they may be at another computer's
    return Listed(
        entry.id, entry.name, entry.folder, entry.provider, entry.subnet, entry.url,
        None if unknown else running, len(entry.hosts) or len(own), _faults(lab), entry.is_gone, entry.removal,
    )  # fmt: skip


def _forgotten(lab: KnownLab, guests: Mapping[str, Mapping[str, State] | None]) -> bool:
    """Forget a lab whose folder is gone, with all its guests and its bridge; whether it was."""
    held = guests[lab.entry.provider]
    if lab.remembers or held is None or any(name.startswith(_prefix(lab.entry.id)) for name in held):
        return False
    registry.remove(lab.entry.id)
    return True


def _guests(provider: str) -> Mapping[str, State] | None:
    """Every guest of a provider; None when it cannot be asked."""
    try:
        return tool_of(provider).guests()
    except (EnvironmentProblem, KeyError):
        return None


def _faults(lab: KnownLab) -> tuple[str, ...]:
    """Nothing where the folder cannot be read."""
    if not lab.entry.folder:
        return ()
    try:
        return tuple(entry.what for entry in Ledger(Home(Path(lab.entry.folder), lab.entry.name)).entries())
    except OSError:
        return ()
