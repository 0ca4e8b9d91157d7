"""A student's guess: read, refused, and scored against what was measured."""

from __future__ import annotations

import pytest

from lab.errors import UsageError
from lab.prediction import Guess, parse, score
from tests.unit.histories import all_dead, killed

BACKENDS = ("voxy", "zero")


def test_guess_is_read_from_its_text() -> None:
    """Units may be written; nobody is nobody."""
    assert parse("errors=0 window=1 serves=zero", BACKENDS) == Guess(0, 1, ("zero",))
    assert parse("errors=50% window=2.5s serves=voxy,zero", BACKENDS) == Guess(50, 2.5, BACKENDS)
    assert parse("errors=100 window=8 serves=nobody", BACKENDS) == Guess(100, 8, ())


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("errors=0 window=1", "three parts are needed"),
        ("errors=few window=1 serves=zero", "are numbers"),
        ("errors=0 window=1 serves=akuma", "no backend akuma"),
        ("", "three parts are needed"),
    ],
)
def test_bad_guess_is_one_sentence(text: str, part: str) -> None:
    """It names what is wrong."""
    with pytest.raises(UsageError, match=part):
        parse(text, BACKENDS)


def test_right_guess_scores_everything() -> None:
    """kill-voxy as it should be: no error, no window, zero serves."""
    assert [each.right for each in score(Guess(0, 0, ("zero",)), killed())] == [True, True, True]


@pytest.mark.parametrize(
    ("guess", "right"),
    [
        (Guess(10, 0, ("zero",)), [False, True, True]),
        (Guess(0, 5, ("zero",)), [True, False, True]),
        (Guess(0, 0, ("voxy",)), [True, True, False]),
        (Guess(0, 0, ("voxy", "zero")), [True, True, False]),
    ],
)
def test_each_part_is_scored_alone(guess: Guess, right: list[bool]) -> None:
    """One wrong part is one wrong part."""
    assert [each.right for each in score(guess, killed())] == right


def test_nobody_serves_when_all_are_dead() -> None:
    """The measurement says nobody, and so does the one who guessed it."""
    serves = score(Guess(100, 0, ()), all_dead())[2]
    assert (serves.measured, serves.right) == ("nobody", True)
