"""`lab grade` and `lab class` as a student and a teacher type them."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from lab.cli import cli, main
from lab.exercises import exercise as exercise_module
from lab.exercises import marking, progress, staging
from lab.exercises.exercise import Exercise
from lab.exercises.results import Attempt, Marked, Status
from lab.grading import classroom
from lab.grading.roster import Enrolled
from lab.home import Home
from tests.unit.playing import Playing
from tests.unit.test_grading_grade import PASSED, attempt, exercises, run

__all__ = ["exercises"]


@pytest.fixture(autouse=True)
def folder(home: Home, exercises: tuple[Exercise, ...], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder, with two exercises that ship."""
    monkeypatch.chdir(home.folder)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("LAB_LANG", raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setattr(exercise_module, "everything", lambda: exercises)
    monkeypatch.setattr(exercise_module, "load", lambda name: next(each for each in exercises if each.id == name))
    return home.folder


@pytest.fixture
def course(folder: Path) -> Path:
    """A class of three, beside."""
    roster = [Enrolled("ana", "Ana Putri"), Enrolled("budi", "Budi"), Enrolled("citra", "Citra")]
    classroom.init(roster, folder / "class", "devops")
    return folder / "class"


def _lab(*words: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(words)
    return int(str(left.value.code or 0))


def _student(course: Path, id: str, best: Attempt = PASSED) -> Path:
    """A student's own folder, with the card and one attempt."""
    mine = Home(course.parent / f"computer-{id}")
    mine.folder.mkdir()
    (mine.folder / "student.toml").write_bytes((course / "cards" / id / "student.toml").read_bytes())
    mine.make()
    progress.save(mine, best)
    return mine.folder


def _hand_in(course: Path, id: str, patch: pytest.MonkeyPatch, best: Attempt = PASSED) -> Path:
    to = course.parent / "in"
    to.mkdir(exist_ok=True)
    with patch.context() as there:
        there.chdir(_student(course, id, best))
        assert _lab("grade", "--out", str(to / f"{id}.json")) == 0
    return to


def test_a_student_gets_a_file_and_a_table(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """And is told where it is and what it proves."""
    progress.save(home, PASSED)
    assert _lab("grade") == 0
    said = capsys.readouterr().out
    assert "The first" in said and "10/10" in said and "10/20" in said and "hand in: grade-practice.json" in said
    assert "lab grade replay" in said
    assert json.loads(Path("grade-practice.json").read_text())["grade"]["student"] == "practice"
    assert _lab("grade", "--lang", "id") == 0
    assert "Yang first" in capsys.readouterr().out


def test_json_goes_to_standard_output_alone(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """A script gets the hand-in, and no file that it did not ask for."""
    assert _lab("grade", "--json", "--csv", "a.csv") == 0
    out, _ = capsys.readouterr()
    assert json.loads(out)["grade"]["format"] == "lab-grade/1"
    assert not Path("grade-practice.json").exists() and Path("a.csv").exists()


def test_all_files_of_one_student(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """Each is written where it was asked for, and named."""
    assert _lab("grade", "--csv", "a.csv", "--junit", "a.xml", "--html", "a.html") == 0
    said = capsys.readouterr().out.splitlines()
    assert {"a.csv", "a.xml", "a.html"} <= set(said)
    assert Path("a.html").read_text().startswith("<!DOCTYPE html>") and "<testsuites" in Path("a.xml").read_text()


def test_a_file_that_cannot_be_written(capsys: pytest.CaptureFixture[str]) -> None:
    """Is a sentence and the code of this computer's faults."""
    assert _lab("grade", "--out", "no/such/folder.json") == 4
    assert "cannot be written" in capsys.readouterr().err


class Checked:
    """The present exercise on machines, with staging and marking replaced."""

    def __init__(self, home: Home, patch: pytest.MonkeyPatch) -> None:
        Playing(home)
        progress.save(home, attempt(run(Status.PASS, Status.FAIL)))
        progress.activate(home, "first")
        self.at: float | None = 1.0
        self.full: list[bool] = []

        def mark(*args: Any, full: bool = False) -> Marked:
            self.full.append(full)
            return run(Status.PASS, Status.PASS, full=True)

        patch.setattr(marking, "mark", mark)
        patch.setattr(marking, "artefacts", lambda session, exercise: PASSED.artefacts)
        patch.setattr(staging, "staged", lambda session, exercise, id: self.at)


@pytest.fixture
def checked(home: Home, monkeypatch: pytest.MonkeyPatch) -> Checked:
    """The machines are at `first`, which has 6 points so far and would pass now."""
    return Checked(home, monkeypatch)


def test_the_present_exercise_is_checked_again(checked: Checked, home: Home) -> None:
    """With the disruptive checks; what it earns now counts and is remembered."""
    assert _lab("grade") == 0
    graded = json.loads(Path("grade-practice.json").read_text())["grade"]["exercises"][0]
    assert (graded["earned"], graded["state"], graded["full"]) == (10, "passed", True) and checked.full == [True]
    present = progress.current(home, "first")
    assert present is not None and present.earned == 10


def test_no_check_leaves_the_machines_alone(checked: Checked) -> None:
    """The best run so far counts."""
    assert _lab("grade", "--no-check") == 0
    assert json.loads(Path("grade-practice.json").read_text())["grade"]["exercises"][0]["earned"] == 6
    assert checked.full == []


def test_machines_that_went_elsewhere_are_not_checked(checked: Checked, capsys: pytest.CaptureFixture[str]) -> None:
    """It is said, and the best run counts."""
    checked.at = None
    assert _lab("grade") == 0
    assert "not at first any more" in capsys.readouterr().err and checked.full == []


def test_a_class_from_roster_to_gradebook(
    course: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two of three hand in; the teacher gets every file, and a second time the keys are known."""
    _hand_in(course, "ana", monkeypatch)
    to = _hand_in(course, "budi", monkeypatch, attempt(run(Status.FAIL, Status.SKIP)))
    words = ["grade", "collect", str(to), "--class", str(course)]
    assert _lab(*words, "--csv", "a.csv", "--junit", "a.xml", "--html", "a.html") == 0
    rows = list(csv.DictReader(Path("a.csv").read_text().splitlines()))
    assert [(row["student"], row["first"], row["signature"]) for row in rows] == [
        ("ana", "10", "ok"), ("budi", "0", "ok"), ("citra", "", "missing"),
    ]  # fmt: skip
    assert "no hand-in" in capsys.readouterr().out and (course / "keys.toml").exists()
    assert _lab(*words, "--json") == 0
    assert json.loads(capsys.readouterr().out)["missing"] == ["citra"]


def test_a_flag_ends_with_1(
    course: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    """Collecting and verifying, with the reason; without the lie it is 0."""
    to = _hand_in(course, "ana", monkeypatch)
    path = to / "ana.json"
    assert _lab("grade", "verify", str(path), "--class", str(course)) == 0
    assert "the key is this student's" in capsys.readouterr().out
    path.write_text(path.read_text().replace("Ana Putri", "Ana Putra"))
    assert _lab("grade", "verify", str(path)) == 1
    said = capsys.readouterr().out
    assert "The signature does not hold" in said and "changed after it was signed" in said
    assert _lab("grade", "collect", str(to)) == 1
    assert _lab("grade", "verify", str(path), "--json") == 1
    assert '"tampered"' in capsys.readouterr().out


def test_a_bad_file_is_reported_and_ends_with_1(
    course: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The others are collected; alone it is a sentence."""
    to = _hand_in(course, "ana", monkeypatch)
    (to / "bad.json").write_text("{}")
    assert _lab("grade", "collect", str(to), "--class", str(course)) == 1
    said = capsys.readouterr().out
    assert "! bad.json: is no hand-in" in said and "Ana Putri" in said
    assert _lab("grade", "verify", str(to / "bad.json")) == 1
    assert "lab: bad.json: is no hand-in" in capsys.readouterr().err


def test_replay_asks_first_and_then_marks(
    course: Path, home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A no touches nothing; a yes stages, puts the files, marks and compares."""
    to = _hand_in(course, "ana", monkeypatch)
    calls: list[str] = []
    playing = Playing(home)
    monkeypatch.setattr("lab.session.open_session", lambda lab, home, listener: playing.session)
    monkeypatch.setattr(staging, "stage", lambda *args: calls.append("stage"))
    monkeypatch.setattr(marking, "mark", lambda *args, full: run(Status.PASS, Status.PASS))
    words = ["grade", "replay", str(to / "ana.json"), "--class", str(course)]
    asked = CliRunner().invoke(cli, words, input="n\n")
    assert asked.exit_code == 1 and "Make akuma anew for first, and lose" in asked.output and calls == []
    assert _lab(*words, "--yes", "--exercise", "first") == 0 and calls == ["stage"]
    assert "agrees" in capsys.readouterr().out and "/etc/nginx/akuma/my.reverse-proxy.conf" in str(
        playing.hosts["akuma"].files
    )
    monkeypatch.setattr(marking, "mark", lambda *args, full: run(Status.FAIL, Status.SKIP))
    assert _lab(*words, "--yes", "--json") == 1
    found = json.loads(capsys.readouterr().out)["exercises"][0]
    assert (found["outcome"], found["claimed"], found["measured"]) == ("differs", 10, 0)


def test_replay_of_a_card_needs_the_class(
    course: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its values follow from the secret."""
    to = _hand_in(course, "ana", monkeypatch)
    assert _lab("grade", "replay", str(to / "ana.json"), "--yes") == 2
    assert "--class FOLDER" in capsys.readouterr().err


def test_nothing_to_replay_is_inconclusive(
    course: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No machine is needed to say so."""
    to = _hand_in(course, "ana", monkeypatch, attempt(None))
    assert _lab("grade", "replay", str(to / "ana.json"), "--class", str(course)) == 3
    assert "no file was handed in" in capsys.readouterr().out


def test_class_init_and_list(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A secret, cards, and who has what; a faulty roster is 2 and makes nothing."""
    Path("roster.csv").write_text("id,name\nana,Ana\nbudi,Budi\n")
    Path("bad.csv").write_text("id,name\nana,Ana\nana,Ana\n")
    assert _lab("class", "init", "bad.csv") == 2
    assert "bad.csv: line 3" in capsys.readouterr().err and not Path("class").exists()
    assert _lab("class", "init", "roster.csv", "--course", "devops") == 0
    assert "devops: 2 students, new cards: 2, in class/cards" in capsys.readouterr().out
    assert _lab("class", "list", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [each["student"] for each in found] == ["ana", "budi"]
    assert len({each["domain"] for each in found}) == 2 and all(3100 <= each["port"] < 3900 for each in found)
    assert _lab("class", "list") == 0
    said = capsys.readouterr().out
    assert found[0]["domain"] in said and "Budi" in said
    secret = classroom.load(Path("class")).secret
    assert secret not in said + json.dumps(found)


def test_a_card_beside_the_lab_does_not_change_the_list(
    course: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A teacher who tries a card out sees the same domains as before."""
    assert _lab("class", "list", "--json") == 0
    before = capsys.readouterr().out
    (folder / "student.toml").write_bytes((course / "cards" / "ana" / "student.toml").read_bytes())
    assert _lab("class", "list", "--json") == 0
    assert capsys.readouterr().out == before


@pytest.mark.parametrize(
    "words", [["grade", "collect", "nowhere"], ["grade", "verify", "nowhere"], ["class", "init"], ["grade", "--zzz"]]
)
def test_a_wrong_command_line_is_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """With a sentence."""
    assert _lab(*words) == 2
    assert "Error" in capsys.readouterr().err
