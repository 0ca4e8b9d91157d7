"""The network of a lab at an LXD: a bridge that LXD makes, walls around it, and the way there from this computer.

Machines are reached at their own addresses. On this computer that is through LXD's bridge; where they are at another
member, through a route to it. The wall, which keeps packets for the lab from going astray, comes before either.
"""

from __future__ import annotations

import json
from functools import cached_property
from ipaddress import IPv4Network
from typing import Any

from lab import inotify, ip, labs, network, process
from lab.errors import NetworkTaken
from lab.home import Home
from lab.lxd import acl, trace
from lab.lxd.client import Lxd, LxdFailed, connect
from lab.lxd.instances import network_name
from lab.lxd.members import addresses
from lab.lxd.projects import OWNER
from lab.names import hardware_address
from lab.network import Network, refuse_subnet_of_another_lab
from lab.topology import Lab


class LxdNetwork(Network):
    """The bridge of one lab, as a network of LXD.

    Args:
        lab: the topology; its engine says which LXD, and where the member with the machines is reached.
        home: the lab's folder; its id is written beside the network, which is how it is claimed.
    """

    def __init__(self, lab: Lab, home: Home) -> None:
        super().__init__(lab, home)
        self.bridge = network_name(lab, home)

    @cached_property
    def lxd(self) -> Lxd:
        """The LXD, asked for the first time."""
        return connect(self._lab.engine, self._home.folder)

    def ensure(self) -> bool:
        """Make what is missing; whether anything was. Two questions to LXD when nothing is.

        Raises:
            NetworkTaken: the subnet is another lab's or somebody else's, or a network of that name is.
            LxdFailed: LXD could not make it.
        """
        with labs.one_at_a_time("the network"):
            self.refuse_taken_subnet()
            there = self._claimed()
            if there is not None and self._is_right(there) and self._is_reached():
                return False
            trace.leave(self._home, self.lxd.place)
            self.wall()
            if self._is_here:
                inotify.make_room()
                self._allow_forwarding()
            self._make(there)
            self._reach()
        return True

    def remove(self, subnet: IPv4Network | None = None) -> None:
        """Remove LXD's network, then route and wall; nothing when they are gone.

        Args:
            subnet: whose route goes; None is the topology's.
        """
        if trace.in_use(self._home) or self._lab.provider == "lxd":
            there = self.lxd.find(f"networks/{self.bridge}")
            if there is None or there["config"].get(OWNER, self._home.id) == self._home.id:
                self.lxd.delete(f"networks/{self.bridge}")
                self.lxd.delete(f"network-acls/{self.bridge}")
        if not self._is_here:
            process.as_root("ip", "route", "delete", *self._way(subnet), check=False)
        super().remove(subnet)

    def refuse_taken_subnet(self) -> None:
        """Raise NetworkTaken when the subnet is another lab's, or an interface has an address in it."""
        if self._is_here:
            super().refuse_taken_subnet()
            return
        refuse_subnet_of_another_lab(self._lab, self._home)
        for link in ip.links():
            for held in link.held:
                if held.network.overlaps(self._lab.subnet):
                    raise NetworkTaken(
                        f"the subnet {self._lab.subnet} is in use: interface {link.name} has {held}",
                        "choose another subnet and addresses in lab.toml, or remove that interface",
                    )

    @cached_property
    def _is_here(self) -> bool:
        """Whether the member with the machines is this computer, so that its bridge is ours."""
        own = {str(held.address) for link in ip.links() for held in link.held}
        return not self._lab.engine.address or self._lab.engine.address in own

    def _claimed(self) -> dict[str, Any] | None:
        """What LXD says of the network; None when there is none, or only a half made one."""
        there = self.lxd.find(f"networks/{self.bridge}")
        if there is None or there["status"] == "Pending":
            return None
        if there["config"].get(OWNER) != self._home.id:
            owner = there["config"].get(OWNER)
            raise NetworkTaken(
                f"{self.lxd.place}: the network {self.bridge} is {f'lab {owner}’s' if owner else 'none of a lab'}",
                "name another one: engine.network in lab.toml",
            )
        found: dict[str, Any] = there
        return found

    def _is_right(self, there: dict[str, Any]) -> bool:
        return there["status"] == "Created" and all(there["config"].get(k) == v for k, v in self._config().items())

    def _make(self, there: dict[str, Any] | None) -> None:
        acl.ensure(self.lxd, self.bridge, self._rules())
        if there is not None and there["status"] == "Created":
            if not self._is_right(there):
                self.lxd.patch(f"networks/{self.bridge}", {"config": self._config()})
            return
        if there is not None:
            self.lxd.delete(f"networks/{self.bridge}")
        body = {"name": self.bridge, "type": "bridge"}
        if self.lxd.is_clustered:
            for member in self.lxd.get("cluster/members", recursion=1):
                self._post(body, target=member["server_name"])
        self._post({**body, "description": f"lab {self._home.name or self._lab.name}", "config": self._config()})
        self._claimed()

    def _post(self, body: dict[str, Any], target: str = "") -> None:
        """Make the network; one that is there is looked at afterwards."""
        try:
            self.lxd.post("networks", body, target=target)
        except LxdFailed as fault:
            if not fault.is_there_already and "already defined" not in fault.said:
                raise

    def _config(self) -> dict[str, str]:
        """No addresses and no names are given by the bridge: the machines know theirs.

        LXD's rules let machines ask for names at port 53 of their member, whatever ours say, so nobody is there.
        """
        return {
            OWNER: self._home.id,
            "bridge.hwaddr": hardware_address(self._home, "gateway"),
            "ipv4.address": self._gateway,
            "ipv4.nat": "false" if self._lab.offline else "true",
            "ipv4.dhcp": "false",
            "ipv6.address": "none",
            "dns.mode": "none",
            "raw.dnsmasq": "port=0",
            "security.acls": self.bridge,
        }

    def _rules(self) -> dict[str, Any]:
        engine = self._lab.engine
        return acl.rules(
            self._lab.subnet, others=[IPv4Network(engine.supernet)] if engine.supernet else [], teachers=self._us(),
            computers=map(IPv4Network, addresses(self.lxd)), offline=self._lab.offline,
        )  # fmt: skip

    def _us(self) -> tuple[IPv4Network, ...]:
        """The addresses of this computer: all where the machines are on it, else the one under which it asks them."""
        if self._is_here:
            held = [each.address for link in ip.links() for each in link.held]
            return tuple(IPv4Network(address) for address in held if not address.is_loopback)
        told = json.loads(process.run("ip", "-json", "route", "get", self._lab.engine.address).stdout)
        return tuple(IPv4Network(each["prefsrc"]) for each in told if "prefsrc" in each)

    def _way(self, subnet: IPv4Network | None = None) -> tuple[str, ...]:
        return str(subnet or self._lab.subnet), "via", self._lab.engine.address

    def _is_reached(self) -> bool:
        if not self._has_wall():
            return False
        if self._is_here:
            return self._has_its_address(ip.links())
        return bool(json.loads(process.run("ip", "-json", "route", "show", *self._way()).stdout or "[]"))

    def _reach(self) -> None:
        if self._is_here:
            network.docker_rules("-I", self.bridge)
        else:
            process.as_root("ip", "route", "replace", *self._way())
