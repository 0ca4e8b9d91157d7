"""Where a named lab is: a subnet of its own, chosen once, so that labs are side by side on one computer.

The lab without a name is where its topology says. A named one never is: that place belongs to the one without a name,
so it is moved, and each host keeps its place within the subnet (as a rule its last octet).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Network

from lab import ip, labs, registry
from lab.errors import NetworkTaken, UsageError
from lab.events import Listener, Note
from lab.home import Home
from lab.lxd.network import LxdNetwork
from lab.network import POOLS, Network, refuse_subnet_of_another_lab, remove
from lab.registry import Entry
from lab.topology import Lab

USUAL = Lab().subnet
"""Never given away: every lab without a name and without a lab.toml is there."""
MOVABLE = ("auto", "lxc", "lxd", "libvirt", "virtualbox")
"""The providers that give guests their addresses; hosts that exist already keep theirs."""
_KINDS: dict[str, type[Network]] = {"lxc": Network, "lxd": LxdNetwork}
"""The providers whose subnets are walled off as soon as they are chosen."""
_SUBNET = "subnet"
_ALL_BUT_DEFAULT = 8
"""Routes that are wider stand for the default route, as a VPN's 0.0.0.0/1."""


def settled(lab: Lab, home: Home) -> Lab:
    """The topology as every command sees it: a named lab's is on its own subnet, once `settle` has chosen it."""
    if not home.name:
        return lab
    lab = replace(lab, name=home.name)
    subnet = _remembered(home) if lab.provider in MOVABLE else None
    return moved(lab, subnet) if subnet else lab


def foreseen(lab: Lab, home: Home, provider: str) -> Lab:
    """The topology as `settle` would make it now; nothing is taken.

    Raises:
        NetworkTaken: no subnet is free.
    """
    if home.name and provider in MOVABLE and _remembered(home) is None:
        return moved(lab, free_subnet(lab, provider))
    return lab


def settle(lab: Lab, home: Home, provider: str, listener: Listener) -> Lab:
    """Take the subnet before anything is made there, and write the lab down where others look for it.

    Args:
        lab: the topology, settled or not.
        home: its folder.
        provider: who will make its guests.
        listener: told when a subnet is chosen.

    Raises:
        NetworkTaken: the subnet is another lab's or somebody else's; or none is free.
    """
    with labs.one_at_a_time("the choice of a subnet"):
        lab = settled(lab, home)
        if home.name and provider in MOVABLE and _remembered(home) is None:
            lab = _chosen(lab, home, provider, listener)
        ours = _KINDS[provider](lab, home) if provider in _KINDS else None
        if ours:
            ours.refuse_taken_subnet()
        elif provider in MOVABLE:
            refuse_subnet_of_another_lab(lab, home)
        hosts = tuple(host.name for host in lab.hosts)
        registry.write(Entry(home.id, home.name, str(home.folder), provider, str(lab.subnet), lab.url, hosts))
        if ours:
            ours.wall()  # so that other users of this computer see that the subnet is taken
    return lab


def let_go(home: Home) -> None:
    """Give the subnet back when an `up` has ended before anything was made on it; nothing when something was."""
    lab = labs.find(home.id)
    if lab is None or lab.containers or lab.bridge or lab.virtual:
        return
    registry.remove(home.id)
    (home.path / _SUBNET).unlink(missing_ok=True)
    if lab.entry.provider in _KINDS:
        remove(home.id, lab.entry.network)


def moved(lab: Lab, subnet: IPv4Network) -> Lab:
    """The same lab on another subnet: each host keeps its place, counted from the subnet's first address."""
    first = int(lab.subnet.network_address)
    hosts = tuple(replace(host, address=subnet[int(host.address) - first]) for host in lab.hosts)
    return replace(lab, subnet=subnet, host=hosts)


def free_subnet(lab: Lab, provider: str) -> IPv4Network:
    """The first subnet that no interface, route or lab has: a /24, or larger where the topology's is.

    Where wide routes, as a VPN's, leave nothing free, they count no more: a lab's own is narrower and goes first.

    Raises:
        NetworkTaken: all are taken.
        UsageError: LAB_SUBNETS is no list of networks.
    """
    length = min(lab.subnet.prefixlen, 24)
    taken = {USUAL, lab.subnet, *(held.network for link in ip.links() for held in link.held)}
    taken |= {each.entry.network for each in labs.known() if each.remembers and each.entry.network}
    routed = [network for network in ip.routed() if network.prefixlen >= _ALL_BUT_DEFAULT]
    pools = _pools(provider)
    for other in (taken.union(routed), taken.union(each for each in routed if each.prefixlen >= length)):
        for candidate in _subnets(pools, length):
            if not any(candidate.overlaps(each) for each in other):
                return candidate
    raise NetworkTaken(
        f"no subnet is free: everything in {', '.join(map(str, pools))} is another lab's or in use",
        "remove a lab that is not needed any more (lab list), or name other networks: LAB_SUBNETS=10.99.0.0/16",
    )


def _chosen(lab: Lab, home: Home, provider: str, listener: Listener) -> Lab:
    subnet = free_subnet(lab, provider)
    home.write(_SUBNET, f"{subnet}\n")
    listener(Note(f"lab {home.name} gets a subnet of its own: {subnet}, not {lab.subnet}"))
    return moved(lab, subnet)


def _remembered(home: Home) -> IPv4Network | None:
    """The lab's subnet from its folder; where that is lost, from the list of labs."""
    try:
        return IPv4Network((home.path / _SUBNET).read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        return next((entry.network for entry in registry.entries() if entry.id == home.id), None)


def _pools(provider: str) -> tuple[IPv4Network, ...]:
    """LAB_SUBNETS, else ours; for VirtualBox only what it permits."""
    named = os.environ.get("LAB_SUBNETS", "")
    try:
        pools = tuple(IPv4Network(each.strip()) for each in named.split(",") if each.strip())
    except ValueError as fault:
        raise UsageError(f"LAB_SUBNETS: {fault}", "write networks with commas between, as 192.168.56.0/21") from None
    return pools or (POOLS[:1] if provider == "virtualbox" else POOLS)


def _subnets(pools: tuple[IPv4Network, ...], length: int) -> Iterator[IPv4Network]:
    for pool in pools:
        if pool.prefixlen <= length:
            yield from pool.subnets(new_prefix=length)
