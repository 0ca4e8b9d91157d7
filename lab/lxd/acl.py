"""Who the machines of a lab may speak to: a list of rules at LXD for each lab's network.

They reach no other lab's machines, none of LXD's own computers, not the computers that labs are run from, and not the
addresses at which clouds tell secrets; what somebody asked them is always answered. The computers that labs are run
from may ask them anything, and everybody for their site and for ssh.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from ipaddress import IPv4Network, collapse_addresses
from typing import Any

from lab.lxd.client import Lxd, LxdFailed
from lab.network import POOLS

CLASSES = IPv4Network("10.96.0.0/14")
"""Where the labs of a class are, unless it says otherwise."""
LINK_LOCAL = IPv4Network("169.254.0.0/16")
EVERYWHERE = IPv4Network("0.0.0.0/0")


def ensure(lxd: Lxd, name: str, wanted: dict[str, Any]) -> None:
    """Make a list, or change it to what it shall be; one question when there is nothing to do."""
    there = lxd.find(f"network-acls/{name}")
    if there is None:
        try:
            lxd.post("network-acls", {"name": name, **wanted})
            return
        except LxdFailed as fault:
            if not fault.is_there_already:
                raise
    elif _essence(there) == _essence(wanted):
        return
    lxd.put(f"network-acls/{name}", wanted)


def rules(
    subnet: IPv4Network, *, others: Iterable[IPv4Network] = (),
    teachers: Iterable[IPv4Network] = (), computers: Iterable[IPv4Network] = (), offline: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """The two halves of a list. LXD refuses first and allows then, so what is refused leaves the lab's own subnet out.

    A kernel that lets bridged packets through the firewall (br_netfilter) asks these rules also for those within it.

    Args:
        subnet: the lab's; its first address is the member's, where the member's own services would answer.
        others: networks in which other labs are, beside the usual ones.
        teachers: who may ask the machines anything; they are not asked.
        computers: LXD's own; likewise. Their addresses in the labs' networks, as the gateway of each, say nothing.
        offline: the machines reach nothing but each other.
    """
    gateway = IPv4Network(subnet.network_address + 1)
    of_labs = [CLASSES, *others]
    ours = [*teachers, *(each for each in computers if not any(each.subnet_of(network) for network in of_labs))]
    refused = [EVERYWHERE] if offline else [*POOLS, *of_labs, *ours, LINK_LOCAL]
    egress = [_rule("reject", destination=_text([gateway, *_without(subnet, refused)]))]
    if not offline:
        egress.append(_rule("allow", destination=str(EVERYWHERE)))
    ingress = [
        _rule("allow", source=_text([subnet, *ours])),
        _rule("allow", protocol="tcp", destination_port="22,80"),
    ]
    return {
        "description": "what the lab's machines may reach, and who may reach them", "egress": egress,
        "ingress": ingress, "config": {},
    }  # fmt: skip


def _rule(action: str, **more: str) -> dict[str, str]:
    return {"action": action, "state": "enabled", **more}


def _without(subnet: IPv4Network, networks: Iterable[IPv4Network]) -> list[IPv4Network]:
    """Networks with a hole where the subnet is."""
    found: list[IPv4Network] = []
    for each in collapse_addresses(networks):
        if subnet.subnet_of(each):
            found += each.address_exclude(subnet)
        elif not each.subnet_of(subnet):
            found.append(each)
    return found


def _text(networks: Iterable[IPv4Network]) -> str:
    return ",".join(map(str, sorted(collapse_addresses(networks))))


def _essence(rules: dict[str, Any]) -> list[frozenset[tuple[str, str]]]:
    """What the rules say, without what LXD adds."""
    found: Collection[dict[str, str]] = [*rules["egress"], *rules["ingress"]]
    return sorted((frozenset((key, value) for key, value in rule.items() if value) for rule in found), key=sorted)
