"""Everything that a run reaches, replaced: for tests of its order and of what ends it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lab import aftermath, faults, healing, journal, lives, readiness, runner
from lab.events import PhaseStarted
from lab.expectations import during, failed_requests
from lab.home import Home
from lab.ledger import Entry, Ledger
from lab.load import LoadPlan
from lab.quantities import seconds
from lab.records import Record
from lab.runner import Options, run
from lab.sample import Sample
from lab.scenario import Lesson, Scenario
from tests.unit.playing import Playing

KILL = Scenario(
    "Does it?", Lesson("", ""), faults.power_off("voxy", lasting=seconds(4)), [during(failed_requests()).at_most("0 %")]
)


def sample(backend: str, t: float, status: int = 200, scheduled: float | None = None) -> Sample:
    """A request that was done at t."""
    return Sample("run-1", t if scheduled is None else scheduled, t, t, t, status, "", backend)


class Stage:
    """Everything that a run reaches, replaced: each part is noted when it is called, and may blow up once."""

    def __init__(self, home: Home, patch: pytest.MonkeyPatch) -> None:
        self.lab = Playing(home)
        self.ledger = Ledger(home)
        self.calls: list[str] = []
        self.bombs: dict[str, BaseException] = {}
        self.t = 0.0
        self.phase = ""
        self.serving = ["voxy", "zero"]
        self.on_sample: Callable[[Sample], None] = lambda sample: None
        self.healed: list[str] = []
        self.plan: LoadPlan | None = None
        self.allowed: dict[str, Any] = {}
        self.lab.session.listener = self._listen
        stage = self

        class Ticking:
            epoch = 1_800_000_000.0

            @classmethod
            def start(cls) -> Ticking:
                return cls()

            def now(self) -> float:
                return stage.t

        class NoLoad:
            def __init__(
                self, plan: LoadPlan, clock: object, *, on_sample: Callable[[Sample], None], **more: Any
            ) -> None:
                stage.on_sample, stage.plan, stage.allowed = on_sample, plan, more

            def __enter__(self) -> NoLoad:
                stage.call("load")
                return self

            def __exit__(self, *fault: object) -> None:
                stage.call("stop")

        patch.setattr(runner, "Clock", Ticking)
        patch.setattr(runner, "Load", NoLoad)
        patch.setattr(runner, "sleep", self._sleep)
        for where, name, called in (
            (readiness, "require_ready", "ready"), (readiness, "require_balanced", "balanced"),
            (readiness, "record_config", "config"),
            (readiness, "record_clocks", "clocks"), (lives, "record_lives", "lives"), (aftermath, "collect_log", "log"),
            (aftermath, "record_posts", "posts"), (aftermath, "record_leftovers", "leftovers"),
            (healing, "listeners", "listeners"), (healing, "inject", "inject"),
        ):  # fmt: skip
            patch.setattr(where, name, lambda *words, called=called: self.call(called))
        patch.setattr(healing, "confirm", self._confirm)
        patch.setattr(healing, "heal", self._heal)
        patch.setattr(healing, "confirm_healed", self._confirm_healed)

    def call(self, name: str) -> None:
        """Note it; explode once if told so."""
        self.calls.append(name)
        if name in self.bombs:
            raise self.bombs.pop(name)

    def run(self, scenario: Scenario = KILL, **options: Any) -> runner.Ran:
        """The run."""
        return run("kill-voxy", scenario, self.lab.session, Options(**options))

    def records(self) -> tuple[Record, ...]:
        """What the newest run wrote down."""
        return journal.read(self.lab.home.path / "runs" / "latest" / "journal.jsonl").records

    def _listen(self, event: object) -> None:
        self.lab.heard.events.append(event)  # type: ignore[arg-type]  # only events come
        if isinstance(event, PhaseStarted):
            self.phase = event.phase

    def _sleep(self, seconds: float) -> None:
        self.t += seconds
        if f"in {self.phase}" in self.bombs:
            raise self.bombs.pop(f"in {self.phase}")
        for name in self.serving:
            self.on_sample(sample(name, self.t))

    def _confirm(self, *words: object) -> str:
        self.call("confirm")
        return "refused"

    def _heal(self, session: object, entry: Entry) -> None:
        self.call("heal")
        self.healed.append(entry.what)

    def _confirm_healed(self, session: object, entry: Entry, ledger: Ledger) -> None:
        self.call("confirm-healed")
        ledger.remove(entry)
