"""A scenario: a question, a fault, and what is expected. Declared, not scripted.

What all scenarios have in common is the default: a load of GET / at a constant rate, and a steady state in
which every backend serves, before and after.
"""

from __future__ import annotations

import difflib
import importlib.util
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from lab import content
from lab.errors import UsageError
from lab.expectations import Claim, Expectation
from lab.faults import Fault, cut_link
from lab.machines.capabilities import Capability
from lab.verdict import Outcome

Variant = Literal["default", "tuned", "naive", "ghost", "ip_hash", "non_idempotent"]


@dataclass(frozen=True)
class Lesson:
    """What a class learns from it, in both languages."""

    en: str
    id: str


@dataclass(frozen=True)
class Scenario:
    """What is asked, done and expected.

    Attributes:
        question: the sentence that the verdict answers.
        lesson: what a class learns from it.
        fault: what is done, one or several at once; None for a run in which nothing happens.
        verdict: the expectations.
        config: the balancer's configuration that it runs with unless the user chooses another.
        outcomes: what it comes out as, by configuration; HELD where it is not named.
        posts: the part of the requests that are POST.
        needs_hello: whether the fault works through the app `hello`.
    """

    question: str
    lesson: Lesson
    fault: Fault | tuple[Fault, ...] | None
    verdict: Sequence[Expectation]
    config: Variant = "default"
    outcomes: Mapping[Variant, Outcome] = field(default_factory=dict)
    posts: float = 0.0
    needs_hello: bool = False

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What is done: none, one or several at once."""
        return self.fault if isinstance(self.fault, tuple) else (self.fault,) if self.fault else ()

    @property
    def needs_power(self) -> bool:
        """Whether it takes a machine's power, so that somebody must be able to give it back."""
        return any(fault.kind == "power" for fault in self.faults)

    def expected(self, variant: Variant) -> Outcome:
        """What it comes out as with a configuration."""
        return self.outcomes.get(variant, Outcome.HELD)

    @property
    def backends(self) -> tuple[str, ...]:
        """The backends that its expectations are about."""
        return tuple(each.metric.backend for each in self.verdict if isinstance(each, Claim) and each.metric.backend)


def playable(scenario: Scenario, capabilities: Collection[Capability]) -> Scenario:
    """The same; for machines whose power is not the lab's with a cut cable in place of a lost power, as silent."""
    if not scenario.needs_power or Capability.POWER_ON in capabilities:
        return scenario
    cut = (cut_link(each.host, lasting=each.lasting) if each.kind == "power" else each for each in scenario.faults)
    return replace(scenario, fault=tuple(cut))


def instead_of(scenario: Scenario) -> list[str]:
    """The scenarios that ship, hit the same hosts to the same effect, and take nobody's power."""

    def gist(one: Scenario) -> set[tuple[str, str]]:
        return {(fault.host, fault.effect) for fault in one.faults}

    others = {name: load(name) for name in names()}
    return [
        name for name, other in others.items()
        if gist(other) == gist(scenario) and not other.needs_power and other.config == "default"
    ]  # fmt: skip


def names() -> list[str]:
    """The scenarios that ship with the lab."""
    return sorted(path.stem.replace("_", "-") for path in _folder().glob("[a-z]*.py"))


def load(name: str) -> Scenario:
    """A scenario by name, or from a file of the user's: `./mine.py`.

    Raises:
        UsageError: there is none of that name, or the file does not define one.
    """
    path = Path(name) if name.endswith(".py") else _folder() / f"{name.replace('-', '_')}.py"
    if not path.is_file() or not (name.endswith(".py") or name.replace("_", "-") in names()):
        close = difflib.get_close_matches(name, names(), n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(names())}"
        raise UsageError(f"there is no scenario {name!r}", hint)
    spec = importlib.util.spec_from_file_location(f"scenario_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{path}: is no Python file", "name a file that ends in .py")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as fault:
        raise UsageError(f"{path}: does not import: {type(fault).__name__}: {fault}", "mend the file") from None
    found = getattr(module, "scenario", None)
    if not isinstance(found, Scenario):
        raise UsageError(f"{path}: defines no scenario", "it must have a line `scenario = Scenario(…)`")
    return found


def _folder() -> Path:
    return content.root() / "scenarios"
