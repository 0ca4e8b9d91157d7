"""What a run proved: claims with their measurements, merged into one of three outcomes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec

from lab import errors


class Outcome(StrEnum):
    """The three values of a verdict."""

    HELD = "HELD"
    DEVIATED = "DEVIATED"
    INCONCLUSIVE = "INCONCLUSIVE"

    @property
    def exit_code(self) -> int:
        """What the command ends with: 0, 1 or 3."""
        return {"HELD": errors.HELD, "DEVIATED": errors.DEVIATED, "INCONCLUSIVE": errors.INCONCLUSIVE}[self.value]


_BY_WEIGHT = (Outcome.DEVIATED, Outcome.INCONCLUSIVE, Outcome.HELD)


def merge(outcomes: Iterable[Outcome]) -> Outcome:
    """The heaviest: DEVIATED over INCONCLUSIVE over HELD. Nothing at all proves nothing: INCONCLUSIVE."""
    found = set(outcomes)
    return next((outcome for outcome in _BY_WEIGHT if outcome in found), Outcome.INCONCLUSIVE)


@dataclass(frozen=True)
class Evidence:
    """A claim beside its measurement.

    Attributes:
        claim: the sentence that is claimed; for a gate that failed, the sentence that says why.
        measured: the figure or word that was found; None when nothing could be measured.
        unit: of `measured`: "%", "s", "requests"; empty for a word.
        n: how many observations the measurement rests on.
        holds: True, False, or None: from this run it cannot be told. A gate is True or None, never False:
            where it does not hold, nothing can be told.
        source: where to look it up, as "journal.jsonl".
        gate: whether it is a condition for judging at all. Not part of verdict.json.
    """

    claim: str
    measured: float | str | None
    unit: str
    n: int
    holds: bool | None
    source: str
    gate: bool = False

    @property
    def outcome(self) -> Outcome:
        """What this piece alone would make of the run."""
        if self.holds is None:
            return Outcome.INCONCLUSIVE
        return Outcome.HELD if self.holds else Outcome.DEVIATED


@dataclass(frozen=True)
class Requests:
    """How many were sent, answered well, and not."""

    sent: int = 0
    ok: int = 0
    failed: int = 0


@dataclass(frozen=True)
class Timings:
    """The failover in seconds; None where it did not happen.

    Attributes:
        detect_s: from the fault to the first failed attempt at the victim.
        reroute_s: from the fault to the last request that failed, stalled or was served by the victim.
        recover_s: from the healing to the victim's first answer.
    """

    detect_s: float | None = None
    reroute_s: float | None = None
    recover_s: float | None = None


@dataclass(frozen=True)
class Verdict:
    """The result of one run; `verdict.json` is its text.

    Attributes:
        scenario: its name.
        evidence: gates first, then claims; empty for a crash before anything was judged.
        healed: whether every fault was confirmed to be healed; None when it was not looked at.
        seconds: how long the run took.
    """

    scenario: str
    evidence: tuple[Evidence, ...]
    requests: Requests = field(default_factory=Requests)
    timings: Timings = field(default_factory=Timings)
    healed: bool | None = None
    seconds: float = 0.0

    @property
    def outcome(self) -> Outcome:
        """The merge of all evidence."""
        return merge(evidence.outcome for evidence in self.evidence)

    @property
    def gates(self) -> tuple[Evidence, ...]:
        """The conditions for judging."""
        return tuple(evidence for evidence in self.evidence if evidence.gate)

    @property
    def claims(self) -> tuple[Evidence, ...]:
        """What the scenario claims."""
        return tuple(evidence for evidence in self.evidence if not evidence.gate)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it did not hold: the sentences of the gates that failed, else of the claims that did not hold."""
        if self.outcome is Outcome.HELD:
            return ()
        guilty = [evidence for evidence in self.evidence if evidence.outcome is self.outcome]
        first = [evidence for evidence in guilty if evidence.gate] or guilty
        return tuple(evidence.claim for evidence in first)

    def to_json(self) -> str:
        """The text of verdict.json, indented."""
        keys = ("claim", "measured", "unit", "n", "holds", "source")
        table = {
            "scenario": self.scenario,
            "outcome": self.outcome.value,
            "evidence": [{key: getattr(evidence, key) for key in keys} for evidence in self.evidence],
            "requests": self.requests,
            "timings": self.timings,
            "healed": self.healed,
            "seconds": self.seconds,
        }
        return msgspec.json.format(msgspec.json.encode(table)).decode() + "\n"

    @classmethod
    def from_json(cls, text: str) -> Verdict:
        """Read verdict.json back; which pieces were gates is not in it, and the outcome is the same without.

        Raises:
            ValueError: the text is no verdict, or its outcome is not what its evidence says.
        """
        try:
            table: dict[str, Any] = msgspec.json.decode(text)
            stated = Outcome(table.pop("outcome"))
            verdict = msgspec.convert(table, cls)
        except (msgspec.MsgspecError, AttributeError, TypeError, KeyError) as fault:
            raise ValueError(f"this is no verdict: {fault}") from None
        if verdict.outcome is not stated:
            raise ValueError(f"the verdict says {stated}, its evidence {verdict.outcome}")
        return verdict
