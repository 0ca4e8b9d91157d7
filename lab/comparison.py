"""Two runs side by side: the same figures of both, as before and after a change of the configuration."""

from __future__ import annotations

from dataclasses import dataclass

from lab import failover
from lab.expectations import bad_window, failed_requests, latency_p99, stalls
from lab.history import History
from lab.metrics import Metric
from lab.verdict import Verdict

_METRICS: tuple[tuple[Metric, str], ...] = (
    (failed_requests(), "%"), (stalls(), "requests"), (bad_window(), "s"), (latency_p99(), "s"),
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One figure of both runs, as text; "–" where there is none."""

    what: str
    left: str
    right: str


def compare(left: tuple[History, Verdict], right: tuple[History, Verdict]) -> tuple[Row, ...]:
    """The rows of the comparison."""
    ours, theirs = _figures(*left), _figures(*right)
    return tuple(Row(what, value, theirs[what]) for what, value in ours.items())


def _figures(history: History, verdict: Verdict) -> dict[str, str]:
    window = failover.disturbed(history)
    samples = history.touched_by(window)
    found = {
        "scenario": history.run.scenario,
        "config": history.run.variant,
        "outcome": verdict.outcome.value,
        "requests": str(verdict.requests.sent),
    }
    for metric, unit in _METRICS:
        measured = metric.measure(history, window, samples, unit) if window and samples else None
        found[f"{metric.names[0]}, during the fault"] = f"{measured.value:.3g} {unit}" if measured else "–"
    for name, seconds in (
        ("detected after", verdict.timings.detect_s),
        ("rerouted after", verdict.timings.reroute_s),
        ("back after", verdict.timings.recover_s),
    ):
        found[name] = "–" if seconds is None else f"{seconds:.3f} s"
    return found
