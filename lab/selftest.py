"""Controls: runs whose outcome is known beforehand. A tool that cannot go red proves nothing when it is green."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lab.expectations import standing
from lab.history import ACCESS, History
from lab.judge import judge
from lab.quantities import seconds
from lab.runner import Options, Ran, run
from lab.scenario import load, playable
from lab.session import Session
from lab.verdict import Outcome, Verdict

LASTING = seconds(3)
GHOST = "served 0 of"
EVERY = 7
"""Which lines of the balancer's log the tampering control removes: every seventh."""


@dataclass(frozen=True)
class Control:
    """One control: what was done, what had to come out, what did."""

    what: str
    expected: tuple[Outcome, ...]
    verdict: Verdict
    sentence: str = ""

    @property
    def ok(self) -> bool:
        """The outcome is one of those expected, and the sentence is among the reasons."""
        said = any(self.sentence in piece.claim for piece in self.verdict.evidence)
        return self.verdict.outcome in self.expected and said


def controls(session: Session, rate: float) -> Iterator[Control]:
    """Run the controls one after the other."""
    options = Options(rate=rate, duration=LASTING)

    def of(name: str) -> Ran:
        return run(name, playable(load(name), session.machines.capabilities), session, options)

    quiet = of("no-fault")
    yield Control("nothing happens", (Outcome.HELD,), quiet.verdict)
    yield Control("lines removed from the balancer's log", (Outcome.INCONCLUSIVE,), _tampered(quiet))
    yield Control("all backends dead", (Outcome.DEVIATED,), of("kill-both").verdict)
    ghost = of("ghost-upstream").verdict
    yield Control("the tutorial's mistake", (Outcome.INCONCLUSIVE, Outcome.DEVIATED), ghost, GHOST)
    yield Control("ip_hash with one client /24", (Outcome.INCONCLUSIVE,), of("one-classroom").verdict)


def _tampered(ran: Ran) -> Verdict:
    """The verdict on a copy of the run's record from which lines of the balancer's log are gone."""
    copy = ran.folder.path.with_name(f"{ran.folder.id}-tampered")
    shutil.copytree(ran.folder.path, copy)
    try:
        _thin(copy / ACCESS)
        return judge(History.load(copy), standing())
    finally:
        shutil.rmtree(copy)


def _thin(log: Path) -> None:
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(line for number, line in enumerate(lines) if number % EVERY))
