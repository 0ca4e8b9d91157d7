"""What the lab asks of whatever makes its machines."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Protocol

from lab.host import SshTarget


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


class Machines(Protocol):
    """The guests of one lab. Every verb is idempotent.

    `create` and `destroy` may take long and go through the slow tool, and so may `renew` where guests are
    virtual machines; the others are fast.
    A name that the lab does not have is a KeyError: the caller checks what the user typed.
    """

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

    def targets(self) -> tuple[SshTarget, ...]:
        """How to reach each host over SSH."""
        ...
