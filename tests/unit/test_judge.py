"""The controls: runs whose verdict is known before they are judged; and the instants of the failover."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lab.errors import EnvironmentProblem
from lab.expectations import after, during, failed_requests, share_of, standing
from lab.failover import in_force, settled, struck
from lab.history import History, Window
from lab.judge import judge
from lab.verdict import Evidence, Outcome
from tests.unit.histories import (
    HEALED,
    KILLED,
    STRUCK,
    Reply,
    Try,
    all_dead,
    fails_over,
    ghost,
    healthy,
    hung,
    killed,
    one_classroom,
    played,
    quiet,
    request,
)
from tests.unit.recording import record

KILL_VOXY = (
    during(failed_requests()).at_most("0 %"),
    during(share_of("voxy"), settled=True).at_most("0 %"),
    after(share_of("voxy")).at_least("40 %"),
    *standing(),
)


def test_control_no_fault() -> None:
    """No fault: HELD, and nothing to report."""
    verdict = judge(quiet(), (during(failed_requests()).at_most("0 %"), *standing()))
    assert verdict.outcome is Outcome.HELD
    assert verdict.reasons == ()
    assert verdict.timings.detect_s is verdict.timings.reroute_s is verdict.timings.recover_s is None
    assert verdict.requests.failed == 0


def test_control_all_backends_dead() -> None:
    """Users see 502: DEVIATED, and the claim about them is among the reasons."""
    verdict = judge(all_dead(), KILL_VOXY)
    assert verdict.outcome is Outcome.DEVIATED
    assert "during the fault: failed requests at most 0 %" in verdict.reasons
    assert verdict.requests.failed == 490


def test_control_ghost_upstream() -> None:
    """Killing who is not asked proves nothing, though no user saw an error."""
    verdict = judge(ghost(), KILL_VOXY)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "voxy served 0 of 500 requests before the fault: nothing was failed over" in verdict.reasons
    assert (
        "upstream domain is declared but the site's proxy_pass http://127.0.0.1:3000 does not use it" in verdict.reasons
    )
    assert all(claim.holds is None for claim in verdict.claims)


def test_control_one_classroom() -> None:
    """ip_hash with one client /24 has one live backend: INCONCLUSIVE."""
    verdict = judge(one_classroom(), KILL_VOXY)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "fewer than two backends were live before the fault (voxy 500, zero 0)" in verdict.reasons[0]


@pytest.mark.parametrize("kept", [slice(0, None, 2), slice(0, 1000)], ids=["every other line", "disk full at 10 s"])
def test_control_lines_removed(kept: slice) -> None:
    """A balancer's log that is not whole is no second witness: INCONCLUSIVE."""
    history = killed()
    verdict = judge(replace(history, access=history.access[kept]), KILL_VOXY)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert any("answers that the balancer did not log" in reason for reason in verdict.reasons)


def test_a_kill_holds_with_its_timings() -> None:
    """To the millisecond, though the balancer's clock is an hour ahead."""
    verdict = judge(killed(), KILL_VOXY)
    assert verdict.outcome is Outcome.HELD, verdict.reasons
    assert verdict.timings.detect_s == 0.001
    assert verdict.timings.reroute_s == 0.0
    assert verdict.timings.recover_s == 0.003
    assert verdict.healed is True
    assert verdict.seconds == 18.0


def test_a_hang_is_rerouted_when_its_last_stall_is_over() -> None:
    """Detected by the first timeout, rerouted when the last one is over."""
    verdict = judge(hung(2.0), ())
    assert verdict.timings.detect_s == 2.0
    assert verdict.timings.reroute_s is not None
    assert 3.9 <= verdict.timings.reroute_s <= 4.1


def test_a_fault_strikes_before_its_command_returns() -> None:
    """Then the victim's last answer before the first sign is the instant, and nothing is negative."""
    history = played(fails_over, replace(KILLED, injected=5.8))
    begin = struck(history)
    assert begin is not None
    assert 5.48 <= begin <= STRUCK
    assert judge(history, ()).timings.detect_s == pytest.approx(STRUCK - begin, abs=0.002)
    assert struck(quiet()) is None


def test_settling_has_a_limit() -> None:
    """A balancer that never reroutes is not settled when the fault is over."""
    stuck = played(lambda t, n: fails_over(0.0, n), KILLED)
    assert in_force(stuck) == Window(STRUCK, 10.0)
    assert settled(stuck) == Window(STRUCK + 3, 10.0)


def test_a_crashing_check_is_our_fault() -> None:
    """It makes the run INCONCLUSIVE, never HELD."""

    class Broken:
        def claim(self, lang: str = "en") -> str:
            return "the moon is full"

        def judge(self, history: History) -> Evidence:
            raise KeyError("moon")

    verdict = judge(killed(), [Broken()])
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.reasons == ("our fault: the check of “the moon is full” crashed",)


@pytest.mark.parametrize("make", [killed, quiet, all_dead, hung, ghost])
def test_a_recorded_run_is_judged_the_same(tmp_path: Path, make: object) -> None:
    """Written to a folder and read again, a history is what it was, and so is its verdict."""
    history: History = make()  # type: ignore[operator]
    record(history, tmp_path)
    read = History.load(tmp_path)
    assert judge(read, KILL_VOXY) == judge(history, KILL_VOXY)
    assert read == history


def test_other_peoples_requests_are_not_ours(tmp_path: Path) -> None:
    """A browser that looks at the site during a run is no disagreement."""
    history = quiet()
    record(replace(history, access=(*history.access, replace(history.access[0], id="browser"))), tmp_path)
    assert len(History.load(tmp_path).access) == len(history.access)


@pytest.mark.parametrize(("moment", "outcome"), [(STRUCK, Outcome.HELD), (3.0, Outcome.INCONCLUSIVE)])
def test_nginx_may_find_out_by_somebody_else(tmp_path: Path, moment: float, outcome: Outcome) -> None:
    """Then it asks the victim for nobody of ours; a failure from before the fault is no sign of it."""

    def left_out(t: float, n: int) -> Reply:
        return Reply((Try("zero", 200),)) if STRUCK <= t < HEALED else healthy(t, n)

    _, line = request(Reply((Try("voxy", 502, None, 0.001), Try("zero", 200))), moment, 0)
    assert line is not None
    history = played(left_out, KILLED)
    record(replace(history, access=(*history.access, replace(line, id=""))), tmp_path)
    verdict = judge(History.load(tmp_path), KILL_VOXY)
    assert verdict.outcome is outcome
    assert ("never met the fault" in " ".join(verdict.reasons)) is (outcome is Outcome.INCONCLUSIVE)


def test_a_run_without_a_log_or_a_beginning(tmp_path: Path) -> None:
    """No access.jsonl: INCONCLUSIVE. No first line: an error that says so."""
    record(killed(), tmp_path)
    (tmp_path / "access.jsonl").unlink()
    assert judge(History.load(tmp_path), ()).outcome is Outcome.INCONCLUSIVE
    (tmp_path / "journal.jsonl").write_bytes(b"")
    with pytest.raises(EnvironmentProblem, match="says nothing about its run"):
        History.load(tmp_path)


def test_a_run_that_was_cut_off(tmp_path: Path) -> None:
    """After a kill -9 the last phase ends with the last request, and the run is INCONCLUSIVE."""
    record(killed(), tmp_path)
    journal = tmp_path / "journal.jsonl"
    lines = [line for line in journal.read_bytes().splitlines(keepends=True) if b'"name":"end"' not in line]
    journal.write_bytes(b"".join(lines) + b'{"kind":"sam')
    history = History.load(tmp_path)
    assert (history.ended, history.torn) == (False, True)
    assert history.phases[-1].end == max(sample.done for sample in history.samples)
    assert judge(history, KILL_VOXY).outcome is Outcome.INCONCLUSIVE
