"""What the lab asks of whatever makes its machines."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Protocol, runtime_checkable

from lab.host import SshTarget
from lab.machines.capabilities import Capability


class State(StrEnum):
    """Whether a guest exists and has power."""

    RUNNING = "running"
    STOPPED = "stopped"
    ABSENT = "absent"


class PowerSwitch(Protocol):
    """A provider's own switch: under a second, where Vagrant takes 3 to 17."""

    def states(self, names: Collection[str]) -> Mapping[str, State]:
        """The state of each host."""
        ...

    def on(self, name: str) -> None:
        """Give power; nothing when it is on."""
        ...

    def off(self, name: str, *, graceful: bool) -> None:
        """Shut down, or take the power away at once; nothing when it is off."""
        ...

    def forget(self, name: str) -> None:
        """Remove what is left of a guest that was never finished; nothing when nothing is."""
        ...

    def keep(self, name: str) -> None:
        """Remember a guest that has just been finished as `renew` shall make it; nothing when it is remembered."""
        ...

    def renew(self, name: str) -> bool:
        """Put a guest back to its box and start it; False, and nothing done, where there is no quick way to."""
        ...

    def save(self, names: Collection[str], id: str) -> int:
        """Keep the disks of these hosts as they are at one point of time."""
        ...

    def restore(self, names: Collection[str], id: str) -> None:
        """Put disks back to that point, and start the hosts."""
        ...

    def saves(self, names: Collection[str]) -> Mapping[str, frozenset[str]]:
        """The points that each host can go back to."""
        ...

    def prune(self, names: Collection[str], keep: Collection[str]) -> None:
        """Remove all points but these, and what interrupted work has left."""
        ...


class Machines(Protocol):
    """The guests of one lab. Every verb is idempotent.

    `create` and `destroy` may take long and go through the slow tool, and so may `renew` where guests are
    virtual machines; the others are fast.
    A name that the lab does not have is a KeyError: the caller checks what the user typed.
    What needs a capability that `capabilities` lacks is refused with CannotBeDone; callers ask before they begin.
    """

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What these machines can do beyond what all can."""
        ...

    def tidy(self) -> None:
        """Remove what an interrupted `create` has left half made; nothing when nothing is."""
        ...

    def create(self) -> tuple[str, ...]:
        """Make and boot what is absent, power on what is stopped; the names that changed."""
        ...

    def destroy(self) -> None:
        """Remove all guests, with everything in them."""
        ...

    def states(self) -> Mapping[str, State]:
        """The state of every host of the lab, without the slow tool."""
        ...

    def power_on(self, name: str) -> None:
        """Give a guest power; it may not answer yet."""
        ...

    def power_off(self, name: str, *, graceful: bool = True) -> None:
        """Shut a guest down, or take its power at once."""
        ...

    def renew(self, name: str) -> None:
        """Make a guest anew from its box, running, whatever state it is in; everything in it is lost.

        It may not answer yet. Connections to it that are open break; `targets` may have changed.

        Raises:
            UsageError: it does not exist yet; nothing is made.
            EnvironmentProblem: it is not what the lab makes, so nothing was touched.
        """
        ...

    def save(self, id: str) -> int:
        """Keep the disks of all guests as they are at one point of time; the bytes that this takes.

        Running processes are not kept. Guests that run are held meanwhile, and go on afterwards; where guests are
        virtual machines they are booted again. A save that fails is no save; `prune` removes what is left of it.

        Args:
            id: eight hexadecimal digits, not used before.

        Raises:
            UsageError: this provider has no saves, or the guests stand on too many already; nothing was touched.
            EnvironmentProblem: no room for it, before anything was touched; or what failed.
        """
        ...

    def restore(self, id: str) -> None:
        """Take the power of all guests, put their disks back to a save, and start them; they may not answer yet.

        Each guest is changed in one step: it is as it was before, or as it was saved, also when this is interrupted.
        """
        ...

    def saves(self) -> Mapping[str, frozenset[str]]:
        """The ids of the whole saves that each host has; a guest that was made again has none.

        Raises:
            UsageError: this provider has no saves.
        """
        ...

    def prune(self, keep: Collection[str]) -> None:
        """Remove all saves but these, and what interrupted saves and restores have left."""
        ...

    def targets(self) -> tuple[SshTarget, ...]:
        """How to reach each host over SSH."""
        ...


@runtime_checkable
class Cleaner(Protocol):
    """Machines that cannot be made anew, but can be brought back to what an exercise may begin on."""

    def clean(self, name: str) -> None:
        """Undo what the lab, its students and its exercises are known to do to a machine.

        Raises:
            EnvironmentProblem: it could not be undone.
        """
        ...
