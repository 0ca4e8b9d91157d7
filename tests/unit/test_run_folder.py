"""The folder of a run: made once, found by name or as the newest, and nothing else is ever opened."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lab.errors import EnvironmentProblem, UsageError
from lab.home import Home
from lab.run_folder import find_run, new_run


def recorded(home: Home, name: str) -> Path:
    """A run's folder with a journal in it."""
    folder = home.path / "runs" / name
    folder.mkdir(parents=True)
    (folder / "journal.jsonl").touch()
    return folder


def test_a_run_is_named_after_its_time_and_its_scenario(home: Home) -> None:
    """Its files have the names of the contract."""
    run = new_run(home, "kill-voxy")
    assert re.fullmatch(r"\d{8}-\d{6}-kill-voxy", run.id)
    assert run.path == home.path / "runs" / run.id
    assert run.path.is_dir()
    assert (run.journal.name, run.verdict.name) == ("journal.jsonl", "verdict.json")


def test_latest_points_to_the_newest(home: Home) -> None:
    """A relative link, so that the folder may be moved."""
    new_run(home, "kill-voxy")
    newest = new_run(home, "kill-zero")
    link = home.path / "runs" / "latest"
    assert link.is_symlink() and str(link.readlink()) == newest.id
    assert sorted(path.name for path in link.parent.iterdir() if not path.is_dir()) == []


def test_the_newest_is_found_without_a_name(home: Home) -> None:
    """With its real name."""
    newest = new_run(home, "kill-voxy")
    newest.journal.touch()
    assert find_run(home) == newest
    assert find_run(home, newest.id) == newest


def test_a_link_that_was_left_half_made_is_no_hindrance(home: Home) -> None:
    """After a kill -9 between the two."""
    (home.path / "runs").mkdir()
    (home.path / "runs" / "latest.new").symlink_to("gone")
    run = new_run(home, "kill-voxy")
    assert str((home.path / "runs" / "latest").readlink()) == run.id


def test_a_folder_that_cannot_be_made_is_a_sentence(home: Home) -> None:
    """With the path."""
    (home.path / "runs").write_text("a file")
    with pytest.raises(EnvironmentProblem, match=r"runs/.*-kill-voxy: cannot be made: "):
        new_run(home, "kill-voxy")


def test_an_unknown_run_names_the_newest(home: Home) -> None:
    """Three of them, and not the link."""
    for day in ("20260101", "20260103", "20260102", "20260104"):
        recorded(home, f"{day}-120000-x")
    (home.path / "runs" / "latest").symlink_to("20260104-120000-x")
    with pytest.raises(UsageError) as caught:
        find_run(home, "nonsense")
    assert caught.value.message == "there is no run 'nonsense'"
    assert caught.value.mend == "the newest are 20260102-120000-x, 20260103-120000-x, 20260104-120000-x"


def test_without_any_run_the_mend_is_to_make_one(home: Home) -> None:
    """Also for `latest`."""
    with pytest.raises(UsageError, match="there is no run 'latest'") as caught:
        find_run(home)
    assert caught.value.mend == "lab scenario NAME makes one"


def test_a_dangling_link_is_no_run(home: Home) -> None:
    """As when somebody removed the newest."""
    recorded(home, "20260101-120000-x")
    (home.path / "runs" / "latest").symlink_to("gone")
    with pytest.raises(UsageError, match="there is no run"):
        find_run(home)


@pytest.mark.parametrize("name", ["", ".", "..", "../..", "../../elsewhere", "a/../..", "runs", "20260101-120000-x/in"])
def test_paths_are_no_names(home: Home, name: str) -> None:
    """Though there is a journal where they lead."""
    inner = recorded(home, "20260101-120000-x")
    (inner / "in").mkdir()
    for folder in (home.path, home.path.parent, home.path / "runs", inner / "in", home.folder):
        (folder / "journal.jsonl").touch()
    (home.folder / "elsewhere").mkdir()
    (home.folder / "elsewhere" / "journal.jsonl").touch()
    with pytest.raises(UsageError):
        find_run(home, name)


def test_an_absolute_path_elsewhere_is_no_name(home: Home, tmp_path: Path) -> None:
    """Though there is a journal."""
    (tmp_path / "journal.jsonl").touch()
    with pytest.raises(UsageError):
        find_run(home, str(tmp_path))


def test_a_link_that_leads_out_is_no_run(home: Home, tmp_path: Path) -> None:
    """Whoever put it there."""
    (tmp_path / "journal.jsonl").touch()
    recorded(home, "20260101-120000-x")
    (home.path / "runs" / "out").symlink_to(tmp_path)
    with pytest.raises(UsageError):
        find_run(home, "out")


def test_a_name_too_long_for_a_file_is_unknown(home: Home) -> None:
    """Not a bug of ours."""
    with pytest.raises(UsageError, match="there is no run"):
        find_run(home, "x" * 300)


def test_a_run_without_a_journal_is_none(home: Home) -> None:
    """It ended before it began."""
    new_run(home, "kill-voxy")
    with pytest.raises(UsageError):
        find_run(home)
