"""`lab class save --every`: how long it waits between two saves."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from lab.cli import class_saves


class Slept(Exception):
    """It would sleep now; the seconds are its argument."""


@pytest.fixture
def course(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A class without students, whose settings a test may change."""
    made = SimpleNamespace(settings=SimpleNamespace(save_minutes=7), saved=0)

    def save_all(*_: object, **__: object) -> list[object]:
        made.saved += 1
        return []

    def sleep(seconds: float) -> None:
        raise Slept(seconds)

    monkeypatch.setattr(class_saves, "chosen", lambda *_: (made, ()))
    monkeypatch.setattr(class_saves, "save_all", save_all)
    monkeypatch.setattr("lab.cli.class_saves.time.sleep", sleep)
    return made


@pytest.mark.parametrize(("words", "minutes"), [(["--every"], 7), (["--every", "3"], 3)])
def test_it_waits_as_long_as_it_was_told(course: SimpleNamespace, words: list[str], minutes: int) -> None:
    """By the command, or else by engine.toml."""
    done = CliRunner().invoke(class_saves.save, [*words, "--json"])
    assert isinstance(done.exception, Slept) and done.exception.args == (minutes * 60,)


def test_without_every_it_saves_once(course: SimpleNamespace) -> None:
    """And ends well."""
    assert CliRunner().invoke(class_saves.save, ["--json"]).exit_code == 0
    assert course.saved == 1


def test_never_is_no_interval(course: SimpleNamespace) -> None:
    """engine.toml says that nothing is saved by itself: how often must be said, before anything is done."""
    course.settings.save_minutes = 0
    done = CliRunner().invoke(class_saves.save, ["--every", "--json"])
    assert done.exit_code == 2 and "say how many: --every 5" in done.output
    assert course.saved == 0


def test_a_name_is_for_one_save(course: SimpleNamespace) -> None:
    """Again and again it would be taken."""
    assert CliRunner().invoke(class_saves.save, ["half-way", "--every"]).exit_code == 2
