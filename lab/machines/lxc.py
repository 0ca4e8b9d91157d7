"""LXC's own commands: lxc-start and lxc-stop, under a second."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import ExitStack
from dataclasses import replace

from lab import process
from lab.errors import CommandFailed
from lab.machines import layers
from lab.machines.layers import despite_flags
from lab.machines.protocol import State
from lab.machines.switch import states_from
from lab.parallel import together

SHUTDOWN_S = 20
_NOT_RUNNING = 2
"""lxc-stop's exit code where there is nothing to stop."""


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
        """Kill all its processes; nothing when it has just ended by itself."""
        done = process.as_root("lxc-stop", "--name", guest, "--kill", check=False)
        if done.code not in (0, _NOT_RUNNING):
            raise CommandFailed("this computer", done)

    def remove(self, guest: str) -> None:
        """Remove the container's folder."""
        process.as_root("lxc-destroy", "--name", guest, "--force")

    def renew(self, guest: str) -> None:
        """Give the container an empty layer over its box, and start it.

        The old layer is moved aside in one step, so a renewal that is interrupted leaves it whole, or none of it; the
        next one goes on from there. It is removed while the container boots.

        Raises:
            EnvironmentProblem: the container is not a layer over a box; nothing was touched.
        """
        stack = layers.stack_of(guest, "made anew")
        layer = stack.own
        aside = layer.with_name("aside")
        self.cut(guest)
        despite_flags(aside, "rm", "-rf", aside)
        if process.as_root("test", "-d", layer, check=False).ok:
            despite_flags(layer, "mv", "-T", layer, aside)
        if stack.saved:
            layers.restack(replace(stack, saved=()))
        process.as_root("mkdir", "-m", "755", layer)  # the mode of the guest's `/`
        self.start(guest)
        despite_flags(aside, "rm", "-rf", aside)

    def save(self, guests: Collection[str], id: str) -> int:
        """Copy the own layers of these containers, all frozen meanwhile; the bytes of the copies.

        Should we die before they are thawed, they are all the same.

        Raises:
            UsageError: a container stands on too many saves; nothing was touched.
            EnvironmentProblem: no room, or a container is not a layer over a box; nothing was touched.
        """
        stacks = {guest: layers.stack_of(guest, "saved") for guest in guests}
        for guest, stack in stacks.items():
            layers.refuse_too_deep(stack, guest)
        layers.require_room(stacks.values())
        states = self.guests()
        running = [guest for guest in guests if states.get(guest) is State.RUNNING]
        with ExitStack() as held:
            for guest in running:
                held.callback(process.Will("lxc-unfreeze", "--name", guest).execute)
            together(running, lambda guest: process.as_root("lxc-freeze", "--name", guest))
            together(guests, lambda guest: layers.copy(stacks[guest], id))
        together(guests, lambda guest: layers.seal(stacks[guest], id))
        return sum(together(guests, lambda guest: layers.size(stacks[guest].save(id))))

    def restore(self, guest: str, id: str) -> None:
        """Start the container with an empty layer over the saved one.

        The configuration is replaced in one move; `prune` removes the layer that was in use before.

        Raises:
            EnvironmentProblem: the container is not a layer over a box, or has no such save; nothing was touched.
        """
        stack = layers.restored(layers.stack_of(guest, "restored"), id)
        self.cut(guest)
        layers.restack(stack)
        process.as_root("rm", "-rf", stack.folder / "work")  # the kernel may bind it to the layer that it served
        self.start(guest)

    def saves(self, guest: str) -> frozenset[str]:
        """The ids of its whole saves."""
        return layers.sealed(layers.folder_of(guest))

    def prune(self, guest: str, keep: Collection[str]) -> None:
        """Remove its other saves, and layers that it does not stand on any more; nothing when it does not exist."""
        if guest in self.guests():
            layers.prune(layers.stack_of(guest, "tidied"), keep)
