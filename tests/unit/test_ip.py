"""What is read from `ip`: interfaces with their addresses, and the networks that routes name."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Any

import pytest

from lab import ip, process


def _said(monkeypatch: pytest.MonkeyPatch, answer: list[dict[str, Any]]) -> None:
    monkeypatch.setattr(ip, "_ip", lambda *words: answer)


def test_interfaces_have_names_notes_and_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """IPv6 addresses and interfaces without a name are left out."""
    v4 = {"family": "inet", "local": "192.168.56.1", "prefixlen": 24}
    v6 = {"family": "inet6", "local": "fe80::1", "prefixlen": 64}
    _said(monkeypatch, [{"ifname": "lab1", "ifalias": "mine", "addr_info": [v4, v6]}, {"ifname": "x"}, {}])
    one, other = ip.links()
    assert (one.name, one.alias, [str(held) for held in one.held]) == ("lab1", "mine", ["192.168.56.1/24"])
    assert one.held[0].network == IPv4Network("192.168.56.0/24")
    assert (other.name, other.held) == ("x", ())


def test_routes_name_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A single address is a network of one; the default route names none."""
    _said(monkeypatch, [{"dst": "default"}, {"dst": "10.0.0.0/8"}, {"type": "local", "dst": "10.0.0.1"}, {}])
    assert ip.routed() == ip.unreachable() == (IPv4Network("10.0.0.0/8"), IPv4Network("10.0.0.1/32"))


def test_this_computers_own_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the real program: the loopback is there."""
    if process.find("ip") is None:
        pytest.skip("there is no ip here")
    monkeypatch.undo()
    assert any(str(held) == "127.0.0.1/8" for link in ip.links() for held in link.held)
    assert IPv4Network("127.0.0.0/8") in ip.routed()


def test_without_ip_there_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a Mac, where the lab's guests are virtual machines."""
    monkeypatch.undo()
    monkeypatch.setattr(process, "find", lambda program: None)
    assert (ip.links(), ip.routed()) == ((), ())


def test_what_is_written_beside_an_interface_comes_with_links_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """`ip address show` leaves it out; a link that went meanwhile is not missed."""
    said = {
        ("link", "show"): [{"ifname": "lab1", "ifalias": "mine"}, {"ifname": "gone", "ifalias": "x"}],
        ("address", "show"): [{"ifname": "lab1", "addr_info": []}, {"ifname": "new"}],
    }
    monkeypatch.setattr(ip, "_ip", lambda *words: said[words])
    assert [(link.name, link.alias) for link in ip.links()] == [("lab1", "mine"), ("new", "")]
