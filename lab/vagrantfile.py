"""Renders the Vagrantfile: one template, one loop over the hosts, for every provider."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from lab import content
from lab.home import Home
from lab.names import bridge_name, container_prefix, hardware_address, vagrant_name
from lab.topology import Lab

POOL = "lab"
"""libvirt's store of the guests' disks; all labs share it."""
FINISHED = "lab_finished"
"""The file that a virtual machine's first `up` ends with, in Vagrant's folder of it."""
BOOT_TIMEOUT_S = {"lxc": 60, "virtualbox": 300, "libvirt": 600, "existing": 180, "lxd": 90}


def render(lab: Lab, provider: str, box: str, home: Home, *, driver: str = "kvm", root: bool | None = None) -> str:
    """The Vagrantfile of a lab.

    Args:
        lab: the topology.
        provider: lxc, libvirt or virtualbox.
        box: the name of the box.
        home: where the lab's keys and hooks are.
        driver: libvirt's: kvm, or qemu for emulation.
        root: whether we are root, so that lxc's commands need no sudo; None finds out.
    """
    public_key = home.keys / "lab.pub"
    hook = Path(__file__).parent / "machines" / "identity.sh"
    return content.render(
        "Vagrantfile.j2",
        provider=provider,
        box=box,
        boot_timeout_s=BOOT_TIMEOUT_S[provider],
        key=home.keys / "lab",
        public_key=public_key.read_text().strip() if public_key.exists() else "(made by lab up)",
        hosts=lab.hosts,
        known_as={host.name: vagrant_name(home, host.name) for host in lab.hosts},
        macs={host.name: hardware_address(home, host.name) for host in lab.hosts},
        prefix=container_prefix(home),
        prefix_length=lab.subnet.prefixlen,
        netmask=lab.subnet.netmask,
        gateway=lab.gateway,
        subnet=lab.subnet,
        pool=POOL,
        finished=FINISHED,
        bridge=bridge_name(home),
        hook=shlex.join(["sh", str(hook), str(home.keys / "guests")]),
        driver=driver,
        root=os.geteuid() == 0 if root is None else root,
    )
