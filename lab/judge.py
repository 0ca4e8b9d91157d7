"""From a history to a verdict: gates first, then claims, then the instants of the failover."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from lab.errors import UsageError
from lab.expectations import Expectation
from lab.failover import timings
from lab.gates import pass_gates
from lab.history import History
from lab.verdict import Evidence, Requests, Verdict


def judge(history: History, expectations: Iterable[Expectation]) -> Verdict:
    """Judge a run; the same history gives the same verdict, today and in a year.

    Where a gate is shut, the claims keep their measurements, but nothing is concluded from them.

    Raises:
        UsageError: an expectation is about a backend that the run did not have.
    """
    with _without_collection():
        gates = pass_gates(history)
        claims = tuple(_judged(expectation, history) for expectation in expectations)
        if any(gate.holds is None for gate in gates):
            claims = tuple(replace(claim, holds=None) for claim in claims)
        return Verdict(
            scenario=history.run.scenario,
            evidence=gates + claims,
            requests=_requests(history),
            timings=timings(history),
            healed=all(fault.confirmed_healed is not None for fault in history.faults),
            seconds=round(history.seconds, 3),
        )


def _judged(expectation: Expectation, history: History) -> Evidence:
    try:
        return expectation.judge(history)
    except UsageError:
        raise
    except Exception as fault:
        why = f"our fault: the check of “{expectation.claim()}” crashed"
        return Evidence(why, f"{type(fault).__name__}: {fault}", "", 0, None, "lab")


def _requests(history: History) -> Requests:
    failed = sum(sample.failed for sample in history.samples)
    return Requests(len(history.samples), len(history.samples) - failed, failed)


@contextmanager
def _without_collection() -> Iterator[None]:
    """Judging makes no cycles; looking for them among 200,000 records took longer than the judging."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
