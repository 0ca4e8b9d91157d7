"""A hand-in is hostile input: each trick is refused with a sentence that names the file and the trick."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lab.exercises.exercise import Exercise
from lab.exercises.results import ARTEFACT_BYTES, Artefact
from lab.grading.plausible import fault_of_artefact, matches
from lab.grading.reading import LIMIT, Refused, parse, read
from tests.unit.test_grading_grade import SITE, exercises, handed

__all__ = ["exercises"]
Change = Callable[[dict[str, Any]], Any]


@pytest.fixture
def good(tmp_path: Path, exercises: tuple[Exercise, ...]) -> dict[str, Any]:
    """A hand-in that is in order, as a table."""
    table: dict[str, Any] = json.loads(handed(tmp_path / "in", exercises).read_bytes())
    return table


def _refusal(content: bytes, exercises: tuple[Exercise, ...]) -> str:
    with pytest.raises(Refused) as refused:
        parse(content, "x.json", exercises)
    assert refused.value.message.startswith("x.json: ") and refused.value.exit_code == 1
    assert len(refused.value.message) < 400 and refused.value.message.isprintable()
    return refused.value.message


def test_a_good_one_is_read(good: dict[str, Any], exercises: tuple[Exercise, ...]) -> None:
    """With its signature."""
    found = parse(json.dumps(good).encode(), "x.json", exercises)
    assert found.grade.student == "ana" and found.is_signed()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is no hand-in"),
        (b"{}", "is no hand-in: Object missing required field"),
        (b"not json", "is no hand-in"),
        (b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00\x8c\x02os", "is no hand-in"),
        (b'{"grade": NaN}', "is no hand-in"),
        (b'{"grade": {"a": "\\ud800"}, "public_key": "", "signature": ""}', "is no hand-in"),
        (b'{"grade": "\xff", "public_key": "", "signature": ""}', "is no hand-in"),
        (b'{"grade": 1e999, "public_key": "", "signature": ""}', "is no hand-in"),
        (b'{"grade": ' + b"9" * 5000 + b', "public_key": "", "signature": ""}', "is no hand-in"),
        (b'{"grade": ' + b"[" * 900_000, "nested too deeply"),
        (b'{"grade": ' + b"[" * 5000 + b"]" * 5000 + b', "public_key": "", "signature": ""}', "nested too deeply"),
        (b'{"grade": {}, "public_key": "", "signature": "", "\x1b[2J": 1}', "is no hand-in"),
        (b"[" * (LIMIT + 1), "has more than 2 MiB"),
    ],
)
def test_what_is_no_hand_in(content: bytes, said: str, exercises: tuple[Exercise, ...]) -> None:
    """Truncated, no JSON, a pickle, no number, half a character, too deep, too large."""
    assert said in _refusal(content, exercises)


def _set(*path: str | int, to: object) -> Change:
    def change(grade: dict[str, Any]) -> None:
        place: Any = grade
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = to

    return change


def _file(**fields: object) -> Change:
    return _set("exercises", 0, "artefacts", to=[{"host": "akuma", "path": SITE, "text": ""} | fields])


CHECK = ("exercises", 0, "checks", 0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_set("format", to="lab-grade/9"), "is of the format 'lab-grade/9'; this lab reads lab-grade/1"),
        (_set("student", to="../../etc"), "is no student's id"),
        (_set("student", to="ana\n"), "is no student's id"),
        (_set("student", to=7), "is no hand-in: Expected `str`"),
        (_set("name", to="\x1b[31mred"), "the name is longer than 200 characters, or has"),
        (_set("name", to="\u202egnp.exe"), "the name is longer than 200 characters, or has"),
        (_set("name", to="a" * 201), "the name is longer than 200 characters, or has"),
        (_set("course", to="a\nb"), "the course is longer"),
        (_set("made_at", to="tomorrow"), "made_at is no time"),
        (_set("made_at", to="2026-05-01T08:00:00"), "made_at is no time"),
        (_set("proof", to="zz"), "the proof is not 64"),
        (_set("admin", to=True), "unknown field `admin`"),
        (_set("exercises", 0, "bonus", to=5), "unknown field `bonus`"),
        (_set("exercises", 0, "id", to="third"), "there is no exercise 'third'"),
        (_set("exercises", 1, "id", to="first"), "first is in it twice"),
        (_set("exercises", 0, "state", to="best"), "is no hand-in: Invalid enum value"),
        (_set("exercises", 0, "earned", to=11), "it claims 11 points, and its checks give 10"),
        (_set("exercises", 0, "possible", to=9), "10 of 9 points cannot be"),
        (_set("exercises", 0, "possible", to=20), "20 possible points are not the exercise's"),
        (_set("exercises", 0, "attempt", to=-1), "no sensible number"),
        (_set("exercises", 0, "title", to={"en": "a\x00", "id": ""}), "its title is too long"),
        (_set("exercises", 0, "at", to="yesterday"), "the time of its checks"),
        (_set("exercises", 1, "state", to="passed"), "it is called 'passed'"),
        (_set(*CHECK, "id", to="a b"), "'a b' is no name of a check"),
        (_set(*CHECK, "id", to="survives"), "a check is in it twice"),
        (_set(*CHECK, "points", to=-6), "-6 is no number of points"),
        (_set(*CHECK, "points", to=10**9), "is no number of points"),
        (_set(*CHECK, "seconds", to=-1.0), "is no number of seconds"),
        (_set(*CHECK, "key", to="a" * 201), "its message's key is too long"),
        (_set(*CHECK, "evidence", to="a" * 2001), "its evidence is longer"),
        (_set(*CHECK, "values", to={"a": "\x1b]0;"}), "a value is longer"),
        (_set(*CHECK, "values", to={str(n): "" for n in range(61)}), "more than 60 values"),
        (_set(*CHECK, "values", to={"a": 1}), "is no hand-in: Expected `str`"),
        (_set("exercises", 0, "checks", to=[{"id": f"c{n}", "status": "PASS", "points": 0} for n in range(101)]),
         "more than 100 checks"),
        (_file(path="/etc/nginx/akuma/../../passwd"), "is not absolute and plain"),
        (_file(path="/etc/nginx/akuma/./a"), "is not absolute and plain"),
        (_file(path="//etc/nginx/akuma/a"), "is not absolute and plain"),
        (_file(path="etc/nginx/akuma/a"), "is not absolute and plain"),
        (_file(path="/etc/nginx/akuma/.."), "is not absolute and plain"),
        (_file(path="/etc/nginx/akuma/a\n/b"), "has a character that does not show"),
        (_file(path="/etc/nginx/akuma/" + "a" * 300), "is too long"),
        (_file(path="/etc/cron.d/evil"), "is none that this exercise asks for on akuma"),
        (_file(path="/etc/nginx/akuma/a/b"), "is none that this exercise asks for on akuma"),
        (_file(host="voxy"), "no file of this exercise belongs on 'voxy'"),
        (_file(host="localhost"), "no file of this exercise belongs on 'localhost'"),
        (_file(text="a" * (ARTEFACT_BYTES + 1)), "65537 bytes; 65536 are the most"),
        (_file(text="é" * (ARTEFACT_BYTES // 2 + 1)), "65538 bytes; 65536 are the most"),
        (_set("exercises", 0, "artefacts", to=[{"host": "akuma", "path": SITE, "text": ""}] * 2),
         "a file is in it twice"),
        (_set("exercises", 0, "artefacts", to=[
            {"host": "akuma", "path": f"/etc/nginx/akuma/{n}", "text": ""} for n in range(41)]), "more than 40 files"),
        (_set("exercises", 1, "artefacts", to=[{"host": "akuma", "path": SITE, "text": ""}]),
         "second: no file of this exercise belongs on 'akuma'"),
    ],
)  # fmt: skip
def test_what_cannot_be(change: Change, said: str, good: dict[str, Any], exercises: tuple[Exercise, ...]) -> None:
    """Each lie, odd character and path trick, signed or not, is refused before anything is shown or written."""
    change(good["grade"])
    assert said in _refusal(json.dumps(good).encode(), exercises)


def test_points_of_another_exercise(good: dict[str, Any], exercises: tuple[Exercise, ...]) -> None:
    """Checks that are worth more than the exercise are no checks of it."""
    good["grade"]["exercises"][0]["checks"][0]["points"] = 600
    good["grade"]["exercises"][0] |= {"earned": 604, "possible": 604}
    assert "its checks are not worth the 10 points" in _refusal(json.dumps(good).encode(), exercises)


def test_a_key_that_is_none(good: dict[str, Any], exercises: tuple[Exercise, ...]) -> None:
    """Two lines would be two keys."""
    good["public_key"] += "\n* " + good["public_key"]
    assert "public key is no ed25519 key" in _refusal(json.dumps(good).encode(), exercises)


def test_an_unknown_field_deep_inside_breaks_the_signature(
    good: dict[str, Any], exercises: tuple[Exercise, ...]
) -> None:  # fmt: skip
    """What is signed is the whole text, also what nothing reads."""
    good["grade"]["exercises"][0]["checks"][0]["note"] = "hello"
    try:
        believed = parse(json.dumps(good).encode(), "x.json", exercises).is_signed()
    except Refused:
        believed = False
    assert not believed


@pytest.mark.timeout(20)
def test_only_plain_files_are_read(tmp_path: Path, exercises: tuple[Exercise, ...]) -> None:
    """A pipe is not waited for, a device not read to its end, a large file not read at all."""
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "large.json").write_bytes(b" " * (LIMIT + 1))
    (tmp_path / "zero.json").symlink_to("/dev/zero")
    refusals = {
        "pipe": "no plain file", "folder": "cannot be read|no plain file", "large": "2 MiB are the most",
        "zero": "no plain file", "none": "No such file",
    }  # fmt: skip
    for name, said in refusals.items():
        with pytest.raises(Refused, match=said):
            read(tmp_path / f"{name}.json", exercises)


@pytest.mark.parametrize(
    ("path", "pattern", "fits"),
    [
        ("/a/b", "/a/*", True), ("/a/b/c", "/a/*", False), ("/a/b.conf", "/a/*.conf", True), ("/a/B", "/a/b", False),
        ("/a", "/a/*", False), ("/a/b/c", "/a/**", False), ("/a/b/c.html", "/a/*/*.html", True), ("/a/b", "/?/b", True),
    ],
)  # fmt: skip
def test_a_wildcard_stands_for_no_slash(path: str, pattern: str, fits: bool) -> None:
    """Or `/etc/nginx/*` would be all of nginx, and `/*` everything."""
    assert matches(path, pattern) is fits


def test_a_file_that_the_exercise_asks_for_may_be_put(exercises: tuple[Exercise, ...]) -> None:
    """All that is refused would be nothing if nothing were let through."""
    assert fault_of_artefact(Artefact("akuma", SITE, "server {}"), exercises[0]) == ""
    assert fault_of_artefact(Artefact("akuma", "/etc/nginx/nginx.conf", "x" * ARTEFACT_BYTES), exercises[0]) == ""
