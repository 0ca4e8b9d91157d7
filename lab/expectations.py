"""The words in which a scenario says what it expects.

`during(failed_requests()).at_most("0 %")` reads as it is meant, and is a pure function of the history. The three
times are: before, the steady state; during, from the injection until the steady state is back (for a share: while
the fault is in force); after, the steady state again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from lab import failover
from lab.errors import UsageError
from lab.history import JOURNAL, History, Window
from lab.metrics import (
    Metric,
    bad_window,
    duplicate_posts,
    failed_requests,
    latency_p99,
    retries,
    share_of,
    stalls,
)
from lab.quantities import Duration, Limit, limit, seconds
from lab.sample import Sample
from lab.verdict import Evidence

__all__ = [
    "Expectation", "after", "back_within", "bad_window", "before", "duplicate_posts", "during", "failed_requests",
    "forgotten", "healed", "latency_p99", "nothing_left", "retries", "seconds", "share_of", "stalls", "standing",
    "steady_again",
]  # fmt: skip

When = Literal["before", "during", "after"]
Lang = Literal["en", "id"]

_TIMES = {
    ("before", False): ("before the fault", "sebelum gangguan"),
    ("during", False): ("during the fault", "selama gangguan"),
    ("during", True): ("during the fault, once rerouted", "selama gangguan, setelah dialihkan"),
    ("after", False): ("after the fault", "setelah gangguan"),
}
_BOUNDS = {"at most": "paling banyak", "at least": "paling sedikit", "between": "antara", "and": "dan"}
STEADY_PART = 0.5
"""Steady again: every backend serves at least half of the share that it served before."""


class Expectation(Protocol):
    """Something that a history can bear out or refute."""

    def claim(self, lang: Lang = "en") -> str:
        """The sentence, in English or Indonesian."""
        ...

    def judge(self, history: History) -> Evidence:
        """The sentence with its measurement."""
        ...


@dataclass(frozen=True)
class Claim:
    """A metric at a time within bounds; made by `before`, `during` and `after`."""

    when: When
    metric: Metric
    settled: bool
    low: Limit | None = None
    high: Limit | None = None

    def claim(self, lang: Lang = "en") -> str:
        """As "during the fault: failed requests at most 0 %"."""
        which = 0 if lang == "en" else 1
        bounds = _bounds(self.low, self.high)
        if lang == "id":
            for english, indonesian in _BOUNDS.items():
                bounds = bounds.replace(english, indonesian)
        return f"{_TIMES[self.when, self.settled][which]}: {self.metric.names[which]} {bounds}"

    def judge(self, history: History) -> Evidence:
        """Measure, and compare with the bounds.

        Raises:
            UsageError: the metric is about a backend that the run did not have.
        """
        names = [backend.name for backend in history.run.backends]
        if self.metric.backend and self.metric.backend not in names:
            raise UsageError(f"there is no backend {self.metric.backend}", f"there are: {', '.join(names)}")
        bound = self.high or self.low
        unit = bound.unit if bound else self.metric.units[0]
        window, samples = self._requests(history)
        measured = self.metric.measure(history, window, samples, unit)
        if measured.n == 0:
            return Evidence(self.claim(), None, unit, 0, None, self.metric.source)
        holds = (self.low is None or measured.value >= self.low.value) and (
            self.high is None or measured.value <= self.high.value
        )
        return Evidence(self.claim(), measured.value, unit, measured.n, holds, self.metric.source)

    def _requests(self, history: History) -> tuple[Window, Sequence[Sample]]:
        """The window and its requests; one that was under way when the fault came belongs to the fault."""
        window = self._window(history)
        if window is None:
            return Window(0.0, 0.0), ()
        if self.when == "before":
            return window, history.settled_in(window)
        samples = history.samples_in(window) if self.settled or self.when == "after" else history.touched_by(window)
        if self.metric.in_force:  # who answered only after the healing did not answer while the fault was in force
            samples = tuple(sample for sample in samples if self.when == "after" or sample.done < window.end)
        return window, samples

    def _window(self, history: History) -> Window | None:
        if self.when == "before":
            return failover.before(history)
        if self.when == "after":
            return failover.after(history)
        if self.settled:
            return failover.settled(history)
        return failover.in_force(history) if self.metric.in_force else failover.disturbed(history)


def _bounds(low: Limit | None, high: Limit | None) -> str:
    if low and high:
        return f"between {low} and {high}"
    return f"at most {high}" if high else f"at least {low}"


@dataclass(frozen=True)
class Subject:
    """A metric at a time, which still lacks its bounds."""

    when: When
    metric: Metric
    settled: bool = False

    def at_most(self, high: str | float | Duration) -> Claim:
        """The measurement is not above `high`."""
        return Claim(self.when, self.metric, self.settled, high=self._limit(high))

    def at_least(self, low: str | float | Duration) -> Claim:
        """The measurement is not below `low`."""
        return Claim(self.when, self.metric, self.settled, low=self._limit(low))

    def between(self, low: str | float | Duration, high: str | float | Duration) -> Claim:
        """The measurement is neither below `low` nor above `high`, which have the same unit."""
        lower, upper = self._limit(low), self._limit(high)
        if lower.unit != upper.unit or lower > upper:
            raise UsageError(f"between({lower}, {upper}): no range", "write the smaller one first, both in one unit")
        return Claim(self.when, self.metric, self.settled, lower, upper)

    def _limit(self, written: str | float | Duration) -> Limit:
        bound = limit(written)
        if bound.unit not in self.metric.units:
            examples = {"%": '"40 %"', "s": "seconds(2)", "requests": "a number of requests"}
            mend = " or ".join(examples[unit] for unit in self.metric.units)
            raise UsageError(f"{self.metric.names[0]}: {bound} has the wrong unit", f"write {mend}")
        return bound


def before(metric: Metric) -> Subject:
    """In the steady state before the fault."""
    return Subject("before", metric)


def during(metric: Metric, settled: bool = False) -> Subject:
    """While users may feel the fault; `settled` leaves out the detection, up to the reroute but 3 s at most."""
    return Subject("during", metric, settled)


def after(metric: Metric) -> Subject:
    """In the steady state after the healing."""
    return Subject("after", metric)


@dataclass(frozen=True)
class _Standing:
    """A claim without a metric."""

    words: tuple[str, str]

    def claim(self, lang: Lang = "en") -> str:
        """The sentence."""
        return self.words[lang == "id"]

    def _evidence(self, measured: float | str | None, unit: str, n: int, holds: bool | None) -> Evidence:
        return Evidence(self.claim(), measured, unit, n, holds, JOURNAL)


class _Healed(_Standing):
    def judge(self, history: History) -> Evidence:
        """Every fault has its last stage."""
        cured = sum(fault.confirmed_healed is not None for fault in history.faults)
        return self._evidence(cured, "faults", len(history.faults), cured == len(history.faults))


@dataclass(frozen=True)
class _BackWithin(_Standing):
    deadline: Duration

    def judge(self, history: History) -> Evidence:
        """The victim's first answer after the healing."""
        if not any(fault.healed is not None for fault in history.faults):
            return self._evidence(None, "s", 0, None)
        took = failover.timings(history).recover_s
        if took is None:
            return self._evidence("never", "s", len(history.faults), False)
        return self._evidence(took, "s", len(history.faults), took <= self.deadline.seconds)


class _SteadyAgain(_Standing):
    def judge(self, history: History) -> Evidence:
        """No failure any more, and nobody below half of his former share."""
        samples = history.samples_in(failover.after(history))
        if not samples:
            return self._evidence(None, "%", 0, None)
        failed = sum(sample.failed for sample in samples)
        if failed:
            return self._evidence(failed, "failed requests", len(samples), False)
        name, part = min(_parts(history), key=lambda pair: pair[1], default=("", 1.0))
        return self._evidence(f"{name} serves {100 * part:.0f} % of what it did" if name else "nobody served before",
                              "", len(samples), part >= STEADY_PART)  # fmt: skip


def _parts(history: History) -> list[tuple[str, float]]:
    """Each backend that served before, and its share now as a part of its share then."""
    shares = [
        (backend.name, history.share(backend.name, failover.before(history))[0],
         history.share(backend.name, failover.after(history))[0])
        for backend in history.run.backends
    ]  # fmt: skip
    return [(name, now / then) for name, then, now in shares if then]


class _NothingLeft(_Standing):
    def judge(self, history: History) -> Evidence:
        """The hosts were looked at in the end, and there was nothing."""
        if history.leftovers is None:
            return self._evidence(None, "", 0, None)
        found = [thing for record in history.leftovers for thing in record.found]
        looked = len({host for record in history.leftovers for host in record.hosts})
        return self._evidence(", ".join(found) or "nothing", "", looked, not found)


def healed() -> Expectation:
    """Every fault was healed, and a probe confirmed it."""
    return _Healed(("every fault is healed", "setiap gangguan sudah dipulihkan"))


def back_within(deadline: Duration) -> Expectation:
    """The victim answers again at most so long after the healing."""
    return _BackWithin(
        (f"the victim answers again within {deadline}", f"korban menjawab lagi dalam {deadline}"), deadline
    )


def steady_again() -> Expectation:
    """After the healing no request fails and every backend has its share again."""
    return _SteadyAgain(("the steady state is back", "keadaan tunak sudah kembali"))


def nothing_left() -> Expectation:
    """Nothing of the faults is left on any host."""
    return _NothingLeft(("nothing is left behind", "tidak ada yang tertinggal"))


class _Forgotten(_Standing):
    def judge(self, history: History) -> Evidence:
        """Nothing can be told of a claim that nobody remembers."""
        return self._evidence(None, "", 0, None)


def forgotten() -> Expectation:
    """What a run claimed, when its scenario file is gone or asks another question by now."""
    return _Forgotten(
        (
            "what the scenario claimed cannot be judged again: its file is gone or asks another question",
            "yang dinyatakan skenario tidak bisa dinilai lagi: berkasnya hilang atau pertanyaannya berubah",
        )
    )


def standing() -> tuple[Expectation, ...]:
    """What every scenario claims without saying so."""
    return healed(), steady_again(), nothing_left()
