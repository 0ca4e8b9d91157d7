"""What a lab remembers, and that only one command changes it at a time."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

import lab
from lab.errors import EnvironmentProblem, LabBusy
from lab.home import Home, State, cache
from tests.fakes import target

FULL = State("lxc", "hello", True, "lab-lxc-0123456789ab", (target("akuma"), target("voxy")))

HOLDER = """
import sys
from pathlib import Path
from lab.home import Home
with Home(Path(sys.argv[1])).lock("lab up --app hello"):
    print("held", flush=True)
    sys.stdin.readline()
"""


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_state_comes_back_as_it_was(home: Home) -> None:
    """Every field, also the nested ones."""
    home.remember(**{name: getattr(FULL, name) for name in asdict(FULL)})
    assert Home(home.folder).state() == FULL


def test_without_a_memory_the_state_is_empty(home: Home) -> None:
    """Nor is a file made by asking."""
    assert home.state() == State()
    assert list(home.path.iterdir()) == []


def test_remember_changes_only_what_is_named(home: Home) -> None:
    """And a name that the state does not have is refused."""
    home.remember(**{name: getattr(FULL, name) for name in asdict(FULL)})
    changed = home.remember(app="dumbsound")
    assert asdict(changed) == {**asdict(FULL), "app": "dumbsound"}
    with pytest.raises(TypeError):
        home.remember(colour="blue")
    assert home.state() == changed


@pytest.mark.parametrize(
    "damage",
    ["", "{", "[]", "null", "5", "{}", '{"targets": 5}', "\0\0\0"],
)
def test_a_damaged_memory_is_set_aside(home: Home, damage: str) -> None:
    """The lab goes on with an empty one; what was there can still be looked at."""
    (home.path / "state.json").write_text(damage)
    assert home.state() == State()
    assert (home.path / "state.json.damaged").read_text() == damage
    assert home.remember(provider="lxc") == State(provider="lxc")


def test_a_memory_that_is_no_utf_8_is_set_aside(home: Home) -> None:
    """As any other damage."""
    (home.path / "state.json").write_bytes(b"\xff\xfe{")
    assert home.state() == State()
    assert (home.path / "state.json.damaged").exists()


def test_files_are_for_their_owner_only(home: Home) -> None:
    """The folder and what is written in it."""
    home.remember(provider="lxc")
    assert _mode(home.path) == 0o700
    assert _mode(home.path / "state.json") == 0o600
    assert _mode(home.write("keys/deep/file", "x")) == 0o600
    assert _mode(home.write("public", "x", 0o644)) == 0o644


def test_a_write_is_all_or_nothing(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the computer dies before the move, the old content is still whole."""
    path = home.write("file", "old")

    def dies(self: Path, other: Path) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", dies)
    with pytest.raises(KeyboardInterrupt):
        home.write("file", "new, and longer")
    assert path.read_text() == "old"


def test_the_state_is_json_that_people_can_read(home: Home) -> None:
    """With a newline at its end."""
    home.remember(app="hello")
    text = (home.path / "state.json").read_text()
    assert json.loads(text)["app"] == "hello"
    assert text.endswith("}\n") and text.count("\n") > 5


def test_a_second_command_hears_who_holds_the_lab(home: Home) -> None:
    """The kernel lets go when the holder ends, however it ends."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(home.folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(lab.__file__).parents[1],
    )  # fmt: skip
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LabBusy) as caught, home.lock("lab halt"):
            pytest.fail("two commands held the lab")
        assert f"this lab is busy: `lab up --app hello`, process {holder.pid}, since " in caught.value.message
    finally:
        holder.kill()
        holder.communicate()
    with home.lock("lab halt"):
        assert "`lab halt`" in (home.path / "lock").read_text()


def test_the_lock_is_free_after_an_error(home: Home) -> None:
    """And names nobody."""
    with pytest.raises(ZeroDivisionError), home.lock("lab up"):
        raise ZeroDivisionError
    assert (home.path / "lock").read_text() == ""
    with home.lock("lab halt"), pytest.raises(LabBusy, match="`lab halt`"), Home(home.folder).lock("lab up"):
        pytest.fail("two commands held the lab")


def test_the_id_is_the_folders(tmp_path: Path) -> None:
    """Stable, also when `.lab/` is lost or the folder is named in another way; distinct from every other lab's."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    one = Home(tmp_path / "a")
    assert one.id == Home(tmp_path / "a").id == Home(tmp_path / "a" / "b" / "..").id
    assert one.id != Home(tmp_path / "a" / "b").id
    assert len(one.id) == 8 and set(one.id) <= set("0123456789abcdef")


def test_a_named_lab_is_another_lab_of_the_folder(home: Home) -> None:
    """Its own id, and its own folder beside the one without a name; each has its lock."""
    named = Home(home.folder, "b")
    assert (home.path.name, named.path.name) == (".lab", ".lab-b")
    assert len({home.id, named.id, Home(home.folder, "c").id, Home(home.folder / "b").id}) == 4
    with home.lock("lab up"), named.lock("lab up"), pytest.raises(LabBusy), Home(home.folder, "b").lock("lab up"):
        pass


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    """A file is in the way."""
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentProblem, match="cannot be made"):
        Home(tmp_path / "file").make()


def test_the_cache_is_where_the_variables_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """LAB_CACHE as it is, else `lab` in XDG_CACHE_HOME, else in ~/.cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("LAB_CACHE", str(tmp_path / "own"))
    assert cache() == tmp_path / "own"
    monkeypatch.delenv("LAB_CACHE")
    assert cache() == tmp_path / "xdg" / "lab"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    assert cache() == tmp_path / ".cache" / "lab"
    assert cache().is_dir()


def test_a_lab_that_was_given_an_id_keeps_it_wherever_its_folder_is(tmp_path: Path) -> None:
    """`.lab/id` beats the path; without it the path says."""
    one, two = Home(tmp_path / "one"), Home(tmp_path / "two")
    assert one.id != two.id
    for home in (one, two):
        home.write("id", "0a1b2c3d\n")
    assert (one.id, two.id) == ("0a1b2c3d", "0a1b2c3d")


@pytest.mark.parametrize("given", ["", "0A1B2C3D", "0a1b2c3", "../../etc", "0a1b2c3d4"])
def test_an_id_that_is_none_is_refused(tmp_path: Path, given: str) -> None:
    """Never used as a part of a name that belongs to somebody else."""
    home = Home(tmp_path)
    home.write("id", given)
    with pytest.raises(EnvironmentProblem, match="is no id of a lab"):
        _ = home.id
