"""Trying an exercise: each finding is green where it should be, and goes red for its own reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import CommandFailed, Result
from lab.exercises import rehearsal
from lab.exercises.rehearsal import rehearse
from lab.exercises.results import CheckResult
from lab.exercises.student import Student
from lab.home import Home
from tests.unit.classroom import MINE, about, made
from tests.unit.theatre import ERROR, FAIL, MISTAKE, MISTAKEN, PASS, REPLAYED, SKIP, SOLVED, STARTED, Theatre, found


@pytest.fixture
def theatre(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Theatre:
    """All is as it shall be."""
    return Theatre(home, tmp_path, monkeypatch)


def test_all_is_as_it_shall_be(theatre: Theatre) -> None:
    """What is tried, in its order; no progress of whoever runs it is touched."""
    findings = theatre.run()
    assert [(each.what, each.ok, each.seen) for each in findings] == [
        ("its files fit together", True, ""),
        ("start fails works", True, ""),
        ("solution passes, twice", True, ""),
        ("mistake old-page fails works with no-token", True, ""),
        ("reset is the same as start", True, ""), ("the solution's files pass on clean machines", True, ""),
        ("ayu's start fails works", True, ""), ("ayu's solution passes, twice", True, ""),
        ("budi's start fails works", True, ""), ("budi's solution passes, twice", True, ""),
    ]  # fmt: skip
    assert {each.exercise for each in findings} == {"mine"} and all(each.seconds >= 0 for each in findings)
    assert not (theatre.desk.home.path / "exercises").exists()


def test_what_is_done(theatre: Theatre) -> None:
    """The solution in full once and once again; each attempt is one of its own; the others have a domain of theirs."""
    theatre.run()
    assert theatre.log == [
        "stage practice True", "mark started", "solved", "mark solved full", "mark solved",
        "stage practice True", "mistaken", "mark mistaken", "stage practice True",
        "put /etc/nginx/conf.d/a.conf into started", "mark replayed",
        "stage ayu False", "mark started", "solved", "mark solved", "mark solved",
        "stage budi False", "mark started", "solved", "mark solved", "mark solved",
    ]  # fmt: skip
    assert len(set(theatre.attempts)) == 5


def test_files_that_do_not_fit(theatre: Theatre) -> None:
    """Are all that is said; no machine is touched for them."""
    (only,) = rehearse(theatre.desk.session, made(theatre.folder, changes={**MINE, "task.id.md": None}))
    assert (only.what, only.ok, only.seen) == ("its files fit together", False, "task.id.md: is missing")
    assert theatre.log == []


@pytest.mark.parametrize(
    "start",
    [found(PASS, PASS), found(PASS, FAIL), found(FAIL, FAIL), found(FAIL, SKIP, FAIL), found(ERROR, SKIP),
     (*found(FAIL, SKIP)[:-1], CheckResult("survives", ERROR, 2, "error"))],
)  # fmt: skip
def test_a_start_that_is_otherwise(theatre: Theatre, start: tuple[CheckResult, ...]) -> None:
    """It passes too much, fails too much, or shows a fault of ours; every student's."""
    theatre.in_state[STARTED] = start
    assert theatre.red() == ["start fails works", "ayu's start fails works", "budi's start fails works"]


def test_a_solution_that_fails(theatre: Theatre) -> None:
    """With what was seen, a line a check."""
    theatre.in_state[SOLVED] = found(FAIL, SKIP)
    red = [each for each in theatre.run() if not each.ok]
    assert [each.what for each in red] == [f"{who}solution passes, twice" for who in ("", "ayu's ", "budi's ")]
    assert red[0].seen.splitlines()[1:3] == ["works: FAIL no-token {'status': '500'}", "lasts: SKIP needs"]


def test_a_solution_that_is_our_fault(theatre: Theatre) -> None:
    """ERROR is no pass."""
    theatre.in_state[SOLVED] = found(PASS, ERROR)
    assert "solution passes, twice" in theatre.red()


@pytest.mark.parametrize("odd", [found(PASS, FAIL), found(FAIL, SKIP), found(ERROR, SKIP)])
def test_a_second_run_that_differs(theatre: Theatre, odd: tuple[CheckResult, ...]) -> None:
    """A check that disturbs what it looks at is found out."""
    theatre.odd = lambda log: odd if log[-2:] == ["mark solved full", "mark solved"] else None
    red = [each for each in theatre.run() if not each.ok]
    assert [each.what for each in red] == ["solution passes, twice"] and red[0].seen


def test_a_full_check_that_fails(theatre: Theatre) -> None:
    """Is seen in the first run alone, and that counts."""
    theatre.odd = lambda log: found(PASS, PASS, FAIL) if log[-1] == "mark solved full" else None
    red = [each for each in theatre.run() if not each.ok]
    assert [each.what for each in red] == ["solution passes, twice"]
    assert "survives: FAIL no-token" in red[0].seen


@pytest.mark.parametrize(
    "mistaken",
    [found(PASS, PASS), found(FAIL, SKIP, key="nothing-answers"), found(PASS, FAIL), found(ERROR, SKIP),
     (*found(FAIL, SKIP)[:-1], CheckResult("survives", ERROR, 2, "error"))],
)  # fmt: skip
def test_a_mistake_that_is_not_caught(theatre: Theatre, mistaken: tuple[CheckResult, ...]) -> None:
    """Or by another check, with another message, or with a fault of ours."""
    theatre.in_state[MISTAKEN] = mistaken
    assert theatre.red() == ["mistake old-page fails works with no-token"]


def test_a_mistake_in_what_was_solved(theatre: Theatre) -> None:
    """Is made in the solution that is there already, for that takes a while; others after a start of their own."""
    more = {f"mistakes/{name}/{file}": text for name in ("aa", "zz") for file, text in (
        ("akuma.sh", "true\n"), ("mistake.toml", str(MISTAKE) + 'after = "solution"\n'),
    )}  # fmt: skip
    findings = list(rehearse(theatre.desk.session, made(theatre.folder, changes={**MINE, **more})))
    assert all(each.ok for each in findings)
    assert theatre.log[4:13] == [
        "mark solved", "mistaken", "mark mistaken", "stage practice True", "solved", "mistaken", "mark mistaken",
        "stage practice True", "mistaken",
    ]  # fmt: skip


def test_a_mistake_that_is_caught_in_what_was_solved(theatre: Theatre) -> None:
    """The one of the exercise."""
    assert theatre.red(after='"solution"') == []
    assert theatre.log[4:7] == ["mark solved", "mistaken", "mark mistaken"]


def test_files_that_are_not_enough(theatre: Theatre) -> None:
    """On clean machines they fail a check, or the command that makes them known complains."""
    theatre.in_state[REPLAYED] = found(FAIL, SKIP)
    assert theatre.red() == ["the solution's files pass on clean machines"]
    theatre.in_state[REPLAYED] = found(PASS, PASS)
    theatre.complaints = ("akuma: unknown directive",)
    theatre.folder = theatre.folder / "again"
    red = [each for each in theatre.run() if not each.ok]
    assert [each.what for each in red] == ["the solution's files pass on clean machines"]
    assert red[0].seen.splitlines()[-1] == "akuma: unknown directive"


def test_an_exercise_without_files(theatre: Theatre) -> None:
    """Has nothing to be put on clean machines."""
    findings = list(rehearse(theatre.desk.session, made(theatre.folder, changes={**MINE, "exercise.toml": about()})))
    assert all(each.ok for each in findings) and not any("clean machines" in each.what for each in findings)


@pytest.mark.parametrize("faults", [(), ("a",), ("a", "b", "c")])
def test_each_fault_is_somebodys(theatre: Theatre, faults: tuple[str, ...]) -> None:
    """The first is the practice's, each other one a student's; two students at least."""
    text = about(faults=str(list(faults)).replace("'", '"'))
    exercise = made(theatre.folder, changes={**MINE, "exercise.toml": text})
    chosen = rehearsal.students(exercise)
    assert {student.choice("mine", faults) for student in chosen} >= set(faults[1:])
    assert len(chosen) == max(2, len(faults) - 1) == len({student.key for student in chosen})


def test_a_reset_that_leaves_something(theatre: Theatre) -> None:
    """What is otherwise is told by host; by five lines at the most."""
    theatre.disk = "a\nb\n"

    def leaves(log: list[str]) -> None:
        theatre.disk = "a\nc\n" if "mark mistaken" in log else theatre.disk

    theatre.odd = leaves
    red = [each for each in theatre.run() if not each.ok]
    assert [each.what for each in red] == ["reset is the same as start"]
    assert red[0].seen == "akuma: b\nakuma: c"


def test_a_script_that_fails_is_a_finding(theatre: Theatre, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes after it is tried all the same, and so are the other exercises."""

    def fails(session: object, exercise: object, student: Student, scripts: object) -> None:
        if student.id == "ayu":
            raise CommandFailed("mine, akuma", Result("bash", 7, "", "no such file"))
        theatre._scripts(session, exercise, student, scripts)  # type: ignore[arg-type]  # the same as its own

    monkeypatch.setattr(rehearsal, "run_scripts", fails)
    red = [each for each in theatre.run() if not each.ok]
    assert [each.what for each in red] == ["ayu's solution passes, twice"]
    assert "mine, akuma: `bash` ended with exit code 7" in red[0].seen


def test_the_state_is_asked_of_root_on_each_host(theatre: Theatre) -> None:
    """Files, links, rights, listeners, units, packages, the firewall; pm2's own folder changes by itself."""
    theatre.run()
    asked = [ran for ran in theatre.desk.hosts["akuma"].ran if "find /etc" in ran.command]
    assert len(asked) == 2 and all(ran.root for ran in asked)
    for part in ("sha256sum", "-type l", "ss -Hltn", "list-unit-files", "dpkg-query", "nft list ruleset", ".pm2"):
        assert part in asked[0].command
    assert theatre.desk.hosts["voxy"].ran == []
