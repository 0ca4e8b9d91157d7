"""What LXD is told and asked: who a machine is, what it may, whom it reaches, and where there is room."""

from __future__ import annotations

import base64
import io
import json
import tarfile
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from lab import config, keys
from lab.errors import EnvironmentProblem, NetworkTaken, UsageError
from lab.home import Home
from lab.lxd import acl, health, projects, quotas, trust
from lab.lxd.identity import identity_of
from lab.lxd.image import alias_of
from lab.lxd.instances import definition
from lab.lxd.members import Member, addresses, members
from lab.lxd.network import LxdNetwork
from lab.topology import Engine, Lab
from tests.unit.lxd_server import LxdServer, Refusal, lxd_server

__all__ = ["lxd_server"]
SUBNET = IPv4Network("10.96.5.64/27")


def _room(total: int, used: int) -> dict[str, Any]:
    return {"memory": {"total": total, "used": used}}


def _space(query: dict[str, str]) -> dict[str, Any]:
    return {"space": {"total": 100, "used": 40}}


def test_a_single_server_is_one_member(lxd_server: LxdServer) -> None:
    """Named as it names itself; its address is where it listens for others."""
    lxd_server.answers = {
        ("GET", "resources"): _room(9, 4), ("GET", "storage-pools/default/resources"): _space,
    }  # fmt: skip
    assert members(lxd_server.lxd()) == (Member("m1", "", True, 5, 9, 60),)


def test_a_member_that_is_off_or_silent_holds_nobody_up(lxd_server: LxdServer) -> None:
    """The cluster says which are off; one that it calls on and that does not answer is given two seconds."""

    def resources(query: dict[str, str]) -> Any:
        if query["target"] == "m3":
            sleep(4)
        return _room(10, 3)

    lxd_server.info["environment"]["server_clustered"] = True
    lxd_server.answers = {
        ("GET", "cluster/members"): [
            {"server_name": name, "url": f"https://10.0.0.{name[1]}:8443", "status": status, "message": message}
            for name, status, message in (
                ("m1", "Online", "Fully operational"), ("m2", "Offline", "No heartbeat for 20s"), ("m3", "Online", "")
            )
        ],
        ("GET", "resources"): resources,
        ("GET", "storage-pools/fast/resources"): _space,
    }  # fmt: skip
    began = monotonic()
    m1, m2, m3 = members(lxd_server.lxd(), "fast")
    assert monotonic() - began < 3.5
    assert m1 == Member("m1", "10.0.0.1", True, 7, 10, 60)
    assert m2 == Member("m2", "10.0.0.2", False, message="offline: no heartbeat for 20s")
    assert (m3.online, m3.memory_total, m3.message) == (False, 0, "no answer within 2 s")


def test_a_member_is_known_by_all_addresses_at_which_it_listens(lxd_server: LxdServer) -> None:
    """One that is off, or does not say, by the address that the others know."""

    def info(query: dict[str, str]) -> Any:
        if query["target"] == "m3":
            return Refusal(503, "gone")
        return {"environment": {"addresses": ["10.0.0.1:8443", "203.0.113.7:8443", "[2001:db8::1]:8443"]}}

    lxd_server.info["environment"]["addresses"] = ["192.0.2.1:8443", "[2001:db8::1]:8443"]
    lxd = lxd_server.lxd()
    assert addresses(lxd) == ("192.0.2.1",)
    lxd.info["environment"]["server_clustered"] = True
    lxd_server.answers = {
        ("GET", "cluster/members"): [
            {"server_name": name, "url": f"https://10.0.0.{name[1]}:8443", "status": status, "message": ""}
            for name, status in (("m1", "Online"), ("m2", "Offline"), ("m3", "Online"))
        ],
        ("GET", ""): info,
    }  # fmt: skip
    assert addresses(lxd) == ("10.0.0.1", "10.0.0.2", "10.0.0.3", "203.0.113.7")
    assert not [path for _, path, _ in lxd_server.told if path == "?target=m2"]


def _reached(rules: dict[str, Any], address: str) -> bool:
    """Whether a machine may begin to speak to an address: LXD refuses first, and allows then."""
    told = [
        (rule["action"], [IPv4Network(each) for each in rule["destination"].split(",")]) for rule in rules["egress"]
    ]
    for action in ("reject", "allow"):
        if any(IPv4Address(address) in network for each, found in told if each == action for network in found):
            return action == "allow"
    return False


@pytest.mark.parametrize(
    ("address", "reached"),
    [
        ("10.96.5.66", True), ("10.96.5.65", False), ("9.9.9.9", True), ("10.0.0.9", True),
        ("10.96.5.97", False), ("10.96.5.33", False), ("10.99.255.254", False), ("192.168.56.10", False),
        ("192.168.63.10", False), ("10.56.3.1", False), ("10.0.0.1", False), ("169.254.169.254", False),
        ("172.20.1.1", False),
    ],
)  # fmt: skip
def test_whom_a_machine_reaches(address: str, reached: bool) -> None:
    """Its own lab and the internet; no other lab, no computer of LXD's at any address, no cloud's secrets."""
    rules = acl.rules(SUBNET, others=[IPv4Network("172.20.0.0/16")], computers=[IPv4Network("10.0.0.1")])
    assert _reached(rules, address) is reached
    assert not _reached(acl.rules(SUBNET, offline=True), "9.9.9.9")


def test_the_whole_of_a_network_of_labs_may_be_one_lab() -> None:
    """Then there is nothing left of it to refuse."""
    rules = acl.rules(IPv4Network("10.96.0.0/14"))
    assert _reached(rules, "10.97.0.1") and not _reached(rules, "192.168.56.1")


def test_a_list_is_written_once_and_when_it_changes(lxd_server: LxdServer) -> None:
    """What LXD adds to it is no change."""
    lxd, wanted = lxd_server.lxd(), acl.rules(SUBNET)
    lxd_server.answers[("POST", "network-acls")] = None
    acl.ensure(lxd, "lab", wanted)
    assert lxd_server.changes == ["POST network-acls"]
    held = json.loads(json.dumps(wanted))
    held["egress"] = [{**rule, "source": ""} for rule in reversed(held["egress"])]
    lxd_server.answers[("GET", "network-acls/lab")] = held
    acl.ensure(lxd, "lab", wanted)
    assert lxd_server.changes == ["POST network-acls"]
    lxd_server.answers[("PUT", "network-acls/lab")] = None
    acl.ensure(lxd, "lab", acl.rules(SUBNET, offline=True))
    assert lxd_server.changes == ["POST network-acls", "PUT network-acls/lab"]


def _home(folder: Path) -> Home:
    home = Home(folder)
    home.make()
    home.write("id", "0a1b2c3d\n")
    keys.make_guest_files(Lab(), home, "nameserver 9.9.9.9\n")
    home.remember(box="lab-lxd-0123456789ab")
    return home


def test_who_a_machine_is(tmp_path: Path) -> None:
    """Its own key, readable by root alone; who may log in; and the same text each time."""
    home = _home(tmp_path)
    packed = base64.b64decode(identity_of(home, "voxy"))
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        found = {each.name: (oct(each.mode), each.uid) for each in archive}
        hosts = archive.extractfile("etc/hosts")
        assert hosts and b"127.0.1.1 voxy" in hosts.read()
    assert found == {
        "etc/hosts": ("0o644", 0), "etc/resolv.conf": ("0o644", 0),
        "etc/ssh/ssh_host_ed25519_key": ("0o600", 0), "etc/ssh/ssh_host_ed25519_key.pub": ("0o644", 0),
        "home/vagrant/.ssh": ("0o700", 1000), "home/vagrant/.ssh/authorized_keys": ("0o600", 1000),
    }  # fmt: skip
    assert identity_of(home, "voxy") == base64.b64encode(packed).decode() != identity_of(home, "zero")


def test_what_a_machine_may_not_exceed(tmp_path: Path) -> None:
    """No privileges, user ids of its own where wished, and a limit for each thing that it could take from others."""
    home = _home(tmp_path)
    lab = config.parse({"provider": "lxd", "engine": {"cpu": 0.5, "disk_gb": 2, "processes": 300}})
    made = definition(lab, home, "voxy")
    told = made["config"]
    assert ("security.idmap.isolated" in told, told["security.devlxd"]) == (False, "false")
    isolated = config.parse({"provider": "lxd", "engine": {"isolated": True}})
    assert definition(isolated, home, "voxy")["config"]["security.idmap.isolated"] == "true"
    assert "security.privileged" not in told and "security.nesting" not in told and made["profiles"] == []
    assert (told["limits.memory"], told["limits.processes"], told["limits.cpu.allowance"]) == (
        "2048MiB", "300", "50ms/100ms"
    )  # fmt: skip
    assert made["devices"]["root"]["size"] == "2GiB"
    assert set(made["devices"]) == {"root", "eth0"}
    assert made["source"] == {"type": "image", "alias": "lab-lxd-0123456789ab"}
    assert "192.168.56.11/24" in told["raw.lxc"]


def test_the_ports_of_a_lab(tmp_path: Path) -> None:
    """Ten from the first: ssh of the balancer, of the others, and the site; without processes, and nobody spoofs."""
    home = _home(tmp_path)
    lab = config.parse({"provider": "lxd", "engine": {"ports": 20000, "address": "10.0.0.7"}})
    doors = {
        each["listen"]: (each["connect"], each["nat"])
        for host in lab.hosts for each in definition(lab, home, host.name)["devices"].values()
        if each["type"] == "proxy"
    }  # fmt: skip
    assert doors == {
        "tcp:10.0.0.7:20000": ("tcp:192.168.56.10:22", "true"), "tcp:10.0.0.7:20001": ("tcp:192.168.56.11:22", "true"),
        "tcp:10.0.0.7:20002": ("tcp:192.168.56.12:22", "true"), "tcp:10.0.0.7:20008": ("tcp:192.168.56.10:80", "true"),
    }  # fmt: skip
    assert definition(lab, home, "zero")["devices"]["eth0"]["security.ipv4_filtering"] == "true"


def test_a_project_is_made_once_and_follows_the_topology(lxd_server: LxdServer, tmp_path: Path) -> None:
    """One question when nothing changed; somebody else's is refused and left."""
    home, lxd = _home(tmp_path), lxd_server.lxd()
    lxd_server.answers[("POST", "projects")] = None
    projects.ensure(lxd, Lab(), home)
    body = lxd_server.body("POST", "projects")
    assert body["name"] == "lab-0a1b2c3d"
    assert (body["config"]["limits.memory"], body["config"]["limits.disk"]) == ("4608MiB", "9216MiB")
    lxd_server.answers[("GET", "projects/lab-0a1b2c3d")] = {"config": body["config"]}
    projects.ensure(lxd, Lab(), home)
    assert lxd_server.changes == ["POST projects"]
    lxd_server.answers[("PATCH", "projects/lab-0a1b2c3d")] = None
    projects.ensure(lxd, replace(Lab(), engine=Engine(disk_gb=5)), home)
    assert lxd_server.changes == ["POST projects", "PATCH projects/lab-0a1b2c3d"]
    lxd_server.answers[("GET", "projects/lab-0a1b2c3d")] = {"config": {projects.OWNER: "ffffffff"}}
    with pytest.raises(EnvironmentProblem, match="the project lab-0a1b2c3d is lab ffffffff's"):
        projects.ensure(lxd, Lab(), home)
    projects.remove(lxd, Lab(), home)
    assert len(lxd_server.changes) == 2


@pytest.mark.parametrize(("config", "whose"), [({projects.OWNER: "ffffffff"}, "lab ffffffff"), ({}, "none of a lab")])
def test_a_network_of_somebody_else_is_refused(
    lxd_server: LxdServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: dict[str, str], whose: str
) -> None:
    """Nothing of it is changed, and it is not removed."""
    monkeypatch.setattr(LxdNetwork, "refuse_taken_subnet", lambda self: None)
    monkeypatch.setattr("lab.network.remove", lambda id, subnet: None)
    home = _home(tmp_path)
    lab = replace(Lab(provider="lxd"), engine=lxd_server.engine)
    lxd_server.answers[("GET", "networks/lab0a1b2c3d")] = {"config": config, "status": "Created"}
    with pytest.raises(NetworkTaken, match=f"the network lab0a1b2c3d is {whose}"):
        LxdNetwork(lab, home).ensure()
    if config:
        LxdNetwork(lab, home).remove()
    assert lxd_server.changes == []


def test_the_image_is_named_by_what_it_is_made_of() -> None:
    """Another box, another image."""
    assert alias_of("lab-lxc-0") == alias_of("lab-lxc-0") != alias_of("lab-lxc-1")
    assert alias_of("lab-lxc-0").startswith("lab-lxd-")


def _token(**changes: object) -> str:
    told = {
        "fingerprint": "ab" * 32,
        "addresses": ["10.0.0.1:8443"],
        "secret": "s",
        "expires_at": "0001-01-01T00:00:00Z",
    }
    return base64.b64encode(json.dumps({**told, **changes}).encode()).decode()


def test_a_token_is_read(tmp_path: Path) -> None:
    """Also when a terminal has broken it into lines."""
    text = _token()
    token = trust.parse(f"{text[:20]}\n {text[20:]}\n")
    assert token == trust.Token("ab" * 32, ("10.0.0.1:8443",), text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is damaged"), ("password", "is damaged"), (_token()[:-9], "is damaged"),
        (_token(secret=""), "is damaged"),
        (_token(fingerprint="x"), "is damaged"), (_token(addresses=[]), "is damaged"),
        (_token(addresses=None), "is damaged"), (_token(expires_at="soon"), "is damaged"),
        (_token(expires_at="2026-01-02T03:04:05Z"), "has expired at 2026-01-02 03:04 UTC"),
    ],
)  # fmt: skip
def test_a_token_that_is_no_good(text: str, why: str) -> None:
    """One sentence, before anything is made."""
    with pytest.raises(UsageError, match=why) as caught:
        trust.parse(text, datetime(2026, 1, 3, tzinfo=UTC))
    assert "lxc config trust add" in caught.value.mend


def _failed(lab: Lab, home: Home) -> dict[str, str]:
    return {finding.what: finding.mend for finding in health.findings(lab, home) if not finding.ok}


def test_what_an_lxd_lacks(lxd_server: LxdServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All is there; then each thing is missing in its turn, with its mend."""
    subuid, cgroups = tmp_path / "subuid", tmp_path / "cgroup"
    cgroups.mkdir()
    subuid.write_text("root:100000:1000000\n_lxd:100000:10\n")
    (cgroups / "cgroup.controllers").write_text("cpu memory pids\n")
    monkeypatch.setattr(health, "SUBUID", subuid)
    monkeypatch.setattr(health, "CGROUPS", cgroups)
    lab, home = Lab(provider="lxd", engine=lxd_server.engine), Home(tmp_path)
    lxd_server.answers = {
        ("GET", "storage-pools/default"): {"driver": "dir", "config": {}},
        ("GET", "resources"): _room(8 * 2**30, 2**30),
        ("GET", "storage-pools/default/resources"): _space,
    }
    found = health.findings(lab, home)
    assert [each.what for each in found if each.ok] == ["lxd", "pool", "firewall", "member", "user ids", "cgroups"]
    assert any("copies the whole disk" in each.detail for each in found)
    subuid.write_text("root:100000:65536\n")
    (cgroups / "cgroup.controllers").write_text("cpu pids\n")
    lxd_server.answers[("GET", "resources")] = _room(8 * 2**30, 7 * 2**30)
    del lxd_server.answers[("GET", "storage-pools/default")]
    failed = _failed(lab, home)
    assert set(failed) == {"pool", "member", "user ids", "cgroups"} and all(failed.values())
    lxd_server.answers[("GET", "resources")] = Refusal(500, "gone")
    assert "lxc cluster list" in _failed(lab, home)["member"]
    missing = _failed(replace(lab, engine=Engine(url=str(tmp_path / "no.socket"))), home)
    assert list(missing) == ["lxd"] and missing["lxd"]


def test_slow_quotas_are_named(lxd_server: LxdServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that LXD turns on itself are; simple ones are not, nor is a pool on another computer."""
    lab, home = Lab(provider="lxd", engine=lxd_server.engine), Home(tmp_path)
    lxd_server.answers = {
        ("GET", "storage-pools/default"): {"driver": "btrfs", "config": {"source": "/pool.img"}},
        ("GET", "resources"): _room(8 * 2**30, 2**30),
        ("GET", "storage-pools/default/resources"): _space,
    }
    told = {}
    for mode in (quotas.SHARED, quotas.SIMPLE, ""):
        monkeypatch.setattr(quotas, "counting", {"/pool.img": mode}.__getitem__)
        (told[mode],) = (each.detail for each in health.findings(lab, home) if each.what == "pool")
    assert "simple quotas" in told[quotas.SHARED]
    assert told[quotas.SIMPLE] == told[""] and "quotas" not in told[""]
    monkeypatch.setattr(quotas, "counting", lambda source: quotas.SHARED)  # a pool here that has the path of one there
    monkeypatch.setattr(health, "connect", lambda engine, folder: lxd_server.lxd())
    far = health.findings(replace(lab, engine=Engine(url="https://far:8443", trust="trust")), home)
    assert [each.detail for each in far if each.what == "pool"] == [told[""]]
