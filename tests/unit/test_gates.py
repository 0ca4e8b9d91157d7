"""Each gate alone makes a good run INCONCLUSIVE, and its sentence says why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from lab import gates
from lab.history import History
from lab.judge import judge
from lab.records import Backend, ClockRecord, Effect, Finding
from lab.verdict import Evidence, Outcome
from tests.unit.histories import (
    AHEAD_S,
    EPOCH,
    KILLED,
    PHASES,
    RATE,
    RUN,
    STRUCK,
    Reply,
    Try,
    fails_over,
    healthy,
    killed,
    lives,
    played,
    quiet,
)


def sampled(history: History, change: Callable[[int], dict[str, object]]) -> History:
    """The history with some fields of some samples changed."""
    return replace(history, samples=tuple(replace(s, **change(n)) for n, s in enumerate(history.samples)))  # type: ignore[arg-type]


def never_failed(t: float, n: int) -> Reply:
    """Voxy is left out without a single failed attempt."""
    return Reply((Try("zero", 200),)) if STRUCK <= t < 10.4 else healthy(t, n)


def zombie(t: float, n: int) -> Reply:
    """Voxy fails once, and yet answers now and then while it is said to be down."""
    return Reply((Try("voxy", 200),)) if 7 <= t < 8 and n % 50 == 0 else fails_over(t, n)


def hardly_voxy(t: float, n: int) -> Reply:
    """Voxy serves one request of ten."""
    return fails_over(t, n) if n % 20 == 0 or 5.4 <= t < 6 else Reply((Try("zero", 200),))


def shaky(t: float, n: int) -> Reply:
    """One 502 in the steady state."""
    return Reply((Try("zero", 502),)) if n == 101 else fails_over(t, n)


def without_zero() -> History:
    """A member that stands in the list twice is one member."""
    history = killed()
    twin = Backend("twin", "192.168.56.11:3000")
    return replace(history, run=replace(history.run, backends=(history.run.backends[0], twin)))


def clocks(*records: ClockRecord) -> History:
    """The kill with other clock measurements."""
    return replace(killed(), clocks=records)


def slow(took_s: float) -> History:
    """Voxy takes longer while the fault is in force."""

    def balancer(t: float, n: int) -> Reply:
        answer = healthy(t, n)
        late = STRUCK <= t < 10 and answer.tries[0].backend == "voxy"
        return Reply((Try("voxy", 200, 0.0, took_s),)) if late else answer

    return played(balancer, replace(KILLED, what="slow_link voxy", effect=Effect.SLOW))


def drained(still_asked: bool) -> History:
    """Voxy is taken out of the upstream."""
    leak = lambda t, n: healthy(t, n) if n % 100 == 0 else never_failed(t, n)  # noqa: E731
    return played(leak if still_asked else never_failed, replace(KILLED, what="drain voxy", effect=Effect.WITHDRAWN))


SHUT: dict[str, tuple[Callable[[], History], str]] = {
    "torn": (lambda: replace(killed(), torn=True), "torn"),
    "cut off": (lambda: replace(killed(), ended=False, phases=PHASES[:3]), "did not go to its end"),
    "upstream unused": (
        lambda: replace(killed(), findings=(Finding("upstream", "upstream domain is not used", False),)),
        "upstream domain is not used",
    ),
    "upstream unknown": (lambda: replace(killed(), findings=None), "nobody knows whether the upstream is used"),
    "members": (
        lambda: replace(killed(), findings=(*(killed().findings or ())[:1], Finding("members", "one member", False))),
        "one member",
    ),
    "nameless": (lambda: sampled(killed(), lambda n: {"backend": ""} if n == 150 else {}), "1 answers do not say"),
    "misnamed": (lambda: sampled(killed(), lambda n: {"backend": "zero"} if n == 150 else {}), "1 name another"),
    "lag": (
        lambda: sampled(killed(), lambda n: {"sent": n / RATE + 0.06} if n % 50 == 0 else {}), "off its schedule",
    ),
    "own failure": (
        lambda: played(lambda t, n: Reply((), "local") if n == 1200 else fails_over(t, n), KILLED),
        "could not be sent by this computer",
    ),
    "errors before": (lambda: played(shaky, KILLED), "1 of 500 requests failed before the fault"),
    "small share": (lambda: played(hardly_voxy, KILLED), "voxy served only 5.0 % of 500 requests"),
    "unconfirmed": (lambda: replace(killed(), faults=(replace(KILLED, confirmed=None),)), "no probe confirmed"),
    "unnoticed": (lambda: played(never_failed, KILLED), "the balancer never met the fault"),
    "not slow": (lambda: slow(0.003), "the balancer saw no slowness"),
    "still asked": (lambda: drained(still_asked=True), "yet the balancer still asked it"),
    "not silent": (lambda: played(zombie, KILLED), "yet it gave 2 answers"),
    "line missing": (lambda: replace(killed(), access=killed().access[:-1]), "1 answers that the balancer did not log"),
    "line too many": (
        lambda: replace(killed(), access=(*killed().access, replace(killed().access[0], id="run1-999999"))),
        "no request of ours explains",
    ),
    "line twice": (lambda: replace(killed(), access=killed().access + killed().access[:1]), "tell a request again"),
    "status differs": (
        lambda: replace(killed(), access=(replace(killed().access[0], status=206), *killed().access[1:])),
        "1 requests with another status",
    ),
    "backend differs": (
        lambda: replace(killed(), access=(replace(killed().access[0], upstream_addr="x:1"), *killed().access[1:])),
        "1 requests with another backend",
    ),
    "damaged line": (lambda: replace(killed(), damaged=1), "1 damaged lines"),
    "restarted": (lambda: replace(killed(), lives=lives("voxy", "zero")), "restarted zero during the run"),
    "victim restarted": (
        lambda: replace(killed(), faults=(replace(KILLED, what="pause voxy", restarts=False),)), "restarted voxy",
    ),
    "restart unknown": (lambda: replace(killed(), lives=lives()[:3]), "nobody looked whether akuma, zero"),
    "clock unknown": (
        lambda: replace(killed(), clocks=(), run=replace(RUN, epoch=EPOCH + AHEAD_S)),
        "the clock of akuma was not compared",
    ),
    "clock vague": (lambda: clocks(ClockRecord(0, "akuma", 3600, 0.5)), "known only to 0.500 s"),
}  # fmt: skip


@pytest.mark.parametrize("name", SHUT)
def test_one_gate_alone_is_shut(name: str) -> None:
    """Exactly one gate is shut, and the run proves nothing, whatever it claims."""
    make, sentence = SHUT[name]
    verdict = judge(make(), ())
    shut = [gate.claim for gate in verdict.gates if not gate.holds]
    assert len(shut) == 1, shut
    assert sentence in shut[0]
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.reasons == tuple(shut)


def test_a_member_listed_twice_is_one() -> None:
    """Two names for one address are not two members, and cannot be told apart."""
    shut = [gate.claim for gate in gates.pass_gates(without_zero()) if not gate.holds]
    assert any("fewer than two backends were live" in sentence for sentence in shut)


def test_all_gates_open() -> None:
    """A good kill passes every gate; each names its source."""
    found = gates.pass_gates(killed())
    assert [gate.claim for gate in found if not gate.holds] == []
    assert len(found) == len(gates.GATES)
    assert all(gate.source and gate.n for gate in found)


def test_without_a_fault_only_half_the_questions_arise() -> None:
    """No victim, no fault: their gates give no evidence."""
    found = {gate.__name__ for gate in gates.GATES if gate(quiet()) is None}
    assert found == {"victim_served_before", "faults_are_confirmed", "balancer_noticed", "dead_are_silent"}


@pytest.mark.parametrize("history", [slow(0.5), drained(still_asked=False)], ids=["slow", "drained"])
def test_other_effects_have_other_signs(history: History) -> None:
    """A slowed victim must be slow, a withdrawn one must not be asked; neither needs failed attempts."""
    assert [gate.claim for gate in gates.pass_gates(history) if not gate.holds] == []


def test_a_lone_answer_in_flight_is_no_disagreement() -> None:
    """A request that the client gave up, or that never reached the balancer, contradicts nothing."""

    def balancer(t: float, n: int) -> Reply:
        if 7 <= t < 7.1:
            return Reply((), "refused")
        return Reply((Try("zero", 499),), "timeout", 2.0) if 7.1 <= t < 7.2 else fails_over(t, n)

    assert all(gate.holds for gate in gates.pass_gates(played(balancer, KILLED)))


def test_a_crashing_gate_is_our_fault() -> None:
    """It never lets a run pass, and says whose fault it is."""

    def broken(history: History) -> Evidence:
        raise ZeroDivisionError("by zero")

    [found] = gates.pass_gates(killed(), [broken])
    assert found.holds is None and "our fault" in found.claim
    assert found.measured == "ZeroDivisionError: by zero"
