"""How the btrfs of a pool counts, by what a kernel that we made up says."""

from pathlib import Path

import pytest

from lab.lxd.quotas import SHARED, SIMPLE, counting

ID = "0f2c1a52-2c52-4c3e-9f51-2f1de6b1a001"
FILE = "/var/lib/lxd/disks/default.img"


def kernel(tmp_path: Path, *, device: str = "loop7", mode: str = SHARED) -> Path:
    """Its folder for a btrfs on one device, whose quotas are of a kind."""
    system = tmp_path / "fs/btrfs" / ID
    (system / "devices" / device).mkdir(parents=True)
    (system / "qgroups").mkdir()
    (system / "qgroups/mode").write_text(f"{mode}\n")
    (tmp_path / "fs/btrfs/features").mkdir()
    if device.startswith("loop"):
        (tmp_path / "block" / device / "loop").mkdir(parents=True)
        (tmp_path / "block" / device / "loop/backing_file").write_text(f"{FILE}\n")
    return tmp_path


@pytest.mark.parametrize("mode", [SHARED, SIMPLE])
@pytest.mark.parametrize("source", [FILE, ID, "/dev/loop7"])
def test_a_pool_is_found_by_its_file_its_id_or_its_device(tmp_path: Path, source: str, mode: str) -> None:
    """LXD names it in any of these ways."""
    assert counting(source, kernel(tmp_path, mode=mode)) == mode


@pytest.mark.parametrize("source", ["", "/somewhere/else.img", "/dev/loop8", "0f2c1a52", "loop7"])
def test_another_pool_is_not_taken_for_it(tmp_path: Path, source: str) -> None:
    """Another file, device or id, or a part of one."""
    assert counting(source, kernel(tmp_path)) == ""


def test_nothing_is_said_where_nothing_is_counted(tmp_path: Path) -> None:
    """No quotas, or no btrfs at all."""
    kernel(tmp_path)
    (tmp_path / "fs/btrfs" / ID / "qgroups/mode").unlink()

    assert counting(FILE, tmp_path) == ""
    assert counting(FILE, tmp_path / "no-btrfs") == ""
