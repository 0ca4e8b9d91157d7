"""`lab exercise` as a student types it: what is shown, what a script gets, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from lab.cli import cli, main
from lab.cli.exercise import exercise as group
from lab.errors import EnvironmentProblem
from lab.exercises import doing, progress
from lab.exercises.exercise import Exercise, load
from lab.exercises.results import Status
from lab.home import Home
from tests.unit.classroom import Desk, marked, shipped

PASS, FAIL = Status.PASS, Status.FAIL


class School(Desk):
    """The user's folder with a lab that is up, and two exercises, `mine` and `next`."""

    def __init__(self, home: Home, folder: Path, patch: pytest.MonkeyPatch) -> None:
        super().__init__(home)
        self.staged: list[str] = []
        self.bomb: Exception | None = None
        shipped(folder, patch, "mine", "next")
        patch.setattr("lab.session.open_session", lambda lab, home, listener=None: self.session)

        def stage(session: object, exercise: Exercise, student: object, attempt: str) -> None:
            self.staged.append((home.path / "lock").read_text().partition(",")[0])
            if self.bomb:
                raise self.bomb
            self.stage(self.session, exercise, student, attempt)

        patch.setattr(doing, "stage", stage)
        patch.setattr(doing, "run_scripts", lambda *words: self.staged.append("solution"))


@pytest.fixture(autouse=True)
def school(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> School:
    """Nothing was started; English is spoken."""
    monkeypatch.chdir(home.folder)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.delenv("LAB_LANG", raising=False)
    return School(home, tmp_path, monkeypatch)


def lab(*words: str) -> int:
    """`lab exercise …` in this process; its exit code."""
    with pytest.raises(SystemExit) as left:
        main(("exercise", *words))
    return int(str(left.value.code or 0))


def test_the_list_as_json(school: School, capsys: pytest.CaptureFixture[str]) -> None:
    """The contract of scripts: id, title, points and state of each, in the order of the exercises."""
    progress.record(school.home, progress.begin(school.home, "mine"), marked(PASS, PASS), ())
    assert lab("list", "--json") == 0
    first, second = json.loads(capsys.readouterr().out)
    assert first == {"id": "mine", "title": "Say what it teaches", "points": 10, "state": "passed", "earned": 8,
                     "minutes": 15, "hosts": ["akuma"]}  # fmt: skip
    assert {key: second[key] for key in ("id", "points", "state", "earned")} == {
        "id": "next", "points": 10, "state": "open", "earned": 0,
    }  # fmt: skip


def test_the_list(school: School, capsys: pytest.CaptureFixture[str]) -> None:
    """A line each: number, name, title, state, points; in either language."""
    progress.give_up(school.home, progress.begin(school.home, "mine"))
    assert lab("list") == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert lines == ["01 mine Say what it teaches gave up 0/10", "02 next Say what it teaches open 0/10"]
    assert lab("list", "--lang", "id") == 0
    assert "Sebutkan apa yang diajarkannya  menyerah" in capsys.readouterr().out


def test_a_start(school: School, capsys: pytest.CaptureFixture[str]) -> None:
    """Under the lab's lock; the task is shown, and what comes next. A second keeps the work."""
    assert lab("start", "mine") == 0
    said = capsys.readouterr().out
    assert "# Title\n" in said and "http://192.168.56.10/" in said and "`lab ssh akuma`" in said
    assert school.staged == ["`lab exercise start mine`"]
    assert lab("start", "01") == 0
    assert "mine is under way: your work is kept" in capsys.readouterr().out and len(school.staged) == 1


def test_a_start_without_a_name(school: School, capsys: pytest.CaptureFixture[str]) -> None:
    """Is the first that was not passed; with everything passed the first of all."""
    for name in ("mine", "next"):
        assert lab("start", "--json") == 0
        assert json.loads(capsys.readouterr().out)["exercise"] == name
        progress.record(school.home, progress.begin(school.home, name), marked(PASS, PASS, name=name), ())
    assert lab("start", "--json") == 0
    assert json.loads(capsys.readouterr().out)["exercise"] == "mine"


def test_a_start_as_json(school: School, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing else is on standard output; a reset is the next attempt."""
    assert lab("start", "mine", "--json", "--lang", "id") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["attempt"], found["kept"], found["task"].splitlines()[0]) == (1, False, "# Judul")
    assert lab("reset", "--json") == 0
    assert json.loads(capsys.readouterr().out)["attempt"] == 2
    assert school.staged[1] == "`lab exercise reset mine`"


def test_the_task_again(school: School, capsys: pytest.CaptureFixture[str]) -> None:
    """Of the exercise that was started last, or of one that is named."""
    lab("start", "next")
    capsys.readouterr()
    assert lab("task", "--lang", "id") == 0
    assert capsys.readouterr().out.startswith("# Judul")
    assert lab("task", "mine") == 0
    assert capsys.readouterr().out.startswith("# Title")


@pytest.mark.parametrize("verb", ["check", "reset", "task", "hint", "solve", "watch"])
def test_before_anything_was_started(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The mend is a name."""
    assert lab(verb) == 2
    err = capsys.readouterr().err
    assert "no exercise was started yet\n  → lab exercise list, then lab exercise start NAME" in err


@pytest.mark.parametrize("verb", ["check", "hint", "solve", "watch"])
def test_what_was_not_started(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Is begun first."""
    assert lab(verb, "mine") == 2
    assert "mine was not started yet\n  → lab exercise start mine" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["start", "check", "lint"])
def test_an_unknown_name(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Gets the nearest."""
    assert lab(verb, "mien") == 2
    assert "there is no exercise 'mien'\n  → did you mean mine?" in capsys.readouterr().err


def test_machines_at_another_exercise(school: School, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and how to get back."""
    lab("start", "mine")
    lab("start", "next")
    capsys.readouterr()
    assert lab("check", "mine") == 2
    assert "the machines are not at mine\n  → lab exercise start mine" in capsys.readouterr().err


def test_what_fails_is_a_sentence(school: School, capsys: pytest.CaptureFixture[str]) -> None:
    """With the exit code of its kind, and no traceback."""
    school.bomb = EnvironmentProblem("no room", "make room")
    assert lab("start", "mine") == 4
    assert "lab: no room\n  → make room" in capsys.readouterr().err
    school.home.write("exercises/practice/mine/1.json", "{")
    assert lab("list") == 4
    assert "is damaged" in capsys.readouterr().err


def test_a_second_command_waits_its_turn(school: School, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever changes the machines; a check only looks, unless it is in full."""
    lab("start", "mine")
    with school.home.lock("lab scenario kill-voxy"):
        for words in (["start", "next"], ["reset"], ["check", "--full"], ["solve", "--give-up"], ["test", "mine"]):
            assert lab(*words) == 4
            assert "this lab is busy: `lab scenario kill-voxy`" in capsys.readouterr().err
        assert lab("check") == 0
    assert doing.state(school.home, "mine") == "passed"


def test_a_solution_without_a_pass_is_refused(school: School, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is shown and nothing is done; the mend is a hint."""
    lab("start", "mine")
    capsys.readouterr()
    assert lab("solve") == 2
    out, err = capsys.readouterr()
    assert out == "" and "you have not passed mine yet" in err and "lab exercise hint" in err
    assert (len(school.staged), doing.state(school.home, "mine")) == (1, "started")


def test_a_solution_after_a_pass(school: School, capsys: pytest.CaptureFixture[str]) -> None:
    """Is explained with what to type; the machines stay as they are, and the points too, also with --give-up."""
    lab("start", "mine")
    lab("check")
    capsys.readouterr()
    for words, first in ((["solve"], "Why the solution works."), (["solve", "--give-up", "--lang", "id"], "Mengapa")):
        assert lab(*words) == 0
        said = capsys.readouterr().out
        assert said.startswith(first) and "# akuma\n" in said and "systemctl enable --now nginx" in said
    assert (len(school.staged), progress.everything(school.home)["mine"].earned) == (1, 8)


def test_giving_up(school: School, capsys: pytest.CaptureFixture[str]) -> None:
    """The solution is put on the machines and explained; after it a plain solve explains it again."""
    lab("start", "mine")
    assert lab("solve", "--give-up") == 0
    assert "The solution is on the machines now" in capsys.readouterr().out
    assert school.staged[1:] == ["`lab exercise solve mine`", "solution"]
    assert lab("solve") == 0
    assert len(school.staged) == 3 and doing.state(school.home, "mine") == "gave-up"


def test_a_skeleton(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """Its path is printed; a second of the same name is refused, and so is a name that is none."""
    assert lab("new", "own") == 0
    assert capsys.readouterr().out == "exercises/01-own\n"
    assert lab("new", "own") == 2
    assert "there is an exercise own already" in capsys.readouterr().err
    assert lab("new", "Own") == 2 and "is no name" in capsys.readouterr().err
    assert lab("new", "own", "--folder", "more") == 0 and Path("more/01-own").is_dir()
    assert load("./exercises/01-own").folder == home.folder / "exercises" / "01-own"


def test_an_exercise_of_ones_own(school: School, capsys: pytest.CaptureFixture[str]) -> None:
    """Is started by its path, and is then meant like any other."""
    lab("new", "own")
    assert lab("start", "./exercises/01-own") == 0
    capsys.readouterr()
    assert lab("task") == 0
    assert capsys.readouterr().out.startswith("# Title")


def test_names_are_completed(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them, or those that begin so; a checkout without exercises completes nothing, and does not break."""

    def completed(*words: str) -> list[str]:
        found = ShellComplete(cli, {}, "lab", "_LAB_COMPLETE").get_completions(list(words[:-1]), words[-1])
        return [each.value for each in found]

    for verb in ("start", "check", "solve", "watch", "lint", "test", "hint", "task", "reset"):
        assert completed("exercise", verb, "") == ["mine", "next"]
    assert completed("exercise", "start", "ne") == ["next"]
    monkeypatch.setattr("lab.exercises.exercise._folders", lambda: 1 / 0)
    assert completed("exercise", "start", "") == []


@pytest.mark.parametrize("verb", list(group.commands))
def test_every_command_has_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A sentence, and no mark of click's."""
    assert lab(verb, "--help") == 0
    said = capsys.readouterr().out
    assert f"Usage: lab exercise {verb}" in said and "\b" not in said
