"""The network of a lab of libvirt's guests: the same bridge, wall and way out, and addresses given by libvirt.

The bridge is a network of libvirt, so that its dnsmasq tells every guest, of whatever box, its one address and
who resolves names. libvirt adds no rules of its own (`open`): the way out is the one that containers have.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Network
from pathlib import Path
from xml.sax.saxutils import escape

from lab import network, process
from lab.home import Home
from lab.lxd.guests import remove_network
from lab.lxd.network import LxdNetwork
from lab.machines.libvirt import URI, virsh
from lab.names import hardware_address
from lab.network import Network
from lab.topology import Lab

RUN = Path("/run/libvirt/network")
"""Where libvirt notes which networks run; libvirt 9.0 leaves a folder and the number of an ended process there."""


class VirtualNetwork(Network):
    """The bridge of one lab, as a network of libvirt under the same name."""

    def ensure(self) -> bool:
        """Make what is missing, also an address for a host that the topology has got since; whether anything was.

        Raises:
            NetworkTaken: an interface of somebody else has an address in the subnet.
        """
        made = super().ensure()
        told = virsh("net-dumpxml", self.bridge)
        missing = [entry for entry in _entries(self._lab, self._home) if entry.partition(" name=")[0] not in told]
        for entry in missing:
            virsh("net-update", self.bridge, "add-last", "ip-dhcp-host", entry, "--live", "--config")
        return made or bool(missing)

    def _make_bridge(self) -> None:
        """A network that stands is left alone: taking it down would cut the guests off for good."""
        if not self._has_bridge():
            _forget(self.bridge)
            with _double_wall(self._lab), tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
                self._remove_wall()
                file.write(definition(self._lab, self._home, self.bridge))
                file.flush()
                virsh("net-define", file.name)
                virsh("net-start", self.bridge)
                self.wall()
        self.wall()
        self._name_bridge()

    def remove(self, subnet: IPv4Network | None = None) -> None:
        """Remove libvirt's network, then what is ours.

        Args:
            subnet: whose route goes; None is the topology's.
        """
        _forget(self.bridge)
        super().remove(subnet)


def remove_known_by(id: str, provider: str, subnet: IPv4Network | None) -> None:
    """Remove the network of a lab of which only the id is left; nothing where the provider makes its own.

    Args:
        id: the lab's.
        provider: who made its guests.
        subnet: whose route goes; None where nobody knows.
    """
    if provider == "libvirt":
        _forget(f"lab{id}")
    if provider == "lxd":
        remove_network(id)
    if provider in _KINDS:
        network.remove(id, subnet)


def _forget(bridge: str) -> None:
    """No network of that name at libvirt, running or only defined, and nothing of what libvirt forgets to remove."""
    for verb in ("net-destroy", "net-undefine"):
        process.run("virsh", "--connect", URI, verb, bridge, check=False)
    there = process.run("virsh", "--connect", URI, "net-list", "--all", "--name", check=False)
    if there.ok and bridge not in there.stdout.split():
        process.as_root("rm", "-rf", RUN / bridge, RUN / f"{bridge}.pid")


@contextmanager
def _double_wall(lab: Lab) -> Iterator[None]:
    """Two walls of half the size: libvirt starts no network beside a route that is exactly its own."""
    halves = [("unreachable", str(half)) for half in lab.subnet.subnets()]
    try:
        for half in halves:
            process.as_root("ip", "route", "replace", *half)
        yield
    finally:
        for half in halves:
            process.as_root("ip", "route", "delete", *half, check=False)


def definition(lab: Lab, home: Home, bridge: str) -> str:
    """libvirt's XML of the network: no address for anybody but the lab's hosts, each with its own."""
    hosts = "\n".join(f"      {entry}" for entry in _entries(lab, home))
    forwarders = "".join(f"<forwarder addr='{server}'/>" for server in lab.dns)
    return f"""<network>
  <name>{bridge}</name>
  <title>{escape(f"lab {lab.name} in {home.folder}")}</title>
  <forward mode='open'/>
  <bridge name='{bridge}' stp='off' delay='0'/>
  <mac address='{hardware_address(home, "gateway")}'/>
  <dns>{forwarders}</dns>
  <ip address='{lab.gateway}' netmask='{lab.subnet.netmask}'>
    <dhcp>
{hosts}
    </dhcp>
  </ip>
</network>
"""


def _entries(lab: Lab, home: Home) -> list[str]:
    """The addresses that libvirt gives, in the form in which it shows them again."""
    return [
        f"<host mac='{hardware_address(home, host.name)}' name='{host.name}' ip='{host.address}'/>"
        for host in lab.hosts
    ]


def network_of(provider: str, lab: Lab, home: Home) -> Network | None:
    """The network that we make for a provider's guests; None where the provider makes its own."""
    return _KINDS[provider](lab, home) if provider in _KINDS else None


_KINDS: dict[str, type[Network]] = {"lxc": Network, "lxd": LxdNetwork, "libvirt": VirtualNetwork}
