"""The network of libvirt's guests: every host has its own address in it, and nobody else has any."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from lab import config, process
from lab import virtual_network as module
from lab.errors import Result
from lab.home import Home
from lab.lxd.network import LxdNetwork
from lab.names import hardware_address
from lab.network import Network
from lab.topology import Lab
from lab.virtual_network import VirtualNetwork, definition, network_of


def test_each_host_gets_its_address_and_nobody_else_one(home: Home) -> None:
    """By the card that the Vagrantfile gives it; there is no range for strangers, and no rule of libvirt's."""
    network = ElementTree.fromstring(definition(Lab(), home, "lab1"))
    given = {host.attrib["ip"]: (host.attrib["mac"], host.attrib["name"]) for host in network.iter("host")}
    assert given == {str(host.address): (hardware_address(home, host.name), host.name) for host in Lab().hosts}
    assert network.find("ip/dhcp/range") is None
    assert [(each.tag, dict(each.attrib)) for each in network if each.tag in ("forward", "bridge", "ip")] == [
        ("forward", {"mode": "open"}), ("bridge", {"name": "lab1", "stp": "off", "delay": "0"}),
        ("ip", {"address": "192.168.56.1", "netmask": "255.255.255.0"}),
    ]  # fmt: skip


def test_the_topologys_servers_resolve_names(home: Home) -> None:
    """Else those of this computer, which need no word."""
    own = config.parse({"dns": ["1.1.1.1", "8.8.8.8"]})
    shown = ElementTree.fromstring(definition(own, home, "lab1"))
    assert [each.attrib["addr"] for each in shown.iter("forwarder")] == ["1.1.1.1", "8.8.8.8"]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What root's tools and virsh are told; they answer nothing."""
    said: list[str] = []

    def run(*argv: object, **more: object) -> Result:
        said.append(" ".join(map(str, argv)).replace("virsh --connect qemu:///system ", "virsh "))
        return Result("", 0, "", "")

    monkeypatch.setattr(process, "run", run)
    monkeypatch.setattr(process, "as_root", run)
    return said


def test_there_is_a_wall_all_the_time_that_it_is_made(
    home: Home, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """libvirt starts no network beside a route that is exactly its own, so two halves stand in for it."""
    network = VirtualNetwork(Lab(), home)
    monkeypatch.setattr(network, "_has_bridge", lambda: False)
    monkeypatch.setattr(network, "_has_wall", lambda: False)
    network._make_bridge()
    kept = [line for line in told if line.startswith("ip route") or "net-start" in line]
    wall = "192.168.56.0/24 metric 4278198272"
    assert kept == [
        "ip route replace unreachable 192.168.56.0/25", "ip route replace unreachable 192.168.56.128/25",
        "ip route delete unreachable 192.168.56.0/24", f"virsh net-start {network.bridge}",
        f"ip route add unreachable {wall}",
        "ip route delete unreachable 192.168.56.0/25", "ip route delete unreachable 192.168.56.128/25",
        f"ip route add unreachable {wall}",
    ]  # fmt: skip


@pytest.mark.parametrize(("there", "goes"), [("default", True), ("lab0a1b2c3d", False), (None, False)])
def test_what_libvirt_forgets_of_a_network_goes_with_it(
    monkeypatch: pytest.MonkeyPatch, there: str | None, goes: bool
) -> None:
    """Not while libvirt has it, nor while libvirt does not say."""
    removed: list[str] = []
    result = Result("", 0, there, "") if there else Result("", 1, "", "")
    monkeypatch.setattr(process, "run", lambda *argv, **more: result)
    monkeypatch.setattr(process, "as_root", lambda *argv: removed.append(" ".join(map(str, argv))))
    module._forget("lab0a1b2c3d")
    notes = "/run/libvirt/network/lab0a1b2c3d"
    assert removed == ([f"rm -rf {notes} {notes}.pid"] if goes else [])


def test_a_network_that_stands_is_not_taken_down(
    home: Home, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    """Its guests would be cut off until their next start."""
    network = VirtualNetwork(Lab(), home)
    monkeypatch.setattr(network, "_has_bridge", lambda: True)
    monkeypatch.setattr(network, "_has_wall", lambda: True)
    network._make_bridge()
    assert not any("net-" in line for line in told)


def test_a_host_that_the_topology_has_got_since_gets_its_address(
    home: Home, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without taking the network down."""
    known = definition(Lab(), home, "lab1").replace(hardware_address(home, "zero"), "02:00:00:00:00:00")
    monkeypatch.setattr(Network, "ensure", lambda self: False)
    monkeypatch.setattr(module, "virsh", lambda *words: known if words[0] == "net-dumpxml" else told.append(words[-3]))
    assert VirtualNetwork(Lab(), home).ensure()
    assert told == [f"<host mac='{hardware_address(home, 'zero')}' name='zero' ip='192.168.56.12'/>"]


def test_only_a_provider_without_a_network_of_its_own_gets_ours(home: Home) -> None:
    """VirtualBox makes its own."""
    kinds = {provider: type(network_of(provider, Lab(), home)) for provider in ("lxc", "libvirt", "virtualbox")}
    assert kinds == {"lxc": Network, "libvirt": VirtualNetwork, "virtualbox": type(None)}


def test_lxd_makes_its_own(home: Home) -> None:
    """The bridge bears the same name, unless lab.toml says another."""
    lab = config.parse({"provider": "lxd", "engine": {"network": "labn00042"}})
    found = network_of("lxd", lab, home)
    assert isinstance(found, LxdNetwork)
    assert (found.bridge, LxdNetwork(Lab(), home).bridge) == ("labn00042", f"lab{home.id}")
