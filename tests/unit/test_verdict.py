"""The merge of evidence, and verdict.json."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.verdict import Evidence, Outcome, Requests, Timings, Verdict, merge

EVIDENCE = st.builds(
    Evidence,
    claim=st.text(max_size=20),
    measured=st.none() | st.text(max_size=5) | st.floats(0, 100).map(lambda value: round(value, 6)),
    unit=st.sampled_from(["", "%", "s"]),
    n=st.integers(0, 10**6),
    holds=st.sampled_from([True, False, None]),
    source=st.just("journal.jsonl"),
)
VERDICTS = st.builds(
    Verdict,
    scenario=st.text(min_size=1, max_size=9),
    evidence=st.lists(EVIDENCE, max_size=6).map(tuple),
    requests=st.builds(Requests, sent=st.integers(0, 9), ok=st.integers(0, 9), failed=st.integers(0, 9)),
    timings=st.builds(Timings, detect_s=st.none() | st.just(0.123)),
    healed=st.sampled_from([True, False, None]),
    seconds=st.just(18.5),
)


@given(st.lists(st.sampled_from(Outcome)), st.randoms())
def test_merge_does_not_care_for_the_order(outcomes: list[Outcome], random: object) -> None:
    """DEVIATED over INCONCLUSIVE over HELD, in whatever order and however grouped."""
    shuffled = list(outcomes)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert merge(shuffled) is merge(outcomes)
    if outcomes:
        half = len(outcomes) // 2 or 1
        parts = [part for part in (outcomes[:half], outcomes[half:]) if part]
        assert merge(map(merge, parts)) is merge(outcomes)
        assert (merge(outcomes) is Outcome.DEVIATED) == (Outcome.DEVIATED in outcomes)
        assert (merge(outcomes) is Outcome.HELD) == (set(outcomes) == {Outcome.HELD})


def test_no_evidence_proves_nothing() -> None:
    """Not measured is INCONCLUSIVE, never HELD."""
    assert Verdict("kill-voxy", ()).outcome is Outcome.INCONCLUSIVE


@given(VERDICTS)
def test_json_there_and_back(verdict: Verdict) -> None:
    """verdict.json keeps everything and the outcome."""
    back = Verdict.from_json(verdict.to_json())
    assert back == verdict
    assert back.outcome is verdict.outcome


def test_json_is_the_contract() -> None:
    """Exactly the keys of the design, in its order."""
    evidence = Evidence("no request failed", 0, "%", 2000, True, "journal.jsonl", gate=True)
    verdict = Verdict("kill-voxy", (evidence,), Requests(2000, 2000, 0), Timings(0.012, 0.0, 1.5), True, 18.0)
    table = json.loads(verdict.to_json())
    assert list(table) == ["scenario", "outcome", "evidence", "requests", "timings", "healed", "seconds"]
    assert table["outcome"] == "HELD"
    assert table["evidence"] == [
        {"claim": "no request failed", "measured": 0, "unit": "%", "n": 2000, "holds": True, "source": "journal.jsonl"}
    ]
    assert table["requests"] == {"sent": 2000, "ok": 2000, "failed": 0}
    assert table["timings"] == {"detect_s": 0.012, "reroute_s": 0.0, "recover_s": 1.5}


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"outcome":"FINE"}', '{"outcome":"HELD","scenario":"x","evidence":[]}']
)
def test_what_is_no_verdict(text: str) -> None:
    """A damaged file, or one whose outcome is not what its evidence says, is refused."""
    with pytest.raises(ValueError, match=r"verdict|Outcome"):
        Verdict.from_json(text)


def test_exit_codes() -> None:
    """0, 1 and 3."""
    assert [outcome.exit_code for outcome in Outcome] == [0, 1, 3]
