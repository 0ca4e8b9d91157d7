"""The gates that compare what the client saw with what the balancer wrote: two witnesses, one story."""

from __future__ import annotations

from collections import Counter
from statistics import quantiles

from lab.failover import before, in_force
from lab.history import ACCESS, Fault, History, Window
from lab.records import Effect
from lab.sample import Failure, Sample
from lab.verdict import Evidence

SOURCE = f"{ACCESS}, journal.jsonl"
SLOWER = 2.0
"""How many times as long as before a slowed victim must take, at the 95th percentile."""
SLOWER_S = 0.005
"""And how many seconds longer: the log counts in milliseconds."""
UNANSWERED = (Failure.TIMEOUT, Failure.RESET, Failure.CLOSED, Failure.PROTOCOL)
"""How a request may end for which the balancer has a line though the client got no complete answer."""


def balancer_noticed(history: History) -> Evidence | None:
    """The balancer's log shows the fault, as its kind demands."""
    window = in_force(history)
    faults = [fault for fault in history.faults if fault.effect is not Effect.BALANCER]
    if not faults or window is None:
        return None
    found = [_sign(history, fault, window) for fault in faults]
    return next((evidence for evidence in found if not evidence.holds), found[0])


def _sign(history: History, fault: Fault, window: Window) -> Evidence:
    if fault.effect is Effect.WITHDRAWN:
        return _gone(history, fault, window)
    address = _address(history, fault.host)
    since = Window(fault.written, window.end)
    failed = sum(t in since for t, attempt in history.failed_attempts if attempt.address == address)
    if failed:
        return _opened(f"the balancer noticed: its log has failed attempts at {fault.host}", failed, "attempts", failed)
    if fault.effect is Effect.SLOW:  # so slow that an attempt was given up is a failed attempt, which is enough
        return _slower(history, fault, window)
    why = f"the balancer never met the fault: its log has no failed attempt at {fault.host}"
    return _shut(why, 0, "attempts", len(history.access))


def _gone(history: History, fault: Fault, window: Window) -> Evidence:
    asked = _asked(history, fault.host, Window(fault.confirmed or window.start, window.end))
    if asked:
        return _shut(f"{fault.host} was withdrawn, yet the balancer still asked it", len(asked), "attempts", len(asked))
    return _opened(f"the balancer does not ask {fault.host} any more", 0, "attempts", len(history.access))


def _slower(history: History, fault: Fault, window: Window) -> Evidence:
    steady = before(history)
    usual = _p95(_asked(history, fault.host, steady)) if steady else None
    times = _asked(history, fault.host, window)
    slow = _p95(times)
    if usual is None or slow is None:
        return _shut(f"{fault.host} was hardly asked: nobody can tell whether it became slow", None, "s", len(times))
    if slow < max(usual * SLOWER, usual + SLOWER_S):
        why = f"the balancer saw no slowness: {fault.host} took {slow:.3f} s (p95), before the fault {usual:.3f} s"
        return _shut(why, slow, "s", len(times))
    return _opened(f"the balancer saw {fault.host} become slow (p95, before: {usual:.3f} s)", slow, "s", len(times))


def _p95(times: list[float]) -> float | None:
    return round(quantiles(times, n=20)[-1], 3) if len(times) >= 2 else None


def _asked(history: History, host: str, window: Window) -> list[float]:
    """How long the host took for each request that came to it in the window; seconds."""
    address = _address(history, host)
    return [
        attempt.response_s or 0.0
        for record in history.access if address in record.upstream_addr and history.began(record) in window
        for attempt in record.attempts if attempt.address == address
    ]  # fmt: skip


def _address(history: History, host: str) -> str:
    return next((backend.address for backend in history.run.backends if backend.name == host), "")


def dead_are_silent(history: History) -> Evidence | None:
    """A victim that is down gives no answers while it is confirmed to be down."""
    silent = [fault for fault in history.faults if fault.effect is Effect.SILENT and fault.confirmed is not None]
    if not silent:
        return None
    answers: Counter[str] = Counter()
    for fault in silent:
        window = Window(fault.confirmed or 0.0, fault.healing if fault.healing is not None else history.seconds)
        asked = history.samples_in(window)
        answers[fault.host] += sum(s.backend == fault.host and not s.failed and s.done < window.end for s in asked)
    host, count = answers.most_common(1)[0]
    if count:
        return _shut(f"{host} is said to be down, yet it gave {count} answers", count, "answers", count)
    return _opened(f"{', '.join(answers)}: silent while down", 0, "answers", len(history.samples))


def logs_agree(history: History) -> Evidence:
    """Client and balancer tell the same story of every request.

    A request that the balancer need not have met, since it never got a complete answer, is no disagreement.
    """
    lines = history.log_of
    kinds: Counter[str] = Counter()
    ids = set()
    for sample in history.samples:
        ids.add(sample.id)
        line = lines.get(sample.id)
        if line is None:
            if sample.status is not None:
                kinds["answers that the balancer did not log"] += 1
        elif sample.status is None:
            if sample.error not in UNANSWERED:
                kinds["requests that never got through, yet are in the balancer's log"] += 1
        elif line.status != sample.status:
            kinds["requests with another status in the balancer's log"] += 1
        elif line.upstream_addr != sample.upstream:
            kinds["requests with another backend in the balancer's log"] += 1
    kinds["lines of the balancer's log that no request of ours explains"] = sum(id not in ids for id in lines)
    kinds["lines of the balancer's log that tell a request again"] = len(history.access) - len(lines)
    kinds["damaged lines in the balancer's log"] = history.damaged
    wrong = +kinds
    n = len(history.samples)
    if wrong:
        why = ", ".join(f"{count} {kind}" for kind, count in wrong.most_common())
        return _shut(f"client and balancer disagree: {why}", wrong.total(), "requests", n)
    return _opened("client and balancer tell the same of every request", 0, "disagreements", n)


def unlogged(history: History) -> tuple[Sample, ...]:
    """The requests that failed without a line in the balancer's log: its log alone would not know of them."""
    return tuple(sample for sample in history.samples if sample.failed and sample.id not in history.log_of)


def _opened(claim: str, measured: float, unit: str, n: int) -> Evidence:
    return Evidence(claim, measured, unit, n, True, SOURCE, gate=True)


def _shut(why: str, measured: float | None, unit: str, n: int) -> Evidence:
    return Evidence(why, measured, unit, n, None, SOURCE, gate=True)
