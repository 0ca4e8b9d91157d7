"""A container for a few minutes, in which a box or an app's build is made: it is in no list, and goes afterwards."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address

from lab import keys, process
from lab.boxes.recipe import HERE
from lab.errors import EnvironmentProblem
from lab.home import Home
from lab.host import SshHost, SshTarget
from lab.names import bridge_name, hardware_address
from lab.network import resolv_conf
from lab.topology import Host, Lab, Role

BOOT_S = 60


@contextmanager
def booted(lab: Lab, home: Home, called: str, rootfs: str) -> Iterator[SshHost]:
    """Boot a root file system on the lab's network, which must be there; its power is taken at the end.

    Args:
        lab: whose network the guest uses, at an address that no host has.
        home: the lab's folder.
        called: what the guest is called, before the lab's id.
        rootfs: its root as LXC names it, as `dir:/some/folder`.

    Raises:
        HostUnreachable: it lets nobody in after 60 s.
        EnvironmentProblem: the subnet has no address left.
    """
    guest = Host(name=called, address=free_address(lab), roles=(Role.BACKEND,))
    target = _identity(lab, guest, home)
    config = home.write(f"{called}.conf", config_of(lab, guest, home, rootfs), 0o644)
    name = f"{called}-{home.id}"
    process.as_root("lxc-stop", "--name", name, "--kill", check=False)  # of a run that was killed
    process.as_root("lxc-start", "--name", name, "--rcfile", config, "--daemon")
    try:
        with SshHost(target) as host:
            host.wait_until_reachable(BOOT_S)
            yield host
    finally:
        process.as_root("lxc-stop", "--name", name, "--kill", check=False)


def free_address(lab: Lab) -> IPv4Address:
    """The highest address of the subnet that no host has.

    Raises:
        EnvironmentProblem: there is none.
    """
    taken = {lab.gateway, *(host.address for host in lab.hosts)}
    for number in range(int(lab.subnet.broadcast_address) - 1, int(lab.gateway), -1):
        if IPv4Address(number) not in taken:
            return IPv4Address(number)
    raise EnvironmentProblem(
        f"the subnet {lab.subnet} has no address left for the guest that builds", "choose a larger subnet"
    )


def config_of(lab: Lab, guest: Host, home: Home, rootfs: str) -> str:
    """The container's configuration for LXC."""
    hook = shlex.join(["sh", str(HERE.parent / "machines" / "identity.sh"), str(home.keys / "guests"), guest.name])
    lines = [
        (HERE / "lxc-config").read_text(encoding="utf-8"),
        f"lxc.rootfs.path = {rootfs}",
        f"lxc.uts.name = {guest.name}",
        f"lxc.hook.mount = {hook}",
        "lxc.net.0.type = veth",
        f"lxc.net.0.link = {bridge_name(home)}",
        "lxc.net.0.flags = up",
        f"lxc.net.0.hwaddr = {hardware_address(home, guest.name)}",
        f"lxc.net.0.ipv4.address = {guest.address}/{lab.subnet.prefixlen}",
        f"lxc.net.0.ipv4.gateway = {lab.gateway}",
    ]
    return "\n".join(lines) + "\n"


def _identity(lab: Lab, guest: Host, home: Home) -> SshTarget:
    authorized = keys.make_lab_key(home).with_suffix(".pub").read_text(encoding="utf-8")
    keys.write_guest_files(lab, guest, home, authorized, resolv_conf(lab))
    public = (home.keys / "guests" / guest.name / "ssh_host_ed25519_key.pub").read_text(encoding="utf-8")
    known = home.write(f"known_hosts.{guest.name}", f"{guest.address} {' '.join(public.split()[:2])}\n")
    return SshTarget(guest.name, str(guest.address), 22, "vagrant", str(home.keys / "lab"), str(known))
