"""Which students a command of a class is for."""

from __future__ import annotations

import pytest

from lab.classes.selection import select
from lab.errors import UsageError

MEMBERS = {"ayu": "m1", "budi": "m2", "citra": "m1"}


def test_all_when_nothing_is_asked_for() -> None:
    """In the class's order."""
    assert select(MEMBERS) == ("ayu", "budi", "citra")


def test_by_id_by_member_and_both() -> None:
    """Nobody twice, and in the class's order."""
    assert select(MEMBERS, ["citra", "ayu"]) == ("ayu", "citra")
    assert select(MEMBERS, on=["m2"]) == ("budi",)
    assert select(MEMBERS, ["ayu"], ["m1", "m2"]) == ("ayu", "budi", "citra")


@pytest.mark.parametrize(
    ("students", "on", "said", "mend"),
    [
        (["cita"], [], "the class has no student 'cita'", "did you mean 'citra'?"),
        (["zzz"], [], "the class has no student 'zzz'", "there is ayu, budi, citra"),
        ([], ["m3"], "the class has no lab on the member 'm3'", "there is m1, m2"),
    ],
)
def test_who_is_not_there_is_refused_in_a_sentence(students: list[str], on: list[str], said: str, mend: str) -> None:
    """With the name that was probably meant."""
    with pytest.raises(UsageError) as refused:
        select(MEMBERS, students, on)
    assert refused.value.message == said
    assert refused.value.mend.startswith(mend)


def test_a_class_without_labs_refuses_a_student() -> None:
    """Nothing is up yet; or they are too many to name."""
    with pytest.raises(UsageError, match="lab class status"):
        select({}, ["ayu"])
    with pytest.raises(UsageError, match="lab class status"):
        select({f"s{i}": "m1" for i in range(9)}, ["ayu"])
