"""`lab exercise watch`: what each key does, and when it ends; with a watcher that only tells what it is told to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from lab.cli import main
from lab.errors import UsageError
from lab.exercises import doing, progress
from lab.exercises.exercise import Exercise, load
from lab.home import Home
from tests.unit.classroom import Desk, shipped

EVENTS: list[str] = []


class FakeWatcher:
    """Gives what is in `script`, and notes what is asked of it."""

    script: Iterator[str] = iter(())

    def __init__(self, ssh_config: Path, hosts: tuple[str, ...]) -> None:
        EVENTS.append(f"watch {' '.join(hosts)}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        EVENTS.append("leave")

    def wait_for_change(self, keys: int | None, timeout_s: float) -> str:
        """A word of the script is an event; a single letter is a key."""
        happened = next(type(self).script)
        return "key" if len(happened) < 2 else happened

    def pause(self) -> None:
        """Note it."""
        EVENTS.append("pause")

    def resume(self) -> None:
        """Note it."""
        EVENTS.append("resume")

    def mark(self) -> None:
        """Note it."""
        EVENTS.append("mark")


class Watching(Desk):
    """`mine` was started, and is watched on a terminal or not."""

    def __init__(self, home: Home, folder: Path, patch: pytest.MonkeyPatch) -> None:
        super().__init__(home)
        shipped(folder, patch, "mine", "next")
        self.patch = patch
        self.attempt = self.at(load("mine"))
        progress.activate(home, "mine")
        patch.setattr("lab.session.open_session", lambda lab, home, listener=None: self.session)
        patch.setattr("lab.exercises.watching.Watcher", FakeWatcher)
        patch.setattr(doing, "stage", self._stage)

    def _stage(self, session: Any, exercise: Exercise, student: object, attempt: str) -> None:
        EVENTS.append(f"stage {exercise.id}")
        self.stage(session, exercise, student, attempt)

    def watch(self, *script: str, terminal: bool = True) -> int:
        """Watch while these come; its exit code."""
        EVENTS.clear()
        keys = iter([each for each in script if len(each) < 2])
        FakeWatcher.script = iter(script)

        class FakeKeyboard:
            fd = 0 if terminal else None

            def __enter__(self) -> Self:
                return self

            def __exit__(self, *fault: object) -> None:
                EVENTS.append("keyboard back")

            def read_key(self) -> str:
                return next(keys)

        self.patch.setattr("lab.exercises.keyboard.Keyboard", FakeKeyboard)
        with pytest.raises(SystemExit) as left:
            main(("exercise", "watch", "mine"))
        assert next(FakeWatcher.script, None) is None
        return int(str(left.value.code or 0))


@pytest.fixture
def watching(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watching:
    """Something is wrong."""
    monkeypatch.chdir(home.folder)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.delenv("LAB_LANG", raising=False)
    made = Watching(home, tmp_path, monkeypatch)
    made.said["works"] = "wrong"
    return made


def times(text: str) -> int:
    """How often the checks were run and shown."""
    return len(re.findall(r"\d+ of \d+ points", text))


CHECK = ["pause", "resume"]


def test_it_checks_at_once_and_at_each_change(watching: Watching, capsys: pytest.CaptureFixture[str]) -> None:
    """Between pause and resume, so that the checks' own traces are no change; time that passes is none."""
    assert watching.watch("time", "change", "time", "change", "q") == 0
    assert ["watch akuma", *CHECK * 3, "keyboard back", "leave"] == EVENTS
    said = capsys.readouterr().out
    assert times(said) == 3 and "watching akuma; a change is checked by itself" in said


@pytest.mark.parametrize("key", ["q", ""])
def test_it_ends_with_q(watching: Watching, key: str) -> None:
    """Or when no key will ever come any more."""
    assert watching.watch(key) == 0
    assert ["watch akuma", *CHECK, "keyboard back", "leave"] == EVENTS


def test_without_a_terminal_it_ends_when_all_passes(watching: Watching, capsys: pytest.CaptureFixture[str]) -> None:
    """And not before; in a script it is a wait."""

    def mended() -> Iterator[str]:
        yield "change"
        watching.said["works"] = ""
        yield "change"

    EVENTS.clear()
    script = mended()
    watching.patch.setattr(FakeWatcher, "wait_for_change", lambda self, keys, timeout_s: next(script))
    assert watching.watch(terminal=False) == 0
    said = capsys.readouterr().out
    assert times(said) == 3 and "8 of 10 points" in said and "r check" not in said


def test_with_a_terminal_it_goes_on_after_a_pass(watching: Watching) -> None:
    """There is the next exercise, and what disturbs the machines."""
    watching.said["works"] = ""
    assert watching.watch("change", "q") == 0
    assert EVENTS.count("pause") == 2


def test_r_checks_again(watching: Watching, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a change."""
    watching.watch("r", "q")
    assert times(capsys.readouterr().out) == 2


def test_f_checks_in_full(watching: Watching, capsys: pytest.CaptureFixture[str]) -> None:
    """What it did to the machines is no change of the student's: they are taken as they are after it."""
    watching.said["works"] = ""
    watching.watch("f", "q")
    assert ["watch akuma", *CHECK, "pause", "mark", "keyboard back", "leave"] == EVENTS
    assert "10 of 10 points" in capsys.readouterr().out


def test_h_hints_more_each_time(watching: Watching, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is checked for it; the attempt remembers."""
    watching.watch("h", "h", "q")
    said = capsys.readouterr().out
    assert "hint 1 of 3" in said and "hint 2 of 3" in said and times(said) == 1
    assert doing.attempt_at(watching.home, load("mine")).hints == {"no-token": 2}
    watching.watch("r", "h", "q")
    assert "hint 3 of 3" in capsys.readouterr().out


def test_hints_are_not_forgotten_by_a_check(watching: Watching) -> None:
    """Nor by a change."""
    watching.watch("h", "change", "h", "q")
    assert doing.attempt_at(watching.home, load("mine")).hints == {"no-token": 2}


def test_t_shows_the_task(watching: Watching, capsys: pytest.CaptureFixture[str]) -> None:
    """Above the checks, which it would hide otherwise."""
    watching.watch("t", "q")
    said = capsys.readouterr().out
    assert said.count("# Title") == 1 and said.rindex("# Title") < said.rindex("of 10 points")


def test_l_lists(watching: Watching, capsys: pytest.CaptureFixture[str]) -> None:
    """All exercises and how far one is; nothing is checked for it."""
    watching.watch("l", "q")
    said = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "01 mine Say what it teaches started 0/10" in said and "02 next Say what it teaches open 0/10" in said
    assert EVENTS.count("pause") == 1


def test_n_goes_on_to_the_next(watching: Watching, capsys: pytest.CaptureFixture[str]) -> None:
    """It is begun, shown and watched in place of this one, whose watcher has left."""
    watching.watch("n", "q")
    assert [
        "watch akuma", *CHECK, "stage next", "keyboard back", "leave", "watch akuma", *CHECK, "keyboard back", "leave",
    ] == EVENTS  # fmt: skip
    assert progress.active(watching.home) == "next"
    assert "# Title" in capsys.readouterr().out


def test_n_after_the_last_stays(watching: Watching, capsys: pytest.CaptureFixture[str]) -> None:
    """The work is kept."""
    watching.watch("n", "n", "q")
    assert EVENTS.count("stage next") == 1 and "stage mine" not in EVENTS
    assert "next is under way: your work is kept" in capsys.readouterr().out


def test_x_begins_anew(watching: Watching) -> None:
    """A new attempt, and goes on watching."""
    watching.watch("h", "x", "q")
    present = doing.attempt_at(watching.home, load("mine"))
    assert (present.number, present.hints) == (2, {}) and "stage mine" in EVENTS
    assert EVENTS[-6:] == ["leave", "watch akuma", *CHECK, "keyboard back", "leave"]


@pytest.mark.parametrize("key", ["z", " ", "\x1b", "Q"])
def test_other_keys_do_nothing(watching: Watching, key: str) -> None:
    """Not even a check."""
    watching.watch(key, "q")
    assert ["watch akuma", *CHECK, "keyboard back", "leave"] == EVENTS


def test_what_fails_ends_it_in_order(watching: Watching, capsys: pytest.CaptureFixture[str]) -> None:
    """The terminal is as before, nobody is left watching, and the sentence is told."""
    watching.hosts["akuma"].files.clear()
    assert watching.watch() == 2
    assert EVENTS == ["watch akuma", "pause", "keyboard back", "leave"]
    assert "the machines are not at mine" in capsys.readouterr().err
    assert UsageError.exit_code == 2
