"""The limit that many containers share: raised where it is low, and set back once."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import inotify, process


@pytest.fixture
def limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A limit of 128 that `tee` really changes, in the test's folder."""
    monkeypatch.setattr(inotify, "LIMIT", tmp_path / "limit")
    monkeypatch.setattr(inotify, "BEFORE", tmp_path / "before")
    monkeypatch.setattr(process, "as_root", lambda *argv, stdin="": process.run(*argv, stdin=stdin))
    (tmp_path / "limit").write_text("128\n")
    return tmp_path / "limit"


def test_a_low_limit_is_raised_and_set_back(limit: Path) -> None:
    """Twice of each is once: the second lab must not remember the first one's limit."""
    inotify.make_room()
    inotify.make_room()
    assert int(limit.read_text()) == inotify.ENOUGH
    inotify.give_back()
    inotify.give_back()
    assert limit.read_text() == "128\n"


def test_a_high_limit_is_left_alone(limit: Path) -> None:
    """Its owner knew why; and nothing is set back later."""
    limit.write_text("65536\n")
    inotify.make_room()
    inotify.give_back()
    assert limit.read_text() == "65536\n"
