"""The store of libvirt's guests: one folder for all labs of this computer, gone when the last guest is."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from lab import process
from lab.machines.libvirt import BOX_IMAGE, STORE, virsh, volumes
from lab.vagrantfile import POOL

_NETWORK = re.compile(r"lab[0-9a-f]{8}")
"""A lab's."""


def ensure() -> None:
    """Make the store when it is not there."""
    if POOL not in virsh("pool-list", "--all", "--name").split():
        process.as_root("mkdir", "-p", STORE)
        virsh("pool-define-as", POOL, "dir", "--target", str(STORE))
    if POOL not in virsh("pool-list", "--name").split():
        virsh("pool-start", POOL)


def clear() -> None:
    """Remove the images of boxes on which no guest stands, and the store when nothing is left in it.

    Vagrant leaves every image there, under a name with the time of its box. Nothing is done while another lab has a
    network: it may be about to make its first guest.
    """
    if POOL not in virsh("pool-list", "--all", "--name").split():
        return
    if any(map(_NETWORK.fullmatch, virsh("net-list", "--name").split())):
        return
    ensure()
    there = set(volumes())
    used = {_ground(volume) for volume in there}
    unused = {volume for volume in there if BOX_IMAGE in volume and volume not in used}
    for volume in unused:
        virsh("vol-delete", "--pool", POOL, volume)
    if there == unused:
        virsh("pool-destroy", POOL)
        virsh("pool-undefine", POOL)
        process.as_root("rmdir", STORE, check=False)


def _ground(volume: str) -> str:
    """The image that a disk stands on; empty for one that stands on none."""
    described = ElementTree.fromstring(virsh("vol-dumpxml", "--pool", POOL, volume))  # noqa: S314  # libvirt wrote it
    return Path(described.findtext("./backingStore/path") or "").name
