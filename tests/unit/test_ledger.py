"""The ledger: what is in force is on the disk before it is, and nothing that lies there stops a command."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from lab.errors import EnvironmentProblem
from lab.home import Home
from lab.ledger import Ledger
from tests.unit.playing import entry


@pytest.fixture
def ledger(home: Home) -> Ledger:
    """An empty one."""
    return Ledger(home)


def test_there_and_back(ledger: Ledger) -> None:
    """Written, read by another command, taken out; twice is harmless."""
    ledger.write(entry("a"))
    assert ledger.entries() == (entry("a"),)
    ledger.remove(entry("a"))
    ledger.remove(entry("a"))
    assert ledger.entries() == ()


def test_without_a_folder_nothing_is_in_force(tmp_path: Path) -> None:
    """And looking makes none."""
    assert Ledger(Home(tmp_path)).entries() == ()
    assert list(tmp_path.glob(".lab")) == []


def test_another_process_reads_the_same(home: Home, ledger: Ledger) -> None:
    """Text stays text, also with quotes and other letters."""
    written = entry("a", what="config „tuned“ akuma", host="akuma")
    ledger.write(written)
    assert Ledger(Home(home.folder)).entries() == (written,)


def test_oldest_first(home: Home, ledger: Ledger) -> None:
    """By the time of writing, not by name."""
    for age, id in enumerate(["b", "c", "a"]):
        ledger.write(entry(id))
        os.utime(home.path / "faults" / f"{id}.json", ns=(age, age))
    assert [found.id for found in ledger.entries()] == ["b", "c", "a"]


def test_the_folder_is_its_owners(home: Home, ledger: Ledger) -> None:
    """What stands in it is run as root on the hosts."""
    ledger.write(entry())
    assert (home.path / "faults").stat().st_mode & 0o777 == 0o700


def test_it_is_on_the_disk_before_it_has_its_name(home: Home, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Power may fail at any moment: a file of that name is whole."""
    seen: list[tuple[bool, object]] = []
    real = os.fsync

    def fsync(file: int) -> None:
        named = (home.path / "faults" / "a.json").exists()
        seen.append((named, json.loads(Path(f"/proc/self/fd/{file}").read_text() or "null")))
        real(file)

    monkeypatch.setattr(os, "fsync", fsync)
    ledger.write(entry("a"))
    named, content = seen[0]
    assert not named
    assert isinstance(content, dict) and content["undo"] == "undo a"
    assert [path.name for path in (home.path / "faults").iterdir()] == ["a.json"]


def test_a_half_written_entry_is_none(home: Home, ledger: Ledger) -> None:
    """After a kill -9 between the two: what had no name was not injected either."""
    ledger.write(entry("a"))
    (home.path / "faults" / "b.new").write_text('{"id": "b"')
    assert [found.id for found in ledger.entries()] == ["a"]


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "{}", '{"id": "a"}', '{"other": 1}', "\udcff"])
def test_a_damaged_file_is_set_aside(home: Home, ledger: Ledger, text: str) -> None:
    """The others are still found, and the damaged one can be looked at."""
    ledger.write(entry("good"))
    bad = home.path / "faults" / "bad.json"
    bad.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert ledger.entries() == (entry("good"),)
    assert ledger.entries() == (entry("good"),)
    assert bad.with_suffix(".damaged").exists() and not bad.exists()


def test_an_entry_that_goes_while_we_look_is_gone(home: Home, ledger: Ledger) -> None:
    """`lab status` beside a run that heals: a name without a file behind it is no error."""
    ledger.write(entry("a"))
    (home.path / "faults" / "b.json").symlink_to("gone")
    assert ledger.entries() == (entry("a"),)


def test_a_full_disk_is_a_sentence(home: Home, ledger: Ledger) -> None:
    """Before anything is injected; /dev/full is a disk without room."""
    folder = home.path / "faults"
    folder.mkdir(mode=0o700)
    (folder / "a.new").symlink_to("/dev/full")
    with pytest.raises(EnvironmentProblem, match="faults"):
        ledger.write(entry("a"))
