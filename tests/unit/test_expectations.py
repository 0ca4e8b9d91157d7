"""Each claim alone turns a run to DEVIATED; each word of a scenario means what it says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab.errors import UsageError
from lab.expectations import (
    Expectation,
    after,
    back_within,
    bad_window,
    before,
    duplicate_posts,
    during,
    failed_requests,
    healed,
    latency_p99,
    nothing_left,
    retries,
    seconds,
    share_of,
    stalls,
    standing,
    steady_again,
)
from lab.history import History
from lab.judge import judge
from lab.records import LeftoverRecord, PostsRecord
from lab.verdict import Outcome
from tests.unit.histories import END, HEALED, KILLED, STRUCK, Reply, Try, all_dead, fails_over, hung, killed, played

CLAIMS: tuple[Expectation, ...] = (
    before(share_of("voxy")).between("40 %", "60 %"),
    during(failed_requests()).at_most("0 %"),
    during(stalls(over=seconds(0.5))).at_most(0),
    during(share_of("voxy"), settled=True).at_most("0 %"),
    during(bad_window()).at_most(seconds(0.1)),
    during(duplicate_posts()).at_most(0),
    during(retries()).at_most(5),
    after(latency_p99()).at_most(seconds(0.1)),
    after(share_of("voxy")).at_least("40 %"),
    back_within(seconds(2)),
    *standing(),
)


def one_502(t: float, n: int) -> Reply:
    """One user sees an error when the fault strikes."""
    return Reply((Try("zero", 502),)) if n == 571 else fails_over(t, n)


def one_stall(t: float, n: int) -> Reply:
    """One user waits for a second."""
    return Reply((Try("zero", 200, 0.0, 1.0),)) if n == 571 else fails_over(t, n)


def stubborn(t: float, n: int) -> Reply:
    """Voxy's requests are answered by voxy for 3.5 s more, before its death is confirmed."""
    if STRUCK + 0.1 <= t < STRUCK + 3.5:
        return Reply((Try("voxy" if n % 2 == 0 else "zero", 200),))
    return fails_over(t, n)


def many_retries(t: float, n: int) -> Reply:
    """Every other request is tried at voxy first: max_fails=0."""
    if STRUCK <= t < HEALED and n % 2 == 0:
        return Reply((Try("voxy", 502, None, 0.001), Try("zero", 200)))
    return fails_over(t, n)


def slow_after(t: float, n: int) -> Reply:
    """The steady state comes back with a slow request in each twenty."""
    return Reply((Try("zero", 200, 0.0, 0.2),)) if t >= 13 and n % 20 == 1 else fails_over(t, n)


def lopsided(t: float, n: int) -> Reply:
    """Voxy comes back with 30 % of the requests: steady, but not what was claimed."""
    return Reply((Try("voxy" if n % 10 < 3 else "zero", 200),)) if t >= 13 else fails_over(t, n)


def late(t: float, n: int) -> Reply:
    """Voxy answers its first request only 2.3 s after the healing."""
    return Reply((Try("zero", 200),)) if HEALED <= t < 12.7 else fails_over(t, n)


def twice() -> History:
    """A POST came to voxy and, after a timeout, to zero."""

    def balancer(t: float, n: int) -> Reply:
        if n == 560:
            return Reply((Try("voxy", 504, 0.0, 0.1), Try("zero", 200)))
        return fails_over(t, n)

    return played(balancer, KILLED, method="POST")


RED: dict[str, tuple[History, str]] = {
    "failed": (played(one_502, KILLED), "failed requests at most 0 %"),
    "stalled": (played(one_stall, KILLED), "requests over 0.5 s at most 0 requests"),
    "retries": (played(many_retries, KILLED), "retries at most 5 requests"),
    "p99": (played(slow_after, KILLED), "latency p99 at most 0.1 s"),
    "share after": (played(lopsided, KILLED), "after the fault: voxy's share at least 40 %"),
    "back": (played(late, KILLED), "the victim answers again within 2 s"),
    "twice": (twice(), "POSTs executed twice at most 0 requests"),
    "healed": (replace(killed(), faults=(replace(KILLED, confirmed_healed=None),)), "every fault is healed"),
    "left": (replace(killed(), leftovers=(LeftoverRecord(END, ("voxy",), ("nft table lab",)),)), "nothing is left"),
    "settled": (
        played(stubborn, replace(KILLED, confirmed=9.5)), "during the fault, once rerouted: voxy's share at most 0 %",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RED)
def test_one_claim_alone_deviates(name: str) -> None:
    """Exactly the claim that is broken does not hold; where a stall or an error shows, so does the bad window."""
    history, sentence = RED[name]
    verdict = judge(history, CLAIMS)
    red = [claim.claim for claim in verdict.claims if claim.holds is False and "bad window" not in claim.claim]
    assert len(red) == 1, red
    assert sentence in red[0]
    assert verdict.outcome is Outcome.DEVIATED, verdict.reasons


def test_a_bad_window_alone() -> None:
    """Claims about the outage's length do not need claims about the errors."""
    claim = during(bad_window()).at_most(seconds(4))
    assert judge(all_dead(), [claim]).outcome is Outcome.DEVIATED
    evidence = claim.judge(all_dead())
    assert (evidence.unit, evidence.n) == ("s", 800)
    assert 4.89 <= float(evidence.measured or 0) <= 4.91


def test_the_steady_state_must_be_as_it_was() -> None:
    """Every backend serves at least half of its former share, and nothing fails."""
    without_voxy = played(lambda t, n: Reply((Try("zero", 200),)) if t >= STRUCK + 0.1 else fails_over(t, n), KILLED)
    failing = played(lambda t, n: Reply((Try("zero", 500),)) if n == 1500 else fails_over(t, n), KILLED)
    assert steady_again().judge(without_voxy).holds is False
    assert steady_again().judge(failing).measured == 1
    assert steady_again().judge(killed()).holds is True


def test_a_good_kill_holds() -> None:
    """All claims, all gates."""
    verdict = judge(played(fails_over, KILLED, method="POST"), CLAIMS)
    assert verdict.outcome is Outcome.HELD, verdict.reasons
    assert all(claim.n for claim in verdict.claims)


def test_what_was_not_measured_does_not_hold() -> None:
    """A run without a second steady state can tell nothing about it."""
    history = replace(killed(), phases=killed().phases[:4], leftovers=None)
    for claim in (after(failed_requests()).at_most("0 %"), steady_again(), nothing_left()):
        assert (claim.judge(history).holds, claim.judge(history).n) == (None, 0)
    assert back_within(seconds(1)).judge(replace(history, faults=())).holds is None


def test_a_victim_that_never_comes_back() -> None:
    """The evidence says never, and the claim does not hold."""
    history = played(lambda t, n: Reply((Try("zero", 200),)) if t > STRUCK + 0.1 else fails_over(t, n), KILLED)
    evidence = back_within(seconds(10)).judge(history)
    assert (evidence.measured, evidence.holds) == ("never", False)


def test_one_in_a_million_is_not_none() -> None:
    """A percentage is never rounded to 0 or to 100."""
    history = played(one_502, KILLED)
    many = replace(history, samples=history.samples * 100)
    assert before(share_of("voxy")).at_most("100 %").judge(killed()).measured == 50.0
    assert float(during(failed_requests()).at_most("0 %").judge(many).measured or 0) > 0


def test_settling_leaves_out_the_detection_only() -> None:
    """The stalls of a hang lie before the reroute; what comes later counts."""
    hang = hung(read_timeout_s=1.0)
    assert during(stalls()).at_most(0).judge(hang).measured == 50
    assert during(stalls(), settled=True).at_most(0).judge(hang).measured == 0


def test_who_answers_after_the_healing_did_not_answer_during_the_fault() -> None:
    """What a hanging victim was asked and answers when it wakes up is a stall, and no part of its share."""

    def wakes(t: float, n: int) -> Reply:
        asleep = 9 <= t < HEALED and n % 2 == 0
        return Reply((Try("voxy", 200, 0.0, HEALED + 0.1 - t),)) if asleep else fails_over(t, n)

    history = played(wakes, KILLED)
    assert during(share_of("voxy")).at_most("0 %").judge(history).measured == 0
    assert during(stalls(), settled=True).at_most(0).judge(history).measured == 50


@pytest.mark.parametrize("told", [True, False], ids=["the backends say so", "the balancer suspects it"])
def test_posts_executed_twice(told: bool) -> None:
    """The backends' own list decides; of a backend without a list, the balancer's log is believed."""
    history = twice()
    lists = (PostsRecord(END, "voxy", ("run1-000560",)), PostsRecord(END, "zero", ("run1-000560", "run1-000561")))
    assert during(duplicate_posts()).at_most(0).judge(replace(history, posts=lists if told else ())).measured == 1
    only_once = (PostsRecord(END, "voxy", ()), lists[1])
    assert during(duplicate_posts()).at_most(0).judge(replace(history, posts=only_once)).measured == 0


def test_claims_speak_two_languages() -> None:
    """English and Indonesian."""
    claim = during(share_of("voxy"), settled=True).between("10 %", "20 %")
    assert claim.claim() == "during the fault, once rerouted: voxy's share between 10 % and 20 %"
    assert claim.claim("id") == "selama gangguan, setelah dialihkan: bagian voxy antara 10 % dan 20 %"
    assert healed().claim("id") == "setiap gangguan sudah dipulihkan"
    assert claim == during(share_of("voxy"), settled=True).between("10 %", "20 %")


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (lambda: during(failed_requests()).at_most("many"), "'many' is no percentage"),
        (lambda: during(failed_requests()).at_most("120 %"), "is no percentage"),
        (lambda: during(failed_requests()).at_most(-1), "is no bound"),
        (lambda: during(failed_requests()).at_most(seconds(1)), "failed requests: 1 s has the wrong unit"),
        (lambda: during(share_of("voxy")).at_most(4), "voxy's share: 4 requests has the wrong unit"),
        (lambda: after(share_of("voxy")).between("60 %", "40 %"), "no range"),
        (lambda: seconds(-1), "no length of time"),
        (lambda: seconds(True), "no length of time"),
        (lambda: judge(killed(), [after(share_of("voxi")).at_least("1 %")]), "there is no backend voxi"),
    ],
)
def test_a_claim_that_cannot_be_is_the_users_error(wrong: object, sentence: str) -> None:
    """It says what is wrong and how to write it."""
    with pytest.raises(UsageError, match=sentence) as raised:
        wrong()  # type: ignore[operator]
    assert raised.value.mend
