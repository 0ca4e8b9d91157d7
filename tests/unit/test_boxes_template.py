"""The script in a box that makes a guest of it, run as LXC runs it."""

from __future__ import annotations

import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.boxes import store
from lab.boxes.build import template_of
from lab.boxes.recipe import HERE

NAME = "lab-lxc-0123456789ab"
Maker = Callable[[str], Path]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Maker:
    """Makes a guest of a box with one file; gives the container's folder."""
    monkeypatch.setattr(store, "BASES", tmp_path / "boxes")
    script, tarball, hostname = tmp_path / "lxc-template", tmp_path / "rootfs.tar.gz", tmp_path / "hostname"
    script.write_text(template_of(NAME))
    hostname.write_text("box\n")
    with tarfile.open(tarball, "w:gz") as archive:
        archive.add(hostname, "etc/hostname")

    def made(name: str) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "config").write_text("lxc.net.0.type = empty\n")  # as lxc-create leaves it
        options = [f"--path={folder}", f"--name={name}", f"--rootfs={folder}/rootfs", "--tarball", str(tarball)]
        subprocess.run(["sh", script, *options], check=True)
        return folder

    return made


def test_a_guest_is_an_overlay_with_the_settings_of_its_box(make: Maker) -> None:
    """Nothing of LXC's own defaults is left; the settings are those of lxc-config."""
    folder = make("voxy")
    base = store.base_folder(NAME)
    assert (folder / "config").read_text().splitlines() == [
        f"lxc.include = {base}/config",
        f"lxc.rootfs.path = overlay:{base}/rootfs:{folder}/delta",
    ]
    assert (folder / "delta").is_dir()
    assert (base / "config").read_text() == (HERE / "lxc-config").read_text()
    assert (base / "rootfs" / "etc" / "hostname").read_text() == "box\n"


def test_the_box_is_unpacked_once(make: Maker) -> None:
    """What guests stand on is left as it is when the next one is made."""
    make("voxy")
    base = store.base_folder(NAME)
    (base / "rootfs" / "etc" / "hostname").write_text("in use\n")
    (base / "config").write_text("in use\n")
    make("zero")
    assert (base / "rootfs" / "etc" / "hostname").read_text() == "in use\n"
    assert (base / "config").read_text() == "in use\n"


def test_what_was_unpacked_by_half_is_unpacked_anew(make: Maker) -> None:
    """The mark is written last."""
    make("voxy")
    base = store.base_folder(NAME)
    (base / "complete").unlink()
    (base / "rootfs" / "half").touch()
    make("zero")
    assert not (base / "rootfs" / "half").exists()
    assert (base / "complete").exists()
