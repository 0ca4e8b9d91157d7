"""A pack as a file: a plain tar, in which every byte follows from the manifest.

So it is written by streaming, any tar can unpack it, and it is read without believing a tar: each
header, each padding and the end are compared with what they must be. A link, a device, a file too
many, one that is elsewhere or a single changed bit is a difference, and no pack.

    manifest.json   what is in it, with sizes and checksums
    SHA256SUMS      of the manifest and all files
    README.txt, install.sh, lab.toml, wheels/, packed/, made/, boxes/
"""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from lab.errors import EnvironmentProblem
from lab.packing.manifest import (
    FORMAT,
    LONGEST_MANIFEST,
    MANIFEST,
    SUMS,
    Manifest,
    PackedFile,
    decoded,
    format_of,
    sums,
)

BLOCK = tarfile.BLOCKSIZE
CHUNK = 2**20
_MTIME = 946684800  # the first second of 2000: equal contents are equal bytes
_AGAIN = "copy it again from where it was written, or write it again with lab pack"

Progress = Callable[[int], None]


class PackRefused(EnvironmentProblem):
    """A file is no pack, is damaged or was altered, or is not for this computer."""


def describe(path: Path, name: str) -> PackedFile:
    """Size and checksum of a file that goes into a pack as `name`."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return PackedFile(name, path.stat().st_size, digest)


def write(target: BinaryIO, manifest: Manifest, sources: Iterable[Path], progress: Progress) -> None:
    """Write a pack.

    Args:
        target: the file, at its beginning.
        manifest: what will be in it.
        sources: the files on this computer, in the order of `manifest.files`.
        progress: told how many bytes were written.

    Raises:
        EnvironmentProblem: a file changed meanwhile.
        OSError: it cannot be written.
    """
    head = manifest.encoded()
    for name, content in ((MANIFEST, head), (SUMS, sums(head, manifest.files))):
        target.write(_header(name, len(content)) + content + _padding(len(content)))
    for file, source in zip(manifest.files, sources, strict=True):
        target.write(_header(file.path, file.bytes))
        digest = hashlib.sha256()
        with source.open("rb") as opened:
            for chunk in _chunks(opened, file.bytes):
                digest.update(chunk)
                target.write(chunk)
                progress(len(chunk))
        if digest.hexdigest() != file.sha256:
            raise EnvironmentProblem(f"{source}: changed while it was packed", "try again")
        target.write(_padding(file.bytes))
    target.write(bytes(_tail(target.tell())))


def head_of(pack: BinaryIO, name: str) -> tuple[Manifest, bytes]:
    """The manifest of an opened pack, and its bytes; the checksums of the files are not looked at yet.

    Args:
        pack: at its beginning; afterwards at the first file.
        name: of the pack, for sentences.

    Raises:
        PackRefused: it is no pack, of another format, or shorter or longer than it must be.
    """
    text = _manifest_text(pack, name)
    try:
        manifest = decoded(text)
    except ValueError as fault:
        found = format_of(text)
        if found is not None and found != FORMAT and _sums_fit(pack, text):
            raise _other_format(found, name) from None
        raise PackRefused(f"{name}: its manifest is damaged: {fault}", _AGAIN) from None
    expected = sums(text, manifest.files)
    member = _header(SUMS, len(expected)) + expected + _padding(len(expected))
    if pack.read(len(member)) != member:
        raise PackRefused(f"{name}: was damaged or altered: {MANIFEST} does not fit {SUMS}", _AGAIN)
    if manifest.format != FORMAT:
        raise _other_format(manifest.format, name)
    _refuse_other_size(pack, manifest, name)
    return manifest, text


def contents(pack: BinaryIO, manifest: Manifest, name: str) -> Iterator[tuple[PackedFile, Iterator[bytes]]]:
    """Each file of a pack with its bytes, which must be read to their end before the next file is asked for.

    Args:
        pack: as `head_of` left it.
        manifest: what `head_of` gave.
        name: of the pack, for sentences.

    Raises:
        PackRefused: at the first byte that is not as it must be.
    """
    for file in manifest.files:
        header = _header(file.path, file.bytes)
        if pack.read(len(header)) != header:
            raise PackRefused(f"{name}: was damaged or altered: {file.path} is not where it must be", _AGAIN)
        yield file, _checked(pack, file, name)
        if pack.read(len(_padding(file.bytes))) != _padding(file.bytes):
            raise PackRefused(f"{name}: was damaged or altered after {file.path}", _AGAIN)
    end = pack.tell()
    if pack.read() != bytes(_tail(end)):
        raise PackRefused(f"{name}: was damaged or altered at its end", _AGAIN)


def _checked(pack: BinaryIO, file: PackedFile, name: str) -> Iterator[bytes]:
    digest = hashlib.sha256()
    for chunk in _chunks(pack, file.bytes):
        digest.update(chunk)
        yield chunk
    if digest.hexdigest() != file.sha256:
        raise PackRefused(f"{name}: was damaged or altered: the checksum of {file.path} does not fit", _AGAIN)


def _manifest_text(pack: BinaryIO, name: str) -> bytes:
    block = pack.read(BLOCK)
    try:
        header = tarfile.TarInfo.frombuf(block, tarfile.ENCODING, "surrogateescape")
    except tarfile.HeaderError:
        raise PackRefused(f"{name}: is no pack of the lab", "name a file that lab pack wrote") from None
    size = header.size
    if not 0 < size <= LONGEST_MANIFEST or block != _header(MANIFEST, size):
        raise PackRefused(f"{name}: is no pack of the lab", "name a file that lab pack wrote")
    text = pack.read(size)
    if len(text) < size:
        raise PackRefused(f"{name}: is only the beginning of a pack: it ends within {MANIFEST}", _AGAIN)
    if pack.read(len(_padding(size))) != _padding(size):
        raise PackRefused(f"{name}: was damaged or altered after {MANIFEST}", _AGAIN)
    return text


def _sums_fit(pack: BinaryIO, text: bytes) -> bool:
    """Whether the sums after a manifest that we cannot read begin with its own."""
    expected = sums(text, ())
    return pack.read(BLOCK + len(expected))[BLOCK:] == expected


def _refuse_other_size(pack: BinaryIO, manifest: Manifest, name: str) -> None:
    begin = pack.tell()
    expected = begin + sum(_space(file) for file in manifest.files)
    expected += _tail(expected)
    found = pack.seek(0, 2)
    pack.seek(begin)
    if found < expected:
        raise PackRefused(f"{name}: is only a part of the pack: {found} of {expected} bytes", _AGAIN)
    if found > expected:
        raise PackRefused(f"{name}: was altered: {found - expected} bytes follow its end", _AGAIN)


def _other_format(found: int, name: str) -> PackRefused:
    mend = "write it again with this version of lab pack"
    if found > FORMAT:
        mend = f"install the lab that is in it: tar -xf {name} install.sh && sh install.sh {name}"
    return PackRefused(f"{name}: is a pack of format {found}, and this lab reads format {FORMAT}", mend)


def _header(path: str, size: int) -> bytes:
    """The one tar header that a file of a pack can have."""
    info = tarfile.TarInfo(path)
    info.size, info.mtime, info.uname, info.gname = size, _MTIME, "root", "root"
    info.mode = 0o755 if path.endswith(".sh") else 0o644
    return info.tobuf(tarfile.GNU_FORMAT)


def _space(file: PackedFile) -> int:
    """What a file takes in the pack, with its header and padding."""
    return len(_header(file.path, file.bytes)) + file.bytes + len(_padding(file.bytes))


def _padding(size: int) -> bytes:
    return bytes(-size % BLOCK)


def _tail(end: int) -> int:
    """How many zeros end a tar that has `end` bytes so far."""
    return 2 * BLOCK + -(end + 2 * BLOCK) % tarfile.RECORDSIZE


def _chunks(file: BinaryIO, size: int) -> Iterator[bytes]:
    """At most `size` bytes of a file, in pieces."""
    while size > 0 and (chunk := file.read(min(CHUNK, size))):
        size -= len(chunk)
        yield chunk
