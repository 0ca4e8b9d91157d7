"""The recipes of our boxes. A recipe's hash is the box's name, so an equal one is never built twice."""

from __future__ import annotations

import hashlib
import platform
from dataclasses import dataclass, replace
from pathlib import Path

from lab import content
from lab.apps.steps import Cloned
from lab.context import Context
from lab.steps import Step

FORMAT = 2
"""Counted up when the builder itself makes another box from the same recipe."""

BASE_PACKAGES = (
    "systemd", "systemd-sysv", "dbus", "openssh-server", "sudo", "iproute2", "iputils-ping", "procps",
    "less", "nano", "vim-tiny", "bash-completion", "netbase", "logrotate",
)  # fmt: skip

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Recipe:
    """What a box is made of.

    Attributes:
        suite: Debian's name for the release.
        mirror: where its packages come from; empty is mmdebstrap's default.
        packages: what the base has.
        steps: the states that a booted guest is given on top.
    """

    suite: str
    mirror: str
    packages: tuple[str, ...]
    steps: tuple[Step, ...]

    @property
    def name(self) -> str:
        """The box's name: lab-lxc- and twelve characters of the recipe's hash."""
        parts = [str(FORMAT), platform.machine(), self.suite, *self.packages, *map(_essence, self.steps)]
        parts += [(HERE / name).read_text(encoding="utf-8") for name in ("lxc-config", "lxc-template.j2")]
        return "lab-lxc-" + hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


VM_FORMAT = 2
"""Counted up when the builder makes another virtual machine from the same files."""


@dataclass(frozen=True)
class VmRecipe:
    """What a box of a virtual machine is made of: the root file system of the LXC box, and what a computer needs.

    Attributes:
        base: the recipe of the LXC box.
        provider: libvirt, virtualbox or lxd.
        files: what the disk has beside the base, absolute paths with texts; units among them are enabled.
    """

    base: Recipe
    provider: str
    files: tuple[tuple[str, str], ...] = ()

    @property
    def kernel(self) -> str:
        """Debian's package: the small one knows virtio only, which is what libvirt's guests have.

        LXD shares a folder by 9p where it has nothing better, and the small one does not know that.
        """
        return "linux-image-cloud-amd64" if self.provider == "libvirt" else "linux-image-amd64"

    @property
    def consoles(self) -> str:
        """The kernel's consoles; systemd writes to the last."""
        serial, screen = "console=ttyS0,115200", "console=tty0"
        return f"{serial} {screen}" if self.provider == "virtualbox" else f"{screen} {serial}"

    @property
    def firmware(self) -> str:
        """What starts the boot loader: bios, or uefi, which is the only one that LXD has."""
        return "uefi" if self.provider == "lxd" else "bios"

    @property
    def size_gib(self) -> int:
        """The disk. That of libvirt and LXD grows with the guest; VirtualBox cannot enlarge a vmdk: large at once."""
        return {"libvirt": 4, "lxd": 2}.get(self.provider, 20)

    @property
    def name(self) -> str:
        """The box's name: lab-libvirt-, lab-virtualbox- or lab-lxd-, and twelve characters of the recipe's hash."""
        parts = [str(VM_FORMAT), self.base.name, self.kernel, self.consoles, self.firmware, str(self.size_gib)]
        parts += [text for file in self.files for text in file]
        parts += [(HERE / name).read_text(encoding="utf-8") for name in ("vm-guest.sh", "vagrant.pub", "box.ovf.j2")]
        return f"lab-{self.provider}-" + hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def recipe_for(context: Context) -> Recipe:
    """The recipe for a lab on this computer: the same for every lab, so it names no host's address.

    Behind a proxy the hosts' addresses are excepted from it; a box has none, and its guests get theirs when they are
    provisioned. Else each subnet would need a box of its own.
    """
    own = {str(host.address) for host in context.lab.hosts}
    proxies = {
        name: ",".join(each for each in value.split(",") if name != "no_proxy" or each not in own)
        for name, value in context.proxies.items()
    }
    steps = tuple(content.load("provision").box_plan(replace(context, proxies=proxies)))
    return Recipe(context.lab.box.suite, context.lab.box.mirror, BASE_PACKAGES, steps)


def _essence(step: Step) -> str:
    """What matters of a step. A newer commit of an app with equal dependencies needs no new box."""
    if not isinstance(step, Cloned):
        return repr(step)
    without = f" without {', '.join(step.without)}" if step.without else ""
    return f"clone of {step.name} from {step.url}{without}"
