"""Small packs of the tests, whole and spoilt."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec

from lab.apps import packed
from lab.apps.profile import Profile
from lab.apps.source import Source
from lab.offline import Covers
from lab.packing import archive
from lab.packing.manifest import FORMAT, Manifest
from lab.packing.wheels import version

BOX = "lab-lxc-0123456789ab"
APP = packed.text_of(Source(Profile("my", "/home/teacher/my"), "a" * 40, "main", Path("/x.bundle"), ""))
CONTENT: Mapping[str, bytes] = {
    "README.txt": b"read me\n",
    "install.sh": b"#!/bin/sh\n",
    "lab.toml": b"offline = true\n",
    "wheels/failover_lab-0.1.0-py3-none-any.whl": b"wheel",
    "packed/my.json": APP,
    "packed/my.bundle": b"bundle" * 300,
    "made/build-my-0123.tar.gz": bytes(range(256)) * 5,
    f"packed/boxes/{BOX}.json": msgspec.json.encode(Covers(BOX, "lxc", ())),
    f"boxes/{BOX}.box": b"",
}


def pack_of(folder: Path, content: Mapping[str, bytes] = CONTENT, **changes: Any) -> Path:
    """Write a pack with this content, and a manifest with these changes."""
    sources = [_file(folder / "sources" / name, text) for name, text in content.items()]
    files = tuple(archive.describe(path, name) for path, name in zip(sources, content, strict=True))
    manifest = Manifest(
        format=FORMAT, tool=version(), system=platform.system(), machine=platform.machine(), os="Debian", python="3.11",
        written="2026-01-01 00:00 UTC", provider="lxc", apps=("my",), boxes=(BOX,), files=files,
    )  # fmt: skip
    written = BytesIO()
    archive.write(written, msgspec.structs.replace(manifest, **changes), sources, lambda count: None)
    return _file(folder / "room.lab", written.getvalue())


def _file(path: Path, text: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text)
    return path
