"""A scenario of one's own begins with a skeleton that loads."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import UsageError
from lab.new_scenario import write_skeleton
from lab.scenario import load


def test_skeleton_is_a_scenario(tmp_path: Path) -> None:
    """It loads as it is, with a fault, both languages and an expectation."""
    path = write_skeleton("my-outage", tmp_path)
    assert path == tmp_path / "my_outage.py"
    found = load(str(path))
    assert found.fault is not None
    assert found.lesson.en
    assert found.lesson.id
    assert len(found.verdict) == 1


def test_existing_file_is_not_overwritten(tmp_path: Path) -> None:
    """What is there stays byte for byte."""
    (tmp_path / "mine.py").write_text("precious")
    with pytest.raises(UsageError, match="exists already"):
        write_skeleton("mine", tmp_path)
    assert (tmp_path / "mine.py").read_text() == "precious"


@pytest.mark.parametrize("name", ["../x", "a b", "", "1st", "a/b"])
def test_name_that_is_no_files_is_refused(tmp_path: Path, name: str) -> None:
    """Nothing is written."""
    with pytest.raises(UsageError, match="is no name for a scenario"):
        write_skeleton(name, tmp_path)
    assert list(tmp_path.iterdir()) == []
