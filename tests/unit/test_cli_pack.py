"""lab pack and lab unpack on the command line, and who decides that a lab is without internet."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab.boxes import store
from lab.cli import main
from lab.cli.live import LiveView, progress_line
from lab.cli.options import lab_and_home
from lab.events import PhaseEnded, PhaseStarted, Progress
from lab.home import Home
from tests.unit.packs import BOX, pack_of


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The student's folder; Vagrant takes any box."""
    made = tmp_path / "course"
    made.mkdir()
    monkeypatch.chdir(made)
    monkeypatch.delenv("LAB_OFFLINE", raising=False)
    has: list[str] = []
    monkeypatch.setattr(store, "add", has.append)
    monkeypatch.setattr(store, "is_added", has.__contains__)
    return made


def _main(*words: str | Path) -> int:
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    return int(str(left.value.code or 0))


def test_unpack_says_what_it_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And a second time that all was there; then what comes next."""
    path = pack_of(tmp_path)
    assert _main("unpack", path) == 0
    said = capsys.readouterr().out
    assert f"is whole: {BOX}, app my, 1 Python packages" in said
    assert "Installed 5 files. lab.toml is the pack's." in said
    assert said.splitlines()[-1] == "Next: lab up --offline"
    assert _main("unpack", path) == 0
    assert "Everything was here already. lab.toml is the pack's already." in capsys.readouterr().out


def test_check_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    """For programs; nothing is installed."""
    assert _main("unpack", "--check", "--json", pack_of(tmp_path)) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["installed"], shown["apps"], shown["boxes"], len(shown["fingerprint"])) == ([], ["my"], [BOX], 64)
    assert {file["path"] for file in shown["files"]} >= {"lab.toml", f"boxes/{BOX}.box"}
    assert list(folder.iterdir()) == []


def test_the_fingerprint_can_be_typed_as_it_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In groups of four."""
    path = pack_of(tmp_path)
    assert _main("unpack", "--check", path) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("Fingerprint"))
    groups = " ".join(line.split()[1:5])
    assert _main("unpack", "--check", "--expect", groups, path) == 0
    assert _main("unpack", "--check", "--expect", "zz", path) == 4


def test_a_damaged_pack_is_a_sentence_and_exit_code_4(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On standard error, without a traceback."""
    path = pack_of(tmp_path)
    path.write_bytes(path.read_bytes()[:-1])
    assert _main("unpack", path) == 4
    said = capsys.readouterr().err
    assert "is only a part of the pack" in said and "copy it again" in said and "Traceback" not in said
    assert _main("unpack", tmp_path / "gone") == 2


def test_pack_without_internet_is_refused(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """LAB_OFFLINE is obeyed by every command that fetches."""
    monkeypatch.setenv("LAB_OFFLINE", "1")
    monkeypatch.setattr("lab.preflight.check", lambda provider: None)
    assert _main("pack", "room.lab") == 4
    assert "lab pack fetches from the internet" in capsys.readouterr().err
    assert _main("box", "build") == 4
    assert "lab box build fetches from the internet" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("toml", "variable", "state", "remembered", "expected"),
    [
        (False, "", False, True, False),
        (True, "", False, True, True),
        (False, "1", False, True, True),
        (False, "0", False, True, False),
        (False, "no", False, True, False),
        (False, "", True, True, True),
        (False, "", True, False, False),
    ],
)
def test_who_decides(
    folder: Path, monkeypatch: pytest.MonkeyPatch, toml: bool, variable: str, state: bool, remembered: bool,
    expected: bool,
) -> None:  # fmt: skip
    """lab.toml, the variable, or the `lab up` before; a new `lab up` asks only the first two."""
    if toml:
        (folder / "lab.toml").write_text("offline = true\n")
    monkeypatch.setenv("LAB_OFFLINE", variable)
    home = Home(folder)
    home.make()
    home.remember(offline=state)
    assert lab_and_home(None, remembered=remembered)[0].offline is expected


def test_a_state_of_an_earlier_lab_is_read(folder: Path) -> None:
    """It does not know the word."""
    home = Home(folder)
    home.make()
    home.write("state.json", '{"provider": "lxc", "app": "hello", "app_named": true, "box": "", "targets": []}')
    assert (home.state().provider, home.state().offline) == ("lxc", False)


def test_progress_is_a_bar_while_its_phase_lasts() -> None:
    """With the bytes that are done and those in all."""
    seen = Progress("write", 50 * 2**20, 200 * 2**20)
    assert progress_line(seen) == f"{'█' * 6:<24} 50 of 200 MiB"
    assert progress_line(Progress("write", 0, 0)).endswith("0 of 0 MiB")
    view = LiveView(None)  # type: ignore[arg-type]
    view._take(PhaseStarted("write"))
    view._take(seen)
    assert view._progress == seen
    view._take(PhaseEnded("write", True, 1.0))
    assert view._progress is None
