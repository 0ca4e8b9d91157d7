"""The figures of the benches: medians, tables, targets, and the page that is written from them."""

from __future__ import annotations

import msgspec
import pytest

from bench.figures import Part, Row, Series, Table, Target, page, ratio


@pytest.mark.parametrize(
    ("values", "expected"),
    [((), "–"), ((5.44,), "5.4 s"), ((9.0, 5.0, 6.0), "6.0 s (5.0 to 9.0)"), ((1.0, 2.0), "1.5 s (1.0 to 2.0)")],
)
def test_a_cell_is_the_median_and_its_range(values: tuple[float, ...], expected: str) -> None:
    """One value has no range, and what was not measured is a dash, never a nought."""
    assert str(Series(values)) == expected


def test_nothing_measured_has_no_median() -> None:
    """It must not come out as a figure."""
    with pytest.raises(ValueError, match="nothing was measured"):
        _ = Series(()).median


def test_a_ratio_is_of_medians() -> None:
    """One slow run does not make a factor."""
    assert ratio(Series((10.0, 10.0, 90.0)), Series((2.0, 1.0, 2.0))) == 5


@pytest.mark.parametrize(
    ("measured", "at_least", "met"), [(5.0, True, True), (4.9, True, False), (3.0, False, True), (3.1, False, False)]
)
def test_a_target_is_met_or_missed(measured: float, at_least: bool, met: bool) -> None:
    """At its bound it is met, and a missed one says so in its line."""
    target = Target("a claim", measured, 5.0 if at_least else 3.0, at_least)
    assert target.met is met
    assert str(target).endswith("met") is met
    assert ("**missed**" in str(target)) is not met


def test_a_table_has_a_column_for_each_title() -> None:
    """Markdown, rows in the order in which they came."""
    table = Table(("tool", "time"), (Row("lab", (Series((1.0,)),)), Row("other", (Series(()),))))
    assert str(table) == "| tool | time |\n| --- | --- |\n| lab | 1.0 s |\n| other | – |"


def test_the_page_is_made_of_what_was_kept() -> None:
    """A part that went through its file on disk gives the same page; machine, versions and commands are on it."""
    table = Table(("tool", "time"), (Row("lab", (Series((1.0, 2.0, 3.0)),)),))
    part = Part(
        "up", "From nothing", "2026-01-02 03:04 UTC", 120.0, "Debian, 2 cores", "load 0.1", {"Vagrant": "2.3.4"},
        ("Three machines.",), ("lab up",), (table,), (Target("lab against shell", 6.0, 5.0),),
    )  # fmt: skip
    text = page([msgspec.json.decode(msgspec.json.encode(part), type=Part)])
    assert text == page([part])
    for words in (
        "## From nothing", "- Three machines.", "```sh\nlab up\n```", "| lab | 2.0 s (1.0 to 3.0) |",
        "- lab against shell: 6.0 ×, target at least 5 ×: met", "in 2 min on Debian, 2 cores; load 0.1.",
        "Versions: Vagrant 2.3.4.",
    ):  # fmt: skip
        assert words in text
