"""What a provider's machines can do beyond what all can, so that the impossible is refused before it is begun."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from lab.errors import UsageError


class Capability(StrEnum):
    """One thing that not every provider can do."""

    MAKE = "make"
    """Guests are made from a box and removed again; else they are somebody's, and only looked after."""
    POWER_ON = "power_on"
    """Without it nothing may take the power of a machine away that must come back."""
    RENEW = "renew"
    """Without it a machine is brought back by undoing what is known to have been done to it."""
    SAVE = "save"
    """All disks can be kept at one point, and put back to it."""

    @property
    def verb(self) -> str:
        """What the lab cannot do without it."""
        return _VERBS[self]


_VERBS = {
    Capability.MAKE: "make machines",
    Capability.POWER_ON: "give a machine its power back",
    Capability.RENEW: "make a machine anew from its box",
    Capability.SAVE: "keep a machine's disk and put it back",
}
EVERYTHING = frozenset(Capability)
NOTHING: frozenset[Capability] = frozenset()
_OF = {"existing": NOTHING, "virtualbox": EVERYTHING - {Capability.SAVE}}


class CannotBeDone(UsageError):
    """The lab's machines cannot do what the command needs; nothing was touched."""


def capabilities_of(provider: str) -> frozenset[Capability]:
    """What a provider's machines can do, known without asking them."""
    return _OF.get(provider, EVERYTHING)


def require(what: str, needed: Capability, there: Collection[Capability], instead: str) -> None:
    """Refuse what the machines cannot do.

    Args:
        what: that needs it, as the user called it.
        needed: the capability.
        there: what the machines have.
        instead: what to do instead.

    Raises:
        CannotBeDone: in one sentence, with the mend.
    """
    if needed not in there:
        raise CannotBeDone(f"{what}: the lab cannot {needed.verb}, for these machines are not of its making", instead)
