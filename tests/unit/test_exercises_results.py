"""What results come to: points, a pass, and whose fault it is when there is none."""

from __future__ import annotations

import msgspec
import pytest

from lab.exercises.results import Attempt, Marked, Status
from tests.unit.classroom import marked

PASS, FAIL, SKIP, ERROR = Status.PASS, Status.FAIL, Status.SKIP, Status.ERROR


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ((PASS, PASS), (True, 8, 10)),
        ((PASS, PASS, PASS), (True, 10, 10)),
        ((PASS, PASS, FAIL), (False, 8, 10)),
        ((PASS, FAIL), (False, 5, 10)),
        ((PASS, ERROR), (False, 5, 7)),
        ((ERROR, SKIP), (False, 0, 5)),
        ((FAIL, SKIP), (False, 0, 10)),
    ],
)
def test_what_a_run_comes_to(statuses: tuple[Status, ...], expected: tuple[bool, int, int]) -> None:
    """An ERROR costs no points and is no pass; what runs only in full does not hinder a pass."""
    run = marked(*statuses)
    assert expected == (run.passed, run.earned, run.possible)


def test_nothing_that_ran_is_no_pass() -> None:
    """An exercise whose checks all wait for --full was not passed by doing nothing."""
    run = marked(PASS, PASS)
    only = msgspec.structs.replace(run, checks=run.checks[-1:])
    assert only.checks[0].key == "needs-full"
    assert not only.passed


@pytest.mark.parametrize(
    ("best", "gave_up", "expected"),
    [
        (None, False, ("started", 0)),
        (marked(PASS, FAIL), False, ("started", 5)),
        (marked(PASS, PASS), False, ("passed", 8)),
        (marked(PASS, PASS), True, ("gave-up", 0)),
        (None, True, ("gave-up", 0)),
    ],
)
def test_what_an_attempt_comes_to(best: Marked | None, gave_up: bool, expected: tuple[str, int]) -> None:
    """Who gave up earns nothing, whatever passes afterwards."""
    attempt = Attempt("mine", 1, "a", "2026-05-01T08:00:00+00:00", gave_up=gave_up, best=best)
    assert expected == (attempt.state, attempt.earned)


def test_the_hint_that_is_shown() -> None:
    """The last one that was asked for, and the first of those that were not."""
    attempt = Attempt("mine", 1, "a", "2026-05-01T08:00:00+00:00", hints={"no-token": 3})
    assert (attempt.tier("no-token"), attempt.tier("nothing-answers")) == (3, 1)


def test_a_stored_attempt_comes_back_as_it_was() -> None:
    """By way of JSON, every field."""
    attempt = Attempt("mine", 2, "a", "2026-05-01T08:00:00+00:00", {"no-token": 2}, True, marked(PASS, ERROR))
    assert attempt == msgspec.json.decode(msgspec.json.encode(attempt), type=Attempt)
