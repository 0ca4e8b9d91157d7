"""A container for a few minutes, in which an app's dependencies and build are made when no lab has made them yet."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import IPv4Address
from pathlib import Path

from lab import keys, process
from lab.apps.source import Source
from lab.apps.states import app_states, made_of
from lab.boxes import store
from lab.boxes.recipe import HERE
from lab.errors import EnvironmentProblem
from lab.events import Listener, phase
from lab.home import Home
from lab.host import Host as Connection
from lab.host import SshHost, SshTarget
from lab.names import bridge_name, hardware_address
from lab.network import Network, resolv_conf
from lab.provisioning import bring_about
from lab.topology import Host, Lab, Role

GUEST = "lab-workshop"
BOOT_S = 60
_UNPACK = (
    'tar -xOf "$1" ./rootfs.tar.gz | '
    'tar --numeric-owner --xattrs --xattrs-include=\'*\' -C "$2/rootfs" -xzf - && touch "$2/complete"'
)


def make_missing(lab: Lab, home: Home, box: str, sources: tuple[Source, ...], listener: Listener) -> None:
    """Make every dependencies folder and build that the cache does not have, in a guest of the box.

    Args:
        lab: whose network the guest uses, at an address that no host has.
        home: the lab's folder.
        box: an LXC box with Node in it.
        sources: the apps.
        listener: told of the phases and steps.

    Raises:
        EnvironmentProblem: a step failed. The guest is gone then too.
    """
    missing = [(source, [made for made in made_of(lab, source) if made.network]) for source in sources]
    what = ", ".join(made.what for _, steps in missing for made in steps)
    if not what:
        return
    with phase(listener, "workshop", what), _guest(lab, home, box) as host:
        for source, steps in missing:
            if steps:
                clone = next(iter(app_states(lab, source, start=False)))
                for step in (clone, *steps):
                    bring_about(step, host, listener)


@contextmanager
def _guest(lab: Lab, home: Home, box: str) -> Iterator[Connection]:
    """A guest that is in no list: an overlay on the box, which is thrown away at the end."""
    guest = Host(name=GUEST, address=_free_address(lab), roles=(Role.BACKEND,))
    name = f"{GUEST}-{home.id}"
    delta = store.BASES / name
    with ExitStack() as undo:
        network = Network(lab, home)
        if network.ensure():
            undo.callback(network.remove)
        _unpack_base(box)
        process.as_root("lxc-stop", "--name", name, "--kill", check=False)  # of a run that was killed
        process.as_root("rm", "-rf", delta)
        undo.callback(process.as_root, "rm", "-rf", delta)
        process.as_root("mkdir", "-p", delta / "delta")
        target = _identity(lab, guest, home)
        config = home.write("workshop.conf", _config(lab, guest, home, box, delta), 0o644)
        process.as_root("lxc-start", "--name", name, "--rcfile", config, "--daemon")
        undo.callback(process.as_root, "lxc-stop", "--name", name, "--kill", check=False)
        host = undo.enter_context(SshHost(target))
        host.wait_until_reachable(BOOT_S)
        yield host


def _unpack_base(box: str) -> None:
    """Unpack the box where its guests' overlays stand on it, as its own template does for the first guest."""
    base = store.base_folder(box)
    if not (base / "complete").exists():
        process.as_root("rm", "-rf", base / "rootfs")
        process.as_root("mkdir", "-p", base / "rootfs")
        process.as_root("sh", "-c", _UNPACK, "sh", store.box_file(box), base, timeout_s=600)


def _identity(lab: Lab, guest: Host, home: Home) -> SshTarget:
    authorized = keys.make_lab_key(home).with_suffix(".pub").read_text(encoding="utf-8")
    keys.write_guest_files(lab, guest, home, authorized, resolv_conf(lab))
    public = (home.keys / "guests" / guest.name / "ssh_host_ed25519_key.pub").read_text(encoding="utf-8")
    known = home.write("known_hosts.workshop", f"{guest.address} {' '.join(public.split()[:2])}\n")
    return SshTarget(guest.name, str(guest.address), 22, "vagrant", str(home.keys / "lab"), str(known))


def _config(lab: Lab, guest: Host, home: Home, box: str, delta: Path) -> str:
    identity = HERE.parent / "machines" / "identity.sh"
    hook = shlex.join(["sh", str(identity), str(home.keys / "guests"), guest.name])
    lines = [
        (HERE / "lxc-config").read_text(encoding="utf-8"),
        f"lxc.rootfs.path = overlay:{store.base_folder(box)}/rootfs:{delta}/delta",
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


def _free_address(lab: Lab) -> IPv4Address:
    """The highest address of the subnet that no host has."""
    taken = {lab.gateway, *(host.address for host in lab.hosts)}
    for number in range(int(lab.subnet.broadcast_address) - 1, int(lab.gateway), -1):
        if IPv4Address(number) not in taken:
            return IPv4Address(number)
    raise EnvironmentProblem(f"the subnet {lab.subnet} has no address left to build the app at", "choose a larger one")
