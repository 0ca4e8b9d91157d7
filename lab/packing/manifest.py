"""What is in a pack: the manifest, and which names a file in a pack may have."""

from __future__ import annotations

import hashlib
import re
from typing import Annotated

import msgspec

FORMAT = 1
"""Counted up when an older lab could not read the file. The first two files are the same in all formats."""
MANIFEST = "manifest.json"
SUMS = "SHA256SUMS"
LONGEST_MANIFEST = 4 * 2**20
LAB_TOML = "lab.toml"

_BOX = r"lab-(lxc|libvirt|virtualbox)-[0-9a-f]{12}"
_NAME = r"[A-Za-z0-9][A-Za-z0-9._+-]{0,150}"
_MEMBER = re.compile(
    rf"(README\.txt|install\.sh|lab\.toml|wheels/{_NAME}\.whl|boxes/{_BOX}\.box|made/{_NAME}\.tar\.gz"
    rf"|packed/{_NAME}\.(bundle|json)|packed/boxes/{_BOX}\.json)"
)
"""What a pack may hold. Nothing else is ever written anywhere, whatever a pack says."""
CACHED = ("boxes", "made", "packed")
"""The folders whose files go into the cache, under the same names."""

Word = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9._+-]{1,64}\Z")]


class PackedFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a pack: its path in it, its size in bytes, and its SHA-256 in hexadecimal digits."""

    path: str
    bytes: Annotated[int, msgspec.Meta(ge=0, le=2**40)]
    sha256: Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a pack says of itself.

    Attributes:
        format: of the pack.
        tool: the version of the lab that wrote it.
        system: as platform.system() says it: Linux.
        machine: the processor, as `uname -m` says it.
        os: where it was written, for people.
        python: the version that its wheels are for, as 3.11.
        written: when, in UTC.
        provider: whose boxes are in it.
        apps: the names of the applications in it.
        boxes: the names of the boxes in it.
        files: every file after the manifest and its sums, in order.
    """

    format: int
    tool: Word
    system: Word
    machine: Word
    os: Annotated[str, msgspec.Meta(max_length=200)]
    python: Annotated[str, msgspec.Meta(pattern=r"\A\d+\.\d+\Z")]
    written: Annotated[str, msgspec.Meta(max_length=40)]
    provider: Word
    apps: tuple[str, ...]
    boxes: tuple[str, ...]
    files: tuple[PackedFile, ...]

    def encoded(self) -> bytes:
        """The bytes of manifest.json."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"

    @property
    def bytes(self) -> int:
        """The size of all files in it."""
        return sum(file.bytes for file in self.files)

    def of(self, folder: str) -> tuple[PackedFile, ...]:
        """The files of one folder of the pack."""
        return tuple(file for file in self.files if file.path.startswith(f"{folder}/"))


def decoded(text: bytes) -> Manifest:
    """The manifest in some bytes.

    Raises:
        ValueError: it is none, or it names a file that a pack cannot hold.
    """
    try:
        found = msgspec.json.decode(text, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as fault:
        raise ValueError(str(fault)) from None
    paths = [file.path for file in found.files]
    for path in paths:
        if not _MEMBER.fullmatch(path):
            raise ValueError(f"it names {path[:100]!r}, which no pack holds")
    if len(set(paths)) < len(paths):
        raise ValueError("it names a file twice")
    named = sorted(file.path.removeprefix("boxes/").removesuffix(".box") for file in found.of("boxes"))
    if named != sorted(found.boxes):
        raise ValueError("its boxes are not those among its files")
    return found


def format_of(text: bytes) -> int | None:
    """The format that a manifest of any version names; None when it names none."""

    class AnyManifest(msgspec.Struct):
        format: int

    try:
        return msgspec.json.decode(text, type=AnyManifest).format
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def sums(manifest: bytes, files: tuple[PackedFile, ...]) -> bytes:
    """The text of SHA256SUMS, which `sha256sum -c` reads too."""
    lines = [f"{fingerprint(manifest)}  {MANIFEST}", *(f"{file.sha256}  {file.path}" for file in files)]
    return ("\n".join(lines) + "\n").encode()


def fingerprint(manifest: bytes) -> str:
    """What stands for a whole pack: the SHA-256 of its manifest, which has that of every file."""
    return hashlib.sha256(manifest).hexdigest()
