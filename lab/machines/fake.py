"""Machines that exist only in memory. It ships beside the real ones and keeps the same contract."""

from __future__ import annotations

from collections.abc import Mapping

from lab.host import SshTarget
from lab.machines.protocol import State
from lab.topology import Lab


class FakeMachines:
    """The guests of a lab as a dictionary of states."""

    def __init__(self, lab: Lab) -> None:
        self._states = {host.name: State.ABSENT for host in lab.hosts}
        self._lab = lab

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

    def targets(self) -> tuple[SshTarget, ...]:
        """An address for each host, with keys that do not exist."""
        return tuple(
            SshTarget(host.name, str(host.address), 22, "vagrant", "/nonexistent/key", "/nonexistent/known_hosts")
            for host in self._lab.hosts
        )
