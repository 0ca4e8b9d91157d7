"""What LXD is told of each machine: where it comes from, who it is, and what it may not exceed."""

from __future__ import annotations

from math import ceil
from typing import Any

from lab.home import Home
from lab.lxd.identity import identity_of
from lab.lxd.kind import has_vms
from lab.lxd.projects import OWNER, VM_STATE_MB
from lab.names import bridge_name, hardware_address
from lab.topology import Host, Lab, Role

FRESH = "fresh"
"""The snapshot of a machine that has never run."""
_CARD = "[Match]\nName=eth0\n\n[Network]\nAddress={}\nGateway={}\nLinkLocalAddressing=no\n"
SITE_PORT = 8
"""The place of the balanced site among the ten ports of a lab."""


def network_name(lab: Lab, home: Home) -> str:
    """The bridge that the lab's machines are on."""
    return lab.engine.network or bridge_name(home)


def definition(lab: Lab, home: Home, name: str) -> dict[str, Any]:
    """The body of the request that makes a machine from the image, whose alias the lab remembers as its box."""
    host, engine = lab[name], lab.engine
    vm = has_vms(home)
    return {
        "name": name,
        "type": "virtual-machine" if vm else "container",
        "profiles": [],
        "source": {"type": "image", "alias": home.state().box},
        "config": {
            OWNER: home.id,
            "security.devlxd": "false",
            "limits.memory": f"{host.memory_mb}MiB",
            **(_of_vm if vm else _of_container)(lab, home, host),
        },
        "devices": {
            "root": {
                "type": "disk", "path": "/", "pool": engine.pool, "size": f"{engine.disk_gb}GiB",
                **({"size.state": f"{VM_STATE_MB}MiB"} if vm else {}),
            },
            "eth0": _card(lab, home, host),
            **_doors(lab, host),
        },
    }  # fmt: skip


def _of_container(lab: Lab, home: Home, host: Host) -> dict[str, str]:
    engine = lab.engine
    return {
        "user.identity": identity_of(home, host.name),
        **({"security.idmap.isolated": "true"} if engine.isolated else {}),
        "limits.processes": str(engine.processes),
        "limits.cpu.allowance": f"{max(int(engine.cpu * 100), 1)}ms/100ms",
        "raw.lxc": (
            f"lxc.net.0.ipv4.address = {host.address}/{lab.subnet.prefixlen}\nlxc.net.0.ipv4.gateway = {lab.gateway}\n"
        ),
    }


def _of_vm(lab: Lab, home: Home, host: Host) -> dict[str, str]:
    """Its processes are its own kernel's affair, and it has whole processors. Nobody has signed its boot loader."""
    card = _CARD.format(f"{host.address}/{lab.subnet.prefixlen}", lab.gateway)
    return {
        "user.identity": identity_of(home, host.name, card),
        "limits.cpu": str(ceil(lab.engine.cpu)),
        "security.secureboot": "false",
    }


def ports_of(lab: Lab, host: Host) -> dict[int, int]:
    """The ports of the member that lead to a host, each with the host's own port."""
    first = lab.engine.ports
    if not first:
        return {}
    others = [each.name for each in lab.hosts if each != lab.balancer]
    place = 0 if host == lab.balancer else 1 + others.index(host.name)
    return {first + place: 22} | ({first + SITE_PORT: 80} if host.is_a(Role.BALANCER) else {})


def _card(lab: Lab, home: Home, host: Host) -> dict[str, str]:
    card = {
        "type": "nic", "name": "eth0", "network": network_name(lab, home), "hwaddr": hardware_address(home, host.name),
    }  # fmt: skip
    if lab.engine.ports:  # LXD wants to know the address that a port leads to, and that nobody else takes it
        card |= {
            "ipv4.address": str(host.address), "security.ipv4_filtering": "true", "security.mac_filtering": "true",
        }  # fmt: skip
    return card


def _doors(lab: Lab, host: Host) -> dict[str, dict[str, str]]:
    return {
        f"port{port}": {
            "type": "proxy", "nat": "true", "listen": f"tcp:{lab.engine.address}:{port}",
            "connect": f"tcp:{host.address}:{own}",
        }
        for port, own in ports_of(lab, host).items()
    }  # fmt: skip
