"""The controls: each goes red when the outcome, or the sentence, is another than the known one."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import selftest
from lab.errors import UsageError
from lab.expectations import during, failed_requests, standing
from lab.judge import judge
from lab.run_folder import RunFolder
from lab.runner import Ran
from lab.selftest import Control
from lab.verdict import Outcome, Verdict
from tests.unit.histories import all_dead, ghost, killed, quiet
from tests.unit.recording import record


def verdict_of(name: str) -> Verdict:
    """The verdict on a recorded history."""
    made = {"quiet": quiet, "killed": killed, "dead": all_dead, "ghost": ghost}[name]()
    return judge(made, (during(failed_requests()).at_most("0 %"), *standing()))


@pytest.mark.parametrize(
    ("name", "expected", "sentence", "ok"),
    [
        ("quiet", (Outcome.HELD,), "", True),
        ("dead", (Outcome.HELD,), "", False),
        ("ghost", (Outcome.INCONCLUSIVE,), "served 0 of", True),
        ("ghost", (Outcome.INCONCLUSIVE,), "served 1 of", False),
        ("quiet", (Outcome.INCONCLUSIVE, Outcome.DEVIATED), "", False),
    ],
)
def test_control_is_ok_only_with_outcome_and_sentence(
    name: str, expected: tuple[Outcome, ...], sentence: str, ok: bool
) -> None:
    """Both must be right."""
    assert Control("a control", expected, verdict_of(name), sentence).ok is ok


def test_lines_removed_from_the_log_are_noticed_and_the_copy_is_gone(tmp_path: Path) -> None:
    """The record itself stays as it was; its tampered copy is INCONCLUSIVE, and removed."""
    folder = tmp_path / "run"
    folder.mkdir()
    record(quiet(), folder)
    before = (folder / "access.jsonl").read_bytes()
    verdict = selftest._tampered(Ran(RunFolder("run", folder), verdict_of("quiet")))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert (folder / "access.jsonl").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_untampered_copy_would_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the missing lines that make the difference, not the copying."""
    folder = tmp_path / "run"
    folder.mkdir()
    record(quiet(), folder)
    monkeypatch.setattr(selftest, "_thin", lambda log: None)
    verdict = selftest._tampered(Ran(RunFolder("run", folder), verdict_of("quiet")))
    assert verdict.outcome is Outcome.HELD


def test_missing_control_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A control that is gone is an error, never a pass."""

    def gone(name: str) -> None:
        raise UsageError(f"there is no scenario {name!r}")

    monkeypatch.setattr(selftest, "load", gone)
    with pytest.raises(UsageError, match="no-fault"):
        next(selftest.controls(None, 100))  # type: ignore[arg-type]  # it must fail before it needs a session
