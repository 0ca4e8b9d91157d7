"""Scenarios are found by name or in a file of the user's; what is wrong with either is a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import content
from lab.errors import UsageError
from lab.machines.capabilities import EVERYTHING, NOTHING
from lab.scenario import Lesson, Scenario, load, names, playable
from lab.verdict import Outcome

MINE = '''"""Mine."""

from lab import Lesson, Scenario, during, failed_requests, power_off, seconds

scenario = Scenario(
    question="Is mine found?",
    lesson=Lesson(en="Yes.", id="Ya."),
    fault=power_off("voxy", lasting=seconds(1)),
    verdict=[during(failed_requests()).at_most("0 %")],
)
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_cut_cable_stands_in_for_lost_power() -> None:
    """On the same host, for as long; what needs no power, and machines that have it, get the scenario itself."""
    kill, cut = load("kill-both"), load("cut-voxy")
    assert playable(kill, EVERYTHING) is kill
    assert playable(cut, NOTHING) is cut
    stand_in = playable(kill, NOTHING)
    assert [(each.name, each.host) for each in stand_in.faults] == [("cut_link", "voxy"), ("cut_link", "zero")]
    assert [each.lasting for each in stand_in.faults] == [each.lasting for each in kill.faults]
    assert not stand_in.needs_power and kill.needs_power


def refused(name: str) -> UsageError:
    """What is said to a name or file that is none."""
    with pytest.raises(UsageError) as caught:
        load(name)
    return caught.value


def test_the_shipped_ones_are_listed_in_order() -> None:
    """By the name that the command takes; the package itself and its folders are none."""
    found = names()
    assert "kill-voxy" in found and found == sorted(found)
    assert not [name for name in found if "_" in name or name in ("configs", "--init--")]


def test_one_is_loaded_by_name() -> None:
    """As declared in its file."""
    found = load("kill-voxy")
    assert found.question == "Does nginx hide the loss of voxy from users?"
    assert found.lesson.en and found.lesson.id


def test_the_name_of_the_file_is_taken_too() -> None:
    """With an underscore."""
    assert load("kill_voxy").question == load("kill-voxy").question


@pytest.mark.parametrize(
    ("typed", "meant"), [("kil-voxy", "kill-voxy"), ("kill-voxi", "kill-voxy"), ("killvoxy", "kill-voxy")]
)
def test_an_unknown_name_gets_a_suggestion(typed: str, meant: str) -> None:
    """The nearest."""
    said = refused(typed)
    assert said.message == f"there is no scenario {typed!r}"
    assert said.mend == f"did you mean {meant}?"


@pytest.mark.parametrize("typed", ["", "zzzzz", "../lab/runner", "/etc/passwd", "."])
def test_a_name_that_resembles_nothing_gets_the_list(typed: str) -> None:
    """And no file outside the folder is run by a name."""
    said = refused(typed)
    assert said.message == f"there is no scenario {typed!r}"
    assert said.mend.startswith("there are: ") and "kill-voxy" in said.mend


@pytest.mark.parametrize("path", ["./mine.py", "mine.py", "deep/er/mine.py"])
def test_a_file_of_ones_own(folder: Path, path: str) -> None:
    """Relative to where the user is."""
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(MINE)
    assert load(path).question == "Is mine found?"
    assert load(str(folder / path)).question == "Is mine found?"


def test_a_file_that_is_not_there(folder: Path) -> None:
    """A folder of that name is none either."""
    assert refused("./mine.py").message == "there is no scenario './mine.py'"
    (folder / "mine.py").mkdir()
    assert refused("./mine.py").message == "there is no scenario './mine.py'"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import nonsense_of_mine", "ModuleNotFoundError: No module named 'nonsense_of_mine'"),
        ("scenario = (", "SyntaxError: "),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("from lab import nonsense", "nonsense"),
        ("from lab import seconds\nseconds(-1)", "UsageError: seconds(-1): no length of time"),
        ("from lab import lose_packets\nlose_packets('voxy', percent=0)", "UsageError: lose_packets: 0 %"),
        ("raise SystemExit(0)", "SystemExit"),
        ("import sys\nsys.exit('bye')", "SystemExit"),
    ],
)
def test_a_file_that_does_not_import(folder: Path, text: str, said: str) -> None:
    """The file, the kind of error and its words; never an exit of the file's own."""
    (folder / "mine.py").write_text(text)
    fault = refused("./mine.py")
    assert fault.message.startswith("mine.py: does not import: ")
    assert said in fault.message
    assert fault.mend == "mend the file"


def test_a_file_that_is_no_text(folder: Path) -> None:
    """As when the wrong file is named."""
    (folder / "mine.py").write_bytes(b"\xff\x00\xfe")
    assert refused("./mine.py").message.startswith("mine.py: does not import: ")


@pytest.mark.parametrize("text", ["", "scenario = 3", "Scenario = None", "scenario = {'question': 'x'}"])
def test_a_file_without_a_scenario(folder: Path, text: str) -> None:
    """With the line that is missing."""
    (folder / "mine.py").write_text(text)
    fault = refused("./mine.py")
    assert fault.message == "mine.py: defines no scenario"
    assert "`scenario = Scenario(…)`" in fault.mend


def test_an_own_file_comes_before_a_shipped_one_of_the_same_name(folder: Path) -> None:
    """It was named with its ending."""
    (folder / "kill_voxy.py").write_text(MINE)
    assert load("kill_voxy.py").question == "Is mine found?"
    assert load("kill-voxy").question != "Is mine found?"


def test_what_is_expected_depends_on_the_configuration() -> None:
    """HELD where nothing is said."""
    scenario = Scenario("?", Lesson("", ""), None, [], outcomes={"naive": Outcome.DEVIATED})
    assert scenario.expected("naive") is Outcome.DEVIATED
    assert scenario.expected("default") is Outcome.HELD


def test_the_shipped_ones_are_where_the_content_is() -> None:
    """A scenario is one new file there."""
    for name in names():
        assert (content.root() / "scenarios" / f"{name.replace('-', '_')}.py").is_file()
