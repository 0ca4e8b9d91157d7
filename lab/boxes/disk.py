"""Writes a disk that boots: boot loader, and one partition with a root file system.

A BIOS finds the loader in the first sectors; UEFI finds it in a small file system of its own, which has a partition.
Nothing is mounted and no loop device is used, so nothing is left behind when it is interrupted: `mke2fs -d`
fills the file system from a folder, and the loader goes into the gap before it.
"""

from __future__ import annotations

import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lab import process

SECTOR = 512
START = 2048
"""Where the first partition begins: 1 MiB, so that there is a gap for a BIOS's boot loader."""
ESP_SECTORS = 65536
"""The size of UEFI's partition, 32 MiB, which comes before the root file system."""
LINUX, ESP = 0x83, 0xEF
"""Kinds of partitions."""
BLOCK = 4096
LABEL = "lab-root"
_FEATURES = (
    "none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,sparse_super,large_file,"
    "huge_file,dir_nlink,extra_isize,metadata_csum"
)
"""Exactly what Debian 12's GRUB can read, whatever this computer's mke2fs would take by itself."""


@dataclass(frozen=True)
class Partition:
    """An entry of the table in the first sector: kind, first sector, number of sectors."""

    kind: int
    start: int
    sectors: int


def write_disk(root: Path, image: Path, size_gib: int, firmware: str) -> None:
    """Make a bootable raw disk of a root file system with the boot loader's parts in its `/boot/grub`.

    These are `boot.img` and `core.img` for a BIOS, and for UEFI `esp.img`, a file system of 32 MiB. The root file
    system is the first partition in either case, and the last on the disk, so that it can grow.

    Args:
        root: the folder with the root file system; it belongs to root, and so will the image.
        image: the file to make; sparse.
        size_gib: how large the disk is.
        firmware: bios or uefi.

    Raises:
        CommandFailed: it does not fit, or there is no space.
    """
    size = size_gib * 2**30
    grub = root / "boot" / "grub"
    start = START + ESP_SECTORS if firmware == "uefi" else START
    partitions = [Partition(LINUX, start, size // SECTOR - start)]
    process.as_root("rm", "-f", image)
    process.as_root("truncate", "--size", str(size), image)
    process.as_root(
        "mke2fs", "-q", "-t", "ext4", "-b", str(BLOCK), "-L", LABEL, "-O", _FEATURES,
        "-E", f"offset={start * SECTOR},lazy_itable_init=1,lazy_journal_init=1", "-d", root,
        image, str((size - start * SECTOR) // BLOCK), timeout_s=600,
    )  # fmt: skip
    if firmware == "uefi":
        _write_at(image, START, grub / "esp.img")
        head = boot_sector(b"", [*partitions, Partition(ESP, START, ESP_SECTORS)])
    else:
        head = boot_sector((grub / "boot.img").read_bytes(), partitions) + (grub / "core.img").read_bytes()
    if len(head) > START * SECTOR:
        raise ValueError(f"the boot loader has {len(head)} bytes and must fit before the partition")
    with tempfile.NamedTemporaryFile() as file:
        file.write(head)
        file.flush()
        _write_at(image, 0, Path(file.name))


def boot_sector(loader: bytes, partitions: list[Partition]) -> bytes:
    """The first sector: GRUB's code for a BIOS, and a table of partitions, of which the first is active.

    GRUB's code looks for its core in the sector that follows, which is where `write_disk` puts it.
    """
    entries = b"".join(_entry(each, active=each is partitions[0]) for each in partitions)
    return loader[:440].ljust(440, b"\0") + b"LAB0" + bytes(2) + entries.ljust(64, b"\0") + b"\x55\xaa"


def _entry(partition: Partition, *, active: bool) -> bytes:
    whole = b"\xfe\xff\xff"  # beyond what cylinders, heads and sectors can say
    return struct.pack(
        "<B3sB3sII", 0x80 if active else 0, whole, partition.kind, whole, partition.start, partition.sectors
    )


def _write_at(image: Path, sector: int, file: Path) -> None:
    process.as_root("dd", f"if={file}", f"of={image}", f"bs={SECTOR}", f"seek={sector}", "conv=notrunc", "status=none")
