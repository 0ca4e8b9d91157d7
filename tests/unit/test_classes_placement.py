"""Which member a lab goes to, and what holds for every class and cluster."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.classes.placement import GIB, Need, Placement, place, room
from lab.lxd.members import Member

NEED = Need(memory=2 * GIB, disk=10 * GIB)


def member(name: str, free: int = 16, *, total: int = 0, disk: int = 10_000, online: bool = True) -> Member:
    """A member with so many GiB free."""
    return Member(name, "10.0.0.1", online, free * GIB, (total or free) * GIB, disk * GIB)


def names(count: int) -> list[str]:
    """So many students."""
    return [f"s{number:04}" for number in range(count)]


CLUSTERS = st.lists(
    st.builds(
        lambda free, more, disk, online: (free, more, disk, online),
        st.integers(0, 300), st.integers(0, 100), st.integers(0, 900), st.booleans(),
    ), max_size=8,
).map(
    lambda rows: [
        Member(f"m{at}", "10.0.0.1", online, free * GIB // 4, (free + more) * GIB // 4, disk * GIB)
        for at, (free, more, disk, online) in enumerate(rows)
    ]
)  # fmt: skip
SEATED = st.dictionaries(st.sampled_from([f"m{at}" for at in range(8)]), st.integers(0, 20))


@given(CLUSTERS, st.integers(0, 60), SEATED)
def test_no_member_is_overfilled_and_nobody_is_left_over_while_there_is_room(
    members: list[Member], count: int, seated: dict[str, int]
) -> None:
    """Everybody is in one place or left over; memory, disk and the reserve hold; offline members get nothing."""
    found = place(names(count), members, NEED, seated=seated)
    assert [*found.where, *found.left_over] == names(count)
    labs = Counter(found.where.values())
    left = {}
    for each in members:
        before = room(each, NEED, seated=seated.get(each.name, 0))
        left[each.name] = before - labs[each.name] * NEED.memory
        if labs[each.name]:
            assert each.online and left[each.name] >= 0 and labs[each.name] * NEED.disk <= each.disk_free
            assert (labs[each.name] + seated.get(each.name, 0)) * NEED.memory + GIB <= each.memory_total
    if found.left_over:
        for each in members:
            full = left[each.name] < NEED.memory or each.disk_free - labs[each.name] * NEED.disk < NEED.disk
            assert full or not each.online


@given(CLUSTERS, st.integers(0, 40), st.integers(0, 40))
def test_who_comes_later_moves_nobody(members: list[Member], first: int, more: int) -> None:
    """The first students are where they would be without the others; and the order of the members is all the same."""
    everyone = place(names(first + more), members, NEED)
    before = place(names(first), members[::-1], NEED)
    assert {name: everyone.where[name] for name in before.where} == dict(before.where)
    assert set(before.left_over) <= set(everyone.left_over)


@given(CLUSTERS, st.integers(0, 40), st.integers(0, 40))
def test_in_two_lessons_as_in_one(members: list[Member], first: int, more: int) -> None:
    """Where labs use all they may, a second placing on what is left gives what one placing of all gives."""
    before = place(names(first), members, NEED)
    labs = Counter(before.where.values())
    after = [
        replace(each, memory_free=each.memory_free - labs[each.name] * NEED.memory,
                disk_free=each.disk_free - labs[each.name] * NEED.disk)
        for each in members
    ]  # fmt: skip
    later = place(names(first + more)[len(before.where) :], after, NEED, seated=labs)
    assert {**before.where, **later.where} == dict(place(names(first + more), members, NEED).where)


@given(st.integers(1, 9), st.integers(0, 60))
def test_equal_members_differ_by_one_lab_at_most(count: int, students: int) -> None:
    """So the loss of one costs as few labs as can be."""
    found = place(names(students), [member(f"m{at}", 400) for at in range(count)], NEED)
    labs = Counter({f"m{at}": 0 for at in range(count)}) + Counter(found.where.values())
    shares = [labs[f"m{at}"] for at in range(count)]
    assert sum(shares) == students and max(shares) - min(shares) <= 1


def test_the_freest_fills_first_then_all_evenly() -> None:
    """Ten GiB more are five labs more."""
    found = place(names(11), [member("a", 21), member("b", 31), member("c", 99, online=False)], NEED)
    assert Counter(found.where.values()) == {"b": 8, "a": 3}
    assert list(found.where.values())[:6] == ["b"] * 5 + ["a"]


def test_a_full_cluster_says_how_many_fit() -> None:
    """By memory, by disk, with nobody online, and without members; no lab is half placed."""
    seven = place(names(9), [member("a", 9), member("b", 8)], NEED)
    assert seven.sentence == "7 of 9 labs fit; no member has room for s0007, s0008"
    assert len(place(names(9), [member("a", 99, disk=39)], NEED).where) == 3
    assert place(names(7), [member("a", 99, online=False)], NEED).sentence == (
        "0 of 7 labs fit; no member has room for s0000, s0001, s0002, s0003, s0004 …"
    )
    assert place(names(1), [], NEED) == Placement({}, ("s0000",))
    assert place((), [member("a")], NEED).sentence == "0 of 0 labs fit"


def test_idle_labs_count_at_their_limits() -> None:
    """A member on which seven labs sleep has room for none, however much of its memory is free just now."""
    asleep = member("a", 14, total=15)
    assert len(place(names(9), [asleep], NEED).where) == 6
    assert place(names(9), [asleep], NEED, seated={"a": 7}).where == {}


def test_a_member_without_disk_is_passed_over() -> None:
    """The next freest gets the lab."""
    assert place(["x"], [member("a", 99, disk=9), member("b")], NEED).where == {"x": "b"}


def test_a_student_named_twice_is_a_bug() -> None:
    """One of the two labs would be lost from the books."""
    with pytest.raises(ValueError, match="named twice"):
        place(["x", "x"], [member("a")], NEED)
