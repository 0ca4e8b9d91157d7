"""Reads a pack: verifies all of it, and only then puts boxes, apps and what they need where `lab up` looks."""

from __future__ import annotations

import fcntl
import os
import platform
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import BinaryIO

from lab import config, home
from lab.apps import packed
from lab.boxes import store
from lab.errors import EnvironmentProblem, LabBusy, TopologyError, UsageError
from lab.events import Listener, Note, Progress, phase
from lab.offline import read_covers
from lab.packing import archive
from lab.packing.archive import PackRefused
from lab.packing.manifest import CACHED, LAB_TOML, Manifest, PackedFile, fingerprint
from lab.packing.wheels import version

_STAGE = "unpacking-"
SPARE_BYTES = 2**30
"""What must be free besides the files: Vagrant and the first guest unpack the box once more each."""


@dataclass(frozen=True)
class UnpackReport:
    """A pack that was looked at.

    Attributes:
        file: the pack.
        fingerprint: stands for all that is in it.
        manifest: what is in it.
        installed: the files that were put into the cache; none when they were there, or with `check`.
        lab_toml: whether the pack's lab.toml was written: written, there (the same), kept (another is there), or none.
        seconds: how long it took.
    """

    file: str
    fingerprint: str
    manifest: Manifest
    installed: tuple[str, ...]
    lab_toml: str
    seconds: float


def check(path: Path, listener: Listener, expected: str = "") -> UnpackReport:
    """Verify a pack, every byte of it, and that it is for this computer; install nothing.

    Args:
        path: the pack.
        listener: told of phases and progress.
        expected: the first digits of the fingerprint that it must have; empty for any.

    Raises:
        UsageError: there is no such file.
        PackRefused: what is wrong with it.
    """
    began = monotonic()
    with _opened(path) as pack:
        manifest, mark = _verified(pack, path.name, listener, expected)
    return UnpackReport(str(path), mark, manifest, (), "none", monotonic() - began)


def unpack(path: Path, folder: Path, listener: Listener, expected: str = "") -> UnpackReport:
    """Verify a pack, then install it: all of it or nothing. What is there already is left as it is.

    Args:
        path: the pack.
        folder: gets the pack's lab.toml when it has none.
        listener: told of phases, notes and progress.
        expected: the first digits of the fingerprint that it must have; empty for any.

    Raises:
        UsageError: there is no such file.
        PackRefused: what is wrong with it; nothing was touched.
        EnvironmentProblem: the disk is full, or Vagrant does not take the box; nothing stays behind.
    """
    began = monotonic()
    with _opened(path) as pack:
        manifest, mark = _verified(pack, path.name, listener, expected)
        pack.seek(0)
        with phase(listener, "install"), _alone(home.cache()):
            installed, lab_toml = _installed(pack, manifest, path.name, folder, listener)
    return UnpackReport(str(path), mark, manifest, installed, lab_toml, monotonic() - began)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """A plain file; a pipe or a device is not waited for."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(number, "rb") as pack:
            if not stat.S_ISREG(os.fstat(number).st_mode):
                raise UsageError(f"{path}: is no plain file", "name a file that lab pack wrote")
            yield pack
    except OSError as fault:
        raise UsageError(f"{path}: cannot be read: {fault.strerror}", "name a file that lab pack wrote") from None


def _verified(pack: BinaryIO, name: str, listener: Listener, expected: str) -> tuple[Manifest, str]:
    with phase(listener, "verify", name):
        manifest, text = archive.head_of(pack, name)
        mark = fingerprint(text)
        if not mark.startswith(expected.lower()):
            raise PackRefused(
                f"{name}: its fingerprint is {mark[:16]}…, and {expected} was expected",
                "it is another pack than the one meant; ask whoever wrote it",
            )
        _refuse_elsewhere(manifest, name)
        done = 0
        for file, chunks in archive.contents(pack, manifest, name):
            whole = b"".join(_told(chunks, keep=_is_text(file)))
            done += file.bytes
            listener(Progress("verify", done, manifest.bytes))
            _refuse_nonsense(file, whole, name)
    return manifest, mark


def _refuse_elsewhere(manifest: Manifest, name: str) -> None:
    """A pack for another kind of computer, or of a later lab."""
    here, theirs = (platform.system(), platform.machine()), (manifest.system, manifest.machine)
    if theirs != here:
        raise PackRefused(
            f"{name}: is for {' on '.join(theirs)}, and this computer is {' on '.join(here)}",
            "write a pack on a computer of this kind",
        )
    if _numbers(manifest.tool) > _numbers(version()):
        raise PackRefused(
            f"{name}: was written by lab {manifest.tool}, and this is lab {version()}",
            f"install the lab that is in it: tar -xf {name} install.sh && sh install.sh {name}",
        )


def _refuse_nonsense(file: PackedFile, text: bytes, name: str) -> None:
    """Descriptions that do not describe; they are read before anything is installed."""
    stem = Path(file.path).stem
    try:
        if file.path.startswith(f"{packed.FOLDER}/boxes/"):
            fits = read_covers(text).name == stem
        elif file.path.startswith(f"{packed.FOLDER}/") and _is_text(file):
            fits = packed.read(text, Path()).profile.name == stem
        elif file.path == LAB_TOML:
            config.parse_text(text.decode(), LAB_TOML)
            fits = True
        else:
            fits = True
    except (ValueError, TopologyError) as fault:
        said = re.sub(r"\s+", " ", str(fault))[:200]
        raise PackRefused(f"{name}: {file.path} in it cannot be used: {said}", "write it again with lab pack") from None
    if not fits:
        raise PackRefused(f"{name}: {file.path} in it is of something else", "write it again with lab pack")


def _is_text(file: PackedFile) -> bool:
    return file.path == LAB_TOML or file.path.endswith(".json")


def _told(chunks: Iterator[bytes], *, keep: bool) -> Iterator[bytes]:
    """The pieces of what is kept in memory; of the rest nothing, but all is read."""
    for chunk in chunks:
        if keep:
            yield chunk


def _installed(
    pack: BinaryIO, manifest: Manifest, name: str, folder: Path, listener: Listener
) -> tuple[tuple[str, ...], str]:
    """Stage what is missing beside the cache, then move it in; undone when anything fails."""
    cache = home.cache()
    wanted = [file for file in manifest.files if file.path.split("/")[0] in CACHED]
    missing = {file.path for file in wanted if _differs(cache / file.path, file)}
    room = b""
    try:
        _refuse_small_disk(cache, sum(file.bytes for file in wanted if file.path in missing))
        with tempfile.TemporaryDirectory(dir=cache, prefix=_STAGE) as scratch, ExitStack() as undo:
            for file, chunks in _again(pack, manifest, name):
                if file.path == LAB_TOML:
                    room = b"".join(chunks)
                elif file.path in missing:
                    _stage(Path(scratch) / "new" / file.path, chunks)
                    listener(Progress("install", pack.tell(), manifest.bytes))
                else:
                    _skip(chunks)
            for path in sorted(missing):
                _move_in(Path(scratch), cache, path, undo)
            lab_toml = _place(folder / LAB_TOML, room, undo)
            for box in manifest.boxes:
                if not store.is_added(box):
                    listener(Note(f"Vagrant takes the box {box}"))
                    store.add(box)
            undo.pop_all()
    except OSError as fault:
        raise EnvironmentProblem(
            f"{cache}: cannot be written: {fault.strerror}; nothing was installed",
            "free some space, or set LAB_CACHE to another folder",
        ) from None
    return tuple(file.path for file in wanted if file.path in missing), lab_toml


@contextmanager
def _alone(cache: Path) -> Iterator[None]:
    """One at a time; so what an unpack that was killed has left can be thrown away."""
    with (cache / "unpack.lock").open("a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LabBusy("another lab unpack is at work", "wait until it has ended, then try again") from None
        for left in cache.glob(f"{_STAGE}*"):
            shutil.rmtree(left, ignore_errors=True)
        yield


def _again(pack: BinaryIO, manifest: Manifest, name: str) -> Iterator[tuple[PackedFile, Iterator[bytes]]]:
    """The files once more, checked once more: what is installed is what was verified."""
    found, _ = archive.head_of(pack, name)
    if found != manifest:
        raise PackRefused(f"{name}: changed while it was read", "try again")
    return archive.contents(pack, manifest, name)


def _differs(path: Path, file: PackedFile) -> bool:
    """Whether a file must be put there. A box is known by its recipe, and guests may stand on the one that is here."""
    if file.path.startswith("boxes/"):
        return not path.exists()
    if not path.exists() or path.stat().st_size != file.bytes:
        return True
    return archive.describe(path, file.path) != file


def _refuse_small_disk(cache: Path, needed: int) -> None:
    free = shutil.disk_usage(cache).free
    if needed and free < needed + SPARE_BYTES:
        raise EnvironmentProblem(
            f"only {free / 2**30:.1f} GiB are free in {cache}; the pack needs {(needed + SPARE_BYTES) / 2**30:.1f} GiB",
            "free some space, or set LAB_CACHE to another folder",
        )


def _stage(path: Path, chunks: Iterator[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.writelines(chunks)


def _skip(chunks: Iterator[bytes]) -> None:
    for _ in chunks:
        pass


def _move_in(scratch: Path, cache: Path, path: str, undo: ExitStack) -> None:
    """Put one staged file into the cache; the one that it replaces is kept until all are in."""
    target, old = cache / path, scratch / "old" / path
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        old.parent.mkdir(parents=True, exist_ok=True)
        target.rename(old)
        undo.callback(old.replace, target)
    else:
        undo.callback(target.unlink, missing_ok=True)
    (scratch / "new" / path).rename(target)


def _place(path: Path, room: bytes, undo: ExitStack) -> str:
    """The pack's lab.toml, where there is none: another is its owner's."""
    if not room:
        return "none"
    if path.exists():
        return "there" if path.read_bytes() == room else "kept"
    undo.callback(path.unlink, missing_ok=True)
    path.write_bytes(room)
    return "written"


def _numbers(text: str) -> tuple[int, ...]:
    """A version, so that versions compare as they should; what follows the numbers does not count."""
    found = re.match(r"\d+(\.\d+)*", text)
    return tuple(int(part) for part in found[0].split(".")) if found else ()
