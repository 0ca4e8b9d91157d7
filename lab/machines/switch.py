"""The switch of every provider: what is common to lxc-start, virsh and VBoxManage.

Each provider names its six commands as a `PowerTool`; the asking, the waiting and the rule that
doing a thing twice is harmless are written once, here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from time import monotonic
from typing import Protocol, runtime_checkable

from lab.errors import CommandFailed, UsageError
from lab.machines.protocol import State
from lab.parallel import together
from lab.waiting import wait_for

SHUTDOWN_S = 60
PRESS_AGAIN_S = 15
"""A guest whose system is still starting does not notice its power button: it is pressed again."""


class PowerTool(Protocol):
    """A provider's commands. Guests go by the name that the provider knows them under."""

    def guests(self) -> Mapping[str, State]:
        """Every guest that the provider has, with its state."""
        ...

    def start(self, guest: str) -> None:
        """Power on a stopped guest."""
        ...

    def shut_down(self, guest: str) -> None:
        """Ask a running guest to shut down; may return before it has."""
        ...

    def cut(self, guest: str) -> None:
        """Take a running guest's power."""
        ...

    def remove(self, guest: str) -> None:
        """Remove a stopped guest with its disk."""
        ...


@runtime_checkable
class Renewer(Protocol):
    """A provider that can put a guest back to its box without making it again: one more command of a `PowerTool`."""

    def renew(self, guest: str) -> None:
        """Take the power of a guest in any state, throw away what was written in it, and start it."""
        ...


@runtime_checkable
class Saver(Protocol):
    """A provider that can keep disks as they are: four more commands of a `PowerTool`."""

    def save(self, guests: Collection[str], id: str) -> int:
        """Keep the disks of these guests as they are at one point of time; the bytes that this takes."""
        ...

    def restore(self, guest: str, id: str) -> None:
        """Take the power of a guest in any state, put its disk back in one step, and start it."""
        ...

    def saves(self, guest: str) -> frozenset[str]:
        """The ids of the whole saves of a guest; none when it does not exist."""
        ...

    def prune(self, guest: str, keep: Collection[str]) -> None:
        """Remove all its saves but these, and what interrupted work has left."""
        ...


@runtime_checkable
class Keeper(Protocol):
    """A provider whose boxes are not yet the lab's: what `renew` goes back to is kept once a guest is finished."""

    def keep(self, guest: str) -> None:
        """Remember a guest's disk as it is; nothing when one is remembered."""
        ...


class Switch:
    """Switches the guests of one lab: those whose names begin with its prefix."""

    def __init__(self, tool: PowerTool, prefix: str, patience: float = 1.0) -> None:
        self._tool = tool
        self._prefix = prefix
        self._patience = patience

    def states(self, names: Collection[str]) -> Mapping[str, State]:
        """The state of each host."""
        found = self._tool.guests()
        return {name: found.get(self._prefix + name, State.ABSENT) for name in names}

    def on(self, name: str) -> None:
        """Give power; nothing when it is on."""
        if self._state(name) is State.STOPPED:
            self._tool.start(self._prefix + name)

    def off(self, name: str, *, graceful: bool) -> None:
        """Shut down within 60 s (longer where guests are emulated), or take the power at once; twice is once.

        Raises:
            HostUnreachable: the guest did not shut down in time.
        """
        if self._state(name) is not State.RUNNING:
            return
        press = self._tool.shut_down if graceful else self._tool.cut
        press(self._prefix + name)
        pressed_at = monotonic()

        def is_off() -> bool:
            nonlocal pressed_at
            if self._state(name) is not State.RUNNING:
                return True
            if monotonic() - pressed_at >= PRESS_AGAIN_S:
                with suppress(CommandFailed):  # it may have gone off just now
                    press(self._prefix + name)
                pressed_at = monotonic()
            return False

        wait_for(
            f"power off of {name}", is_off, within_s=SHUTDOWN_S * self._patience,
            mend=f"`lab halt --force {name}` takes its power",
        )  # fmt: skip

    def forget(self, name: str) -> None:
        """Remove what is left of a guest, whatever its state; nothing when nothing is."""
        self.off(name, graceful=False)
        if self._state(name) is not State.ABSENT:
            self._tool.remove(self._prefix + name)

    def keep(self, name: str) -> None:
        """Remember a guest as `renew` shall make it, where the provider needs that."""
        if isinstance(self._tool, Keeper):
            self._tool.keep(self._prefix + name)

    def renew(self, name: str) -> bool:
        """Put a guest back to its box and start it; False, and nothing done, where there is no quick way to."""
        if not isinstance(self._tool, Renewer):
            return False
        self._tool.renew(self._prefix + name)
        return True

    def save(self, names: Collection[str], id: str) -> int:
        """Keep the disks of these hosts as they are at one point of time; the bytes that this takes."""
        return self._saver().save([self._prefix + name for name in names], id)

    def restore(self, names: Collection[str], id: str) -> None:
        """Put disks back to that point and start the hosts, all at once."""
        saver = self._saver()
        together(names, lambda name: saver.restore(self._prefix + name, id))

    def saves(self, names: Collection[str]) -> Mapping[str, frozenset[str]]:
        """The points that each host can go back to."""
        saver = self._saver()
        return dict(zip(names, together(names, lambda name: saver.saves(self._prefix + name)), strict=True))

    def prune(self, names: Collection[str], keep: Collection[str]) -> None:
        """Remove all points but these, and what interrupted work has left."""
        saver = self._saver()
        together(names, lambda name: saver.prune(self._prefix + name, keep))

    def _saver(self) -> Saver:
        if not isinstance(self._tool, Saver):
            raise UsageError(
                f"the machines of {type(self._tool).__name__} cannot be saved or restored",
                "the providers lxc and libvirt make machines that can",
            )
        return self._tool

    def _state(self, name: str) -> State:
        return self.states([name])[name]


def states_from(every: Collection[str], running: Collection[str]) -> dict[str, State]:
    """States from two lists of names: all guests, and those that run."""
    return {guest: State.RUNNING if guest in running else State.STOPPED for guest in every}
