"""Machines that LXD makes, on this computer or another, in a project of the lab's own.

They are unprivileged containers, or virtual machines where the lab's image is one of these.

What is asked of each machine is what its owner may not exceed: memory, processes, processors, disk. Right after it is
made a snapshot of it is taken, if the engine says so, which is what it is renewed from; a save is a snapshot of all.
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import cached_property
from typing import Any

from lab import keys
from lab.errors import EnvironmentProblem, UsageError
from lab.home import Home, cache
from lab.host import SshTarget
from lab.lxd import golden, projects, trace
from lab.lxd.client import Lxd, LxdFailed, connect
from lab.lxd.instances import FRESH, definition
from lab.lxd.kind import has_vms
from lab.lxd.members import members
from lab.machines.capabilities import capabilities_of
from lab.machines.protocol import State
from lab.parallel import together
from lab.topology import Lab
from lab.waiting import wait_for

SHUTDOWN_S = 20
BUSY_S = 60
NOBODYS = 65536
"""The first user id that LXD 5.0.2 gives by mistake, when another machine is half made."""
TRIES = 5
ROOM = 256 * 2**20
"""What a pool must have left beside a save, in bytes."""
SHARING = ("btrfs", "zfs", "lvm", "ceph")
"""Drivers whose snapshots share what has not changed."""
_STATES = {"Stopped": State.STOPPED, "Error": State.STOPPED}


class LxdMachines:
    """The machines of a lab at an LXD.

    Args:
        lab: the topology; its engine says which LXD, and what each machine may take.
        home: the lab's folder; its id is the owner of the project.
    """

    capabilities = capabilities_of("lxd")

    def __init__(self, lab: Lab, home: Home) -> None:
        self._lab = lab
        self._home = home
        self._project = projects.project_of(lab, home)

    @cached_property
    def lxd(self) -> Lxd:
        """The LXD, asked for the first time."""
        return connect(self._lab.engine, self._home.folder)

    def tidy(self) -> None:
        """Nothing here is ever half made: LXD takes back what it could not finish."""

    def create(self) -> tuple[str, ...]:
        """Make and boot what is absent, power on what is stopped, all at once; the names that changed.

        Raises:
            LxdFailed: LXD could not; what it made so far is taken up by the next call.
        """
        there = self._instances()
        states = _states(self._names, there)
        changed = tuple(name for name in self._names if states[name] is not State.RUNNING)
        absent = [name for name in changed if states[name] is State.ABSENT]
        self._on([name for name in there if there[name]["status"] == "Frozen"], "unfreeze")
        if absent:
            trace.leave(self._home, self.lxd.place)
            projects.ensure(self.lxd, self._lab, self._home)
        member = self._member(there) if absent else ""
        source = self._golden(member) if absent else ""

        def up(name: str) -> None:
            if name in absent:
                self._make(name, member, source)
            elif there[name]["last_used_at"].startswith("1970"):  # made by an `up` that was cut off then
                self._keep_fresh(name)
            self._start(name)

        together(changed, up)
        return changed

    def destroy(self) -> None:
        """Remove all machines of the project, and the project."""
        if trace.in_use(self._home) or self._lab.provider == "lxd":
            together(list(self._instances()), self._remove)
            projects.remove(self.lxd, self._lab, self._home)

    def states(self) -> Mapping[str, State]:
        """The state of every host, with one question."""
        return _states(self._names, self._instances())

    def power_on(self, name: str) -> None:
        """Give a machine power; nothing when it is on."""
        found = self._instances().get(self._lab[name].name, {}).get("status")
        if found == "Frozen":
            self._set(name, "unfreeze")
        elif found not in (None, "Running"):
            self._start(name)

    def power_off(self, name: str, *, graceful: bool = True) -> None:
        """Shut a machine down, and after 20 s kill it; or kill it at once. Nothing when it is off."""
        if self.states()[self._lab[name].name] is State.RUNNING:
            self._stop(name, graceful=graceful)

    def renew(self, name: str) -> None:
        """Put a machine back to what it was when it was made, and start it; where that is not kept, make it again.

        Saves stay, unless it has to be made again.

        Raises:
            UsageError: it does not exist yet.
        """
        there = self._instances()
        if self._lab[name].name not in there:
            raise UsageError(f"{name} does not exist yet", "lab up makes what is missing")
        self._stop(name)
        try:
            self._put_back(name, FRESH)
        except LxdFailed:  # no such snapshot, or a driver that goes back to the last one only
            member = there[name]["location"] if self.lxd.is_clustered else ""
            self._remove(name)
            self._make(name, member, self._golden(member))
        self._start(name)

    def save(self, id: str) -> int:
        """Take a snapshot of every machine, all frozen meanwhile; the bytes that these take by themselves.

        Virtual machines are shut down for it: what one has not written to its disk yet is nowhere else.

        Raises:
            EnvironmentProblem: the pool has no room; nothing was touched.
        """
        there = self._instances()
        self._require_room(there)
        running = [name for name in self._names if there[name]["status"] == "Running"]
        with ExitStack() as held:
            if has_vms(self._home):
                held.callback(together, running, self._start)
                together(running, lambda name: self._stop(name, graceful=True))
            else:
                held.callback(self._on, running, "unfreeze")
                self._on(running, "freeze")
            together(self._names, lambda name: self._post(f"instances/{name}/snapshots", {"name": id}))
        taken = together(self._names, lambda name: self._get(f"instances/{name}/snapshots/{id}"))
        return sum(max(each.get("size", 0), 0) for each in taken)

    def restore(self, id: str) -> None:
        """Take the power of all machines, put their disks back to a save, and start them.

        Raises:
            EnvironmentProblem: a machine has no such save; nothing was touched.
        """
        if lacking := [name for name, ids in self.saves().items() if id not in ids]:
            raise EnvironmentProblem(f"{', '.join(lacking)} has no save {id}", "lab saves shows what there is")

        def back(name: str) -> None:
            self._stop(name)
            self._put_back(name, id)
            self._start(name)

        together(self._names, back)

    def saves(self) -> Mapping[str, frozenset[str]]:
        """The ids of the saves that each machine has."""
        return dict(zip(self._names, together(self._names, self._saves_of), strict=True))

    def prune(self, keep: Collection[str]) -> None:
        """Remove all saves but these."""
        for name, ids in self.saves().items():
            for id in sorted(ids - set(keep)):
                self.lxd.delete(f"instances/{name}/snapshots/{id}", project=self._project)

    def targets(self) -> tuple[SshTarget, ...]:
        """How to reach each host: with our own keys, at its own address."""
        return keys.lxc_targets(self._lab, self._home)

    @property
    def _names(self) -> tuple[str, ...]:
        return tuple(host.name for host in self._lab.hosts)

    def _instances(self) -> dict[str, dict[str, Any]]:
        """What LXD says of each machine of the project; nothing where there is no project."""
        found = self.lxd.find("instances", recursion=1, project=self._project)
        return {each["name"]: each for each in found or ()}

    def _member(self, there: Mapping[str, dict[str, Any]]) -> str:
        """The member that all machines go to: the topology's, where some are already, or the one with most room."""
        if not self.lxd.is_clustered:
            return ""
        if self._lab.engine.member or there:
            return self._lab.engine.member or str(next(iter(there.values()))["location"])
        found = members(self.lxd, self._lab.engine.pool, vms=has_vms(self._home))
        online = [member for member in found if member.online]
        if not online:
            raise EnvironmentProblem(f"{self.lxd.place}: no member of the cluster answers", "lxc cluster list")
        return max(online, key=lambda member: member.memory_free).name

    def _golden(self, member: str) -> str:
        """The machine to copy; empty where each is made from the image, as virtual ones are, and isolated ones."""
        engine = self._lab.engine
        if engine.isolated or has_vms(self._home):
            return ""
        return golden.ensure(self.lxd, self._home.state().box, member, engine.pool)

    def _make(self, name: str, member: str, source: str) -> None:
        if source:
            copied = {"type": "copy", "source": source, "project": golden.PROJECT, "instance_only": True}
            self._make_at_once(name, member, {"source": copied})
        elif has_vms(self._home):
            self._make_vm(name, member)
        else:
            self._make_isolated(name, member)
        self._keep_fresh(name)

    def _make_vm(self, name: str, member: str) -> None:
        """Make it from the image; again where LXD 5.0.2 has asked qemu-img of it and not waited for the answer.

        That was so with 1 of 18 made three at a time; LXD leaves nothing of one.
        """
        for left in reversed(range(TRIES)):
            try:
                self._make_at_once(name, member, {})
                return
            except LxdFailed as fault:
                if "unexpected end of JSON input" not in fault.said or not left:
                    raise

    def _make_at_once(self, name: str, member: str, other: Mapping[str, Any]) -> None:
        try:
            self._post("instances", {**definition(self._lab, self._home, name), **other}, target=member)
        except LxdFailed as fault:  # an `up` that was cut off goes on there
            if not fault.is_there_already:
                raise
            wait_for(f"{name} at LXD", lambda: name in self._instances(), within_s=BUSY_S)

    def _make_isolated(self, name: str, member: str) -> None:
        first = self._first_name(name)
        try:
            with self._turn(member):
                self._make_with_ids(name, member)
        except LxdFailed as fault:  # an `up` that was cut off goes on there
            if not fault.is_there_already:
                raise
            wait_for(f"{name} at LXD", lambda: first in self._instances(), within_s=BUSY_S)
        self._when_free(lambda: self._post(f"instances/{first}", {"name": name}))

    def _first_name(self, name: str) -> str:
        """What a machine is called until it has its user ids: as no other lab's machine.

        LXD 5.0.2 gives no two machines the same ids, unless they have the same name, in whatever projects they are
        (measured: the akumas of two labs shared theirs).
        """
        return f"lab{self._home.id}-{self._names.index(name)}"

    def _make_with_ids(self, name: str, member: str) -> None:
        """Make it, and hold the user ids that LXD gave it: else it would get others whenever it is put back."""
        first = self._first_name(name)
        body = {**definition(self._lab, self._home, name), "name": first}
        for _ in range(TRIES):
            self._post("instances", body, target=member)
            base = int(self._get(f"instances/{first}")["config"].get("volatile.idmap.base") or 0)
            if base > NOBODYS:
                ids = {"config": {"security.idmap.base": str(base)}}
                self.lxd.patch(f"instances/{first}", ids, project=self._project)
                return
            self._remove(first)
        raise EnvironmentProblem(f"{self.lxd.place}: gives {name} no user ids of its own", "make fewer labs at once")

    @contextmanager
    def _turn(self, member: str) -> Iterator[None]:
        """Wait until no other lab of this user has a machine made at a member.

        LXD 5.0.2 gives a machine user ids that nobody may have when another one is half made beside it (measured: one
        of three made at once does not start). Another computer's labs do not wait: `_make_with_ids` tries again.
        """
        with (cache() / f"lxd-{member or self.lxd.server_name}.lock").open("w", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _keep_fresh(self, name: str) -> None:
        """The snapshot to renew from, before the machine has run for the first time; nothing when there is one.

        LXD looks at every file twice for it, as it does for the copy itself (measured: 46,000 looks each).
        """
        if not self._lab.engine.fresh:
            return
        try:
            self._when_free(lambda: self._post(f"instances/{name}/snapshots", {"name": FRESH}))
        except LxdFailed as fault:
            if not fault.is_there_already:
                raise

    def _start(self, name: str) -> None:
        with _but("already running"):
            self._when_free(lambda: self._set(name, "start"))

    def _stop(self, name: str, *, graceful: bool = False) -> None:
        if graceful:
            with suppress(LxdFailed):
                self._set(name, "stop", timeout=round(SHUTDOWN_S * self._home.state().patience))
                return
        with _but("already stopped"):
            self._when_free(lambda: self._set(name, "stop", force=True))

    def _remove(self, name: str) -> None:
        with suppress(LxdFailed):
            self._stop(name)
        self._when_free(lambda: self.lxd.delete(f"instances/{name}", project=self._project))

    def _on(self, names: Collection[str], action: str) -> None:
        together(names, lambda name: self._set(name, action))

    def _set(self, name: str, action: str, **more: int | bool) -> None:
        self.lxd.put(f"instances/{name}/state", {"action": action, "timeout": 30, **more}, project=self._project)

    def _put_back(self, name: str, snapshot: str) -> None:
        self._when_free(lambda: self.lxd.put(f"instances/{name}", {"restore": snapshot}, project=self._project))

    def _saves_of(self, name: str) -> frozenset[str]:
        found = self.lxd.find(f"instances/{name}/snapshots", project=self._project) or ()
        return frozenset(path.rpartition("/")[2].partition("?")[0] for path in found) - {FRESH}

    def _require_room(self, there: Mapping[str, dict[str, Any]]) -> None:
        if lacking := [name for name in self._names if name not in there]:
            raise UsageError(f"{lacking[0]} does not exist yet", "lab up makes what is missing")
        pool, member = self._lab.engine.pool, there[self._names[0]].get("location", "")
        target = member if self.lxd.is_clustered else ""
        space = self.lxd.get(f"storage-pools/{pool}/resources", target=target)["space"]
        needed = ROOM
        if self.lxd.get(f"storage-pools/{pool}")["driver"] not in SHARING:
            needed += sum(self._used(name) for name in self._names)
        free = space["total"] - space.get("used", 0)
        if free < needed:
            raise EnvironmentProblem(
                f"only {free / 2**30:.1f} GiB are free in LXD's pool {pool}; the save needs {needed / 2**30:.1f} GiB",
                "make room there, or `lab saves --remove` an old one",
            )

    def _used(self, name: str) -> int:
        """What the machine's disk takes; where the pool cannot tell, all that it may."""
        told = self._get(f"instances/{name}/state").get("disk") or {}
        return int(told.get("root", {}).get("usage", 0)) or self._lab.engine.disk_gb * 2**30

    def _get(self, path: str) -> Any:
        return self.lxd.get(path, project=self._project)

    def _post(self, path: str, body: Any, target: str = "") -> None:
        self.lxd.post(path, body, project=self._project, target=target)

    def _when_free(self, act: Callable[[], object]) -> None:
        """Act; where LXD still works at the machine for a command that was cut off, once it has done so."""

        def done() -> bool:
            try:
                act()
            except LxdFailed as fault:
                if fault.is_busy:
                    return False
                raise
            return True

        wait_for(f"LXD's work in {self._project}", done, within_s=BUSY_S)


@contextmanager
def _but(said: str) -> Iterator[None]:
    """Let LXD's refusal pass that says that what was wanted is so already."""
    try:
        yield
    except LxdFailed as fault:
        if said not in fault.said.lower():
            raise


def _states(names: Collection[str], there: Mapping[str, dict[str, Any]]) -> dict[str, State]:
    return {
        name: _STATES.get(there[name]["status"], State.RUNNING) if name in there else State.ABSENT for name in names
    }
