"""LXC's own commands: lxc-start and lxc-stop, under a second."""

from __future__ import annotations

from collections.abc import Mapping

from lab import process
from lab.machines.protocol import State
from lab.machines.switch import states_from

SHUTDOWN_S = 20


class Lxc:
    """The containers of this computer."""

    def guests(self) -> Mapping[str, State]:
        """Every container; one that is only half started or frozen counts as running."""
        every = process.as_root("lxc-ls", "-1").stdout.split()
        return states_from(every, process.as_root("lxc-ls", "-1", "--active").stdout.split())

    def start(self, guest: str) -> None:
        """Start the container in the background."""
        process.as_root("lxc-start", "--name", guest, "--daemon")

    def shut_down(self, guest: str) -> None:
        """Let its init end it; after 20 s its processes are killed."""
        process.as_root("lxc-stop", "--name", guest, "--timeout", str(SHUTDOWN_S))

    def cut(self, guest: str) -> None:
        """Kill all its processes."""
        process.as_root("lxc-stop", "--name", guest, "--kill")

    def remove(self, guest: str) -> None:
        """Remove the container's folder."""
        process.as_root("lxc-destroy", "--name", guest, "--force")
