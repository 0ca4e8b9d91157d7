"""The list of this user's labs: a file each, which may be lost or damaged without harm."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from lab import registry
from lab.errors import EnvironmentProblem
from lab.registry import Entry

A = Entry("0a1b2c3d", "a", "/home/ana/course", "lxc", "192.168.57.0/24", "http://192.168.57.10/", ("akuma", "voxy"))
B = replace(A, id="1a1b2c3d", name="")


def test_what_was_written_is_read() -> None:
    """In the order of folders and names; written twice is written once; removed is gone, also twice."""
    for entry in (A, B, A):
        registry.write(entry)
    assert registry.entries() == (B, A)
    assert registry.entries()[1].network == IPv4Network("192.168.57.0/24")
    for _ in range(2):
        registry.remove(A.id)
    assert registry.entries() == (B,)


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"[]", b'{"id": "ffffffff"}', b'{"id": 7}', b'{"id": "0a1b2c3d", "subnet": "nonsense"}', b"\xff\xfe"],
)
def test_damage_counts_as_not_there(damage: bytes) -> None:
    """The others are read, and the next `up` writes it anew."""
    for entry in (A, B):
        registry.write(entry)
    (registry.folder() / f"{A.id}.json").write_bytes(damage)
    assert registry.entries() == (B,)
    registry.write(A)
    assert registry.entries() == (B, A)


def test_without_a_folder_the_list_is_empty() -> None:
    """Asking makes none."""
    assert registry.entries() == ()
    assert not registry.folder().exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the variable that names another."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("LAB_STATE", str(tmp_path / "file"))
    with pytest.raises(EnvironmentProblem) as caught:
        registry.write(A)
    assert str(tmp_path / "file") in caught.value.message and "LAB_STATE" in caught.value.mend


def test_where_the_list_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """LAB_STATE, else the user's folder for state."""
    assert registry.folder() == tmp_path / "state" / "labs"
    monkeypatch.delenv("LAB_STATE")
    monkeypatch.setenv("XDG_STATE_HOME", "/x")
    assert registry.folder() == Path("/x/lab/labs")
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "/home/ana")
    assert registry.folder() == Path("/home/ana/.local/state/lab/labs")


@pytest.mark.parametrize(
    ("name", "known", "title", "removal"),
    [
        ("a", True, "lab a in {folder}", "cd {folder} && lab --name a destroy"),
        ("", True, "lab in {folder}", "cd {folder} && lab destroy"),
        ("", False, "lab 0a1b2c3d", "lab destroy --id 0a1b2c3d"),
    ],
)
def test_how_a_lab_is_named(tmp_path: Path, name: str, known: bool, title: str, removal: str) -> None:
    """By name and folder, else by its id; and what removes it is typed where it works."""
    entry = replace(A, name=name, folder=str(tmp_path) if known else "")
    assert (entry.title, entry.removal) == (title.format(folder=tmp_path), removal.format(folder=tmp_path))
    assert not entry.is_gone


def test_a_folder_with_a_space_can_be_typed(tmp_path: Path) -> None:
    """The shell takes it as one word."""
    (tmp_path / "my course").mkdir()
    assert replace(A, folder=str(tmp_path / "my course")).removal.startswith(f"cd '{tmp_path}/my course' && lab")


def test_a_lab_whose_folder_is_gone_is_removed_by_its_id(tmp_path: Path) -> None:
    """There is nowhere else to stand."""
    entry = replace(A, folder=str(tmp_path / "gone"))
    assert entry.is_gone and entry.removal == "lab destroy --id 0a1b2c3d"
