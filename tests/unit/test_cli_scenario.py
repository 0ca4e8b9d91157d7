"""`lab scenario` and `lab heal` on the command line, and the warning that every command gives while a fault is left."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lab import scenario as scenarios
from lab.cli import main
from lab.errors import EnvironmentProblem, Interrupted
from lab.home import Home
from lab.ledger import Ledger
from lab.machines.capabilities import NOTHING
from lab.machines.fake import FakeMachines
from lab.run_folder import RunFolder
from lab.runner import Options, Ran
from lab.scenario import Scenario
from lab.session import Session
from lab.topology import Lab
from lab.verdict import Evidence, Verdict
from tests.unit.playing import entry
from tests.unit.test_scenario import MINE

WARNING = "! still in force: cut_link voxy; `lab heal` undoes it\n"
OUTCOMES = {True: 0, False: 1, None: 3}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """The user's folder, with a lab that is up in memory."""
    folder = tmp_path / "course"
    folder.mkdir()
    monkeypatch.chdir(folder)
    made = Home(folder)
    made.remember(provider="virtualbox", app="hello")
    monkeypatch.setattr("lab.session.machines_for", lambda lab, home, provider: FakeMachines(lab))
    monkeypatch.setattr(os, "_exit", sys.exit)
    return made


class Told:
    """A runner that only remembers what it was asked."""

    def __init__(self) -> None:
        self.name = ""
        self.scenario: Scenario | None = None
        self.options = Options()
        self.locked = ""
        self.holds: bool | None = True
        self.fault: BaseException | None = None

    def __call__(self, name: str, scenario: Scenario, session: Session, options: Options) -> Ran:
        """No run, but its verdict."""
        self.name, self.scenario, self.options = name, scenario, options
        self.locked = (session.home.path / "lock").read_text()
        if self.fault:
            raise self.fault
        verdict = Verdict(name, (Evidence("it is so", 0, "%", 9, self.holds, "journal.jsonl"),))
        return Ran(RunFolder("r1", session.home.path / "runs" / "r1"), verdict)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """In place of the runner."""
    made = Told()
    monkeypatch.setattr("lab.runner.run", made)
    return made


def _main(*words: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(words)
    return int(str(left.value.code or 0))


def test_the_list_has_a_question_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    """One line each, and the same as JSON; no lab is needed."""
    assert _main("scenario") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == scenarios.names()
    assert _main("scenario", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    kill = {"name": "kill-voxy", "question": "Does nginx hide the loss of voxy from users?", "runs_here": True}
    assert kill in found
    assert [f"{each['name']} {each['question']}".split() for each in found] == [line.split() for line in lines]


def test_what_needs_power_is_marked_where_there_is_none(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """On machines that are there already; a dry run of it is refused with 2, as the run is."""
    home.remember(provider="existing", app="hello")
    assert _main("scenario") == 0
    marked = [line.split()[0] for line in capsys.readouterr().out.splitlines() if "(not here: " in line]
    assert marked == ["kill-both", "kill-voxy", "kill-zero"]
    assert _main("scenario", "--json") == 0
    assert {each["name"] for each in json.loads(capsys.readouterr().out) if not each["runs_here"]} == set(marked)


def test_a_dry_run_without_power_is_2(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The sentence names what to run instead."""

    def powerless(lab: Lab, home: Home, provider: str) -> FakeMachines:
        made = FakeMachines(lab)
        made.capabilities = NOTHING
        return made

    monkeypatch.setattr("lab.session.machines_for", powerless)
    assert _main("scenario", "kill-voxy", "--dry-run") == 2
    said = capsys.readouterr().err
    assert "kill-voxy: the lab cannot give a machine its power back" in said
    assert "lab scenario cut-voxy" in said


def test_an_unknown_name_is_2(told: Told, capsys: pytest.CaptureFixture[str]) -> None:
    """With the nearest, and nothing is run."""
    assert _main("scenario", "kill-voxi") == 2
    assert "there is no scenario 'kill-voxi'\n  → did you mean kill-voxy?" in capsys.readouterr().err
    assert told.name == ""


@pytest.mark.parametrize(("holds", "code"), OUTCOMES.items())
def test_the_outcome_is_the_exit_code(
    told: Told, capsys: pytest.CaptureFixture[str], holds: bool | None, code: int
) -> None:
    """0 held, 1 deviated, 3 inconclusive; with JSON nothing else is on standard output."""
    told.holds = holds
    assert _main("scenario", "kill-voxy") == code
    said = capsys.readouterr().out
    assert "it is so" in said and "the record: " in said
    assert _main("scenario", "kill-voxy", "--json") == code
    out, err = capsys.readouterr()
    assert json.loads(out)["outcome"] == {0: "HELD", 1: "DEVIATED", 3: "INCONCLUSIVE"}[code]
    assert err == ""


def test_options_reach_the_runner_under_the_labs_lock(told: Told) -> None:
    """Rate, duration and configuration; what is not given is the scenario's."""
    assert _main("scenario", "kill-voxy") == 0
    assert (told.options.rate, told.options.duration, told.options.variant) == (150, None, None)
    assert _main("scenario", "kill-voxy", "--rate", "20", "--duration", "1.5", "--config", "naive") == 0
    assert told.options.duration is not None
    assert (told.options.rate, told.options.duration.seconds, told.options.variant) == (20, 1.5, "naive")
    assert "`lab scenario kill-voxy`, process" in told.locked


@pytest.mark.parametrize(
    "words", [["--rate", "0"], ["--rate", "9999"], ["--duration", "0"], ["--duration", "-1"], ["--config", "x"], ["x"]]
)
def test_options_out_of_range_are_2(told: Told, words: list[str]) -> None:
    """Before anything is run."""
    assert _main("scenario", "kill-voxy", *words) == 2
    assert told.name == ""


@pytest.mark.parametrize("option", [["--duration", "nan"], ["--rate", "x"]])
def test_no_number_is_2(option: list[str], capsys: pytest.CaptureFixture[str], told: Told) -> None:
    """Not a bug of ours, and never a load without a rate."""
    assert _main("scenario", "kill-voxy", *option) == 2
    assert told.name == ""


def test_a_file_of_ones_own_has_the_name_of_the_file(told: Told) -> None:
    """With hyphens."""
    Path("my_own.py").write_text(MINE)
    assert _main("scenario", "./my_own.py") == 0
    assert told.name == "my-own"
    assert told.scenario is not None and told.scenario.question == "Is mine found?"


@pytest.mark.parametrize(("text", "said"), [("1 / 0", "ZeroDivisionError"), ("", "defines no scenario")])
def test_a_broken_file_is_a_sentence(text: str, said: str, told: Told, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, no traceback, nothing run."""
    Path("mine.py").write_text(text)
    assert _main("scenario", "./mine.py") == 2
    err = capsys.readouterr().err
    assert said in err and "Traceback" not in err
    assert told.name == ""


def test_without_a_lab_the_mend_is_up(home: Home, told: Told, capsys: pytest.CaptureFixture[str]) -> None:
    """Also for --dry-run and heal."""
    (home.path / "state.json").unlink()
    for words in (["scenario", "kill-voxy"], ["scenario", "kill-voxy", "--dry-run"], ["heal"]):
        assert _main(*words) == 2
        assert "→ lab up" in capsys.readouterr().err
    assert told.name == ""


def test_a_dry_run_prints_the_plan(told: Told, capsys: pytest.CaptureFixture[str], home: Home) -> None:
    """And runs nothing, locks nothing, records nothing."""
    before = sorted(home.path.iterdir())
    assert _main("scenario", "kill-voxy", "--dry-run", "--duration", "3", "--config", "tuned") == 0
    said = capsys.readouterr().out
    for part in ("scenario kill-voxy: Does nginx", "config tuned", "inject        power_off voxy", "observe       3 s"):
        assert part in said
    assert told.name == "" and sorted(home.path.iterdir()) == before


@pytest.mark.parametrize(("fault", "code"), [(EnvironmentProblem("no"), 4), (Interrupted("it is healed"), 130)])
def test_what_the_runner_raises_is_told(
    told: Told, capsys: pytest.CaptureFixture[str], fault: BaseException, code: int
) -> None:
    """As a sentence with the exit code of its kind."""
    told.fault = fault
    assert _main("scenario", "kill-voxy") == code
    out, err = capsys.readouterr()
    assert str(fault) in err and "Traceback" not in err and out == ""


def test_a_second_scenario_is_told_who_is_at_it(home: Home, told: Told, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 4; `lab heal` waits for the run too."""
    with home.lock("lab scenario kill-zero"):
        for words in (["scenario", "kill-voxy"], ["heal"]):
            assert _main(*words) == 4
            assert "this lab is busy: `lab scenario kill-zero`, process" in capsys.readouterr().err
    assert told.name == ""


@pytest.mark.parametrize(
    "words", [["status"], ["status", "--json"], ["open"], ["hosts"], ["render", "nginx"], ["scenario", "kill-voxy"],
              ["scenario", "kill-voxy", "--dry-run"], ["report"], ["halt", "nobody"], ["doctor"], ["ssh", "nobody"]],
)  # fmt: skip
def test_every_command_warns_while_a_fault_is_left(
    home: Home, told: Told, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    """Once, on standard error, so that JSON stays JSON; and no longer when it is healed."""
    Ledger(home).write(entry())
    _main(*words)
    out, err = capsys.readouterr()
    assert err.count(WARNING) == 1 and "still in force" not in out.replace("in force: cut_link voxy; lab heal", "")
    Ledger(home).remove(entry())
    _main(*words)
    assert "still in force" not in capsys.readouterr().err


def test_status_as_json_has_the_faults(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """With what undoes them."""
    Ledger(home).write(entry("a"))
    assert _main("status", "--json") == 0
    (found,) = json.loads(capsys.readouterr().out)["faults"]
    assert found == {"id": "a", "what": "cut_link voxy", "host": "voxy", "kind": "command", "undo": "undo a",
                     "run": "run1"}  # fmt: skip


@pytest.fixture
def healer(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException | None], None]:
    """In place of the healing: it empties the ledger, or raises."""
    raised: list[BaseException | None] = [None]

    def heal_all(session: Session, ledger: Ledger) -> tuple[Any, ...]:
        if raised[0]:
            raise raised[0]
        found = ledger.entries()
        for each in found:
            ledger.remove(each)
        return found

    monkeypatch.setattr("lab.healing.heal_all", heal_all)
    return lambda fault: raised.__setitem__(0, fault)


def test_heal_says_what_it_healed(home: Home, capsys: pytest.CaptureFixture[str], healer: object) -> None:
    """Without the warning, for it is the mend; twice is harmless."""
    Ledger(home).write(entry())
    assert _main("heal") == 0
    assert capsys.readouterr() == ("healed: cut_link voxy\n", "")
    assert _main("heal") == 0
    assert capsys.readouterr() == ("Nothing is injected.\n", "")


def test_heal_as_json(home: Home, capsys: pytest.CaptureFixture[str], healer: object) -> None:
    """A list, also an empty one."""
    Ledger(home).write(entry())
    for expected in (["cut_link voxy"], []):
        assert _main("heal", "--json") == 0
        assert [each["what"] for each in json.loads(capsys.readouterr().out)["healed"]] == expected


def test_a_heal_that_fails_is_4(
    home: Home, capsys: pytest.CaptureFixture[str], healer: Callable[[BaseException], None]
) -> None:
    """And the fault stays told."""
    Ledger(home).write(entry())
    healer(EnvironmentProblem("cut_link voxy: no SSH", "mend the cause, then `lab heal` again"))
    assert _main("heal") == 4
    assert "cut_link voxy: no SSH\n  → mend the cause, then `lab heal` again" in capsys.readouterr().err
    _main("open")
    assert WARNING in capsys.readouterr().err
