"""What a claim can be about. Each metric measures one thing over a window of the history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from lab.failover import STALL_S, stalled
from lab.history import ACCESS, JOURNAL, History, Window
from lab.quantities import Duration, percentile
from lab.sample import Sample

STALL = Duration(STALL_S)
PERCENT, SECONDS, REQUESTS = "%", "s", "requests"


@dataclass(frozen=True)
class Measured:
    """A figure, and on how many observations it rests; with n = 0 nothing was measured."""

    value: float
    n: int


Measure = Callable[[History, Window, Sequence[Sample], str], Measured]
"""From the history, the window, its requests and the unit that is asked for."""


@dataclass(frozen=True)
class Metric:
    """Something measurable.

    Attributes:
        names: how a claim calls it, in English and Indonesian.
        units: those that a bound may have.
        measure: how it is found.
        in_force: whether "during" means the time in force only; else it includes the healing, as users feel it.
        backend: the backend that it is about, for checking the name; empty for none.
        source: where the figure comes from.
    """

    names: tuple[str, str]
    units: tuple[str, ...]
    measure: Measure = field(compare=False)
    in_force: bool = False
    backend: str = ""
    source: str = JOURNAL


def failed_requests() -> Metric:
    """Requests that got no answer or one of status 400 and above."""
    return Metric(("failed requests", "permintaan gagal"), (PERCENT, REQUESTS), partial(_part, lambda s: s.failed))


def stalls(over: Duration = STALL) -> Metric:
    """Requests that took longer than `over`, whatever came in the end."""
    names = (f"requests over {over}", f"permintaan di atas {over}")
    return Metric(names, (PERCENT, REQUESTS), partial(_part, lambda s: stalled(s, over.seconds)))


def share_of(backend: str) -> Metric:
    """The backend's part of the good answers."""
    return Metric((f"{backend}'s share", f"bagian {backend}"), (PERCENT,), partial(_share, backend), True, backend)


def bad_window() -> Metric:
    """From the first request that failed or stalled to the end of the last one: the outage as users feel it."""
    return Metric(("the bad window", "jendela buruk"), (SECONDS,), _bad_window)


def latency_p99() -> Metric:
    """What 99 of 100 requests did not exceed, from the instant at which each had to be sent."""
    return Metric(("latency p99", "latensi p99"), (SECONDS,), _p99)


def retries() -> Metric:
    """Requests that the balancer tried at more than one backend."""
    return Metric(("retries", "percobaan ulang"), (REQUESTS, PERCENT), _retries, source=ACCESS)


def duplicate_posts() -> Metric:
    """POSTs that were executed more than once.

    The backends say which ones they executed. One that was killed has forgotten them: then a POST counts whose
    first attempt had got through to it before nginx tried another.
    """
    names = ("POSTs executed twice", "POST yang dijalankan dua kali")
    return Metric(names, (REQUESTS,), _duplicates, source=f"{JOURNAL}, {ACCESS}")


def _part(is_one: Callable[[Sample], bool], _: History, __: Window, samples: Sequence[Sample], unit: str) -> Measured:
    count = sum(map(is_one, samples))
    return Measured(_in(unit, count, len(samples)), len(samples))


def _in(unit: str, count: int, n: int) -> float:
    """A count as it is, or in percent to three places; what is neither none nor all is never rounded to it."""
    if unit == REQUESTS or not count:
        return count
    return 100.0 if count == n else min(max(round(100 * count / n, 3), 0.001), 99.999)


def _share(backend: str, _: History, __: Window, samples: Sequence[Sample], ___: str) -> Measured:
    good = [sample.backend for sample in samples if not sample.failed]
    return Measured(_in(PERCENT, good.count(backend), len(good)), len(good))


def _bad_window(_: History, __: Window, samples: Sequence[Sample], ___: str) -> Measured:
    bad = [sample for sample in samples if sample.failed or stalled(sample)]
    if not bad:
        return Measured(0.0, len(samples))
    length = max(sample.done for sample in bad) - min(sample.scheduled for sample in bad)
    return Measured(round(length, 3), len(samples))


def _p99(_: History, __: Window, samples: Sequence[Sample], ___: str) -> Measured:
    latencies = sorted(sample.latency_s for sample in samples)
    return Measured(round(percentile(latencies, 0.99), 6) if latencies else 0.0, len(latencies))


def _retries(history: History, _: Window, samples: Sequence[Sample], unit: str) -> Measured:
    lines = [history.log_of[sample.id] for sample in samples if sample.id in history.log_of]
    return Measured(_in(unit, sum(line.retried for line in lines), len(lines)), len(lines))


def _duplicates(history: History, _: Window, samples: Sequence[Sample], __: str) -> Measured:
    posts = {sample.id for sample in samples if sample.method == "POST"}
    executed = Counter(id for record in history.posts for id in record.ids if id in posts)
    twice = {id for id, count in executed.items() if count > 1}
    return Measured(len(twice | _perhaps_twice(history, posts)), len(posts))


def _perhaps_twice(history: History, posts: set[str]) -> set[str]:
    told = {record.host for record in history.posts}
    known = {backend.address for backend in history.run.backends if backend.name in told}
    return {
        line.id for line in history.access if line.retried and line.id in posts
        if any(tried.connect_s is not None and tried.address not in known for tried in line.attempts[:-1])
    }  # fmt: skip
