"""What `ip` says of this computer's interfaces and routes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from lab import process


@dataclass(frozen=True)
class Held:
    """An IPv4 address of an interface, with its network's length."""

    address: IPv4Address
    length: int

    @property
    def network(self) -> IPv4Network:
        """The network that the interface is in by this address."""
        return IPv4Network(f"{self.address}/{self.length}", strict=False)

    def __str__(self) -> str:
        return f"{self.address}/{self.length}"


@dataclass(frozen=True)
class Link:
    """An interface: its name, what somebody wrote beside it, and its IPv4 addresses."""

    name: str
    alias: str
    held: tuple[Held, ...]


def links() -> tuple[Link, ...]:
    """Every interface. What is written beside it is shown with links only, not with addresses (iproute2 6.1)."""
    aliases = {link.get("ifname"): link.get("ifalias", "") for link in _ip("link", "show")}
    return tuple(
        Link(
            link["ifname"], aliases.get(link["ifname"], ""),
            tuple(
                Held(IPv4Address(each["local"]), each["prefixlen"])
                for each in link.get("addr_info", []) if each["family"] == "inet"
            ),
        )
        for link in _ip("address", "show") if link.get("ifname")
    )  # fmt: skip


def unreachable() -> tuple[IPv4Network, ...]:
    """The networks that packets are refused for."""
    return _networks(_ip("-4", "route", "show", "type", "unreachable"))


def routed() -> tuple[IPv4Network, ...]:
    """The networks that any route of any table names; the default route names none."""
    return _networks(_ip("-4", "route", "show", "table", "all"))


def _networks(routes: list[dict[str, Any]]) -> tuple[IPv4Network, ...]:
    return tuple(IPv4Network(route["dst"]) for route in routes if route.get("dst", "default") != "default")


def _ip(*words: str) -> list[dict[str, Any]]:
    """Nothing where there is no `ip`: no bridge of ours is there either."""
    if process.find("ip") is None:
        return []
    found: list[dict[str, Any]] = json.loads(process.run("ip", "-json", *words).stdout or "[]")
    return found
