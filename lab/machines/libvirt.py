"""libvirt's own command: virsh."""

from __future__ import annotations

from collections.abc import Mapping

from lab import process
from lab.machines.protocol import State
from lab.machines.switch import states_from

URI = "qemu:///system"


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
        self._virsh("undefine", guest, "--remove-all-storage")

    def _virsh(self, *argv: str) -> str:
        return process.run("virsh", "--connect", URI, *argv).stdout
