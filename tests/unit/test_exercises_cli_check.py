"""`lab exercise check` and `hint`: the contract of scripts, exit codes, and what a student reads in either language."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lab.cli import main
from lab.errors import HostUnreachable
from lab.exercises import progress
from lab.exercises.exercise import load
from lab.exercises.student import PRACTICE
from lab.home import Home
from tests.unit.classroom import Desk, shipped


@pytest.fixture(autouse=True)
def desk(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """`mine` was started; English is spoken."""
    monkeypatch.chdir(home.folder)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.delenv("LAB_LANG", raising=False)
    shipped(tmp_path, monkeypatch, "mine", "next")
    made = Desk(home)
    monkeypatch.setattr("lab.session.open_session", lambda lab, home, listener=None: made.session)
    made.at(load("mine"))
    progress.activate(home, "mine")
    return made


def lab(*words: str) -> int:
    """`lab exercise …` in this process; its exit code."""
    with pytest.raises(SystemExit) as left:
        main(("exercise", *words))
    return int(str(left.value.code or 0))


def as_json(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any]:
    """The exit code, and what is on standard output, where nothing but JSON is."""
    capsys.readouterr()
    code = lab("check", "--json", *words)
    return code, json.loads(capsys.readouterr().out)


def lines(text: str) -> list[str]:
    """Without the empty ones, and with single spaces."""
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def test_the_contract(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """What a script can rely on."""
    desk.said["works"] = "wrong"
    code, found = as_json(capsys)
    assert (code, found["exercise"], found["passed"], found["attempt"], found["state"]) == (
        1, "mine", False, 1, "started",
    )  # fmt: skip
    assert (found["earned"], found["possible"], found["full"]) == (0, 10, False)
    reachable, works, lasts, survives = found["checks"]
    token = PRACTICE.token("mine")
    assert {key: works[key] for key in ("id", "status", "points", "expected", "actual", "hint")} == {
        "id": "works", "status": "FAIL", "points": 5, "expected": f"{token} in the page",
        "actual": "a page without it, status 500", "hint": "a nudge",
    }  # fmt: skip
    assert (works["key"], works["evidence"], works["sentence"]) == ("no-token", "works was asked", "It works.")
    assert (reachable["status"], reachable["points"], reachable["hint"]) == ("PASS", 0, "")
    assert (lasts["status"], lasts["actual"]) == ("SKIP", "first: It works.")
    assert (survives["status"], survives["key"]) == ("SKIP", "needs-full")
    assert all(each["seconds"] >= 0 for each in found["checks"])


def test_the_contract_of_a_pass(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """0 and `passed`; --full runs the rest."""
    code, found = as_json(capsys)
    assert (code, found["passed"], found["earned"], found["state"]) == (0, True, 8, "passed")
    code, found = as_json(capsys, "--full")
    assert (code, found["full"], found["earned"]) == (0, True, 10)


@pytest.mark.parametrize(
    ("works", "survives", "code"),
    [("", "", 0), ("wrong", "", 1), ("bug", "", 70), ("bug", "wrong", 1), ("wrong", "bug", 1), ("", "bug", 70)],
)
def test_exit_codes(desk: Desk, works: str, survives: str, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    """1 when the student has something to do; 70 when only we have; a fault of ours is no traceback."""
    desk.said |= {"works": works, "survives": survives}
    assert lab("check", "--full") == code
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err and "this is a bug of ours" not in err


def test_machines_that_are_off(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """Are something to be done, with the commands that do it."""
    desk.shut("akuma")
    code, found = as_json(capsys)
    assert (code, found["checks"][0]["id"], found["checks"][0]["status"]) == (1, "reachable", "FAIL")
    assert "`lab start akuma`" in found["checks"][0]["hint"]
    assert {each["status"] for each in found["checks"][1:]} == {"SKIP"}


def test_what_a_student_reads(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """Each check with its mark; below it what was expected, what there is, a hint, the evidence; then the points."""
    desk.said["works"] = "wrong"
    assert lab("check") == 1
    said = lines(capsys.readouterr().out)
    assert said[0] == "mine Say what it teaches attempt 1"
    assert said[1] == "✗ It works. 0/5"
    assert said[3:6] == ["found a page without it, status 500", "hint a nudge", "evidence works was asked"]
    assert said[2].startswith("expected ") and said[2].endswith(" in the page")
    assert said[6:] == [
        "– It lasts. 0/3", "first: It works.", "– It survives. 0/2", "disturbs the machines; runs with --full",
        "0 of 10 points",
    ]  # fmt: skip


def test_what_a_student_reads_in_indonesian(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """The same, and no word of English but names."""
    desk.said["works"] = "silent"
    assert lab("check", "--lang", "id") == 1
    assert lines(capsys.readouterr().out) == [
        "mine Sebutkan apa yang diajarkannya percobaan ke-1", "✗ Berhasil. 0/5",
        "harapan jawaban di port 80 akuma", "kenyataan refused", "petunjuk dorongan kecil",
        "– Bertahan. 0/3", "dahulukan: Berhasil.", "– Selamat. 0/2", "mengganggu mesin; dijalankan dengan --full",
        "0 dari 10 poin",
    ]  # fmt: skip


def test_a_pass_says_what_comes_next(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """What disturbs the machines first, then the next exercise, in the end the grade."""
    assert lab("check") == 0
    assert lines(capsys.readouterr().out)[-1].endswith("still to be checked: lab exercise check mine --full")
    assert lab("check", "--full") == 0
    said = lines(capsys.readouterr().out)
    assert said[-3:] == ["10 of 10 points", "Passed.", "next: lab exercise start next"]
    desk.at(load("next"))
    assert lab("check", "next", "--full") == 0
    assert lines(capsys.readouterr().out)[-1] == "That was the last one: lab grade"


def test_a_fault_of_ours_is_told_as_ours(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """With what happened, and fewer points to be had."""
    desk.said["lasts"] = "bug"
    assert lab("check") == 70
    said = lines(capsys.readouterr().out)
    assert "! It lasts. 0/3" in said and "5 of 7 points" in said
    assert any("our fault and costs no points: ZeroDivisionError: by nought" in line for line in said)


def test_after_giving_up(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """A pass is no pass."""
    attempt = progress.current(desk.home, "mine")
    assert attempt is not None
    progress.give_up(desk.home, attempt)
    assert lab("check") == 0
    said = capsys.readouterr().out
    assert "You gave up on this attempt: it earns no points." in said and "Passed." not in said


def test_hints_escalate(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """Command by command; check then shows the one that was given last."""
    desk.said["works"] = "wrong"
    for tier, text in ((1, "a nudge"), (2, "the place"), (3, "nearly the command"), (3, "nearly the command")):
        assert lab("hint") == 0
        assert lines(capsys.readouterr().out) == ["It works.", text, f"hint {tier} of 3"]
    assert as_json(capsys)[1]["checks"][1]["hint"] == "nearly the command"
    assert lab("hint", "--lang", "id") == 0
    assert lines(capsys.readouterr().out) == ["Berhasil.", "hampir perintahnya", "petunjuk 3 dari 3"]


def test_nothing_to_hint_at(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """Everything passes."""
    assert lab("hint") == 0
    assert lines(capsys.readouterr().out) == ["Everything that was checked passes: there is nothing to hint at."]


def test_no_hint_for_a_fault_of_ours(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """It is not said that everything passes, for it does not."""
    desk.said["works"] = "bug"
    assert lab("hint") == 0
    assert "Everything" not in capsys.readouterr().out


def test_by_the_students_language(desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """--lang before LAB_LANG before lab.toml before LANG."""
    (desk.home.folder / "lab.toml").write_text('lang = "id"\n')
    assert as_json(capsys)[1]["checks"][1]["sentence"] == "Berhasil."
    monkeypatch.setenv("LAB_LANG", "en")
    assert as_json(capsys)[1]["checks"][1]["sentence"] == "It works."
    assert as_json(capsys, "--lang", "id")[1]["checks"][1]["sentence"] == "Berhasil."
    assert lab("check", "--lang", "fr") == 2


def test_a_students_page_is_no_markup(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """What was found is shown as it is, whatever brackets and braces are in it."""

    def broken(_: str) -> str:
        raise HostUnreachable("[red]{0.__class__}[/nothing]")

    desk.hosts["akuma"].script = {"": broken}
    assert lab("check") == 1
    assert "[red]{0.__class__}[/nothing]" in capsys.readouterr().out
