"""Picks the provider that works on this computer, and says in one line why."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass

from lab import process
from lab.errors import CommandFailed, MissingTool
from lab.home import Home
from lab.lxd.guests import LxdGuests
from lab.machines import libvirtd
from lab.machines.existing import ExistingMachines
from lab.machines.kvm import kvm_works
from lab.machines.libvirt import Libvirt
from lab.machines.lxc import Lxc
from lab.machines.lxd import LxdMachines
from lab.machines.protocol import Machines
from lab.machines.switch import PowerTool, Switch
from lab.machines.vagrant import VagrantMachines
from lab.machines.virtualbox import Virtualbox
from lab.names import container_prefix
from lab.topology import Lab

_TOOLS: dict[str, type[Lxc] | type[LxdGuests] | type[Libvirt] | type[Virtualbox]] = {
    "lxc": Lxc, "lxd": LxdGuests, "libvirt": Libvirt, "virtualbox": Virtualbox,
}  # fmt: skip


@dataclass(frozen=True)
class Choice:
    """A provider and the reason for it, in one line."""

    provider: str
    why: str


def machines_for(lab: Lab, home: Home, provider: str) -> Machines:
    """The machines of a lab at a provider."""
    if provider == "existing":
        return ExistingMachines(lab, home)
    if provider == "lxd":
        return LxdMachines(lab, home)
    switch = Switch(tool_of(provider), container_prefix(home), home.state().patience)
    return VagrantMachines(lab, home, provider, switch)


def tool_of(provider: str) -> PowerTool:
    """A provider's own commands, for the guests of every lab; KeyError when there is no such provider."""
    return _TOOLS[provider]()


def choose(wanted: str) -> Choice:
    """The provider to use: the wanted one, or for `auto` the first that works here.

    Virtual machines are closest to the real thing, so KVM and VirtualBox come before containers.

    Raises:
        MissingTool: nothing works here; the message says what was found of each.
    """
    if wanted != "auto":
        return Choice(wanted, f"provider {wanted}, as asked for")
    findings = {"libvirt": _libvirt_fault(), "virtualbox": _virtualbox_fault(), "lxc": _lxc_fault()}
    for provider, fault in findings.items():
        if not fault:
            passed = "; ".join(f"{name}: {found}" for name, found in findings.items() if found)
            return Choice(provider, f"provider {provider}" + (f" ({passed})" if passed else ""))
    reasons = "; ".join(f"{name}: {fault}" for name, fault in findings.items())
    raise MissingTool(f"no provider works on this computer: {reasons}", "lab doctor says what to install")


def driver_of(provider: str) -> tuple[str, str]:
    """How a provider's guests are run here, and a sentence for the user where that is slow; both may be empty.

    libvirt's guests run under KVM where that works, and are emulated where it does not.
    """
    if provider != "libvirt":
        return "", ""
    if kvm_works():
        return "kvm", ""
    return "qemu", "KVM does not run guests here: they are emulated, which takes minutes, and every deadline is longer"


def _libvirt_fault() -> str:
    if process.find("virsh") is None:
        return "libvirt is not installed"
    if not kvm_works(believed=True):
        return "KVM does not run guests here"
    try:
        return "" if libvirtd.answers() else "libvirtd is off"
    except CommandFailed:
        return "libvirtd does not answer"


def _virtualbox_fault() -> str:
    if process.find("VBoxManage") is None:
        return "VirtualBox is not installed"
    usable = process.run("VBoxManage", "list", "hostinfo", check=False).ok
    return "" if usable else "VBoxManage does not work"


def _lxc_fault() -> str:
    if platform.system() != "Linux":
        return "containers need Linux"
    if process.find("lxc-start") is None:
        return "LXC is not installed"
    return "" if os.geteuid() == 0 or process.find("sudo") else "containers need root or sudo"
