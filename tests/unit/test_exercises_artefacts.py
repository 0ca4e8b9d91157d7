"""The student's files, looked for by a real shell: what a folder holds, and what is no file of theirs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import cast

import pytest

from lab.exercises.marking import artefacts
from lab.exercises.results import ARTEFACT_BYTES, ARTEFACTS
from lab.home import Home
from lab.host import SshHost
from tests.fakes import LocalHost
from tests.unit.classroom import MINE, Desk, about, made


class There:
    """A folder that is asked for, on this computer as akuma."""

    def __init__(self, home: Home, folder: Path) -> None:
        self.desk = Desk(home)
        self.desk.session._hosts["akuma"] = cast("SshHost", LocalHost("akuma"))
        self.folder = folder / "www"
        self.folder.mkdir()
        more = f'[artefacts]\nakuma = ["{self.folder}/*", "{self.folder}/none.conf"]\n'
        self.exercise = made(folder, changes={**MINE, "exercise.toml": about() + more})

    def found(self) -> dict[str, str]:
        """Name → text."""
        return {Path(each.path).name: each.text for each in artefacts(self.desk.session, self.exercise)}


@pytest.fixture
def there(home: Home, tmp_path: Path) -> There:
    """An empty one."""
    return There(home, tmp_path)


def test_files_by_their_pattern(there: There) -> None:
    """With their text; a pattern that fits nothing is nothing."""
    assert there.found() == {}
    (there.folder / "a.conf").write_text("events {}\n")
    (there.folder / "empty").write_text("")
    assert there.found() == {"a.conf": "events {}\n", "empty": ""}


def test_links_and_folders_are_no_files(there: There) -> None:
    """A link could name the key of the host, or what never ends."""
    (there.folder / "key").symlink_to("/etc/hostname")
    (there.folder / "zeros").symlink_to("/dev/zero")
    (there.folder / "folder").mkdir()
    os.mkfifo(there.folder / "pipe")
    assert there.found() == {}


def test_a_long_file_is_left_out(there: There) -> None:
    """64 KiB are the most."""
    (there.folder / "most").write_text("x" * ARTEFACT_BYTES)
    (there.folder / "more").write_text("x" * (ARTEFACT_BYTES + 1))
    assert list(there.found()) == ["most"]


def test_forty_files_are_the_most(there: There) -> None:
    """In the order of the shell."""
    for number in range(ARTEFACTS + 5):
        (there.folder / f"{number:02d}").write_text("")
    assert list(there.found()) == [f"{number:02d}" for number in range(ARTEFACTS)]


@pytest.mark.parametrize("name", ["a b.conf", "it's.conf", "$(id).conf", "-rf", "a*b", "ñ.conf", '"q".conf'])
def test_strange_names(there: There, name: str) -> None:
    """Are only names."""
    (there.folder / name).write_text("text")
    assert there.found() == {name: "text"}


def test_a_name_with_a_line_in_it_breaks_nothing(there: There) -> None:
    """The other files are found."""
    (there.folder / "a\nb").write_text("text")
    (there.folder / "c").write_text("text")
    assert there.found()["c"] == "text"
