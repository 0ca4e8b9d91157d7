"""The plan of large classes: the lines through what was measured, the loss of members, and the page of both."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import scale
from bench.scale import Plan, page, plans
from bench.scale_fit import Healed, Measured, Point, fit, line_of, load
from bench.scale_loss import enough, lose, losses
from lab.classes.placement import GIB, Need
from lab.classes.settings import Settings
from lab.errors import UsageError
from lab.lxd.members import Member

NEED = Need(GIB, GIB)
RECORDED = Measured(
    "a computer of this test", "2026-01-02 03:04 UTC", 3, 200 << 20,
    tuple(Point(labs, 5 + 4 * labs, labs * 118 << 20, labs * 30 << 20, 20 + 25 * labs) for labs in (1, 3, 10, 30)),
    (Healed(10, 40), Healed(5, 25)),
)  # fmt: skip


@given(
    st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), st.lists(st.integers(1, 3000), min_size=2, max_size=9, unique=True)
)  # fmt: skip
def test_a_line_is_found_again(fixed: float, each: float, labs: list[int]) -> None:
    """Points on a line give that line, and no residual."""
    line = fit([(x, fixed + each * x) for x in labs])
    assert line.fixed == pytest.approx(fixed, abs=1e-3) and line.each == pytest.approx(each, abs=1e-3)
    assert line.residual == pytest.approx(0, abs=1e-3) and line.at(7) == pytest.approx(fixed + 7 * each, abs=1e-2)


def test_a_residual_is_told() -> None:
    """Four points off their line by one second each: the residual is one, the worst is a part of what was measured."""
    line = fit([(1, 11), (3, 9), (5, 9), (7, 11)])
    assert (line.fixed, line.each, line.residual) == (10, 0, 1) and line.worst == pytest.approx(1 / 9)
    with pytest.raises(ValueError, match="one size"):
        fit([(3, 1), (3, 2)])


def test_what_was_measured_is_read(tmp_path: Path) -> None:
    """As it was written; what is missing, damaged or too little is one sentence."""
    path = tmp_path / "class.json"
    with pytest.raises(UsageError, match=r"class\.json: is not there, and nothing is planned without it\n  → python"):
        load(path)
    path.write_bytes(msgspec.json.encode(RECORDED))
    assert load(path) == RECORDED and line_of(RECORDED, "api_calls").each == pytest.approx(25)
    damaged: list[object] = [
        {"points": []}, [], changed(points=RECORDED.points[:2]), changed(members=0), changed(healed=[Healed(0, 1)]),
        changed(points=[replace(point, labs=point.labs - 1) for point in RECORDED.points]),
    ]  # fmt: skip
    for wrong in damaged:
        path.write_bytes(msgspec.json.encode(wrong))
        with pytest.raises(UsageError, match="cannot be used"):
            load(path)


def changed(**values: object) -> dict[str, object]:
    """What was recorded, as JSON has it, with other values."""
    return {**msgspec.to_builtins(RECORDED), **values}


def test_without_measurements_no_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The generator ends with the sentence, and leaves the page as it is."""

    def nothing() -> Measured:
        return load(tmp_path / "none.json")

    monkeypatch.setattr(scale, "load", nothing)
    monkeypatch.setattr(scale, "PAGE", tmp_path / "scale.md")
    with pytest.raises(SystemExit, match="nothing is planned without it"):
        scale.main()
    assert not (tmp_path / "scale.md").exists()


@given(st.integers(1, 200), st.integers(0, 999), st.sampled_from([0, 50]))
def test_with_a_spare_member_every_loss_finds_room(labs: int, seed: int, most: int) -> None:
    """At any moment; and one member fewer would not have room for all without the largest."""
    draw = random.Random(seed)
    members = enough(labs, NEED, draw, most)
    found = lose([f"s{number}" for number in range(labs)], members, NEED, draw.randint(1, labs))
    assert found.left_over == 0 and found.members == len(members) and found.fallen <= found.up
    rooms = [member.memory_total // GIB - 1 for member in members[:-1]]
    assert sum(rooms) - max(rooms, default=0) < labs


def test_without_a_spare_member_labs_are_left_over() -> None:
    """Two full members of ten labs: the first is lost, and its ten have no room; with a third they have."""
    pair = tuple(Member(name, "", True, 11 * GIB, 11 * GIB, 99 * GIB) for name in ("m0", "m1"))
    students = [f"s{number}" for number in range(20)]
    assert lose(students, pair, NEED, 20).left_over == 10
    third = replace(pair[0], name="m2")
    assert lose(students, (*pair, third), NEED, 20).left_over == 0
    assert lose(students, pair, NEED, 1).left_over == 10
    assert losses(300, NEED, 20, spare=False).fitted < 1 == losses(300, NEED, 20).fitted


def test_a_member_too_small_for_a_lab_is_said() -> None:
    """Instead of a cluster without end."""
    with pytest.raises(ValueError, match="no room for a single lab"):
        enough(1, Need(512 * GIB, 1), random.Random(0))


@pytest.fixture(scope="module")
def planned() -> tuple[Plan, ...]:
    """With few seeds."""
    return plans(RECORDED, Settings(), seeds=3)


def test_the_page_has_what_was_measured_and_what_follows(planned: tuple[Plan, ...]) -> None:
    """Each figure of the plan is computed from the points; the same points give the same page."""
    text = page(RECORDED, Settings(), planned)
    assert text == page(RECORDED, Settings(), plans(RECORDED, Settings(), seeds=3))
    large = planned[2].losses
    for words in (
        "On a computer of this test, 3 members on it, 2026-01-02 03:04 UTC.",
        "| 30 | 125.0 s | 4.2 s | 3,540 MiB | 900 MiB | 770 |",
        "| seconds | 5.0 s | 4.0 s | 0.0 s | 0% |",
        "3 seeds. Members of 64, 128, 256 GiB",
        f"| networks × members | {30 * planned[0].losses.members} | {300 * planned[1].losses.members:,} |",
        f"{3000 * large.members:,} bridges, 3,000 on every member",
        f"| {large.usual_fallen:g}; {large.fallen} | {scale._seconds(large.usual_fallen * 5)}; ",
        "| 2 min | 20 min | 200 min |",
    ):  # fmt: skip
        assert words in text
    assert planned[0].api_calls == pytest.approx(20 + 25 * 30)
    assert planned[2].api_calls == pytest.approx(20 + 25 * 3000 + 3000 * (large.members - 3))


def test_what_was_not_measured_is_not_told(planned: tuple[Plan, ...]) -> None:
    """Without a loss on record there is no time for one."""
    bare = replace(RECORDED, healed=())
    text = page(bare, Settings(), [replace(plan, measured=bare) for plan in planned])
    assert text.count("| not measured |") == 3
    assert "Nothing is saved by itself" in page(bare, replace(Settings(), save_minutes=0), planned)
