"""The conditions for judging a run at all. Where one fails the run is INCONCLUSIVE, and a sentence says why.

Each gate is a pure function of the history. It gives evidence that holds (True) or from which nothing can be
told (None), or no evidence at all where the question does not arise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from lab import witnesses
from lab.failover import before
from lab.history import JOURNAL, History
from lab.quantities import percentile
from lab.sample import Failure
from lab.verdict import Evidence

MAX_LAG_S = 0.050
"""With a send lag beyond this at the 99th percentile the sender, not the lab, was measured."""
MIN_PART_OF_SHARE = 0.25
"""A victim that served less than a quarter of what its weight promises was hardly there to lose."""
MAX_OFFSET_ERROR_S = 0.1
"""With an offset known no better the balancer's log cannot be laid beside the samples."""

Gate = Callable[[History], Evidence | None]


def opened(claim: str, measured: float | str, unit: str, n: int, source: str = JOURNAL) -> Evidence:
    """A gate that lets pass."""
    return Evidence(claim, measured, unit, n, True, source, gate=True)


def shut(why: str, measured: float | str | None, unit: str, n: int, source: str = JOURNAL) -> Evidence:
    """A gate that does not, with the sentence that says why."""
    return Evidence(why, measured, unit, n, None, source, gate=True)


def run_is_complete(history: History) -> Evidence:
    """The run went to its end and its record is whole."""
    n = len(history.samples)
    if history.torn:
        return shut("the journal's last line is torn: the run was cut off while it was written", "torn", "", n)
    if not history.ended:
        last = history.phases[-1].name if history.phases else "its beginning"
        return shut(f"the run did not go to its end; the last that was written is {last}", last, "", n)
    return opened("the run went to its end", round(history.seconds, 3), "s", n)


def upstream_is_used(history: History) -> Evidence:
    """The site's proxy_pass names the upstream, so that there is balancing at all."""
    finding = history.finding("upstream")
    if finding is None:
        return shut("the balancer's configuration was not looked at: nobody knows whether the upstream is used",
                    None, "", 0, "nginx -T")  # fmt: skip
    gate = opened if finding.holds else shut
    return gate(finding.text, "used" if finding.holds else "not used" if finding.holds is False else "cannot tell",
                "", 1, "nginx -T")  # fmt: skip


def two_members_are_live(history: History) -> Evidence:
    """Two or more distinct members, each of which answers or stands by."""
    finding = history.finding("members")
    if finding is not None and not finding.holds:
        return shut(finding.text, None, "", 1, "nginx -T")
    answers = history.answers_by(before(history))
    live = {backend.address for backend in history.run.backends if answers[backend.name] or backend.backup}
    names = ", ".join(f"{backend.name} {answers[backend.name]}" for backend in history.run.backends)
    if len(live) < 2:
        return shut(f"fewer than two backends were live before the fault ({names}): there was nothing to balance",
                    len(live), "backends", answers.total())  # fmt: skip
    return opened(f"{len(live)} distinct backends were live before the fault", len(live), "backends", answers.total())


def backends_are_told_apart(history: History) -> Evidence:
    """Each good answer says who gave it, and the name goes with the address that nginx asked."""
    names = {backend.address: backend.name for backend in history.run.backends}
    answers = [sample for sample in history.samples if not sample.failed]
    nameless = sum(not sample.backend for sample in answers)
    false = sum(names.get(sample.upstream.rsplit(" ", 1)[-1]) != sample.backend for sample in answers) - nameless
    if nameless or false > 0:
        why = f"{nameless} answers do not say which backend gave them, {max(false, 0)} name another than nginx asked"
        return shut(f"the backends cannot be told apart: {why}", nameless + max(false, 0), "answers", len(answers))
    return opened("every answer says which backend gave it", 0, "answers without a name", len(answers))


def load_was_on_schedule(history: History) -> Evidence:
    """The sender kept its rate: p99 of the send lag within 50 ms, and nothing failed on this computer."""
    lags = sorted(sample.lag_s for sample in history.samples)
    if not lags:
        return shut("not one request was sent", 0, "requests", 0)
    own = sum(sample.error == Failure.LOCAL for sample in history.samples)
    if own:
        return shut(f"{own} requests could not be sent by this computer, out of sockets or ports", own, "requests",
                    len(lags))  # fmt: skip
    p99 = percentile(lags, 0.99)
    measured, n = round(1000 * p99, 3), len(lags)
    if p99 > MAX_LAG_S:
        return shut(f"the load was off its schedule: 1 % of the requests were sent {measured:.0f} ms late or later",
                    measured, "ms", n)  # fmt: skip
    return opened("the load was on schedule (99 % sent within 50 ms)", measured, "ms", n)


def no_errors_before(history: History) -> Evidence:
    """The steady state was measured, and was steady."""
    samples = history.settled_in(before(history))
    failed = sum(sample.failed for sample in samples)
    if not samples:
        return shut("the steady state before the fault was not measured", None, "requests", 0)
    if failed:
        why = f"{failed} of {len(samples)} requests failed before the fault: there was no steady state to disturb"
        return shut(why, failed, "requests", len(samples))
    return opened("no request failed before the fault", 0, "requests", len(samples))


def victim_served_before(history: History) -> Evidence | None:
    """Who was hit had a share to lose."""
    if not history.victims:
        return None
    shares = [(history.share(victim.name, before(history)), victim) for victim in history.victims]
    (share, n), victim = min(shares, key=lambda pair: pair[0][0])
    fair = history.fair_share(victim.name)
    served = history.answers_by(before(history))[victim.name]
    if served == 0:
        return shut(f"{victim.name} served 0 of {n} requests before the fault: nothing was failed over", 0, "%", n)
    if share < fair * MIN_PART_OF_SHARE:
        why = f"{victim.name} served only {share:.1f} % of {n} requests before the fault, its share is {fair:.0f} %"
        return shut(why, round(share, 2), "%", n)
    return opened(f"{victim.name} served its share before the fault", round(share, 2), "%", n)


def faults_are_confirmed(history: History) -> Evidence | None:
    """A probe showed that each fault bites."""
    if not history.faults:
        return None
    missing = [fault for fault in history.faults if fault.confirmed is None]
    n = len(history.faults)
    if missing:
        why = f"{missing[0].what}: no probe confirmed that the fault bites"
        return shut(why, n - len(missing), "faults", n)
    return opened(f"{', '.join(dict.fromkeys(fault.what for fault in history.faults))}: confirmed by a probe",
                  n, "faults", n)  # fmt: skip


def nobody_else_restarted(history: History) -> Evidence:
    """Every host lived through the run, but for those that the scenario restarts: a second cause spoils it."""
    planned = {fault.host for fault in history.faults if fault.restarts}
    lives = {
        host.name: [record.life for record in history.lives if record.host == host.name]
        for host in history.run.hosts if host.name not in planned
    }  # fmt: skip
    unknown = [name for name, found in lives.items() if len(found) < 2]
    restarted = [name for name, found in lives.items() if len(set(found)) > 1]
    if restarted:
        why = f"somebody else restarted {', '.join(restarted)} during the run: the figures have two causes"
        return shut(why, len(restarted), "hosts", len(lives))
    if unknown:
        why = f"nobody looked whether {', '.join(unknown)} lived through the run"
        return shut(why, None, "hosts", len(lives))
    return opened("no host was restarted but by the scenario", 0, "hosts", len(history.run.hosts))


def clocks_are_known(history: History) -> Evidence:
    """The balancer's clock was compared with ours."""
    errors = [clock.error_s for clock in history.clocks if clock.host == history.run.balancer]
    if not errors:
        return shut(f"the clock of {history.run.balancer} was not compared with ours", None, "s", 0)
    error = min(errors)
    if error > MAX_OFFSET_ERROR_S:
        why = f"the clock of {history.run.balancer} is known only to {error:.3f} s"
        return shut(why, round(error, 6), "s", len(errors))
    text = f"the clock of {history.run.balancer} is {abs(history.offset_s):.3f} s {_side(history.offset_s)} ours"
    return opened(text, round(history.offset_s, 6), "s", len(errors))


def _side(offset_s: float) -> str:
    return "ahead of" if offset_s >= 0 else "behind"


GATES: tuple[Gate, ...] = (
    run_is_complete,
    upstream_is_used,
    two_members_are_live,
    backends_are_told_apart,
    load_was_on_schedule,
    no_errors_before,
    victim_served_before,
    faults_are_confirmed,
    witnesses.balancer_noticed,
    witnesses.dead_are_silent,
    witnesses.logs_agree,
    nobody_else_restarted,
    clocks_are_known,
)


def pass_gates(history: History, gates: Iterable[Gate] = GATES) -> tuple[Evidence, ...]:
    """The evidence of every gate whose question arises; a gate that crashes is shut, and says that it is our fault."""
    found = (_guarded(gate, history) for gate in gates)
    return tuple(evidence for evidence in found if evidence is not None)


def _guarded(gate: Gate, history: History) -> Evidence | None:
    try:
        return gate(history)
    except Exception as fault:
        name = gate.__name__.replace("_", " ")
        return shut(f"our fault: the gate “{name}” crashed", f"{type(fault).__name__}: {fault}", "", 0, "lab")
