"""What a provider needs on this computer, and the exact command that brings it."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

from lab import process
from lab.errors import MissingTool, NoPermission

_TOOLS = {
    "lxc": ("vagrant", "ssh", "ssh-keygen", "git", "lxc-start", "mmdebstrap", "ip", "nft"),
    "lxd": ("ssh", "ssh-keygen", "git", "ip", "nft"),
    "libvirt": ("vagrant", "ssh", "ssh-keygen", "git", "virsh", "libvirtd", "qemu-img", "dnsmasq", "ip"),
    "virtualbox": ("vagrant", "ssh", "ssh-keygen", "git", "VBoxManage"),
    "existing": ("ssh", "ssh-keygen", "ssh-keyscan", "git"),
    "vm-box": ("vagrant", "lxc-start", "mmdebstrap", "ip", "nft", "mke2fs", "qemu-img"),
}
_BUILDERS = ("mmdebstrap",)
_PLUGINS = {"lxc": "vagrant-lxc", "libvirt": "vagrant-libvirt"}
_PACKAGES = {
    "debian": {
        "vagrant": "vagrant", "ssh": "openssh-client", "ssh-keygen": "openssh-client", "git": "git",
        "ssh-keyscan": "openssh-client",
        "lxc-start": "lxc", "mmdebstrap": "mmdebstrap", "ip": "iproute2", "nft": "nftables",
        "virsh": "libvirt-daemon-system libvirt-clients", "VBoxManage": "virtualbox",
        "vagrant-lxc": "vagrant-lxc", "vagrant-libvirt": "vagrant-libvirt", "mke2fs": "e2fsprogs",
        "libvirtd": "libvirt-daemon-system qemu-system-x86", "qemu-img": "qemu-utils", "dnsmasq": "dnsmasq-base",
    },
    "fedora": {
        "vagrant": "vagrant", "ssh": "openssh-clients", "ssh-keygen": "openssh", "git": "git",
        "ssh-keyscan": "openssh-clients", "lxc-start": "lxc", "mmdebstrap": "mmdebstrap", "ip": "iproute",
        "nft": "nftables",
        "virsh": "libvirt-client libvirt-daemon-kvm", "VBoxManage": "VirtualBox",
        "vagrant-libvirt": "vagrant-libvirt", "mke2fs": "e2fsprogs", "libvirtd": "libvirt-daemon-kvm",
        "qemu-img": "qemu-img", "dnsmasq": "dnsmasq",
    },
    "arch": {
        "vagrant": "vagrant", "ssh": "openssh", "ssh-keygen": "openssh", "git": "git", "lxc-start": "lxc",
        "mmdebstrap": "mmdebstrap", "ip": "iproute2", "nft": "nftables", "virsh": "libvirt",
        "VBoxManage": "virtualbox", "mke2fs": "e2fsprogs", "libvirtd": "libvirt qemu-base", "qemu-img": "qemu-img",
        "dnsmasq": "dnsmasq", "ssh-keyscan": "openssh",
    },
    "darwin": {
        "vagrant": "--cask vagrant", "VBoxManage": "--cask virtualbox", "git": "git", "ssh": "openssh",
        "ssh-keygen": "openssh", "ssh-keyscan": "openssh",
    },
    "windows": {"vagrant": "Hashicorp.Vagrant", "VBoxManage": "Oracle.VirtualBox", "git": "Git.Git"},
}  # fmt: skip
_INSTALLERS = {
    "debian": "sudo apt-get install {}", "fedora": "sudo dnf install {}", "arch": "sudo pacman -S {}",
    "darwin": "brew install {}", "windows": "winget install {}",
}  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """One thing that a provider needs: whether it is there, and how to mend it when it is not."""

    what: str
    ok: bool
    detail: str
    mend: str = ""


def check(provider: str, *, builds: bool = True) -> None:
    """Raise when something is missing that the provider, or `vm-box`, the build of its box, cannot do without.

    Args:
        provider: whose tools are looked for.
        builds: whether a box may have to be built; without internet it cannot be.

    Raises:
        MissingTool, NoPermission: naming all that is missing, with the command that mends it.
    """
    spared = () if builds else _BUILDERS
    missing = [finding for finding in findings(provider) if not finding.ok and finding.what not in spared]
    if not missing:
        return
    text = "; ".join(f"{finding.what}: {finding.detail}" for finding in missing)
    mends = " && ".join(dict.fromkeys(finding.mend for finding in missing if finding.mend))
    kind = NoPermission if all(finding.what == "root" for finding in missing) else MissingTool
    what = "the box cannot be built" if provider == "vm-box" else f"the provider {provider} cannot be used"
    raise kind(f"{what}: {text}", mends)


def findings(provider: str) -> tuple[Finding, ...]:
    """Everything that the provider needs, with what was found."""
    tools = [_tool(tool) for tool in _TOOLS[provider]]
    plugin = [_plugin(_PLUGINS[provider])] if provider in _PLUGINS else []
    root = [_root()] if provider in ("lxc", "lxd", "vm-box") else []
    return (*tools, *plugin, *root)


def system() -> str:
    """The family of this computer's system: debian, fedora, arch, darwin, windows or other."""
    if platform.system() != "Linux":
        return platform.system().lower()
    release = Path("/etc/os-release")
    words = release.read_text(encoding="utf-8").replace('"', "").split() if release.exists() else []
    names = {word.partition("=")[2] for word in words if word.startswith(("ID=", "ID_LIKE="))} | set(words)
    families = {"debian": {"debian", "ubuntu"}, "fedora": {"fedora", "rhel"}, "arch": {"arch"}}
    return next((family for family, members in families.items() if names & members), "other")


def installation_of(tool: str) -> str:
    """The command that installs a tool here; empty where we know none."""
    package = _PACKAGES.get(system(), {}).get(tool)
    if package:
        return _INSTALLERS[system()].format(package)
    return f"vagrant plugin install {tool}" if tool.startswith("vagrant-") else f"install {tool} by hand"


def _tool(tool: str) -> Finding:
    path = process.find(tool)
    return Finding(tool, True, path) if path else Finding(tool, False, "not installed", installation_of(tool))


def _plugin(name: str) -> Finding:
    """Looked for where Debian and Vagrant keep plugins; asking Vagrant would take two seconds."""
    home = Path(os.environ.get("VAGRANT_HOME") or Path.home() / ".vagrant.d")
    places = ("/usr/share/rubygems-integration", "/usr/share/vagrant-plugins", "/usr/share/gems", str(home / "gems"))
    for place in places:
        found = next(Path(place).glob(f"**/gems/{name}-[0-9]*"), None) or next(Path(place).glob(f"**/{name}"), None)
        if found:
            return Finding(name, True, str(found))
    return Finding(name, False, "not installed", installation_of(name))


def _root() -> Finding:
    if os.geteuid() == 0:
        return Finding("root", True, "we are root")
    if process.find("sudo"):
        return Finding("root", True, "through sudo")
    return Finding("root", False, "neither root nor sudo", "run as root, or install sudo")
