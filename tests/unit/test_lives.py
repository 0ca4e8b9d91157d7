"""In which life a host is: written down for each, also for one that is just starting."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import journal
from lab.errors import HostUnreachable
from lab.home import Home
from lab.journal import Journal
from lab.lives import record_lives
from lab.records import LifeRecord
from lab.sample import Clock
from tests.unit.playing import Playing


@pytest.fixture
def lab(home: Home) -> Playing:
    """A lab that runs."""
    playing = Playing(home)
    for number, host in enumerate(playing.hosts.values()):
        host.script["boot_id"] = f"8a3c\n{number}\n"
    return playing


def recorded(lab: Playing, path: Path) -> list[tuple[str, str]]:
    """Host and life, as they were written down."""
    with Journal(path) as written:
        record_lives(lab.session, written, Clock.start())
    return [(each.host, each.life) for each in journal.read(path).records if isinstance(each, LifeRecord)]


def test_each_hosts_life_is_written_down(lab: Playing, tmp_path: Path) -> None:
    """On one line, and another one after a restart."""
    assert recorded(lab, tmp_path / "1.jsonl") == [("akuma", "8a3c 0"), ("voxy", "8a3c 1"), ("zero", "8a3c 2")]
    lab.hosts["zero"].script["boot_id"] = "8a3c\n77\n"
    assert recorded(lab, tmp_path / "2.jsonl")[2] == ("zero", "8a3c 77")


def test_a_host_that_is_just_starting_is_waited_for(lab: Playing, tmp_path: Path) -> None:
    """For as long as one may take to boot; one that does not come back is named."""
    recorded(lab, tmp_path / "1.jsonl")
    assert lab.hosts["zero"].waited == [lab.session.boot_s]
    lab.hosts["zero"].dead = True
    with pytest.raises(HostUnreachable, match="ssh on zero"):
        recorded(lab, tmp_path / "2.jsonl")
