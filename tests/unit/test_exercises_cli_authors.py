"""`lab exercise lint` and `lab exercise test`, for those who write exercises."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.cli import main
from lab.exercises.exercise import Exercise, names
from lab.exercises.rehearsal import Finding
from lab.home import Home
from lab.session import Session
from tests.unit.classroom import MINE, Desk, shipped, write


@pytest.fixture(autouse=True)
def tried(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two exercises that ship, and which of them were tried, under which lock; `next` is not as it shall be."""
    monkeypatch.chdir(home.folder)
    shipped(tmp_path, monkeypatch, "mine", "next")
    desk, seen = Desk(home), []
    monkeypatch.setattr("lab.session.open_session", lambda lab, home, listener=None: desk.session)

    def rehearse(session: Session, exercise: Exercise) -> Iterator[Finding]:
        seen.append(f"{exercise.id} {(home.path / 'lock').read_text().partition(',')[0]}")
        yield Finding(exercise.id, "start fails works", True, "", 1.25)
        if exercise.id == "next":
            yield Finding(exercise.id, "solution passes, twice", False, "works: FAIL\nlasts: SKIP", 2.0)

    monkeypatch.setattr("lab.exercises.rehearsal.rehearse", rehearse)
    return seen


def lab(*words: str) -> int:
    """`lab exercise …` in this process; its exit code."""
    with pytest.raises(SystemExit) as left:
        main(("exercise", *words))
    return int(str(left.value.code or 0))


def test_lint_of_all(capsys: pytest.CaptureFixture[str]) -> None:
    """A line each, and 0."""
    assert lab("lint") == 0
    assert capsys.readouterr().out.splitlines() == [f"✓ {name}" for name in names()]


def test_lint_that_has_something_to_say(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """Each sentence below its exercise, and 1; only those that are named."""
    write(home.folder, "bad", {**MINE, "task.en.md": None, "task.id.md": ""})
    assert lab("lint", "./exercises/01-bad", "mine") == 1
    assert capsys.readouterr().out.splitlines() == [
        "✗ bad", "    task.en.md: is missing", "    task.id.md: is empty", "✓ mine",
    ]  # fmt: skip


def test_trying_all(tried: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """In their order under the lab's lock; each finding as it comes, what was seen below it, and 1 when one is red."""
    assert lab("test") == 1
    assert tried == ["mine `lab exercise test`", "next `lab exercise test`"]
    assert capsys.readouterr().out.splitlines() == [
        "✓ mine: start fails works (1.2 s)", "✓ next: start fails works (1.2 s)",
        "✗ next: solution passes, twice (2.0 s)", "    works: FAIL", "    lasts: SKIP",
        "2 of 3 as they shall be, 4 s",
    ]  # fmt: skip


def test_trying_one(tried: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """0 when all of it is green."""
    assert lab("test", "mine") == 0
    assert tried == ["mine `lab exercise test`"]


def test_trying_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """All findings, nothing else, and the same exit code."""
    assert lab("test", "next", "--json") == 1
    first, second = json.loads(capsys.readouterr().out)
    assert first == {"exercise": "next", "what": "start fails works", "ok": True, "seen": "", "seconds": 1.25}
    assert (second["ok"], second["seen"]) == (False, "works: FAIL\nlasts: SKIP")


@pytest.mark.parametrize("verb", ["lint", "test"])
def test_an_unknown_name_is_told_before_anything_is_tried(
    tried: list[str], verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also as the second of two."""
    assert lab(verb, "mine", "nxet") == 2
    assert "did you mean next?" in capsys.readouterr().err and tried == []
