"""The network of a lab on this computer: a bridge, its address, a way out, and a wall behind it.

Nothing is configured for good: everything is made by `Network.ensure` and removed by
`Network.remove`, and bears the lab's id, so that two labs never touch each other's. Guests of one lab reach what this
computer reaches, but not the guests of another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Network
from pathlib import Path

from lab import inotify, ip, labs, process
from lab.errors import NetworkTaken
from lab.home import Home
from lab.names import bridge_name, hardware_address
from lab.topology import Lab

FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
WAS_OFF = Path("/run/lab-forwarding-was-off")
"""A mark for the last lab that goes: the first one had switched forwarding on. Gone with a reboot, as forwarding is."""
WALL_METRIC = "4278198272"
"""The metric of the `unreachable` route: the kernel's worst, so that it is used only when the bridge is gone."""

POOLS = (IPv4Network("192.168.56.0/21"), IPv4Network("10.56.0.0/16"))
"""Where subnets are taken from: first what VirtualBox permits without being told, then a range that few others use."""
ANOTHER = "`lab --name NAME up` makes a lab with a subnet of its own"
_OURS = re.compile(r"lab([0-9a-f]{8}|n[0-9]{5})")
"""The bridges of labs, and those of the labs of a class."""
_TABLE = """
table ip {name} {{
  chain out {{
    {out}
  }}
  chain between_labs {{
    type filter hook forward priority filter;
    iifname "{name}" oifname != "{name}" oifname "lab*" reject with icmp type admin-prohibited
    oifname "{name}" iifname != "{name}" iifname "lab*" reject with icmp type admin-prohibited
  }}
}}
"""
_WAY_OUT = """type nat hook postrouting priority srcnat;
    ip saddr {subnet} ip daddr != {subnet} masquerade"""
_NO_WAY_OUT = """type filter hook forward priority filter;
    ip saddr {subnet} ip daddr != {subnet} reject with icmp type net-unreachable"""


class Network:
    """The bridge of one lab. A lab that is to do without internet has no way out: it is refused at once.

    Args:
        lab: the topology: its subnet and gateway.
        home: whose id names the bridge.
    """

    def __init__(self, lab: Lab, home: Home) -> None:
        self._lab = lab
        self._home = home
        self.bridge = bridge_name(home)

    def ensure(self) -> bool:
        """Make what is missing; whether anything was.

        Raises:
            NetworkTaken: the subnet is another lab's, or an interface of somebody else has an address in it.
        """
        with labs.one_at_a_time("the network"):
            self.refuse_taken_subnet()
            if self._is_up():
                return False
            inotify.make_room()
            self._allow_forwarding()
            self._make_bridge()
            self._way_out()
        return True

    @contextmanager
    def lent(self) -> Iterator[None]:
        """The network until the block ends; one that was there before stays, also where it had to be repaired."""
        there = self._has_bridge()
        self.ensure()
        try:
            yield
        finally:
            if not there:
                self.remove()

    def remove(self, subnet: IPv4Network | None = None) -> None:
        """Remove bridge, address, rules and route; nothing when they are gone.

        Args:
            subnet: whose route goes; None is the topology's.
        """
        remove(self._home.id, subnet or self._lab.subnet)

    def wall(self) -> None:
        """Packets for the lab never leave this computer, also when the bridge is gone."""
        if not self._has_wall():
            process.as_root("ip", "route", "add", "unreachable", str(self._lab.subnet), "metric", WALL_METRIC)

    def _make_bridge(self) -> None:
        """The wall first, then the bridge before it."""
        self.wall()
        if not self._has_bridge():
            mac = hardware_address(self._home, "gateway")
            process.as_root("ip", "link", "add", self.bridge, "address", mac, "type", "bridge", "forward_delay", "0")
        self._name_bridge()
        process.as_root("ip", "address", "replace", self._gateway, "dev", self.bridge)
        process.as_root("ip", "link", "set", self.bridge, "up")

    def _has_bridge(self) -> bool:
        return any(link.name == self.bridge for link in ip.links())

    def _name_bridge(self) -> None:
        """Whose it is, for everybody who meets it."""
        alias = f"lab {self._home.name or self._lab.name} in {self._home.folder}"[:255]
        process.as_root("ip", "link", "set", self.bridge, "alias", alias)

    @property
    def _gateway(self) -> str:
        return f"{self._lab.gateway}/{self._lab.subnet.prefixlen}"

    def _is_up(self) -> bool:
        """The bridge has its address, and the rules are there."""
        rules = process.as_root("nft", "list", "table", "ip", self.bridge, check=False)
        right_way = ("masquerade" in rules.stdout) is not self._lab.offline
        ruled = "between_labs" in rules.stdout and right_way
        return self._has_its_address(ip.links()) and ruled and self._has_wall()

    def _has_its_address(self, links: tuple[ip.Link, ...]) -> bool:
        return any(link.name == self.bridge and self._gateway in map(str, link.held) for link in links)

    def _has_wall(self) -> bool:
        return self._lab.subnet in ip.unreachable()

    def _remove_wall(self) -> None:
        process.as_root("ip", "route", "delete", "unreachable", str(self._lab.subnet), check=False)

    def _allow_forwarding(self) -> None:
        if FORWARD.read_text().strip() == "0":
            process.as_root("touch", WAS_OFF)
            process.as_root("tee", FORWARD, stdin="1\n")

    def _way_out(self) -> None:
        """The guests reach what this computer reaches, under its address; or nothing, when there is no internet."""
        process.as_root("nft", "delete", "table", "ip", self.bridge, check=False)
        out = _NO_WAY_OUT if self._lab.offline else _WAY_OUT
        rules = _TABLE.format(name=self.bridge, out=out.format(subnet=self._lab.subnet))
        process.as_root("nft", "-f", "-", stdin=rules)
        docker_rules("-I", self.bridge)

    def refuse_taken_subnet(self) -> None:
        """Raise NetworkTaken when the subnet is another lab's, running or not, or somebody else has an address in it.

        A lab that has its bridge already is only refused for an address: it was there first.
        """
        links = ip.links()
        taken = [
            (link, held) for link in links if link.name != self.bridge
            for held in link.held if held.network.overlaps(self._lab.subnet)
        ]  # fmt: skip
        if taken or not self._has_its_address(links):
            refuse_subnet_of_another_lab(self._lab, self._home)
        for link, held in taken:
            whose = f" ({link.alias})" if link.alias else ""
            raise NetworkTaken(
                f"the subnet {self._lab.subnet} is in use: interface {link.name}{whose} has {held}",
                f"{ANOTHER}, choose another subnet and addresses in lab.toml, or remove that interface",
            )


def refuse_subnet_of_another_lab(lab: Lab, home: Home) -> None:
    """Raise NetworkTaken when a part of the lab's subnet is another lab's, whether that one runs or not."""
    owner = labs.owner(lab.subnet, but=home.id)
    if owner is not None:
        raise NetworkTaken(
            f"the subnet {lab.subnet} is the one of {owner.title}", f"{ANOTHER}, or remove that lab: `{owner.removal}`"
        )


def remove(id: str, subnet: IPv4Network | None) -> None:
    """Remove bridge, rules and route of the lab with an id; nothing when they are gone.

    The route stays where the subnet is another lab's by now. Forwarding and the limit of inotify instances are set back
    when a lab had changed them and no other lab is left.
    """
    bridge = f"lab{id}"
    with labs.one_at_a_time("the network"):
        process.as_root("nft", "delete", "table", "ip", bridge, check=False)
        docker_rules("-D", bridge)
        process.as_root("ip", "link", "delete", bridge, check=False)
        if subnet is not None and labs.owner(subnet, but=id) is None:
            process.as_root("ip", "route", "delete", "unreachable", str(subnet), check=False)
        if any(_OURS.fullmatch(link.name) for link in ip.links()):
            return
        inotify.give_back()
        if WAS_OFF.exists():
            process.as_root("tee", FORWARD, stdin="0\n")
            process.as_root("rm", "-f", WAS_OFF)


def docker_rules(verb: str, bridge: str) -> None:
    """Where Docker drops what it did not forward itself, let the bridge's packets through."""
    if process.find("iptables") is None:
        return
    if not process.as_root("iptables", "-S", "DOCKER-USER", check=False).ok:
        return
    for side in ("-i", "-o"):
        process.as_root("iptables", verb, "DOCKER-USER", side, bridge, "-j", "ACCEPT", check=False)


def resolv_conf(lab: Lab) -> str:
    """The resolver configuration for the guests: the topology's servers, or this computer's.

    A server on this computer's loopback cannot be reached from a guest; behind systemd-resolved
    the real servers are known. Without any, and for a lab without internet, the text is empty:
    names then resolve from /etc/hosts only.
    """
    if lab.offline:
        return ""
    if lab.dns:
        return "".join(f"nameserver {server}\n" for server in lab.dns)
    for path in (Path("/run/systemd/resolve/resolv.conf"), Path("/etc/resolv.conf")):
        if path.exists():
            lines = path.read_text().splitlines()
            kept = [
                line
                for line in lines
                if line.startswith(("nameserver", "search")) and not re.search(r"\s(127\.|::1\b)", line)
            ]
            if any(line.startswith("nameserver") for line in kept):
                return "\n".join(kept) + "\n"
    return ""
