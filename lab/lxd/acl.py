"""Who the machines may speak to: one list of rules at LXD for all labs with a way out, and one for those without.

Nobody's machines reach another lab's, LXD's own computers, or the addresses at which clouds tell secrets; what
somebody asked them is always answered. They are asked by the computers that labs are run from, and by everybody for
their site and for ssh.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from ipaddress import IPv4Network, collapse_addresses
from typing import Any

from lab.lxd.client import Lxd, LxdFailed
from lab.lxd.members import addresses
from lab.network import POOLS

NAME, OFFLINE = "lab", "lab-offline"
_LINK_LOCAL = IPv4Network("169.254.0.0/16")
_DESCRIPTION = "the lab's machines: what they may reach, and who may reach them"
EVERYWHERE = IPv4Network("0.0.0.0/0")


def name_for(*, offline: bool) -> str:
    """The list of a lab."""
    return OFFLINE if offline else NAME


def ensure(
    lxd: Lxd, *, labs: Collection[IPv4Network] = (), teachers: Collection[IPv4Network] = (), offline: bool = False
) -> None:
    """Make the list, or add what it does not say yet; one question when there is nothing to add.

    Args:
        lxd: where.
        labs: networks in which labs are, beside the pools that are always in it.
        teachers: who may ask the machines anything.
        offline: the list of the labs without a way out.
    """
    name = name_for(offline=offline)
    there = lxd.find(f"network-acls/{name}")
    if there is None:
        computers = _networks(addresses(lxd))
        body = {"name": name, **rules([*POOLS, *labs], [*computers, *teachers], computers, offline=offline)}
        try:
            lxd.post("network-acls", body)
            return
        except LxdFailed as fault:
            if not fault.is_there_already:
                raise
            there = lxd.get(f"network-acls/{name}")
    welcome = _named(there["ingress"], "source")
    known = _named(there["egress"], "destination") + welcome
    if all(any(each.subnet_of(network) for network in known) for each in labs) and all(
        any(each.subnet_of(network) for network in welcome) for each in teachers
    ):
        return
    computers = _networks(addresses(lxd))
    lxd.patch(f"network-acls/{name}", rules([*welcome, *labs], [*computers, *teachers], computers, offline=offline))


def remove_unused(lxd: Lxd) -> None:
    """Remove the lists that no network uses any more."""
    for name in (NAME, OFFLINE):
        there = lxd.find(f"network-acls/{name}")
        if there is not None and not there["used_by"]:
            with suppress(LxdFailed):  # a lab has just begun to use it
                lxd.delete(f"network-acls/{name}")


def rules(
    labs: Collection[IPv4Network], teachers: Collection[IPv4Network], computers: Collection[IPv4Network], *,
    offline: bool,
) -> dict[str, Any]:  # fmt: skip
    """The two halves of a list, as LXD wants them: it refuses first and allows then, in whatever order they stand.

    Args:
        labs: networks whose gateways may ask, and which no machine reaches through its gateway.
        teachers: who may ask besides.
        computers: LXD's own, which no machine reaches.
        offline: no machine reaches anything.
    """
    refused = [EVERYWHERE] if offline else _sorted([*labs, *computers, _LINK_LOCAL])
    egress = [_rule("reject", destination=_text(refused))]
    if not offline:
        egress.append(_rule("allow", destination=str(EVERYWHERE)))
    ingress = [
        _rule("allow", source=_text(_sorted([*labs, *teachers]))),
        _rule("allow", protocol="tcp", destination_port="22,80"),
    ]
    return {"description": _DESCRIPTION, "egress": egress, "ingress": ingress}


def _rule(action: str, **more: str) -> dict[str, str]:
    return {"action": action, "state": "enabled", **more}


def _sorted(networks: Collection[IPv4Network]) -> list[IPv4Network]:
    return list(collapse_addresses(networks))


def _text(networks: Collection[IPv4Network]) -> str:
    return ",".join(map(str, networks))


def _networks(found: Collection[str]) -> list[IPv4Network]:
    return [IPv4Network(each) for each in found]


def _named(rules: Collection[dict[str, str]], key: str) -> list[IPv4Network]:
    return [IPv4Network(each) for rule in rules for each in rule.get(key, "").split(",") if each]
