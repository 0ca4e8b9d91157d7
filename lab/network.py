"""The network of a lab on this computer: a bridge, its address, a way out, and a wall behind it.

Nothing is configured for good: everything is made by `Network.ensure` and removed by
`Network.remove`, and bears the lab's id, so that two labs never touch each other's.
"""

from __future__ import annotations

import json
import re
from ipaddress import IPv4Network
from pathlib import Path

from lab import process
from lab.errors import NetworkTaken
from lab.home import Home
from lab.names import bridge_name, hardware_address
from lab.topology import Lab

FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
WAS_OFF = Path("/run/lab-forwarding-was-off")
"""A mark for the last lab that goes: the first one had switched forwarding on. Gone with a reboot, as forwarding is."""
WALL_METRIC = "4278198272"
"""The metric of the `unreachable` route: the kernel's worst, so that it is used only when the bridge is gone."""

_NAT = """
table ip {name} {{
  chain out {{
    type nat hook postrouting priority srcnat;
    ip saddr {subnet} ip daddr != {subnet} masquerade
  }}
}}
"""


class Network:
    """The bridge of one lab.

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
            NetworkTaken: an interface of somebody else has an address in the subnet.
        """
        self.refuse_taken_subnet()
        if self._is_up():
            return False
        self._allow_forwarding()
        self._make_bridge()
        self._way_out()
        return True

    def remove(self) -> None:
        """Remove bridge, address, NAT rule and route; nothing when they are gone.

        Forwarding is switched off again when a lab had switched it on and no other lab is left.
        """
        process.as_root("nft", "delete", "table", "ip", self.bridge, check=False)
        self._docker_rules("-D")
        self._remove_bridge()
        self._remove_wall()
        if WAS_OFF.exists() and not _other_lab_bridges():
            process.as_root("tee", FORWARD, stdin="0\n")
            process.as_root("rm", "-f", WAS_OFF)

    def _make_bridge(self) -> None:
        """The wall first, then the bridge before it."""
        self._wall()
        if not self._has_bridge():
            mac = hardware_address(self._home, "gateway")
            process.as_root("ip", "link", "add", self.bridge, "address", mac, "type", "bridge", "forward_delay", "0")
        self._name_bridge()
        process.as_root("ip", "address", "replace", self._gateway, "dev", self.bridge)
        process.as_root("ip", "link", "set", self.bridge, "up")

    def _has_bridge(self) -> bool:
        return any(link["ifname"] == self.bridge for link in _ip_json("link", "show"))

    def _name_bridge(self) -> None:
        """Whose it is, for everybody who meets it."""
        process.as_root("ip", "link", "set", self.bridge, "alias", f"lab {self._lab.name} in {self._home.folder}"[:255])

    def _remove_bridge(self) -> None:
        process.as_root("ip", "link", "delete", self.bridge, check=False)

    @property
    def _gateway(self) -> str:
        return f"{self._lab.gateway}/{self._lab.subnet.prefixlen}"

    def _is_up(self) -> bool:
        """The bridge has its address, and the way out is there."""
        shown = process.run("ip", "-json", "address", "show", "dev", self.bridge, check=False)
        held = [f"{each['local']}/{each['prefixlen']}" for each in _addresses(json.loads(shown.stdout or "[]"))]
        nat = process.as_root("nft", "list", "table", "ip", self.bridge, check=False)
        return self._gateway in held and nat.ok and self._has_wall()

    def _has_wall(self) -> bool:
        routes = _ip_json("route", "show", "type", "unreachable")
        return any(route["dst"] == str(self._lab.subnet) for route in routes)

    def _wall(self) -> None:
        """Packets for the lab never leave this computer, also when the bridge is gone."""
        if not self._has_wall():
            process.as_root("ip", "route", "add", "unreachable", str(self._lab.subnet), "metric", WALL_METRIC)

    def _remove_wall(self) -> None:
        process.as_root("ip", "route", "delete", "unreachable", str(self._lab.subnet), check=False)

    def _allow_forwarding(self) -> None:
        if FORWARD.read_text().strip() == "0":
            process.as_root("touch", WAS_OFF)
            process.as_root("tee", FORWARD, stdin="1\n")

    def _way_out(self) -> None:
        """The guests reach what this computer reaches, under its address."""
        process.as_root("nft", "delete", "table", "ip", self.bridge, check=False)
        process.as_root("nft", "-f", "-", stdin=_NAT.format(name=self.bridge, subnet=self._lab.subnet))
        self._docker_rules("-I")

    def _docker_rules(self, verb: str) -> None:
        """Where Docker drops what it did not forward itself, let the bridge's packets through."""
        if process.find("iptables") is None:
            return
        if not process.as_root("iptables", "-S", "DOCKER-USER", check=False).ok:
            return
        for side in ("-i", "-o"):
            process.as_root("iptables", verb, "DOCKER-USER", side, self.bridge, "-j", "ACCEPT", check=False)

    def refuse_taken_subnet(self) -> None:
        """Raise NetworkTaken when an interface of somebody else has an address in the subnet."""
        for link in _ip_json("address", "show"):
            for held in _addresses([link]):
                if link["ifname"] == self.bridge or held["family"] != "inet":
                    continue
                theirs = IPv4Network(f"{held['local']}/{held['prefixlen']}", strict=False)
                if theirs.overlaps(self._lab.subnet):
                    whose = f" ({link['ifalias']})" if link.get("ifalias") else ""
                    raise NetworkTaken(
                        f"the subnet {self._lab.subnet} is in use: interface {link['ifname']}{whose} has "
                        f"{held['local']}/{held['prefixlen']}",
                        "choose another subnet and addresses in lab.toml, or remove that interface",
                    )


def resolv_conf(lab: Lab) -> str:
    """The resolver configuration for the guests: the topology's servers, or this computer's.

    A server on this computer's loopback cannot be reached from a guest; behind systemd-resolved
    the real servers are known. Without any, the text is empty: names then resolve from /etc/hosts only.
    """
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


def _ip_json(*words: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(process.run("ip", "-json", *words).stdout or "[]")
    return found


def _addresses(links: list[dict[str, object]]) -> list[dict[str, object]]:
    return [held for link in links for held in link.get("addr_info", [])]  # type: ignore[attr-defined]


def _other_lab_bridges() -> bool:
    return any(str(link.get("ifalias", "")).startswith("lab ") for link in _ip_json("link", "show"))
