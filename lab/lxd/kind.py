"""Which kind of machine a lab has at an LXD: the kind of the image that it remembers."""

from __future__ import annotations

from dataclasses import replace

from lab.errors import EnvironmentProblem, UsageError
from lab.home import Home
from lab.lxd import trace
from lab.topology import Lab

VM_IMAGE = "lab-lxd-vm-"
"""What the aliases of virtual machines' images begin with."""
VM_DISK_GB = 2
"""The size of their disk: a machine's cannot be smaller."""


def has_vms(home: Home) -> bool:
    """Whether the lab's machines are virtual ones."""
    return home.state().box.startswith(VM_IMAGE)


def with_kind(lab: Lab, home: Home, vm: bool) -> Lab:
    """The topology with the kind that the lab's machines have, or will get.

    Args:
        lab: the topology.
        home: its folder.
        vm: whether virtual machines are asked for, whatever the topology says.

    Raises:
        EnvironmentProblem: they are asked for, and the lab has containers.
        UsageError: their disks would be too small.
    """
    asked = vm or lab.engine.vm
    made = home.state().box if trace.in_use(home) else ""
    has = bool(made) and has_vms(home)
    if asked and made and not has:
        raise EnvironmentProblem(
            "this lab's machines are containers, and virtual ones were asked for", "lab destroy, then lab up"
        )
    lab = replace(lab, provider="lxd", engine=replace(lab.engine, vm=asked or has))
    if lab.engine.vm and lab.engine.disk_gb < VM_DISK_GB:
        raise UsageError(
            f"engine.disk_gb: a virtual machine cannot do with {lab.engine.disk_gb} GiB",
            f"write disk_gb = {VM_DISK_GB}, or more, into lab.toml",
        )
    return lab
