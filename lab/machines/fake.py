"""Machines that exist only in memory. It ships beside the real ones and keeps the same contract."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from lab.errors import UsageError
from lab.host import SshTarget
from lab.machines.capabilities import EVERYTHING, Capability
from lab.machines.protocol import State
from lab.topology import Lab


class FakeMachines:
    """The guests of a lab as a dictionary of states.

    Attributes:
        capabilities: what they can do; a test may take some away.
        disks: the files that somebody wrote in each guest since it was made: name of the host → path → text.
    """

    def __init__(self, lab: Lab) -> None:
        self.capabilities: frozenset[Capability] = EVERYTHING
        self._states = {host.name: State.ABSENT for host in lab.hosts}
        self._lab = lab
        self.disks: dict[str, dict[str, str]] = {host.name: {} for host in lab.hosts}
        self._saves: dict[str, dict[str, dict[str, str]]] = {}

    def tidy(self) -> None:
        """Nothing here is ever half made."""

    def create(self) -> tuple[str, ...]:
        """Everything runs; the names that did not before."""
        changed = tuple(name for name, state in self._states.items() if state is not State.RUNNING)
        self._states.update(dict.fromkeys(changed, State.RUNNING))
        return changed

    def destroy(self) -> None:
        """Nothing exists."""
        self._states = dict.fromkeys(self._states, State.ABSENT)
        self._saves.clear()
        for disk in self.disks.values():
            disk.clear()

    def states(self) -> Mapping[str, State]:
        """The state of every host."""
        return dict(self._states)

    def power_on(self, name: str) -> None:
        """A stopped guest runs."""
        if self._states[name] is State.STOPPED:
            self._states[name] = State.RUNNING

    def power_off(self, name: str, *, graceful: bool = True) -> None:
        """A running guest is stopped."""
        if self._states[name] is State.RUNNING:
            self._states[name] = State.STOPPED

    def renew(self, name: str) -> None:
        """The guest runs, and its disk is as new."""
        if self._states[name] is State.ABSENT:
            raise UsageError(f"{name} does not exist yet", "lab up makes what is missing")
        self._states[name] = State.RUNNING
        self.disks[name].clear()

    def save(self, id: str) -> int:
        """The disks are copied; a byte of text takes a byte."""
        self._saves[id] = {name: dict(disk) for name, disk in self.disks.items()}
        return sum(len(text) for disk in self.disks.values() for text in disk.values())

    def restore(self, id: str) -> None:
        """The disks are as they were; all guests run."""
        for name, disk in self._saves[id].items():
            self.disks[name].clear()
            self.disks[name].update(disk)
        self._states = dict.fromkeys(self._states, State.RUNNING)

    def saves(self) -> Mapping[str, frozenset[str]]:
        """Every host has all of them."""
        return {name: frozenset(self._saves) for name in self.disks}

    def prune(self, keep: Collection[str]) -> None:
        """The others are gone."""
        self._saves = {id: disks for id, disks in self._saves.items() if id in keep}

    def targets(self) -> tuple[SshTarget, ...]:
        """An address for each host, with keys that do not exist."""
        return tuple(
            SshTarget(host.name, str(host.address), 22, "vagrant", "/nonexistent/key", "/nonexistent/known_hosts")
            for host in self._lab.hosts
        )
