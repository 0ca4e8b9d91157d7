"""`lab unpack`: everything is looked at before anything is installed, and then all of it is, or nothing."""

from __future__ import annotations

import fcntl
import os
from collections import namedtuple
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lab.apps import packed
from lab.boxes import store
from lab.errors import CommandFailed, EnvironmentProblem, LabBusy, Result, UsageError
from lab.events import Progress
from lab.offline import Covers
from lab.packing import unpack as module
from lab.packing.archive import PackRefused
from lab.packing.unpack import check, unpack
from tests.fakes import Heard
from tests.unit.packs import APP, BOX, CONTENT, pack_of

INSTALLED = ("packed/my.json", "packed/my.bundle", "made/build-my-0123.tar.gz", f"packed/boxes/{BOX}.json",
             f"boxes/{BOX}.box")  # fmt: skip


@pytest.fixture
def vagrant(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The boxes that Vagrant has; it takes any."""
    has: list[str] = []
    monkeypatch.setattr(store, "add", has.append)
    monkeypatch.setattr(store, "is_added", has.__contains__)
    return has


@pytest.fixture
def room(tmp_path: Path) -> Path:
    """A student's folder."""
    made = tmp_path / "room"
    made.mkdir()
    return made


def _files(folder: Path) -> dict[str, bytes]:
    found = [path for path in folder.rglob("*") if path.is_file() and path.name != "unpack.lock"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def test_a_pack_is_installed(vagrant: list[str], own_cache: Path, tmp_path: Path, room: Path) -> None:
    """Its files under their names in the cache, the box at Vagrant, lab.toml in the folder; the wheels stay."""
    heard = Heard()
    done = unpack(pack_of(tmp_path), room, heard)
    assert (done.installed, done.lab_toml) == (INSTALLED, "written")
    assert _files(own_cache) == {name: CONTENT[name] for name in INSTALLED}
    assert _files(room) == {"lab.toml": CONTENT["lab.toml"]}
    assert vagrant == [BOX]
    found = packed.find("my")
    assert found is not None
    assert found.bundle.read_bytes() == CONTENT["packed/my.bundle"]
    assert any(isinstance(event, Progress) and event.done == event.total for event in heard.events)


def test_twice_is_once(vagrant: list[str], tmp_path: Path, room: Path) -> None:
    """The second time nothing is written, and Vagrant is not asked."""
    path = pack_of(tmp_path)
    unpack(path, room, Heard())
    again = unpack(path, room, Heard())
    assert (again.installed, again.lab_toml) == ((), "there")
    assert vagrant == [BOX]


def test_what_was_damaged_since_is_put_back(vagrant: list[str], own_cache: Path, tmp_path: Path, room: Path) -> None:
    """A half file in the cache, and a box that Vagrant lost."""
    path = pack_of(tmp_path)
    unpack(path, room, Heard())
    (own_cache / "packed" / "my.bundle").write_bytes(b"bundle")
    (own_cache / "made" / "build-my-0123.tar.gz").write_bytes(bytes(1280))
    vagrant.clear()
    assert unpack(path, room, Heard()).installed == INSTALLED[1:3]
    assert _files(own_cache) == {name: CONTENT[name] for name in INSTALLED}
    assert vagrant == [BOX]


def test_check_installs_nothing(vagrant: list[str], own_cache: Path, tmp_path: Path) -> None:
    """And says what is in it."""
    done = check(pack_of(tmp_path), Heard())
    assert done.manifest.apps == ("my",)
    assert (done.installed, vagrant, own_cache.exists()) == ((), [], False)


def test_the_owners_lab_toml_is_left(vagrant: list[str], tmp_path: Path, room: Path) -> None:
    """Another than the pack's is told, and stays."""
    (room / "lab.toml").write_text('name = "mine"\n')
    assert unpack(pack_of(tmp_path), room, Heard()).lab_toml == "kept"
    assert (room / "lab.toml").read_text() == 'name = "mine"\n'


@pytest.mark.parametrize(
    ("changes", "said", "mend"),
    [
        ({"machine": "aarch64"}, "is for Linux on aarch64, and this computer is Linux on", "of this kind"),
        ({"system": "Darwin"}, "is for Darwin on", "of this kind"),
        ({"tool": "999.0"}, "was written by lab 999.0, and this is lab", "sh install.sh room.lab"),
        ({"format": 2}, "is a pack of format 2", "sh install.sh room.lab"),
        ({"format": 0}, "is a pack of format 0", "lab pack"),
    ],
)
def test_a_pack_for_another_computer_is_refused(
    vagrant: list[str], own_cache: Path, tmp_path: Path, room: Path, changes: dict[str, Any], said: str, mend: str
) -> None:
    """Another processor, system, format, or a later lab: one sentence and the mend; nothing was touched."""
    with pytest.raises(PackRefused) as caught:
        unpack(pack_of(tmp_path, **changes), room, Heard())
    assert caught.value.message.startswith("room.lab: ")
    assert said in caught.value.message
    assert mend in caught.value.mend
    assert "\n" not in caught.value.message
    assert (vagrant, _files(own_cache), _files(room)) == ([], {}, {})


def test_an_earlier_labs_pack_is_taken(vagrant: list[str], tmp_path: Path, room: Path) -> None:
    """What its box lacks, `lab up --offline` will say."""
    assert unpack(pack_of(tmp_path, tool="0.0.1"), room, Heard()).installed == INSTALLED


@pytest.mark.parametrize("place", [0.3, 0.6, 0.95])
def test_a_damaged_pack_touches_nothing(
    vagrant: list[str], own_cache: Path, tmp_path: Path, room: Path, place: float
) -> None:
    """Also where the damage is near the end: all is verified first."""
    path = pack_of(tmp_path)
    spoilt = bytearray(path.read_bytes())
    spoilt[int(len(spoilt) * place)] ^= 1
    path.write_bytes(spoilt)
    with pytest.raises(PackRefused, match="damaged or altered"):
        unpack(path, room, Heard())
    assert (vagrant, _files(own_cache), _files(room)) == ([], {}, {})


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("packed/my.json", b"{}", "cannot be used"),
        ("packed/my.json", APP.replace(b'"name": "my"', b'"name": "you"'), "is of something else"),
        ("packed/my.json", APP.replace(b'"name": "my"', b'"name": "../my"'), "cannot be used"),
        ("packed/my.json", APP.replace(b'"main"', b'"--upload-pack=x"'), "cannot be used"),
        (f"packed/boxes/{BOX}.json", b"[]", "cannot be used"),
        (f"packed/boxes/{BOX}.json", msgspec.json.encode(Covers("other", "lxc", ())), "is of something else"),
        ("lab.toml", b'provider = "moon"\n', "cannot be used: lab.toml: provider"),
        ("lab.toml", b"= 5", "cannot be used: lab.toml: is not TOML"),
        ("lab.toml", b"\xff", "cannot be used"),
    ],
)  # fmt: skip
def test_descriptions_are_read_before_anything_is_installed(
    vagrant: list[str], own_cache: Path, tmp_path: Path, room: Path, name: str, text: bytes, said: str
) -> None:
    """A pack with right checksums may still say nonsense."""
    with pytest.raises(PackRefused, match=said):
        unpack(pack_of(tmp_path, {**CONTENT, name: text}), room, Heard())
    assert (vagrant, _files(own_cache), _files(room)) == ([], {}, {})


def test_the_fingerprint_that_was_told_must_fit(
    vagrant: list[str], own_cache: Path, tmp_path: Path, room: Path
) -> None:
    """Its first digits are enough; capitals do not matter."""
    path = pack_of(tmp_path)
    mark = check(path, Heard()).fingerprint
    assert check(path, Heard(), mark[:8].upper()).fingerprint == mark
    other = "0" if mark[0] != "0" else "1"
    with pytest.raises(PackRefused, match=f"and {other}abc was expected"):
        unpack(path, room, Heard(), f"{other}abc")
    assert (vagrant, _files(own_cache)) == ([], {})


def test_when_vagrant_does_not_take_the_box_nothing_stays(
    monkeypatch: pytest.MonkeyPatch, own_cache: Path, tmp_path: Path, room: Path
) -> None:
    """And what was there before is there again."""

    def refuse(name: str) -> None:
        raise CommandFailed("this computer", Result("vagrant box add", 1, "", "no"))

    old = own_cache / "packed" / "my.json"
    old.parent.mkdir(parents=True)
    old.write_bytes(b"older")
    monkeypatch.setattr(store, "is_added", lambda name: False)
    monkeypatch.setattr(store, "add", refuse)
    with pytest.raises(CommandFailed):
        unpack(pack_of(tmp_path), room, Heard())
    assert _files(own_cache) == {"packed/my.json": b"older"}
    assert _files(room) == {}
    assert not list(own_cache.glob("unpacking-*"))


def test_a_full_disk_is_one_sentence(
    vagrant: list[str], monkeypatch: pytest.MonkeyPatch, own_cache: Path, tmp_path: Path, room: Path
) -> None:
    """Seen before, or met on the way: nothing stays."""
    path = pack_of(tmp_path)
    usage = namedtuple("usage", "total used free")
    with monkeypatch.context() as patch:
        patch.setattr(module.shutil, "disk_usage", lambda folder: usage(1, 1, 2**20))  # type: ignore[attr-defined]
        with pytest.raises(EnvironmentProblem, match=r"only 0\.0 GiB are free in .*; the pack needs 1\.0 GiB"):
            unpack(path, room, Heard())

    def full(path: Path, chunks: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "_stage", full)
    with pytest.raises(EnvironmentProblem, match="No space left on device; nothing was installed"):
        unpack(path, room, Heard())
    assert (vagrant, _files(own_cache), _files(room)) == ([], {}, {})


def test_what_a_killed_unpack_left_is_thrown_away(
    vagrant: list[str], own_cache: Path, tmp_path: Path, room: Path
) -> None:
    """But not while another is at work: that is told."""
    left = own_cache / "unpacking-abc" / "new"
    left.mkdir(parents=True)
    path = pack_of(tmp_path)
    with (own_cache / "unpack.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(LabBusy, match="another lab unpack is at work"):
            unpack(path, room, Heard())
        assert left.exists()
    assert unpack(path, room, Heard()).installed == INSTALLED
    assert not left.exists()


def test_what_is_no_file_is_refused(vagrant: list[str], tmp_path: Path, room: Path) -> None:
    """A file that is not there, a folder, and a pipe, which is not waited for."""
    os.mkfifo(tmp_path / "pipe")
    for name, said in (("gone", "No such file"), ("room", "no plain file|Is a directory"), ("pipe", "no plain file")):
        with pytest.raises(UsageError, match=said):
            unpack(tmp_path / name, room, Heard())
