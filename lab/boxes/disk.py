"""Writes a disk that a BIOS boots: boot sector, boot loader, one partition with a root file system.

Nothing is mounted and no loop device is used, so nothing is left behind when it is interrupted: `mke2fs -d`
fills the file system from a folder, and GRUB's core goes into the gap between boot sector and partition.
"""

from __future__ import annotations

import struct
import tempfile
from pathlib import Path

from lab import process

SECTOR = 512
START = 2048
"""The partition's first sector: 1 MiB, so that there is a gap for the boot loader."""
BLOCK = 4096
LABEL = "lab-root"
_FEATURES = (
    "none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,sparse_super,large_file,"
    "huge_file,dir_nlink,extra_isize,metadata_csum"
)
"""Exactly what Debian 12's GRUB can read, whatever this computer's mke2fs would take by itself."""


def write_disk(root: Path, image: Path, size_gib: int) -> None:
    """Make a bootable raw disk of a root file system with `/boot/grub/boot.img` and `core.img` in it.

    Args:
        root: the folder with the root file system; it belongs to root, and so will the image.
        image: the file to make; sparse.
        size_gib: how large the disk is.

    Raises:
        CommandFailed: it does not fit, or there is no space.
    """
    size = size_gib * 2**30
    grub = root / "boot" / "grub"
    process.as_root("rm", "-f", image)
    process.as_root("truncate", "--size", str(size), image)
    process.as_root(
        "mke2fs", "-q", "-t", "ext4", "-b", str(BLOCK), "-L", LABEL, "-O", _FEATURES,
        "-E", f"offset={START * SECTOR},lazy_itable_init=1,lazy_journal_init=1", "-d", root,
        image, str((size - START * SECTOR) // BLOCK), timeout_s=600,
    )  # fmt: skip
    head = boot_sector((grub / "boot.img").read_bytes(), size // SECTOR) + (grub / "core.img").read_bytes()
    if len(head) > START * SECTOR:
        raise ValueError(f"the boot loader has {len(head)} bytes and must fit before the partition")
    with tempfile.NamedTemporaryFile() as file:
        file.write(head)
        file.flush()
        process.as_root("dd", f"if={file.name}", f"of={image}", "conv=notrunc", "status=none")


def boot_sector(loader: bytes, sectors: int) -> bytes:
    """The first sector: GRUB's code, and a table with one active Linux partition that takes the rest.

    GRUB's code looks for its core in the sector that follows, which is where `write_disk` puts it.
    """
    whole = b"\xfe\xff\xff"  # beyond what cylinders, heads and sectors can say
    entry = struct.pack("<B3sB3sII", 0x80, whole, 0x83, whole, START, sectors - START)
    return loader[:440] + b"LAB0" + bytes(2) + entry + bytes(48) + b"\x55\xaa"
