"""`lab pack`: what goes in, and how it is written: whole or not at all."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest

from lab import config
from lab.apps.profile import Profile, resolve
from lab.apps.source import Source
from lab.apps.states import made_of
from lab.boxes import store
from lab.boxes.recipe import recipe_for
from lab.context import Context
from lab.errors import EnvironmentProblem, UsageError
from lab.events import Note, Progress
from lab.home import Home
from lab.offline import NeedsNetwork, read_covers
from lab.packing import pack as module
from lab.packing.archive import head_of
from lab.packing.pack import pack
from lab.packing.unpack import check
from lab.topology import Lab
from tests.fakes import Heard

LOCKED = "0123456789ab"


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Source]:
    """What can be had: an app with dependencies and hello; and box, wheels and workshop without a machine."""
    bundle = tmp_path / "a.bundle"
    bundle.write_bytes(b"bundle")
    found = {
        "shop": Source(Profile("shop", "https://x/shop.git"), "a" * 40, "main", bundle, LOCKED),
        "hello": Source(resolve("hello"), "b" * 40, "main", bundle, ""),
    }
    monkeypatch.setattr(module, "resolve", lambda name: found[name].profile)
    monkeypatch.setattr(module, "obtain", lambda profile: found[profile.name])

    def wheels(folder: Path) -> tuple[Path, ...]:
        wheel = folder / "failover_lab-0.1.0-py3-none-any.whl"
        wheel.write_bytes(b"wheel")
        return (wheel,)

    def make(lab: Lab, home: Home, box: str, wanted: tuple[Source, ...], listener: object) -> None:
        for made in (made for source in wanted for made in made_of(lab, source)):
            made.kept.parent.mkdir(exist_ok=True)
            made.kept.write_bytes(made.key.encode())

    def build(recipe: object, context: Context, home: Home, listener: object) -> None:
        path = store.box_file(recipe_for(context).name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"box")

    monkeypatch.setattr(module, "wheels", wheels)
    monkeypatch.setattr(module, "make_missing", make)
    monkeypatch.setattr(module, "build", build)
    return found


def test_a_pack_holds_what_a_room_needs(sources: dict[str, Source], home: Home, tmp_path: Path) -> None:
    """The box, the app with dependencies and build, the lab's wheels, lab.toml; and it is a pack."""
    heard = Heard()
    done = pack(config.parse({"app": {"mode": "build"}}), home, heard, tmp_path / "room.lab", ("shop", "hello"))
    (box,) = done.manifest.boxes
    assert [file.path for file in done.manifest.files] == [
        "README.txt", "install.sh", "lab.toml", "wheels/failover_lab-0.1.0-py3-none-any.whl", "packed/shop.json",
        "packed/shop.bundle", f"made/npm-deps-{LOCKED}-node22.tar.gz",
        f"made/build-shop-aaaaaaaaaaaa-{LOCKED}-node22.tar.gz", f"packed/boxes/{box}.json", f"boxes/{box}.box",
    ]  # fmt: skip
    assert done.manifest.apps == ("shop", "hello")
    found = check(tmp_path / "room.lab", Heard())
    assert (found.manifest, found.fingerprint) == (done.manifest, done.fingerprint)
    assert done.bytes == (tmp_path / "room.lab").stat().st_size
    assert any(isinstance(event, Progress) and event.done == event.total for event in heard.events)
    assert not (tmp_path / "room.lab.new").exists()
    (warned,) = [event.text for event in heard.events if isinstance(event, Note) and event.loud]
    assert warned == "shop goes into the pack with all files and their history"


def test_dependencies_that_are_in_the_box_are_not_packed_twice(
    sources: dict[str, Source], home: Home, tmp_path: Path
) -> None:
    """In mode dev the box has them; the record of the box says so."""
    done = pack(Lab(), home, Heard(), tmp_path / "room.lab", ("shop",))
    assert [file.path.split("-")[0] for file in done.manifest.of("made")] == ["made/build"]
    text = _member(tmp_path / "room.lab", f"packed/boxes/{done.manifest.boxes[0]}.json")
    assert any(LOCKED in step for step in read_covers(text).steps)


def _member(path: Path, name: str) -> bytes:
    import tarfile

    with tarfile.open(path) as archive:
        file = archive.extractfile(name)
        assert file is not None
        return file.read()


def test_the_rooms_lab_names_the_app_as_others_know_it(sources: dict[str, Source], home: Home, tmp_path: Path) -> None:
    """A folder of this computer is known by its name."""
    folder = tmp_path / "src" / "shop"
    folder.mkdir(parents=True)
    sources["shop"] = replace(sources["shop"], profile=Profile("shop", str(folder)))
    pack(Lab(), home, Heard(), tmp_path / "room.lab", ("shop",))
    room = config.parse_text(_member(tmp_path / "room.lab", "lab.toml").decode())
    assert (room.app.name, room.offline, room.provider) == ("shop", True, "lxc")


def test_what_cannot_be_packed_is_refused_before_anything_is_built(
    sources: dict[str, Source], home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each with the mend."""
    monkeypatch.setattr(module, "build", None)
    to = tmp_path / "room.lab"
    (tmp_path / "there").touch()
    with pytest.raises(UsageError, match="exists already"):
        pack(Lab(), home, Heard(), tmp_path / "there")
    with pytest.raises(UsageError, match="there is no such folder"):
        pack(Lab(), home, Heard(), tmp_path / "no" / "room.lab")
    with pytest.raises(NeedsNetwork, match="lab pack fetches"):
        pack(config.parse({"offline": True}), home, Heard(), to)
    with pytest.raises(UsageError, match="this lab's provider is libvirt"):
        pack(config.parse({"provider": "libvirt"}), home, Heard(), to)
    with pytest.raises(UsageError, match="two of the apps are called shop"):
        pack(Lab(), home, Heard(), to, ("shop", "shop"))


@pytest.mark.parametrize("value", ["http://ana:secret@proxy:3128", "ana:secret@proxy:3128"])
def test_a_password_never_goes_with_the_box(
    sources: dict[str, Source], home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """It is in the proxy's variable, which the box carries; the message does not show it."""
    monkeypatch.setenv("https_proxy", value)
    with pytest.raises(UsageError, match="https_proxy holds a password") as caught:
        pack(Lab(), home, Heard(), tmp_path / "room.lab", ("shop",))
    assert "secret" not in str(caught.value)
    monkeypatch.setenv("https_proxy", "http://proxy:3128")
    pack(Lab(), home, Heard(), tmp_path / "room.lab", ("shop",))


def test_a_full_disk_is_one_sentence_and_leaves_nothing(
    sources: dict[str, Source], home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen before, or met on the way."""
    to = tmp_path / "usb" / "room.lab"
    to.parent.mkdir()
    usage = namedtuple("usage", "total used free")
    with monkeypatch.context() as patch:
        patch.setattr(module.shutil, "disk_usage", lambda folder: usage(1, 1, 100))  # type: ignore[attr-defined]
        with pytest.raises(EnvironmentProblem, match="cannot be written: the pack takes 0 MiB, and 0 MiB are free"):
            pack(Lab(), home, Heard(), to, ("shop",))

    def full(*words: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.archive, "write", full)  # type: ignore[attr-defined]
    with pytest.raises(EnvironmentProblem, match=r"room\.lab: cannot be written: No space left on device"):
        pack(Lab(), home, Heard(), to, ("shop",))
    assert list(to.parent.iterdir()) == []


def test_a_manifest_can_be_read_alone(sources: dict[str, Source], home: Home, tmp_path: Path) -> None:
    """It is at the beginning, so that a stick need not be read to its end to know what is on it."""
    done = pack(Lab(), home, Heard(), tmp_path / "room.lab", ("hello",))
    with (tmp_path / "room.lab").open("rb") as opened:
        assert head_of(opened, "room.lab")[0] == done.manifest
        assert opened.tell() < 20_000
