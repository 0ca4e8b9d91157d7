"""A run as its judges see it: the journal and the balancer's log, joined, with the questions they ask."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from lab import access, journal
from lab.access import AccessLog, AccessRecord, Attempt
from lab.errors import EnvironmentProblem
from lab.records import (
    Backend,
    ClockRecord,
    ConfigRecord,
    Effect,
    EventRecord,
    FaultRecord,
    Finding,
    LeftoverRecord,
    LifeRecord,
    NoteRecord,
    PhaseName,
    PhaseRecord,
    PostsRecord,
    Record,
    RunRecord,
)
from lab.sample import Sample

JOURNAL, ACCESS = "journal.jsonl", "access.jsonl"
R = TypeVar("R")


@dataclass(frozen=True)
class Window:
    """A stretch of the run, in seconds on its clock; `end` is no part of it."""

    start: float
    end: float

    def __contains__(self, t: float) -> bool:
        return self.start <= t < self.end

    @property
    def seconds(self) -> float:
        """How long it is; never negative."""
        return max(0.0, self.end - self.start)


@dataclass(frozen=True)
class Phase(Window):
    """A phase of the run."""

    name: PhaseName


@dataclass(frozen=True)
class Fault:
    """One fault with the instants of its stages; None for a stage that was not reached.

    `written` is before the command that injects it, `injected` after; likewise `healing` and `healed`. `restarts` says
    whether its host is started again by it.
    """

    what: str
    host: str
    effect: Effect
    written: float
    injected: float | None = None
    confirmed: float | None = None
    healing: float | None = None
    healed: float | None = None
    confirmed_healed: float | None = None
    restarts: bool = False


@dataclass(frozen=True)
class History:
    """What happened in one run.

    Attributes:
        run: what was run.
        samples: by the time at which they were scheduled.
        access: the balancer's lines of this run's requests, in the order of the log.
        others: its lines of requests from elsewhere that met a failure, some of them perhaps from before the run.
        damaged: how many lines of the balancer's log could not be read.
        phases: in their order; the last one ends where the run does.
        faults: in the order in which they were written down.
        lives: in which life each host was found, before the load and after it.
        findings: of the configuration's lint; None when it was not looked at.
        leftovers: what was found in the end; None when nobody looked.
        torn: whether the journal's last line was incomplete.
        ended: whether the run went to its end.
    """

    run: RunRecord
    samples: tuple[Sample, ...]
    access: tuple[AccessRecord, ...]
    others: tuple[AccessRecord, ...] = ()
    damaged: int = 0
    phases: tuple[Phase, ...] = ()
    faults: tuple[Fault, ...] = ()
    clocks: tuple[ClockRecord, ...] = ()
    lives: tuple[LifeRecord, ...] = ()
    findings: tuple[Finding, ...] | None = None
    posts: tuple[PostsRecord, ...] = ()
    leftovers: tuple[LeftoverRecord, ...] | None = None
    events: tuple[EventRecord, ...] = ()
    notes: tuple[NoteRecord, ...] = field(default=())
    torn: bool = False
    ended: bool = True

    @classmethod
    def load(cls, folder: Path) -> History:
        """Read a run's folder; without access.jsonl the log is taken as empty, which a gate notices.

        Raises:
            EnvironmentProblem: there is no journal, it does not begin with its run, or it cannot be read.
        """
        log = folder / ACCESS
        return assemble(
            journal.read(folder / JOURNAL), access.read(log) if log.exists() else AccessLog(()), str(folder / JOURNAL)
        )

    @property
    def seconds(self) -> float:
        """From t = 0 to the end of the last phase."""
        return self.phases[-1].end if self.phases else 0.0

    @property
    def victims(self) -> tuple[Backend, ...]:
        """The backends that the fault hits."""
        return tuple(backend for backend in self.run.backends if backend.name in self.run.victims)

    def phase(self, *names: PhaseName) -> Window | None:
        """From the beginning of the first of these phases to the end of the last; None without any."""
        found = [phase for phase in self.phases if phase.name in names]
        return Window(found[0].start, found[-1].end) if found else None

    def samples_in(self, window: Window | None) -> tuple[Sample, ...]:
        """The requests that were scheduled in the window."""
        if window is None:
            return ()
        instants = self._scheduled
        return self.samples[bisect_left(instants, window.start) : bisect_left(instants, window.end)]

    def settled_in(self, window: Window | None) -> tuple[Sample, ...]:
        """Those of the window that were also over in it."""
        return tuple(sample for sample in self.samples_in(window) if window and sample.done < window.end)

    def touched_by(self, window: Window | None) -> tuple[Sample, ...]:
        """Those of the window and those that were under way when it began."""
        if window is None:
            return ()
        earlier = self.samples[: bisect_left(self._scheduled, window.start)]
        return tuple(sample for sample in earlier if sample.done >= window.start) + self.samples_in(window)

    def answers_by(self, window: Window | None) -> Counter[str]:
        """How many good answers each backend gave to the requests of the window."""
        return Counter(sample.backend for sample in self.samples_in(window) if not sample.failed)

    def share(self, backend: str, window: Window | None) -> tuple[float, int]:
        """The backend's part of the good answers, in percent, and how many answers there were."""
        answers = self.answers_by(window)
        total = answers.total()
        return (100 * answers[backend] / total if total else 0.0), total

    def fair_share(self, backend: str) -> float:
        """The percentage that the weights promise; 0 for a backup."""
        total = sum(member.weight for member in self.run.backends if not member.backup)
        return sum(
            100 * member.weight / total for member in self.run.backends if member.name == backend and not member.backup
        )

    def finding(self, subject: str) -> Finding | None:
        """What the lint said on a subject."""
        return next((finding for finding in self.findings or () if finding.subject == subject), None)

    @cached_property
    def log_of(self) -> dict[str, AccessRecord]:
        """The balancer's line of each request, by the request's id."""
        return {record.id: record for record in self.access}

    @cached_property
    def offset_s(self) -> float:
        """How far the balancer's clock was ahead, by the measurement with the smallest error; 0 when unknown."""
        measured = [clock for clock in self.clocks if clock.host == self.run.balancer]
        return min(measured, key=lambda clock: clock.error_s).offset_s if measured else 0.0

    def began(self, record: AccessRecord) -> float:
        """When the balancer got the request, on the run's clock."""
        return record.at - record.seconds - self.run.epoch - self.offset_s

    @cached_property
    def failed_attempts(self) -> tuple[tuple[float, Attempt], ...]:
        """The balancer's failed attempts at a victim, each with the instant of its failure, in time's order.

        For whomever it asked: after one failure it leaves the victim out for everybody.
        """
        addresses = {victim.address for victim in self.victims}
        found = []
        for record in (*self.access, *self.others):
            if record.status < 499 and not record.retried:
                continue
            t = self.began(record)
            for attempt in record.attempts:
                t += attempt.response_s or 0.0
                if attempt.failed and attempt.address in addresses:
                    found.append((t, attempt))
        return tuple(sorted(found, key=lambda sign: sign[0]))

    @cached_property
    def _scheduled(self) -> list[float]:
        return [sample.scheduled for sample in self.samples]


def assemble(recorded: journal.Recorded, log: AccessLog, name: str = JOURNAL) -> History:
    """Join what was read.

    Raises:
        EnvironmentProblem: the journal has no line of kind run.
    """
    records = recorded.records
    run = next(iter(_of(RunRecord, records)), None)
    if run is None:
        raise EnvironmentProblem(f"{name}: says nothing about its run; it was cut off at the very beginning")
    config = _of(ConfigRecord, records)
    leftovers = _of(LeftoverRecord, records)
    samples = sorted(recorded.samples, key=lambda sample: sample.scheduled)
    own = f"{run.id}-"
    return History(
        run=run,
        samples=tuple(samples),
        access=tuple(record for record in log.records if record.id.startswith(own)),
        others=tuple(record for record in log.records if not record.id.startswith(own)),
        damaged=log.damaged,
        phases=_phases(_of(PhaseRecord, records), max((sample.done for sample in samples), default=0.0)),
        faults=_faults(_of(FaultRecord, records)),
        clocks=_of(ClockRecord, records),
        lives=_of(LifeRecord, records),
        findings=tuple(finding for record in config for finding in record.findings) if config else None,
        posts=_of(PostsRecord, records),
        leftovers=leftovers or None,
        events=_of(EventRecord, records),
        notes=_of(NoteRecord, records),
        torn=recorded.torn,
        ended=any(mark.name == "end" for mark in _of(PhaseRecord, records)),
    )


def _of(kind: type[R], records: Iterable[Record]) -> tuple[R, ...]:
    return tuple(record for record in records if isinstance(record, kind))


def _phases(marks: tuple[PhaseRecord, ...], last: float) -> tuple[Phase, ...]:
    ends = [mark.t for mark in marks[1:]] + [last]
    return tuple(
        Phase(mark.t, max(mark.t, end), mark.name) for mark, end in zip(marks, ends, strict=True) if mark.name != "end"
    )


def _faults(records: tuple[FaultRecord, ...]) -> tuple[Fault, ...]:
    faults: list[Fault] = []
    for record in records:
        if record.stage == "written":
            faults.append(Fault(record.fault, record.host, record.effect, record.t, restarts=record.restarts))
            continue
        for index in reversed(range(len(faults))):
            if (faults[index].what, faults[index].host) == (record.fault, record.host):
                faults[index] = _reached(faults[index], record)
                break
    return tuple(faults)


def _reached(fault: Fault, record: FaultRecord) -> Fault:
    stage: dict[str, Any] = {record.stage.replace("-", "_"): record.t}
    return replace(fault, **stage)
