"""Runs a scenario: ready? → steady → inject → observe → heal → recover → steady again → judge.

`run` is the whole order of events. Whatever happens in between, every fault that was written down is healed
before it returns or raises.
"""

from __future__ import annotations

import shlex
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from math import inf
from time import sleep

from lab import aftermath, healing, lives, readiness, variants
from lab.errors import Interrupted, UsageError
from lab.events import Note, PhaseEnded, PhaseStarted, Traffic
from lab.expectations import standing
from lab.faults import Fault
from lab.history import History
from lab.journal import Journal
from lab.judge import judge
from lab.ledger import Entry, Ledger
from lab.load import Clock, Load, LoadPlan, Sample
from lab.machines.capabilities import Capability, require
from lab.quantities import Duration
from lab.records import (
    Backend,
    Effect,
    EventRecord,
    FaultRecord,
    HostAddress,
    NoteRecord,
    PhaseName,
    PhaseRecord,
    RunRecord,
    Stage,
)
from lab.run_folder import RunFolder, new_run, write_bytes
from lab.scenario import Scenario, Variant, instead_of
from lab.session import Session
from lab.signals import shielded
from lab.verdict import Verdict

STEADY_S = 3.0
AGAIN_S = 2.0
QUIET_S = 1.0
"""The steady state is back when for so long every backend has answered and no request has failed."""
BACK_MARGIN_S = 20.0
"""How long after `fail_timeout` a victim may take to come back before the run goes on without it."""
NO_FAULT_S = 3.0


@dataclass(frozen=True)
class Options:
    """What the user may choose for one run; None leaves it to the scenario.

    Attributes:
        rate: requests a second.
        duration: how long the fault is left in force.
        variant: the balancer's configuration.
        posts: the part of the requests that are POST.
        paths, clients: what is asked for, and from which source addresses, at random.
        keepalive: whether connections are used again.
        file: the absolute path of a scenario file of the user's own; empty for a shipped one.
        note: a sentence for the journal, as the student's prediction.
    """

    rate: float = 150.0
    duration: Duration | None = None
    variant: Variant | None = None
    posts: float | None = None
    paths: tuple[str, ...] = ("/",)
    clients: tuple[str, ...] = ()
    keepalive: bool = False
    file: str = ""
    seed: int = 1
    note: str = ""


@dataclass
class Watch:
    """What the samples say while they come in; for the live view, and for knowing when all is well again."""

    clock: Clock
    rate: float
    answered: dict[str, float] = field(default_factory=dict)
    failed_at: float = 0.0
    _answers: Counter[str] = field(default_factory=Counter)
    _failed: int = 0
    _slowest_s: float = 0.0
    _done: int = 0
    _began: float = inf
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, sample: Sample) -> None:
        """Note one sample; called from the load's thread."""
        with self._lock:
            self._slowest_s = max(self._slowest_s, sample.latency_s)
            self._done += 1
            self._began = min(self._began, sample.scheduled)
            if sample.failed:
                self._failed += 1
                self.failed_at = sample.done
            else:
                self._answers[sample.backend] += 1
                # An answer that was asked for before is no sign of health: a hanging app gives many when it is freed.
                self.answered[sample.backend] = max(sample.scheduled, self.answered.get(sample.backend, 0.0))

    def traffic(self) -> Traffic:
        """What came since the last call."""
        with self._lock:
            now = self.clock.now()
            waiting = max(0, int(self.rate * (now - self._began)) - self._done) if self._done else 0
            seen = Traffic(now, dict(self._answers), self._failed, 1000 * self._slowest_s, waiting)
            self._answers, self._failed, self._slowest_s = Counter(), 0, 0.0
        return seen

    def is_well(self, backends: Sequence[str]) -> bool:
        """Whether every one of these answered, and nothing failed, in the last second."""
        since = self.clock.now() - QUIET_S
        return self.failed_at < since and all(self.answered.get(name, 0.0) >= since for name in backends)


@dataclass(frozen=True)
class Ran:
    """What a run leaves: its folder, and the verdict that is also in it."""

    folder: RunFolder
    verdict: Verdict


def plan(name: str, scenario: Scenario, faults: Sequence[Fault], options: Options) -> tuple[str, ...]:
    """What `run` would do, a line a phase; nothing is touched."""
    config = options.variant or scenario.config
    lines = [
        f"scenario {name}: {scenario.question}",
        f"ready?        every host serves, config {config}, no fault left",
    ]
    connections = "connections used again" if options.keepalive else "a new connection each"
    lines.append(f"steady        {STEADY_S:g} s at {options.rate:g} requests a second, {connections}")
    for fault in faults:
        where = "the balancer" if fault.by_balancer else fault.host
        how = "the provider's power switch" if fault.kind == "power" else f"on {where}: {fault.inject}"
        undo = "the power switch" if fault.kind == "power" else fault.undo
        lines += [f"inject        {fault.what}: {how}", f"observe       {fault.lasting}", f"heal          {undo}"]
    lines.append("recover       until every backend answers again")
    lines.append(f"steady again  {AGAIN_S:g} s")
    lines += [f"expect        {each.claim()}" for each in (*scenario.verdict, *standing())]
    return tuple(lines)


def faults_of(scenario: Scenario, session: Session, options: Options) -> tuple[Fault, ...]:
    """The scenario's faults, bound to the lab, lasting as long as the user wants.

    Raises:
        UsageError: the lab lacks a host, a backend that the verdict is about, or the app that the fault works through.
    """
    if scenario.needs_hello and not session.home.state().app.endswith("hello"):
        raise UsageError("this scenario works through the switches of the app `hello`", "lab up --app hello")
    known = [backend.name for backend in session.lab.backends]
    for name in scenario.backends:
        if name not in known:
            raise UsageError(f"its verdict is about {name}, which is no backend", f"there are: {', '.join(known)}")
    bound = tuple(fault.bound_to(session.lab) for fault in scenario.faults)
    return tuple(replace(fault, lasting=options.duration) if options.duration else fault for fault in bound)


def refuse_impossible(name: str, scenario: Scenario, session: Session) -> None:
    """Refuse a scenario that these machines cannot play, before anything is touched.

    Raises:
        CannotBeDone: it takes a power that nobody could give back; names what to run instead.
    """
    if scenario.needs_power and Capability.POWER_ON not in session.machines.capabilities:
        like_it = " or ".join(f"lab scenario {other}" for other in instead_of(scenario))
        instead = f"{like_it} asks nearly the same" if like_it else "lab scenario marks those that run here"
        require(name, Capability.POWER_ON, session.machines.capabilities, instead)


def run(name: str, scenario: Scenario, session: Session, options: Options) -> Ran:
    """Run a scenario on a lab that is up. The caller holds the lab's lock.

    Steps: require that the lab is ready; put the configuration on; measure the clocks; note in which
    life each host is; send load; keep the steady state; write the faults down, inject them, confirm them by a probe;
    observe; heal, confirm; wait until every backend answers again; keep the steady state once more; note the lives
    again; collect the balancer's log; look for leftovers; judge.

    Raises:
        LabError: it could not be run; what was injected is healed.
        Interrupted: Ctrl-C or SIGTERM; what was injected is healed.
    """
    refuse_impossible(name, scenario, session)
    ledger = Ledger(session.home)
    faults = faults_of(scenario, session, options)
    readiness.require_ready(session, ledger)
    readiness.require_balanced(session)
    folder = new_run(session.home, name)
    try:
        with _healed(session, ledger), Journal(folder.journal) as journal:
            _record(name, scenario, session, options, faults, folder, journal, ledger)
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted; what was injected is healed, the record is in {folder.path}") from None
    verdict = judge(History.load(folder.path), (*scenario.verdict, *standing()))
    write_bytes(folder.verdict, verdict.to_json().encode())
    return Ran(folder, verdict)


@contextmanager
def _healed(session: Session, ledger: Ledger) -> Iterator[None]:
    """However the block ends, nothing of the ledger is in force afterwards."""
    try:
        yield
    finally:
        with shielded():
            if ledger.entries():
                session.listener(Note("healing what is still in force", loud=True))
                session.close()
                healing.heal_all(session, ledger)


def _record(
    name: str, scenario: Scenario, session: Session, options: Options, faults: tuple[Fault, ...], folder: RunFolder,
    journal: Journal, ledger: Ledger,
) -> None:  # fmt: skip
    variant = options.variant or scenario.config
    config = variants.put_on(variant, session, ledger, folder.id)
    clock = Clock.start()
    journal.append(_run_record(name, scenario, session, options, variant, faults, folder, clock))
    if options.note:
        journal.append(NoteRecord(clock.now(), options.note))
    readiness.record_config(session, journal, clock)
    readiness.record_clocks(session, journal, clock)
    lives.record_lives(session, journal, clock)
    watch = Watch(clock, options.rate)
    load_plan = _load_plan(scenario, session, options, faults, folder.id)
    addresses = [str(host.address) for host in session.lab.hosts]

    def on_sample(sample: Sample) -> None:
        watch.take(sample)
        journal.append(sample)

    load = Load(load_plan, clock, allowed=addresses, allowed_subnet=str(session.lab.reach), on_sample=on_sample)
    with load:
        _Phases(session, journal, clock, watch, ledger, folder.id).go(faults)
    journal.append(PhaseRecord(clock.now(), "end"))
    lives.record_lives(session, journal, clock)
    if config:
        healing.heal(session, config)
        ledger.remove(config)
    aftermath.collect_log(session, folder, folder.id)
    if _posts(scenario, options):
        aftermath.record_posts(session, journal, clock, folder.id)
    aftermath.record_leftovers(session, journal, clock, ledger)


@dataclass
class _Phases:
    """The part of a run that is under load."""

    session: Session
    journal: Journal
    clock: Clock
    watch: Watch
    ledger: Ledger
    run: str
    told: float = 0.0

    def go(self, faults: tuple[Fault, ...]) -> None:
        """From the steady state to the steady state."""
        with self._phase("steady"):
            self._watch_for(STEADY_S)
        entries: list[tuple[Fault, Entry]] = []
        with self._phase("inject", ", ".join(fault.what for fault in faults)):
            entries.extend((fault, self._inject(fault)) for fault in faults)
        with self._phase("observe"):
            self._watch_for(max((fault.lasting.seconds for fault in faults), default=NO_FAULT_S))
        with self._phase("heal"):
            for fault, entry in reversed(entries):  # who was drained comes back last of all
                self._heal(fault, entry)
        with self._phase("recover"):
            self._recover()
        with self._phase("steady-again"):
            self._watch_for(AGAIN_S)

    def _inject(self, fault: Fault) -> Entry:
        before = healing.listeners(self.session, fault.host)
        entry = healing.write_down(fault, self.ledger, self.run, self.session.lab.balancer.name)
        self._stage(fault, "written")
        how = healing.inject(self.session, fault, entry)
        self._stage(fault, "injected")
        if how:
            self.journal.append(EventRecord(self.clock.now(), fault.host, f"{fault.what} {how}"))
            self.session.listener(Note(f"{fault.what} {how}"))
        self._stage(fault, "confirmed", healing.confirm(self.session, fault, before))
        return entry

    def _heal(self, fault: Fault, entry: Entry) -> None:
        self._stage(fault, "healing")
        healing.heal(self.session, entry)
        self._stage(fault, "healed")
        healing.confirm_healed(self.session, entry, self.ledger)
        self._stage(fault, "confirmed-healed")

    def _recover(self) -> None:
        """Until every backend answers again, as long as nginx may leave one out; then the run goes on in any case."""
        wanted = [backend.name for backend in self.session.lab.backends if not backend.backup]
        wanted = [name for name in wanted if name in self.watch.answered]
        deadline = self.clock.now() + self.session.lab.upstream.fail_timeout_s + BACK_MARGIN_S * self.session.patience
        while not self.watch.is_well(wanted) and self.clock.now() < deadline:
            self._watch_for(0.2)
        if not self.watch.is_well(wanted):
            self.journal.append(NoteRecord(self.clock.now(), "the steady state did not come back by its deadline"))

    def _stage(self, fault: Fault, stage: Stage, note: str = "") -> None:
        t = self.clock.now()
        self.journal.append(FaultRecord(t, stage, fault.what, fault.host, fault.effect, note, fault.restarts))
        if note:
            self.journal.append(EventRecord(t, fault.host, f"the probe saw: {note}"))

    def _watch_for(self, seconds: float) -> None:
        """Let time pass, telling the listener once a second what users get."""
        end = self.clock.now() + seconds
        while (left := end - self.clock.now()) > 0:
            sleep(min(left, 0.1))
            if self.clock.now() - self.told >= 1:
                self.told = self.clock.now()
                self.session.listener(self.watch.traffic())

    @contextmanager
    def _phase(self, name: PhaseName, detail: str = "") -> Iterator[None]:
        began = self.clock.now()
        self.journal.append(PhaseRecord(began, name))
        self.session.listener(PhaseStarted(name, detail))
        ok = False
        try:
            yield
            ok = True
        finally:
            self.session.listener(PhaseEnded(name, ok, self.clock.now() - began))


def _run_record(
    name: str, scenario: Scenario, session: Session, options: Options, variant: Variant, faults: tuple[Fault, ...],
    folder: RunFolder, clock: Clock,
) -> RunRecord:  # fmt: skip
    lab = session.lab
    backends = tuple(Backend(b.name, f"{b.address}:{lab.app.port}", b.weight, b.backup) for b in lab.backends)
    return RunRecord(
        t=0.0, id=folder.id, scenario=name, question=scenario.question, lab=lab.name, provider=session.provider,
        variant=variant, balancer=lab.balancer.name,
        hosts=tuple(HostAddress(h.name, str(h.address), tuple(r.value for r in h.roles)) for h in lab.hosts),
        backends=backends, victims=tuple(b.name for b in backends if _hits_backend(faults, b.name)),
        rate=options.rate, seed=options.seed, epoch=clock.epoch, command=_command(name, options), file=options.file,
    )  # fmt: skip


def _command(name: str, options: Options) -> str:
    """The command that runs it again as it was run."""
    words = ["lab", "scenario", options.file or name, "--rate", f"{options.rate:g}"]
    words += ["--duration", f"{options.duration.seconds:g}"] if options.duration else []
    words += ["--config", options.variant] if options.variant else []
    words += ["--posts", f"{options.posts:g}"] if options.posts is not None else []
    words += [word for path in options.paths for word in ("--path", path)] if options.paths != ("/",) else []
    words += [word for client in options.clients for word in ("--client", client)]
    words += ["--keepalive"] if options.keepalive else []
    return shlex.join(words)


def _hits_backend(faults: tuple[Fault, ...], name: str) -> bool:
    return any(fault.host == name and fault.effect is not Effect.BALANCER for fault in faults)


def _load_plan(scenario: Scenario, session: Session, options: Options, faults: tuple[Fault, ...], run: str) -> LoadPlan:
    """Long enough for the slowest run; it is stopped when the phases are over."""
    lasting = sum(fault.lasting.seconds for fault in faults)
    bound = STEADY_S + lasting + 2 * BACK_MARGIN_S * session.patience + session.lab.upstream.fail_timeout_s + 60
    return LoadPlan(
        address=str(session.lab.balancer.address), port=80, host=session.lab.domain, rate=options.rate,
        duration_s=bound, run_id=run, posts=_posts(scenario, options), paths=options.paths, clients=options.clients,
        keepalive=options.keepalive, seed=options.seed,
    )  # fmt: skip


def _posts(scenario: Scenario, options: Options) -> float:
    return scenario.posts if options.posts is None else options.posts
