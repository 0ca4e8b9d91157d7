"""The skeleton of an exercise of one's own: it fits together as it is, and takes nobody's place."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import UsageError
from lab.exercises.exercise import LANGUAGES, load
from lab.exercises.lint import lint
from lab.exercises.skeleton import FILES, write_skeleton
from lab.exercises.student import PRACTICE
from lab.topology import Lab


def test_it_is_complete(tmp_path: Path) -> None:
    """Every file, in a folder that need not be there; lint has nothing to say."""
    path = write_skeleton("my-own", tmp_path / "a" / "b")
    assert path == tmp_path / "a" / "b" / "01-my-own"
    assert {str(file.relative_to(path)) for file in path.rglob("*") if file.is_file()} == set(FILES)
    exercise = load(str(path))
    assert (exercise.id, lint(exercise, Lab())) == ("my-own", ())
    assert PRACTICE.token("my-own") in exercise.text("task", "en", Lab(), PRACTICE)


def test_it_can_be_handed_in(tmp_path: Path) -> None:
    """It names the student's files and how they become known."""
    about = load(str(write_skeleton("mine", tmp_path))).about
    assert about.artefacts.keys() == about.replay.keys() == {"akuma"}


def test_the_number_is_the_next(tmp_path: Path) -> None:
    """After the highest; what is no exercise's folder does not count."""
    for name in ("03-a", "07-b", "notes", "99-is-a-file"):
        (tmp_path / name).mkdir() if not name.startswith("99") else (tmp_path / name).write_text("")
    assert write_skeleton("mine", tmp_path).name == "08-mine"
    assert write_skeleton("yours", tmp_path).name == "09-yours"


def test_a_second_of_the_same_name_is_refused(tmp_path: Path) -> None:
    """Whatever its number; the first is as it was."""
    path = write_skeleton("mine", tmp_path)
    (path / "checks.py").write_text("# mine")
    with pytest.raises(UsageError, match="there is an exercise mine already\n  → name another"):
        write_skeleton("mine", tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["01-mine"]
    assert (path / "checks.py").read_text() == "# mine"


def test_a_hundredth_is_refused(tmp_path: Path) -> None:
    """It could be neither found by its number nor loaded."""
    (tmp_path / "99-last").mkdir()
    with pytest.raises(UsageError):
        write_skeleton("mine", tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["99-last"]


@pytest.mark.parametrize("name", ["", "Mine", "-mine", "my own", "../mine", "my/own", "mine.d", "café", "mine\n"])
def test_a_name_that_is_none(tmp_path: Path, name: str) -> None:
    """Is refused before anything is written."""
    with pytest.raises(UsageError, match="is no name for an exercise"):
        write_skeleton(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_both_languages(tmp_path: Path) -> None:
    """Whatever is there in one is there in the other."""
    path = write_skeleton("mine", tmp_path)
    english, indonesian = (
        {str(file.relative_to(path)).replace(f".{language}.", ".") for file in path.rglob(f"*.{language}.*")}
        for language in LANGUAGES
    )
    assert english == indonesian != set()
