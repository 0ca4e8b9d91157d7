"""libvirt's own command: virsh."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from lab import process
from lab.machines.protocol import State
from lab.machines.switch import SHUTDOWN_S, states_from
from lab.parallel import together
from lab.waiting import wait_for

URI = "qemu:///system"
_ID = re.compile(r"[0-9a-f]{8}")
"""What the lab's own snapshots are called; others are left alone."""


class Libvirt:
    """The domains of this computer."""

    def guests(self) -> Mapping[str, State]:
        """Every domain."""
        every = self._virsh("list", "--all", "--name").split()
        return states_from(every, self._virsh("list", "--state-running", "--name").split())

    def start(self, guest: str) -> None:
        """Start the domain."""
        self._virsh("start", guest)

    def shut_down(self, guest: str) -> None:
        """Press its power button."""
        self._virsh("shutdown", guest)

    def cut(self, guest: str) -> None:
        """Take its power."""
        self._virsh("destroy", guest)

    def remove(self, guest: str) -> None:
        """Remove the domain and its disk."""
        self._virsh("undefine", guest, "--remove-all-storage", "--snapshots-metadata")

    def save(self, guests: Collection[str], id: str) -> int:
        """Take a snapshot inside each disk, with all guests shut down; those that ran are booted again.

        A snapshot takes next to nothing when it is made, and grows with what is written afterwards: 0.

        Raises:
            HostUnreachable: a guest did not shut down in time.
        """
        running = [guest for guest in guests if self._runs(guest)]
        try:
            together(running, self._shut_down_and_wait)
            together(guests, lambda guest: self._virsh("snapshot-create-as", guest, id, "--atomic"))
        finally:
            together([guest for guest in running if not self._runs(guest)], self.start)
        return 0

    def restore(self, guest: str, id: str) -> None:
        """Take its power, go back to the snapshot, and start it."""
        if self._runs(guest):
            self.cut(guest)
        self._virsh("snapshot-revert", guest, id)
        self.start(guest)

    def saves(self, guest: str) -> frozenset[str]:
        """The names of its snapshots that are ids of ours."""
        if guest not in self.guests():
            return frozenset()
        return frozenset(filter(_ID.fullmatch, self._virsh("snapshot-list", guest, "--name").split()))

    def prune(self, guest: str, keep: Collection[str]) -> None:
        """Delete its other snapshots of ours; libvirt leaves no half ones."""
        for id in sorted(self.saves(guest) - set(keep)):
            self._virsh("snapshot-delete", guest, id)

    def _runs(self, guest: str) -> bool:
        return self.guests().get(guest) is State.RUNNING

    def _shut_down_and_wait(self, guest: str) -> None:
        self.shut_down(guest)
        wait_for(
            f"power off of {guest}", lambda: not self._runs(guest), within_s=SHUTDOWN_S,
            mend="`lab halt --force` takes its power",
        )  # fmt: skip

    def _virsh(self, *argv: str) -> str:
        return process.run("virsh", "--connect", URI, *argv).stdout
