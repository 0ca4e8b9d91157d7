"""A named lab gets a subnet of its own, once; its hosts keep their places; nobody else's subnet is taken."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from lab import config, ip, labs, network, placing, process, registry
from lab.errors import NetworkTaken, Result, UsageError
from lab.home import Home
from lab.ip import Held, Link
from lab.labs import KnownLab
from lab.placing import foreseen, free_subnet, let_go, moved, settle, settled
from lab.registry import Entry
from lab.topology import Lab
from tests.fakes import Heard

A, B, C = (IPv4Network(f"192.168.{number}.0/24") for number in (57, 58, 59))


@pytest.fixture
def named(tmp_path: Path) -> Home:
    """The home of a lab with a name, made."""
    home = Home(tmp_path / "course", "b")
    home.make()
    return home


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What root is told to do; nothing is done."""
    said: list[str] = []

    def as_root(*argv: str, **more: object) -> Result:
        said.append(" ".join(argv))
        return Result("", 0, "", "")

    monkeypatch.setattr(process, "as_root", as_root)
    monkeypatch.setattr(network, "WAS_OFF", Path("/not-there"))
    return said


def _hosts(lab: Lab) -> dict[str, str]:
    return {host.name: str(host.address) for host in lab.hosts}


def test_hosts_keep_their_last_octets() -> None:
    """And everything that is not an address is as it was."""
    there = moved(Lab(), B)
    assert _hosts(there) == {"akuma": "192.168.58.10", "voxy": "192.168.58.11", "zero": "192.168.58.12"}
    assert (there.subnet, str(there.gateway), there.url) == (B, "192.168.58.1", "http://192.168.58.10/")
    assert moved(there, Lab().subnet) == Lab()


@pytest.mark.parametrize(
    ("subnet", "address", "to", "expected"),
    [
        ("10.0.4.0/22", "10.0.6.7", "10.56.0.0/22", "10.56.2.7"),
        ("10.0.0.128/25", "10.0.0.140", "192.168.57.0/24", "192.168.57.12"),
    ],
)
def test_other_sizes_keep_the_place_within_the_subnet(subnet: str, address: str, to: str, expected: str) -> None:
    """Counted from its first address."""
    host = {"name": "akuma", "address": address, "roles": ["balancer", "backend"]}
    lab = config.parse({"subnet": subnet, "host": [host]})
    assert _hosts(moved(lab, IPv4Network(to))) == {"akuma": expected}


def test_a_lab_without_a_name_is_where_its_topology_says(home: Home, told: list[str]) -> None:
    """It is written down, and its wall is there before anything else."""
    heard = Heard()
    assert settle(Lab(), home, "lxc", heard) == Lab() == settled(Lab(), home)
    assert heard.events == []
    (entry,) = registry.entries()
    assert (entry.id, entry.name, entry.folder) == (home.id, "", str(home.folder))
    assert (entry.provider, entry.subnet, entry.url) == ("lxc", "192.168.56.0/24", "http://192.168.56.10/")
    assert entry.hosts == ("akuma", "voxy", "zero")
    assert told == [f"ip route add unreachable 192.168.56.0/24 metric {network.WALL_METRIC}"]


def test_a_named_lab_gets_a_subnet_once(named: Home) -> None:
    """One line says so; it is kept when others become free, and when the folder's note of it is lost."""
    heard = Heard()
    registry.write(Entry("0" * 8, folder=str(named.folder), provider="lxc", subnet=str(A)))
    there = settle(Lab(), named, "lxc", heard)
    assert (there.subnet, there.name) == (B, "b")
    (note,) = heard.events
    assert "lab b gets a subnet of its own: 192.168.58.0/24, not 192.168.56.0/24" in str(note)
    registry.remove("0" * 8)
    assert settle(Lab(), named, "lxc", heard) == there == settled(Lab(), named)
    (named.path / "subnet").write_text("nonsense")
    assert settled(Lab(), named) == there
    assert len(heard.events) == 1


def test_before_its_first_up_it_has_none(named: Home) -> None:
    """It only has its name; reading chooses nothing."""
    assert (settled(Lab(), named).subnet, settled(Lab(), named).name) == (Lab().subnet, "b")
    assert registry.entries() == ()


def test_the_topologys_own_subnet_is_left_to_the_lab_without_a_name(named: Home) -> None:
    """Though it is free; so is the usual one."""
    assert free_subnet(moved(Lab(), A), "lxc") == B
    assert free_subnet(Lab(), "lxc") == A


def test_ten_labs_and_more(tmp_path: Path) -> None:
    """All at once, none overlaps another; those after the seventh are outside what VirtualBox permits."""
    found = []
    for number in range(12):
        home = Home(tmp_path, f"n{number}")
        found.append(settle(Lab(), home, "lxc", Heard()).subnet)
    assert len(set(found)) == 12
    assert [str(subnet) for subnet in found[6:9]] == ["192.168.63.0/24", "10.56.0.0/24", "10.56.1.0/24"]
    with pytest.raises(NetworkTaken) as caught:
        settle(Lab(), Home(tmp_path, "more"), "virtualbox", Heard())
    assert "192.168.56.0/21" in caught.value.message and "lab list" in caught.value.mend


def test_what_would_be_chosen_can_be_foreseen(named: Home) -> None:
    """For `lab render` and `lab doctor`: nothing is taken; afterwards it is what was chosen."""
    assert foreseen(Lab(), named, "lxc").subnet == A
    assert registry.entries() == () and not (named.path / "subnet").exists()
    there = settle(Lab(), named, "lxc", Heard())
    assert foreseen(settled(Lab(), named), named, "lxc") == there
    assert foreseen(Lab(), Home(named.folder), "lxc") == Lab()


TAKER = """
import sys
from pathlib import Path
from lab.events import silent
from lab.home import Home
from lab.placing import settle
from lab.topology import Lab
home = Home(Path(sys.argv[1]), sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
print(settle(Lab(), home, "virtualbox", silent).subnet)
"""


def test_labs_that_come_at_once_never_choose_the_same(tmp_path: Path) -> None:
    """Each in a process of its own."""
    python = [sys.executable, "-c", TAKER, str(tmp_path)]
    comers = [
        subprocess.Popen([*python, f"n{number}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                         env={**os.environ, "LAB_SUBNETS": "10.57.0.0/16"})
        for number in range(5)
    ]  # fmt: skip
    assert [each.stdout.readline() for each in comers if each.stdout] == ["ready\n"] * len(comers)
    for each in comers:
        if each.stdin:
            each.stdin.write("go\n")
            each.stdin.flush()
    said = [each.communicate(timeout=60)[0] for each in comers]
    assert len(set(said)) == len(comers) and all(line.startswith("10.57.") for line in said)


def _routes(*networks: str) -> Callable[[], tuple[IPv4Network, ...]]:
    return lambda: tuple(IPv4Network(each) for each in networks)


def test_nobody_elses_network_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """No interface's, no route's, no lab's; the default route counts not, in whatever form it comes."""
    monkeypatch.setattr(ip, "links", lambda: (Link("eth0", "", (Held(A[9], 30),)),))
    monkeypatch.setattr(ip, "routed", _routes("0.0.0.0/1", "128.0.0.0/1", "192.168.58.128/25"))
    other = KnownLab(Entry("0" * 8, subnet=str(C)), bridge=True)
    monkeypatch.setattr(labs, "known", lambda: (other,))
    assert str(free_subnet(Lab(), "lxc")) == "192.168.60.0/24"


def test_a_wide_route_is_given_way_where_it_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """And else is narrowed: a VPN that claims every private network does not end the lesson."""
    monkeypatch.setattr(ip, "routed", _routes("192.168.0.0/16", "192.168.57.0/24"))
    assert str(free_subnet(Lab(), "lxc")) == "10.56.0.0/24"
    assert free_subnet(Lab(), "virtualbox") == B


def test_a_large_topology_gets_a_large_subnet() -> None:
    """And a small one a /24."""
    host = {"name": "akuma", "address": "10.0.6.7", "roles": ["balancer", "backend"]}
    large = config.parse({"subnet": "10.0.4.0/22", "host": [host]})
    assert str(free_subnet(large, "lxc")) == "192.168.60.0/22"
    small = config.parse({"subnet": "10.0.6.0/28", "host": [host]})
    assert free_subnet(small, "lxc") == A
    huge = config.parse({"subnet": "10.0.0.0/8", "host": [host]})
    with pytest.raises(NetworkTaken):
        free_subnet(huge, "lxc")


def test_the_pool_may_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also for VirtualBox, whose own limits can be set wider; nonsense is answered with the variable."""
    monkeypatch.setenv("LAB_SUBNETS", "10.99.0.0/24, 10.98.0.0/16")
    assert str(free_subnet(Lab(), "virtualbox")) == "10.99.0.0/24"
    monkeypatch.setenv("LAB_SUBNETS", "10.99.0.1/24")
    with pytest.raises(UsageError, match="LAB_SUBNETS"):
        free_subnet(Lab(), "lxc")


@pytest.mark.parametrize("provider", ["lxc", "virtualbox"])
def test_the_subnet_of_another_lab_is_refused_for_every_provider(home: Home, tmp_path: Path, provider: str) -> None:
    """And the one that is refused is not written down."""
    settle(Lab(), home, "lxc", Heard())
    with home.lock("lab up"), pytest.raises(NetworkTaken, match=f"the one of lab in {home.folder}"):
        settle(Lab(), Home(tmp_path), provider, Heard())
    assert [entry.id for entry in registry.entries()] == [home.id]


def test_what_was_taken_in_vain_is_given_back(named: Home, told: list[str]) -> None:
    """An `up` that failed before it made anything owns nothing afterwards."""
    settle(Lab(), named, "lxc", Heard())
    told.clear()
    for _ in range(2):
        let_go(named)
    assert registry.entries() == () and not (named.path / "subnet").exists()
    assert "ip route delete unreachable 192.168.57.0/24" in told


@pytest.mark.parametrize("left", ["container", "bridge", "guest"])
def test_what_is_used_is_kept(named: Home, monkeypatch: pytest.MonkeyPatch, left: str) -> None:
    """An interrupted `up` goes on where it was."""
    there = settle(Lab(), named, "lxc", Heard())
    found = labs.find(named.id)
    assert found is not None
    lab = KnownLab(found.entry, ("voxy",) if left == "container" else (), left == "bridge", left == "guest")
    monkeypatch.setattr(labs, "known", lambda: (lab,))
    let_go(named)
    assert settled(Lab(), named) == there and len(registry.entries()) == 1


def test_hosts_that_are_there_already_are_not_moved(named: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their addresses are not ours to choose."""
    monkeypatch.setattr(placing, "MOVABLE", ("lxc",))
    assert settle(Lab(), named, "auto", Heard()).subnet == Lab().subnet
    assert settled(Lab(), named).subnet == Lab().subnet
