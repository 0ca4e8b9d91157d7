"""`lab report`: an old run is judged again from its folder, in words, JSON, JUnit and a page."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from lab.cli import main
from lab.history import History
from lab.home import Home
from lab.scenario import load
from tests.unit.histories import RUN, all_dead, ghost, killed
from tests.unit.recording import record

Made = Callable[..., Path]


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    """Writes a run into the user's folder, as the newest; gives its folder."""
    course = tmp_path / "course"
    course.mkdir()
    monkeypatch.chdir(course)

    def make(history: History, name: str = "20260101-120000-kill-voxy") -> Path:
        runs = Home(course).path / "runs"
        folder = runs / name
        folder.mkdir(parents=True)
        record(history, folder)
        (runs / "latest").unlink(missing_ok=True)
        (runs / "latest").symlink_to(name)
        return folder

    return make


def dead() -> History:
    """kill-both as it is asked today."""
    history = all_dead()
    return replace(history, run=replace(history.run, question=load("kill-both").question))


def _main(*words: str | Path) -> int:
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    return int(str(left.value.code or 0))


def _json(capsys: pytest.CaptureFixture[str], *words: str | Path) -> Any:
    assert _main("report", *words, "--json") == 0
    return json.loads(capsys.readouterr().out)


def test_the_newest_is_judged_again(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    """By what the scenario of that name expects today."""
    made(killed())
    said = _json(capsys)
    assert (said["scenario"], said["outcome"], said["healed"]) == ("kill-voxy", "HELD", True)
    claims = [piece["claim"] for piece in said["evidence"]]
    assert "during the fault: failed requests at most 0 %" in claims
    assert "after the fault: voxy's share at least 40 %" in claims


def test_the_json_is_the_contract(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    """The keys of verdict.json."""
    made(killed())
    said = _json(capsys)
    assert set(said) >= {"scenario", "outcome", "evidence", "requests", "timings", "healed", "seconds"}
    assert set(said["evidence"][0]) == {"claim", "measured", "unit", "n", "holds", "source"}
    assert set(said["requests"]) == {"sent", "ok", "failed"}
    assert set(said["timings"]) == {"detect_s", "reroute_s", "recover_s"}


def test_a_run_by_name(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    """Not the newest."""
    older = made(killed())
    made(dead(), "20260102-120000-kill-both")
    assert _json(capsys, older.name)["outcome"] == "HELD"
    assert _json(capsys)["outcome"] == "DEVIATED"


@pytest.mark.parametrize(("history", "outcome"), [(killed, "HELD"), (dead, "DEVIATED"), (ghost, "INCONCLUSIVE")])
def test_looking_is_no_failure(
    made: Made, capsys: pytest.CaptureFixture[str], history: Callable[[], History], outcome: str
) -> None:
    """The table says how it came out; the command ends with 0, for it did what it was asked."""
    made(history())
    assert _main("report") == 0
    said = capsys.readouterr().out
    assert outcome in said and "Traceback" not in said


def test_the_gates_are_listed_on_demand(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    """They are many."""
    made(killed())
    assert _main("report") == 0
    short = capsys.readouterr().out
    assert _main("report", "--gates") == 0
    assert len(capsys.readouterr().out.splitlines()) > len(short.splitlines()) + 5


def test_a_page_and_junit_are_written_where_they_are_wanted(
    made: Made, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Their paths are what is printed."""
    made(ghost())
    page, xml = tmp_path / "report.html", tmp_path / "junit.xml"
    assert _main("report", "--html", page, "--junit", xml) == 0
    assert capsys.readouterr().out.split() == [str(page), str(xml)]
    assert "INCONCLUSIVE" in page.read_text() and "<svg" in page.read_text()
    (suite,) = ElementTree.fromstring(xml.read_text()).iter("testsuite")
    assert suite.get("name") == "kill-voxy" and int(suite.get("errors") or 0) > 0


@pytest.mark.parametrize("option", ["--html", "--junit"])
def test_a_file_that_cannot_be_written_is_a_sentence(
    made: Made, capsys: pytest.CaptureFixture[str], tmp_path: Path, option: str
) -> None:
    """With its path; exit code 4."""
    made(killed())
    target = tmp_path / "no" / "such" / "folder"
    assert _main("report", option, target) == 4
    assert f"{target}: cannot be written: " in capsys.readouterr().err.replace("\n", " ")


def test_a_run_that_is_not_there_names_those_that_are(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2."""
    made(killed())
    assert _main("report", "nonsense") == 2
    said = capsys.readouterr().err
    assert "there is no run 'nonsense'" in said and "20260101-120000-kill-voxy" in said


def test_without_a_run_the_mend_is_to_make_one(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    """Also where there is no lab."""
    assert _main("report") == 2
    assert "lab scenario NAME makes one" in capsys.readouterr().err
    assert not Path(".lab").exists()


def test_a_torn_journal_is_inconclusive(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    """As after a kill -9 in the middle of a line: what is there is read, and nothing concluded."""
    journal = made(killed()) / "journal.jsonl"
    whole = journal.read_bytes()
    journal.write_bytes(whole[:-20])
    assert _json(capsys)["outcome"] == "INCONCLUSIVE"
    journal.write_bytes(whole[: len(whole) // 2])
    assert _json(capsys)["outcome"] == "INCONCLUSIVE"


def test_a_run_that_was_cut_off_is_inconclusive(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    """The record is whole, the run is not."""
    made(replace(killed(), ended=False))
    assert _json(capsys)["outcome"] == "INCONCLUSIVE"


@pytest.mark.parametrize("keep", [0.9, 0.0])
def test_a_log_with_lines_removed_is_inconclusive(made: Made, capsys: pytest.CaptureFixture[str], keep: float) -> None:
    """Or with none left, or no file at all."""
    log = made(killed()) / "access.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[: int(len(lines) * keep)]))
    assert _json(capsys)["outcome"] == "INCONCLUSIVE"
    log.unlink()
    assert _json(capsys)["outcome"] == "INCONCLUSIVE"


@pytest.mark.parametrize("text", ["", "garbage\n", '{"kind":"nonsense"}\n', '{"kind":"note","t":0.0,"text":"x"}\n'])
def test_a_journal_that_is_none_is_a_sentence(made: Made, capsys: pytest.CaptureFixture[str], text: str) -> None:
    """Exit code 4, with the file."""
    (made(killed()) / "journal.jsonl").write_text(text)
    assert _main("report") == 4
    said = capsys.readouterr().err
    assert "journal.jsonl" in said and "Traceback" not in said and "bug of ours" not in said


def test_what_was_claimed_and_cannot_be_judged_again_is_not_held(
    made: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    """A scenario of one's own whose file is elsewhere by now: its claims are not measured, and never pass."""
    made(replace(killed(), run=replace(RUN, scenario="mine")))
    assert _json(capsys)["outcome"] != "HELD"


def test_a_namesake_is_not_the_scenario_that_was_run(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    """./kill_voxy.py of one's own asked another question, by its record; the shipped one's claims are not its own."""
    made(replace(killed(), run=replace(RUN, question="Is mine better?")))
    said = _json(capsys)
    claims = [piece["claim"] for piece in said["evidence"]]
    assert "after the fault: voxy's share at least 40 %" not in claims
