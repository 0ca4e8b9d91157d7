"""The lab's network: what guests resolve with, and whose subnets are refused. Nothing here is configured."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import config, ip, labs, network, process, registry
from lab.errors import NetworkTaken, Result
from lab.home import Home
from lab.names import bridge_name
from lab.network import Network, resolv_conf
from lab.registry import Entry
from lab.topology import Lab

OTHERS = "/c/lab-00000000-voxy/config:lxc.net.0.ipv4.address = 192.168.56.11/24"
"""What LXC tells of a container of another lab."""
RESOLVED = "/run/systemd/resolve/resolv.conf"
ETC = "/etc/resolv.conf"


def _files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, found: dict[str, str]) -> None:
    """Let the resolver's files be these."""

    def path(name: str) -> Path:
        return tmp_path / name.replace("/", "_")

    for name, text in found.items():
        path(name).write_text(text)
    monkeypatch.setattr(network, "Path", path)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({ETC: "nameserver 9.9.9.9\n# x\noptions rotate\n"}, "nameserver 9.9.9.9\n"),
        ({ETC: "search lan\nnameserver 9.9.9.9\n"}, "search lan\nnameserver 9.9.9.9\n"),
        ({ETC: "nameserver 127.0.0.53\nnameserver 9.9.9.9\n"}, "nameserver 9.9.9.9\n"),
        ({ETC: "nameserver 127.0.0.53\n"}, ""),
        ({ETC: "nameserver 127.0.0.53\n", RESOLVED: "nameserver 10.0.0.2\n"}, "nameserver 10.0.0.2\n"),
        ({ETC: "nameserver 9.9.9.9\n", RESOLVED: "search lan\n"}, "nameserver 9.9.9.9\n"),
        ({ETC: "nameserver ::1\n"}, ""),
        ({}, ""),
    ],
    ids=["plain", "search", "loopback beside", "loopback only", "resolved", "resolved is empty", "IPv6 loopback", "no"],
)
def test_guests_get_servers_that_they_can_reach(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, found: dict[str, str], expected: str
) -> None:
    """A server on this computer's loopback is none of them; systemd-resolved knows the real ones."""
    _files(monkeypatch, tmp_path, found)
    assert expected == resolv_conf(Lab())


def test_the_topologys_servers_come_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever this computer has."""
    _files(monkeypatch, tmp_path, {ETC: "nameserver 9.9.9.9\n"})
    assert resolv_conf(config.parse({"dns": ["1.1.1.1", "8.8.8.8"]})) == "nameserver 1.1.1.1\nnameserver 8.8.8.8\n"


def _link(name: str, address: str, length: int, alias: str = "") -> dict[str, object]:
    held = [{"family": "inet", "local": address, "prefixlen": length}]
    return {"ifname": name, "ifalias": alias, "addr_info": held}


def _addresses(monkeypatch: pytest.MonkeyPatch, *links: dict[str, object]) -> None:
    """Let `ip address show` say this, and let nothing else be asked."""

    def said(*words: str) -> list[dict[str, object]]:
        assert words in (("link", "show"), ("address", "show"))
        return list(links)

    monkeypatch.setattr(ip, "_ip", said)


@pytest.mark.parametrize(("address", "length"), [("192.168.56.1", 24), ("192.168.0.1", 16), ("192.168.56.200", 30)])
def test_a_subnet_in_use_is_refused(monkeypatch: pytest.MonkeyPatch, home: Home, address: str, length: int) -> None:
    """Equal, around ours or inside it; the message names interface, owner, address and a mend."""
    _addresses(monkeypatch, _link("lo", "127.0.0.1", 8), _link("vboxnet0", address, length, "lab other in /there"))
    with pytest.raises(NetworkTaken) as caught:
        Network(Lab(), home).refuse_taken_subnet()
    assert f"interface vboxnet0 (lab other in /there) has {address}/{length}" in caught.value.message
    assert "choose another subnet" in caught.value.mend


def test_a_free_subnet_and_our_own_bridge_are_fine(monkeypatch: pytest.MonkeyPatch, home: Home) -> None:
    """So are neighbours, and links without an IPv4 address."""
    v6: dict[str, object] = {"ifname": "eth1", "addr_info": [{"family": "inet6", "local": "fe80::1", "prefixlen": 64}]}
    own = _link(bridge_name(home), "192.168.56.1", 24)
    _addresses(monkeypatch, _link("eth0", "192.168.57.9", 24), own, v6, {"ifname": "x"})
    Network(Lab(), home).refuse_taken_subnet()
    _addresses(monkeypatch, {**own, "ifname": "lab00000000"})
    with pytest.raises(NetworkTaken):
        Network(Lab(), home).refuse_taken_subnet()


@pytest.mark.parametrize("running", [True, False])
def test_the_subnet_of_another_lab_is_refused(
    monkeypatch: pytest.MonkeyPatch, home: Home, tmp_path: Path, running: bool
) -> None:
    """Also while that one is off; the message names it and its folder, the mend both ways out."""
    other = Home(tmp_path, "b")
    registry.write(Entry(other.id, "b", str(tmp_path), "lxc", "192.168.56.0/24"))
    setting = f"/c/lab-{other.id}-voxy/config:lxc.net.0.ipv4.address = 192.168.56.11/24"
    monkeypatch.setattr(labs, "_settings", lambda: [setting])
    _addresses(monkeypatch, *([_link(bridge_name(other), "192.168.56.1", 24)] if running else []))
    with pytest.raises(NetworkTaken) as caught:
        Network(Lab(), home).refuse_taken_subnet()
    assert caught.value.message == f"the subnet 192.168.56.0/24 is the one of lab b in {tmp_path}"
    assert "`lab --name NAME up`" in caught.value.mend
    assert f"`cd {tmp_path} && lab --name b destroy`" in caught.value.mend


def test_who_was_there_first_stays(monkeypatch: pytest.MonkeyPatch, home: Home) -> None:
    """A lab that has its bridge is not stopped by one with the same subnet that is off."""
    monkeypatch.setattr(labs, "_settings", lambda: [OTHERS])
    _addresses(monkeypatch, _link(bridge_name(home), "192.168.56.1", 24))
    Network(Lab(), home).refuse_taken_subnet()
    _addresses(monkeypatch)
    with pytest.raises(NetworkTaken):
        Network(Lab(), home).refuse_taken_subnet()


def test_a_lab_of_which_nothing_is_left_owns_nothing(home: Home, tmp_path: Path) -> None:
    """There is no container and no bridge, whether its folder is there or not: what was written down is old."""
    for number, folder in enumerate((tmp_path, tmp_path / "gone")):
        registry.write(Entry(f"{number:08}", "b", str(folder), "lxc", "192.168.56.0/24"))
    Network(Lab(), home).refuse_taken_subnet()


def test_the_wall_of_another_lab_stays(monkeypatch: pytest.MonkeyPatch, home: Home, tmp_path: Path) -> None:
    """Two labs with one subnet, of which one was never brought up: destroying it leaves the other's route."""
    monkeypatch.setattr(labs, "_settings", lambda: [OTHERS])
    told: list[str] = []

    def as_root(*argv: str, **more: object) -> Result:
        told.append(" ".join(argv))
        return Result("", 1, "", "")

    monkeypatch.setattr(process, "as_root", as_root)
    monkeypatch.setattr(process, "find", lambda tool: None)
    monkeypatch.setattr(network, "WAS_OFF", tmp_path / "not-there")
    Network(Lab(), home).remove()
    bridge = bridge_name(home)
    assert told == [f"nft delete table ip {bridge}", f"ip link delete {bridge}"]


def test_all_is_removed_that_was_made(monkeypatch: pytest.MonkeyPatch, home: Home, tmp_path: Path) -> None:
    """NAT, bridge, route; and forwarding is switched off when a lab had switched it on and this is the last."""
    mark = tmp_path / "forwarding-was-off"
    mark.touch()
    monkeypatch.setattr(network, "WAS_OFF", mark)
    told: list[str] = []

    def as_root(*argv: object, check: bool = True, stdin: str = "", **more: object) -> Result:
        told.append(" ".join(map(str, argv)) + stdin.rstrip())
        return Result("", 1, "", "")

    monkeypatch.setattr(process, "as_root", as_root)
    monkeypatch.setattr(process, "find", lambda tool: None)
    Network(Lab(), home).remove()
    bridge = bridge_name(home)
    assert told == [
        f"nft delete table ip {bridge}",
        f"ip link delete {bridge}",
        "ip route delete unreachable 192.168.56.0/24",
        f"tee {network.FORWARD}0",
        f"rm -f {mark}",
    ]


def test_a_lab_without_internet_asks_no_resolver(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever lab.toml or this computer names."""
    _files(monkeypatch, tmp_path, {ETC: "nameserver 9.9.9.9\n"})
    assert resolv_conf(config.parse({"offline": True, "dns": ["9.9.9.9"]})) == ""


@pytest.mark.parametrize(("there", "expected"), [(False, ["ensure", "work", "remove"]), (True, ["ensure", "work"])])
def test_a_network_is_lent(monkeypatch: pytest.MonkeyPatch, home: Home, there: bool, expected: list[str]) -> None:
    """One that was there stays, also where it had to be repaired: guests may be running on it."""
    told: list[str] = []
    monkeypatch.setattr(Network, "_has_bridge", lambda self: there)
    monkeypatch.setattr(Network, "ensure", lambda self: told.append("ensure"))
    monkeypatch.setattr(Network, "remove", lambda self: told.append("remove"))
    with Network(Lab(), home).lent():
        told.append("work")
    assert told == expected
