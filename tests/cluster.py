"""A class's cluster of the tests' own: LXD members that are namespaces of this computer, and proof that none stays."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any
from zlib import crc32

from lab import inotify, process
from lab.errors import CommandFailed, Result
from lab.network import WALL_METRIC
from lab.signals import shielded
from lab.waiting import wait_for
from tests import cluster_leftovers as rests
from tests import simple_quotas
from tests.emulated import emulating, how_vms_run

PORT = 8443
START_S = 90
_LIFE = """
set -e
for kind in {cgroups}; do
    mkdir -p $kind/init.scope
    for file in cpuset.cpus cpuset.mems; do
        [ ! -e $kind/$file ] || {{ cat $kind/../$file > $kind/$file; cat $kind/$file > $kind/init.scope/$file; }}
    done
    if [ -e $kind/cgroup.controllers ]; then
        for each in $(cat $kind/cgroup.controllers); do echo +$each > $kind/cgroup.subtree_control; done
    fi
    echo $$ > $kind/init.scope/cgroup.procs
done
exec unshare --mount --pid --fork sh -ec '
    mount --rbind /sys/fs/cgroup {folder}/cgroup
    exec nsenter --net=/run/netns/{link} sh -ec "
        mount -t proc proc /proc
        echo {first_pid} > /proc/sys/kernel/ns_last_pid
        umount -l /sys; mount -t sysfs sysfs /sys; mount --rbind {folder}/cgroup /sys/fs/cgroup
        lxd --group root {flags} & wait
    "
'
"""
"""A member's life: cgroups of its own, from before its first process; mounts and processes of its own, which end with
its first one; the cgroups kept aside while /sys becomes that of its network; process ids that another life never had.
"""


@dataclass(frozen=True)
class Cluster:
    """The members m1, m2, …, each a network namespace on one bridge; `lives` counts how often each was started.

    Attributes:
        folder: of the members' files and the daemons' logs; removed with the cluster.
        size: how many members.
        subnet: the members are at its first addresses, this computer is at its last.
        supernet: what the class's labs get their subnets from; without a lab no packet for it leaves this computer.
        pool_gb: of each member's pool, a btrfs file.
        debug: whether the daemons' logs tell each request.
        vms: the members that start virtual machines, if need be emulated.
        limits: this computer's limit of inotify instances, as it was before ours; on members of a class it is raised.
    """

    folder: Path
    size: int
    subnet: IPv4Network
    supernet: IPv4Network
    pool_gb: int = 12
    debug: bool = False
    vms: tuple[str, ...] = ()
    lives: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    limits: list[str] = field(default_factory=list)
    _count: list[str] = field(default_factory=list)

    @classmethod
    @contextmanager
    def make(
        cls, folder: Path, members: int = 3, subnet: str = "10.87.0.0/24", pool_gb: int = 12,
        supernet: str = "10.96.0.0/14", debug: bool = False, vms: tuple[str, ...] = (),
    ) -> Iterator[Cluster]:  # fmt: skip
        """A cluster whose members are all online; removed at the end, however that comes, with proof.

        Raises:
            AssertionError: something of another cluster with this subnet is still there, or has stayed.
            CommandFailed: a member did not come up; its log is in the message.
        """
        made = cls(folder, members, IPv4Network(subnet), IPv4Network(supernet), pool_gb, debug, vms)
        if left := made.leftovers():
            raise AssertionError("\n".join(["another cluster is at this subnet or in this folder:", *left]))
        if closed := [str(each) for each in folder.absolute().parents if not each.stat().st_mode & 0o001]:
            raise AssertionError(f"guests are nobody on this computer and cannot go through {closed}")
        try:
            made.up()
            yield made
        finally:
            with shielded():
                made.remove()

    @property
    def mark(self) -> str:
        """What every interface, namespace and cgroup of this cluster is named after: its subnet."""
        return f"lc{crc32(str(self.subnet).encode()):08x}"

    @property
    def names(self) -> list[str]:
        """The members' names."""
        return [f"m{number}" for number in range(1, self.size + 1)]

    def address(self, member: str) -> str:
        """Where a member is, for this computer and for the others."""
        return str(self.subnet.network_address + int(member[1:]))

    @property
    def teacher(self) -> IPv4Address:
        """This computer's own address among the members."""
        return self.subnet.broadcast_address - 1

    @property
    def urls(self) -> list[str]:
        """Every member's API."""
        return [f"https://{self.address(member)}:{PORT}" for member in self.names]

    @property
    def url(self) -> str:
        """The first member's API."""
        return self.urls[0]

    def home(self, member: str) -> Path:
        """The member's LXD_DIR."""
        return self.folder / member

    def log(self, member: str) -> Path:
        """What the member's daemon says."""
        return self.folder / f"{member}.log"

    def up(self) -> None:
        """The wall first, then the bridge and the daemons, all at once, then one cluster of them."""
        self.limits.append(inotify.LIMIT.read_text())
        inotify.LIMIT.write_text(f"{inotify.ENOUGH}\n")
        for network in (self.supernet, self.subnet):
            process.run("ip", "route", "add", "unreachable", str(network), "metric", WALL_METRIC)
        self.folder.mkdir(parents=True, exist_ok=True)
        process.run("ip", "link", "add", self.mark, "type", "bridge")
        process.run("ip", "address", "add", f"{self.teacher}/{self.subnet.prefixlen}", "dev", self.mark)
        process.run("ip", "link", "set", self.mark, "up")
        for member in self.names:
            self._begin(member)
        with ThreadPoolExecutor(self.size) as pool:
            list(pool.map(self._wait, self.names))
        first, *others = self.names
        self._preseed(first, {
            "config": {"core.https_address": f"{self.address(first)}:{PORT}"},
            "storage_pools": [{"name": "default", "driver": "btrfs", "config": {"size": f"{self.pool_gb}GiB"}}],
            "cluster": {"server_name": first, "enabled": True},
        })  # fmt: skip
        for member in others:
            size = {"entity": "storage-pool", "name": "default", "key": "size", "value": f"{self.pool_gb}GiB"}
            self._preseed(member, {"cluster": {
                "enabled": True, "server_address": f"{self.address(member)}:{PORT}", "server_name": member,
                "cluster_token": self.lxc(first, "cluster", "add", "-q", member).split()[-1], "member_config": [size],
            }})  # fmt: skip
        for member in self.names:
            self.run(member, sys.executable, simple_quotas.__file__, self.home(member) / "storage-pools" / "default")

    def start(self, member: str) -> None:
        """The computer has power again; returns when its daemon answers."""
        self._begin(member)
        self._wait(member)

    def kill(self, member: str) -> None:
        """The computer dies: its daemon, its guests and everything else of it at once, and it is gone from the net."""
        process.run("ip", "link", "delete", self._link(member))
        rests.kill(self._cgroups(member))
        if member in self.lives:
            self.lives.pop(member).wait()
        process.run("ip", "netns", "delete", self._link(member))
        wait_for(f"the disk of {member} let go", lambda: not rests.loops(self.home(member)), within_s=10)

    def query(self, member: str, method: str, path: str, body: object = None, timeout_s: float = 60) -> Any:
        """What a member's API says to a request by its socket; an operation is waited for.

        Raises:
            CommandFailed: the API said an error.
        """
        data = [] if body is None else ["-d", json.dumps(body)]
        said = self.lxc(member, "query", "--wait", "-X", method, *data, path, timeout_s=timeout_s)
        return json.loads(said) if said.strip() else None

    def lxc(self, member: str, *argv: str | Path, timeout_s: float = 60, stdin: str = "") -> str:
        """What the command `lxc` at a member prints."""
        return process.run("lxc", *argv, timeout_s=timeout_s, stdin=stdin, env=self._env(member)).stdout

    def token(self, name: str) -> str:
        """A token by which a client of that name makes itself trusted, once."""
        return self.lxc(self._living(), "config", "trust", "add", "-q", "--name", name).split()[-1]

    def inside(self, project: str, instance: str, script: str, timeout_s: float = 60) -> Result:
        """Run a script of sh in a guest as its root; ended by force in time, with code 124 or 137."""
        bounded = ("timeout", "-k", "2", f"{timeout_s:.0f}", "sh", "-c", script)
        words = ("exec", "--project", project, "-n", "-T", instance, "--", *bounded)
        try:
            return process.run("lxc", *words, check=False, timeout_s=timeout_s + 10, env=self._env(self._living()))
        except CommandFailed as late:
            return late.result

    def run(self, member: str, *argv: str | Path, check: bool = True, timeout_s: float = 60) -> Result:
        """Run a command on a member, as its root, with its processes, mounts and interfaces."""
        first = rests.first_process(self._cgroups(member))
        return process.run("nsenter", "-t", str(first), "-m", "-p", "-n", *argv, check=check, timeout_s=timeout_s)

    def states(self) -> dict[str, str]:
        """What the cluster says of each member: Online, Offline or another word; nothing while it elects a leader."""
        try:
            listed = self.query(self._living(), "GET", "/1.0/cluster/members?recursion=1")
        except CommandFailed:
            return {}
        return {member["server_name"]: member["status"] for member in listed}

    def wait_online(self, *members: str, within_s: float = START_S) -> None:
        """Wait until the cluster says Online of these members; of all when none is named."""

        def online() -> bool:
            states = self.states()
            return all(states.get(member) == "Online" for member in members or self.names)

        wait_for(f"members of {self.mark} online", online, within_s=within_s, every_s=0.5)

    @property
    def routes(self) -> list[str]:
        """The networks of labs that this computer has a route or a wall for; its own wall before all of them too."""
        return [network for network, _ in rests.routes([self.supernet])]

    def leftovers(self) -> list[str]:
        """Everything on this computer that this cluster has made, or another at the same place."""
        return rests.found(self.mark, self.folder, (self.subnet, self.supernet))

    def remove(self) -> None:
        """End and remove everything, whatever state it is in, the wall last; and prove that nothing is left."""
        rests.kill(rests.cgroups(self.mark))
        for life in self.lives.values():
            life.wait()
        self.lives.clear()
        rests.remove(self.mark, self.folder, (self.subnet, self.supernet), WALL_METRIC)
        while self.limits:
            inotify.LIMIT.write_text(self.limits.pop())
        if left := self.leftovers():
            raise AssertionError("\n".join(["this has stayed:", *left]))

    def _begin(self, member: str) -> None:
        """Its cable is plugged in, and the daemon starts."""
        link, home = self._link(member), self.home(member)
        inside = ("ip", "-n", link)
        for folder in (home / "cgroup", home / "tmp", self.folder / "client"):
            folder.mkdir(parents=True, exist_ok=True)
        process.run("ip", "netns", "add", link)
        process.run("ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", link)
        process.run("ip", "link", "set", link, "master", self.mark, "up")
        process.run(*inside, "address", "add", f"{self.address(member)}/{self.subnet.prefixlen}", "dev", "eth0")
        for interface in ("eth0", "lo"):
            process.run(*inside, "link", "set", interface, "up")
        self._count.append(member)
        script = _LIFE.format(
            cgroups=" ".join(map(str, self._cgroups(member))), folder=home, link=link,
            first_pid=self._count.count(member) * 4000, flags="--debug" if self.debug else "",
        )  # fmt: skip
        emulates = member in self.vms and how_vms_run() == "qemu"
        more = emulating(home / "programs") if emulates else {}
        with self.log(member).open("ab") as log:
            self.lives[member] = subprocess.Popen(
                ["sh", "-c", script], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env=self._env(member, TMPDIR=str(home / "tmp"), **more),
            )  # fmt: skip

    def _wait(self, member: str) -> None:
        done = process.run(
            "lxd", "waitready", f"--timeout={START_S}", check=False, timeout_s=START_S + 10, env=self._env(member)
        )
        if not done.ok:
            raise CommandFailed(member, Result(done.command, done.code, self.log(member).read_text(), done.stderr))

    def _preseed(self, member: str, wish: Mapping[str, object]) -> None:
        process.run("lxd", "init", "--preseed", stdin=json.dumps(wish), env=self._env(member))

    def _env(self, member: str, **more: str) -> dict[str, str]:
        """So that `lxd` and `lxc` talk to this member and write nothing into anybody's home."""
        clean = {"LXD_DIR": str(self.home(member)), "LXD_CONF": str(self.folder / "client")}
        return {**rests.environment(), **clean, **more}

    def _link(self, member: str) -> str:
        return f"{self.mark}-{member}"

    def _cgroups(self, member: str) -> list[Path]:
        return [kind / self._link(member) for kind in rests.hierarchies()]

    def _living(self) -> str:
        return next(member for member in self.names if member in self.lives)
