"""Two runs side by side."""

from __future__ import annotations

from lab.comparison import compare
from lab.expectations import during, failed_requests, standing
from lab.history import History
from lab.judge import judge
from lab.verdict import Verdict
from tests.unit.histories import all_dead, killed, quiet


def judged(history: History) -> tuple[History, Verdict]:
    """A history with its verdict."""
    return history, judge(history, (during(failed_requests()).at_most("0 %"), *standing()))


def test_equal_runs_have_equal_columns() -> None:
    """Nothing differs from itself."""
    assert all(row.left == row.right for row in compare(judged(killed()), judged(killed())))


def test_rows_tell_the_runs_apart() -> None:
    """A failover beside an outage: failures and outcome differ, the names of the rows do not."""
    rows = {row.what: row for row in compare(judged(killed()), judged(all_dead()))}
    failed = rows["failed requests, during the fault"]
    assert failed.left == "0 %"
    assert float(failed.right.split()[0]) > 50
    assert rows["outcome"].left != rows["outcome"].right


def test_what_did_not_happen_is_a_dash() -> None:
    """Without a fault there is nothing to detect."""
    rows = {row.what: row for row in compare(judged(quiet()), judged(killed()))}
    assert rows["detected after"].left == "–"
    assert rows["detected after"].right.endswith(" s")
