"""Removes a lab, and everything that it has made on this computer except boxes and caches."""

from __future__ import annotations

import shutil

from lab import labs, registry
from lab.events import Listener, Note, phase
from lab.home import Home
from lab.lxd import trace
from lab.machines import libvirtd, pool
from lab.machines.capabilities import Capability
from lab.machines.choose import machines_for
from lab.machines.existing import in_use
from lab.machines.vagrant import providers_in_use
from lab.topology import Lab
from lab.virtual_network import network_of

KEPT = ("lock", "id", "runs", "logs", "exercises", "student")
"""What a lab's folder keeps: records, what a student has reached, and the id that it was given."""


def destroy(lab: Lab, home: Home, listener: Listener) -> None:
    """Remove guests, network and keys; works also when `.lab/` is damaged or half made.

    Raises:
        LabError: something could not be removed; destroy again once the cause is mended.
    """
    here = labs.find(home.id)
    subnet = here.entry.network if here and here.entry.network else lab.subnet  # lab.toml may name another one by now
    for provider in _providers(home, here):
        if provider == "libvirt":
            libvirtd.ensure()
        with phase(listener, "guests", provider):
            machines = machines_for(lab, home, provider)
            machines.destroy()
        if Capability.MAKE not in machines.capabilities:
            listener(Note("the machines stay; of what was put on them, packages stay, but not nginx and nftables"))
        if network := network_of(provider, lab, home):
            with phase(listener, "network"):
                network.remove(subnet)
        if provider == "libvirt":
            with labs.one_at_a_time("libvirt's store"):
                pool.clear()
                libvirtd.release()
    for entry in list(home.path.iterdir()) if home.path.is_dir() else []:
        if entry.name in KEPT:
            continue
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    registry.remove(home.id)


def _providers(home: Home, here: labs.KnownLab | None) -> tuple[str, ...]:
    """The remembered provider; without a memory those that there are traces of, else what this computer knows of it."""
    remembered = home.state().provider
    if remembered:
        return (remembered,)
    listed = (here.entry.provider,) if here and here.entry.provider else ("lxc",)
    return providers_in_use(home) or trace.in_use(home) or in_use(home) or listed
