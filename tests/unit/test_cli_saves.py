"""`lab save`, `lab restore`, `lab saves` and `lab destroy`, as a user meets them."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from lab import saves
from lab.cli import cli, main
from lab.cli import saves as module
from lab.cli.saves import save_names
from lab.events import Note
from lab.exercises import progress
from lab.home import Home
from lab.ledger import Ledger
from tests.unit.playing import Playing, entry


@pytest.fixture
def playing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Playing:
    """A lab in memory, in the folder where we are."""
    (tmp_path / "course").mkdir()
    monkeypatch.chdir(tmp_path / "course")
    home = Home(Path.cwd())
    home.make()
    made = Playing(home)
    monkeypatch.setattr(module, "open_session", lambda lab, home, listener=None: made.session)
    monkeypatch.setattr(saves, "status_of", lambda *words: None)
    return made


def _lab(*words: str) -> int:
    """`lab …` in this process; its exit code."""
    with pytest.raises(SystemExit) as left:
        main(words)
    return int(str(left.value.code or 0))


def test_a_save_says_how_to_go_back(playing: Playing, capsys: pytest.CaptureFixture[str]) -> None:
    """And a restore where the machines are."""
    playing.machines.disks["voxy"]["/a"] = "x" * 3 * 2**20
    assert _lab("save", "before-nginx", "--note", "just up") == 0
    assert capsys.readouterr().out == "before-nginx is saved, 3 MiB. Go back with: lab restore before-nginx\n"
    playing.machines.disks["voxy"].clear()
    assert _lab("restore", "before-nginx") == 0
    assert capsys.readouterr().out == "All machines are at before-nginx.\n"
    assert "/a" in playing.machines.disks["voxy"]
    assert _lab("saves") == 0
    shown = capsys.readouterr().out
    assert all(word in shown for word in ("before-nginx", "0 min ago", "3 MiB", "just up"))


def test_json_has_what_scripts_need(playing: Playing, capsys: pytest.CaptureFixture[str]) -> None:
    """The same for all three; the list also says who has lost a save, a restore whether the exercise counts."""
    playing.machines.disks["voxy"]["/a"] = "x"
    assert _lab("save", "one", "--note", "n", "--json") == 0
    made = json.loads(capsys.readouterr().out)
    when = made.pop("when")
    expected = {"name": "one", "bytes": 1, "hosts": ["akuma", "voxy", "zero"], "exercise": "", "app": "hello"}
    assert made == {**expected, "note": "n"}
    assert _lab("saves", "--json") == 0
    assert json.loads(capsys.readouterr().out) == [{**made, "when": when, "missing": []}]
    assert _lab("restore", "one", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {**made, "when": when, "counts": True}
    assert _lab("saves", "--remove", "one", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"removed": "one"}
    assert _lab("saves", "--json") == 0
    assert json.loads(capsys.readouterr().out) == []


def test_without_a_save_the_list_says_what_makes_one(playing: Playing, capsys: pytest.CaptureFixture[str]) -> None:
    """And a removal that it is done."""
    assert _lab("saves") == 0
    assert capsys.readouterr().out == "There is no save yet; `lab save NAME` makes one.\n"
    _lab("save", "one")
    capsys.readouterr()
    assert _lab("saves", "--remove", "one") == 0
    assert capsys.readouterr().out == "one is gone.\n"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("save", "one"), 2, "there is a save 'one' already"),
        (("save", "One"), 2, "'One' cannot be the name of a save"),
        (("restore", "on"), 2, "did you mean one?"),
        (("saves", "--remove", "two"), 2, "there is no save 'two'"),
        (("save",), 2, "Missing argument"),
    ],
)
def test_what_cannot_be_is_a_sentence(
    playing: Playing, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: int, said: str
) -> None:
    """With the lab's exit codes."""
    _lab("save", "one")
    capsys.readouterr()
    assert _lab(*words) == code
    assert said in capsys.readouterr().err


def test_a_fault_needs_heal(playing: Playing, capsys: pytest.CaptureFixture[str]) -> None:
    """Said once; healed when it is wanted."""
    _lab("save", "one")
    Ledger(playing.home).write(entry())
    capsys.readouterr()
    for words in (("save", "two"), ("restore", "one")):
        assert _lab(*words) == 4
        assert capsys.readouterr().err.count("still in force: cut_link voxy") == 1
    assert _lab("restore", "one", "--heal") == 0
    assert Note("healed by this: cut_link voxy", loud=True) in playing.heard.events
    assert Ledger(playing.home).entries() == ()


def test_another_command_at_work_is_named(playing: Playing, capsys: pytest.CaptureFixture[str]) -> None:
    """Saving and restoring take the lab's lock; listing does not."""
    _lab("save", "one")
    with playing.home.lock("lab up"):
        for words in (("save", "two"), ("restore", "one"), ("saves", "--remove", "one")):
            assert _lab(*words) == 4
            assert "this lab is busy: `lab up`" in capsys.readouterr().err
        assert _lab("saves") == 0


def test_an_exercise_is_named_and_what_does_not_count_is_said(
    playing: Playing, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the command that goes on."""
    attempt = progress.begin(playing.home, "hello-web")
    monkeypatch.setattr(saves, "_exercise_on", lambda session: ("hello-web", attempt.id))
    _lab("save", "one")
    _lab("restore", "one")
    shown = capsys.readouterr()
    assert "All machines are at one, in the exercise hello-web." in shown.out
    assert "does not count" not in shown.err
    progress.begin(playing.home, "hello-web")
    _lab("restore", "one")
    shown = capsys.readouterr()
    assert "! hello-web was begun again since then, so this does not count" in shown.err
    assert "lab exercise start hello-web" in shown.err


def test_names_are_completed(playing: Playing) -> None:
    """Of the saves of this lab; where there is none, nothing."""
    _lab("save", "one")
    _lab("save", "other")
    command = cli.get_command(click.Context(cli), "restore")
    assert command is not None
    context, argument = click.Context(command), command.params[0]
    assert save_names(context, argument, "on") == ["one"]
    assert save_names(context, argument, "") == ["one", "other"]
    context.params["file"] = Path("elsewhere/lab.toml")
    assert save_names(context, argument, "") == []


@pytest.mark.parametrize(("names", "said"), [((), "."), (("one",), ", with save one."),
                                             (("one", "two"), ", with saves one, two.")])  # fmt: skip
def test_destroy_says_that_saves_go(
    playing: Playing, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    names: tuple[str, ...], said: str,
) -> None:  # fmt: skip
    """Before and after; they are no record of what a student has reached."""
    from lab import destroy

    for name in names:
        _lab("save", name)
    monkeypatch.setattr(destroy, "machines_for", lambda *words: playing.machines)
    capsys.readouterr()
    assert _lab("destroy", "--yes") == 0
    assert capsys.readouterr().out == f"The lab is gone{said}\n"
    assert not (playing.home.path / "saves").exists()
