"""How the btrfs of a pool counts what a machine may still write: the kernel knows two ways, and one does not scale.

LXD turns on the first, which follows what each subvolume shares with every other one. It makes a snapshot slower with
every machine that is a copy of the same one. The second, simple quotas (Linux 6.7), counts who has written what.
"""

from __future__ import annotations

from pathlib import Path

SYS = Path("/sys")
SHARED, SIMPLE = "qgroup", "squota"


def counting(source: str, sys: Path = SYS) -> str:
    """SHARED or SIMPLE; empty where nothing is counted, the pool is not on this computer, or the kernel does not say.

    Args:
        source: of the pool, as LXD says it: a file, a block device, or the id of a file system.
        sys: where the kernel tells of itself.
    """
    for system in sorted(sys.glob("fs/btrfs/*-*")):
        if source == system.name or any(_is_on(device, source, sys) for device in system.glob("devices/*")):
            return _text(system / "qgroups" / "mode")
    return ""


def _is_on(device: Path, source: str, sys: Path) -> bool:
    if device.name == Path(source).resolve().name and source.startswith("/dev/"):
        return True
    return _text(sys / "block" / device.name / "loop" / "backing_file") == source


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
