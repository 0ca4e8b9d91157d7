"""The cluster that the tests of classes stand on: it comes up, its members die and come back, and nothing stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from lab import process
from lab.errors import CommandFailed
from lab.waiting import wait_for
from tests import cluster_leftovers as rests
from tests.classes import tiny
from tests.classes.conftest import open_folder
from tests.cluster import Cluster
from tests.realm import CHECKOUT

ONLINE = {"m1": "Online", "m2": "Online", "m3": "Online"}
OWN = """
import sys, time
from pathlib import Path
from tests.cluster import Cluster
with Cluster.make(Path(sys.argv[1]), 1, sys.argv[2], 1, sys.argv[3]) as made:
    print("up", flush=True)
    time.sleep(60)
"""
OWN_SUBNET, OWN_SUPERNET = "10.87.9.0/24", "10.87.8.0/24"


@pytest.fixture(scope="module")
def guests(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A guest on each member, by member; gone again at the end."""
    tiny.publish(cluster, tmp_path_factory.mktemp("tiny"))
    named = {member: f"guest-{member}" for member in cluster.names}
    for member, name in named.items():
        tiny.start(cluster, name, member)
    yield named
    for name in named.values():
        cluster.lxc("m1", "delete", "--force", name)
    cluster.lxc("m1", "image", "delete", tiny.ALIAS)


def test_a_cluster_of_three_comes_up(cluster: Cluster) -> None:
    """Every member says so, each has its pool, and a token for a client can be had."""
    assert cluster.states() == ONLINE
    assert len(cluster.urls) == 3 and cluster.urls[0] == cluster.url == "https://10.87.0.1:8443"
    for member in cluster.names:
        pool = cluster.query(member, "GET", f"/1.0/storage-pools/default/resources?target={member}")
        assert pool["space"]["total"] == 12 << 30
    assert len(cluster.token("anybody")) > 100
    with pytest.raises(CommandFailed, match="not found"):
        cluster.query("m2", "GET", "/1.0/instances/nobody")


def test_a_guest_runs_on_each_member(cluster: Cluster, guests: dict[str, str]) -> None:
    """Its root is nobody on the member, and its processes are in the member's cgroups."""
    for member, name in guests.items():
        assert cluster.inside("default", name, "id -u").stdout == "0\n"
        pid = cluster.query("m1", "GET", f"/1.0/instances/{name}/state")["pid"]
        owner = cluster.run(member, "stat", "-c", "%u", f"/proc/{pid}").stdout
        assert int(owner) >= 100000
        assert f"{cluster.mark}-{member}/" in cluster.run(member, "cat", f"/proc/{pid}/cgroup").stdout
        assert cluster.run(member, "ls", f"/proc/{pid}/root/usr/sbin").stdout == "init\n"


def test_what_runs_in_a_guest_is_ended_in_time(cluster: Cluster, guests: dict[str, str]) -> None:
    """A script that never ends does not hold a test up."""
    assert cluster.inside("default", guests["m1"], "exit 3").code == 3
    assert cluster.inside("default", guests["m1"], "sleep 50", timeout_s=1).code == 124


@pytest.mark.parametrize("member", ["m1", "m2"])
def test_a_member_dies_and_comes_back(cluster: Cluster, guests: dict[str, str], member: str) -> None:
    """With it goes all that it ran; the others go on, and know; back again, its guest runs again.

    When the leader is lost, the others too are said to be offline until the next leader has heard from them.
    """
    groups = [kind / f"{cluster.mark}-{member}" for kind in rests.hierarchies()]
    pids = rests.members_of(groups)
    assert len(pids) > 5

    cluster.kill(member)
    assert [pid for pid in pids if rests.alive(pid)] == []
    assert [trace for trace in cluster.leftovers() if f"{cluster.mark}-{member}" in trace] == []
    other = "m3"
    try:
        assert cluster.inside("default", guests[other], "id -u").stdout == "0\n"
        expected = {**ONLINE, member: "Offline"}
        wait_for("the loss noticed", lambda: cluster.states() == expected, within_s=90, every_s=1)
    finally:
        cluster.start(member)
    cluster.wait_online()
    wait_for(
        f"{guests[member]} running", lambda: cluster.inside("default", guests[member], "true", timeout_s=5).ok,
        within_s=60,
    )  # fmt: skip


def test_every_kind_of_leftover_is_found_and_removed(tmp_path: Path) -> None:
    """One of each kind is planted where a cluster's would be; nothing is planted: nothing is found."""
    made = Cluster(tmp_path / "planted", 1, IPv4Network(OWN_SUBNET), IPv4Network(OWN_SUPERNET))
    assert made.leftovers() == []
    mounted, disk = made.folder / "mounted", made.folder / "disk"
    mounted.mkdir(parents=True)
    disk.write_bytes(bytes(1 << 20))
    group = rests.hierarchies()[0] / f"{made.mark}-m1" / "lxc.payload.planted"
    group.mkdir(parents=True)
    process.run("mount", "-t", "tmpfs", "tmpfs", mounted)
    process.run("ip", "netns", "add", f"{made.mark}-m1")
    process.run("ip", "link", "add", made.mark, "type", "bridge")
    process.run("ip", "route", "add", "unreachable", "10.87.8.128/25", "metric", "4278198272")
    process.run("ip", "route", "add", "unreachable", "10.87.9.0/24", "metric", "4278198272")
    process.run("nft", "add", "table", "ip", made.mark)
    process.run("losetup", "-f", disk)
    environment = {**os.environ, "LXD_DIR": f"{made.folder}/m1"}
    with (
        subprocess.Popen(["sleep", "61"], env=environment) as client,
        subprocess.Popen(["sleep", "62"]) as guest,
    ):
        (group / "cgroup.procs").write_text(str(guest.pid))
        found = [trace.replace(made.mark, "MARK").replace(str(made.folder), "FOLDER") for trace in made.leftovers()]
        with (
            pytest.raises(AssertionError, match="another cluster is at this subnet"),
            Cluster.make(made.folder, 1, OWN_SUBNET, supernet=OWN_SUPERNET),
        ):
            pass
        rests.kill(rests.cgroups(made.mark))
        rests.remove(made.mark, made.folder, (made.subnet, IPv4Network("10.87.8.128/25")), "4278198272")
        assert made.leftovers() == []
    assert client.returncode == guest.returncode == -signal.SIGKILL
    device = next(trace for trace in found if trace.startswith("loop device: /dev/loop"))
    assert sorted(found) == sorted([
        f"process: {client.pid} sleep 61", f"process: {guest.pid} sleep 62", "namespace: MARK-m1", "link: MARK",
        "route: 10.87.8.128/25 unreachable", "route: 10.87.9.0/24 unreachable", device, "mount: FOLDER/mounted",
        "nft table: ip MARK", f"cgroup: {rests.hierarchies()[0]}/MARK-m1", "folder: FOLDER",
    ])  # fmt: skip


def test_what_somebody_else_left_makes_the_removal_fail(tmp_path: Path) -> None:
    """A route of a lab that is in the class's subnets stays, and is named."""
    made = Cluster(tmp_path / "planted", 1, IPv4Network(OWN_SUBNET), IPv4Network(OWN_SUPERNET))
    process.run("ip", "route", "add", "unreachable", "10.87.8.128/25", "metric", "77")
    try:
        with pytest.raises(AssertionError, match=r"route: 10\.87\.8\.128/25 unreachable"):
            made.remove()
    finally:
        process.run("ip", "route", "delete", "unreachable", "10.87.8.128/25", "metric", "77")
    made.remove()


def test_ctrl_c_leaves_nothing() -> None:
    """A whole cluster of one member, interrupted twice while a test would have run, and also while it comes up."""
    made = Cluster(open_folder() / "own", 1, IPv4Network(OWN_SUBNET), IPv4Network(OWN_SUPERNET))
    for ready in (True, False):
        with subprocess.Popen(
            [sys.executable, "-c", OWN, made.folder, OWN_SUBNET, OWN_SUPERNET], cwd=CHECKOUT, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        ) as own:  # fmt: skip
            assert own.stdout and own.stderr
            if ready:
                assert own.stdout.readline() == "up\n", own.stderr.read()
            else:
                wait_for("the daemon's start", (made.folder / "m1.log").exists, within_s=30, every_s=0.01)
            own.send_signal(signal.SIGINT)
            if ready:
                own.send_signal(signal.SIGINT)
            assert own.wait(timeout=60) != 0
            assert "KeyboardInterrupt" in own.stderr.read()
        assert made.leftovers() == []
    made.folder.parent.rmdir()
