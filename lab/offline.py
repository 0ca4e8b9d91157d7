"""A lab that is to do without internet: what it has, and what it would have to fetch.

Nothing is fetched, neither by this computer nor by a host. What would be is found out before anything is touched: the
steps of the hosts say whether they fetch, and a box is known by the steps that were brought about in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

import msgspec

from lab import home
from lab.apps.packed import FOLDER
from lab.apps.steps import Cloned
from lab.boxes import store
from lab.boxes.recipe import Recipe
from lab.errors import EnvironmentProblem, HostUnreachable
from lab.host import Host
from lab.machines.protocol import State
from lab.session import Session
from lab.steps import Step, needs_network
from lab.topology import Lab

MEND = "lab unpack FILE brings what `lab pack FILE` gathered where there is internet; else leave --offline out"


class NeedsNetwork(EnvironmentProblem):
    """Something would have to be fetched, and the lab is to do without internet."""


class Covers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is in a box: its name, whose guests it is for, and the steps that were brought about in it."""

    name: str
    provider: str
    steps: tuple[str, ...]

    def lacking(self, steps: Iterable[Step]) -> list[Step]:
        """Those of the steps that fetch and are not in the box."""
        return [step for step in steps if needs_network(step) and repr(step) not in self.steps]


def covers_of(recipe: Recipe, provider: str) -> Covers:
    """What the box of a recipe has. Clones are left out: they come from this computer."""
    return Covers(recipe.name, provider, tuple(repr(step) for step in recipe.steps if not isinstance(step, Cloned)))


def read_covers(text: bytes) -> Covers:
    """The reverse of its JSON.

    Raises:
        ValueError: it is none.
    """
    try:
        return msgspec.json.decode(text, type=Covers)
    except msgspec.MsgspecError as fault:
        raise ValueError(str(fault)) from None


def box_for(session: Session, recipe: Recipe, plan: Mapping[str, Iterable[Step]]) -> str:
    """The box that the guests are made from; nothing was touched when this raises.

    Args:
        session: of the lab.
        recipe: what `lab up` would build with internet.
        plan: the steps of each host.

    Raises:
        NeedsNetwork: naming all that would have to be fetched.
    """
    steps = {name: [step for step in each if needs_network(step)] for name, each in plan.items()}
    states = session.machines.states()
    absent = [name for name, state in states.items() if state is State.ABSENT]
    box = session.home.state().box
    missing: list[str] = []
    if absent:
        box, missing = _best_box(session.provider, recipe, {name: steps[name] for name in absent})
    running = [name for name, state in states.items() if state is State.RUNNING]
    unmet = [f"{step.title} on {name}" for name in running for step in _unmet(session.host(name), steps[name])]
    if missing or unmet:
        raise NeedsNetwork(
            f"without internet the lab cannot be brought up; it lacks {', '.join(missing + unmet)}",
            MEND if missing else f"`lab destroy`, then `lab up` makes the hosts anew from their box; else {MEND}",
        )
    return box


def guarded(lab: Lab, steps: Iterable[Step]) -> Iterator[Step]:
    """The steps as they are; for a lab without internet, such that none of them fetches."""
    return map(WithoutNetwork, steps) if lab.offline else iter(steps)


@dataclass(frozen=True)
class WithoutNetwork:
    """A step that is brought about only when it fetches nothing."""

    step: Step

    @property
    def title(self) -> str:
        """The step's."""
        return self.step.title

    def is_met(self, host: Host) -> bool:
        """The step's."""
        return self.step.is_met(host)

    def apply(self, host: Host) -> None:
        """Bring it about, or refuse.

        Raises:
            NeedsNetwork: it would fetch.
        """
        if needs_network(self.step):
            raise NeedsNetwork(f"{host.name}: {self.title} would be fetched, and the lab is without internet", MEND)
        self.step.apply(host)


def refuse_offline(lab: Lab, what: str) -> None:
    """Raise when the lab is to do without internet, for a command that cannot.

    Raises:
        NeedsNetwork: it is.
    """
    if lab.offline:
        raise NeedsNetwork(
            f"{what} fetches from the internet, and this lab is to do without",
            "where there is internet: without LAB_OFFLINE or offline in lab.toml, after `lab up` without --offline",
        )


def _best_box(provider: str, recipe: Recipe, steps: Mapping[str, list[Step]]) -> tuple[str, list[str]]:
    """The box that lacks least for new guests, and what it lacks, as words."""
    wanted = [step for each in steps.values() for step in each]
    known = [covers for covers in _known(recipe) if covers.provider == provider]
    if not known:
        return "", [f"a box for {', '.join(steps)} (provider {provider})"]
    best = min(known, key=lambda covers: len(covers.lacking(wanted)))
    lacking = {
        step.title: [name for name, each in steps.items() if step in each] for step in best.lacking(wanted)
    }  # fmt: skip
    return best.name, [f"{title} (for {', '.join(names)}; not in {best.name})" for title, names in lacking.items()]


def _known(recipe: Recipe) -> Iterator[Covers]:
    """The boxes in the cache whose contents are known: the recipe's own, and those out of packs."""
    if store.box_file(recipe.name).exists():
        yield covers_of(recipe, "lxc")
    for path in sorted((home.cache() / FOLDER / "boxes").glob("*.json")):
        with suppress(ValueError, OSError):  # a damaged record is as good as none
            covers = read_covers(path.read_bytes())
            if covers.name == path.stem and store.box_file(covers.name).exists():
                yield covers


def _unmet(host: Host, steps: list[Step]) -> list[Step]:
    """The steps that a running host does not have yet; a host that does not answer will say so later."""
    try:
        return [step for step in steps if not step.is_met(host)]
    except HostUnreachable:
        return []
