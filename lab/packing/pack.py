"""Writes a pack: gathers what is missing, then streams everything into one file."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

import msgspec

from lab import content
from lab.apps import packed
from lab.apps.profile import names as shipped
from lab.apps.profile import resolve
from lab.apps.source import Source, obtain
from lab.apps.states import made_of
from lab.boxes import store
from lab.boxes.build import build
from lab.boxes.recipe import Recipe, recipe_for
from lab.context import Context, context_for
from lab.errors import EnvironmentProblem, UsageError
from lab.events import Listener, Note, Progress, phase
from lab.home import Home
from lab.offline import covers_of, refuse_offline
from lab.packing import archive
from lab.packing.lab_toml import toml_for
from lab.packing.manifest import FORMAT, LAB_TOML, Manifest, PackedFile, fingerprint
from lab.packing.wheels import PYTHON, version, wheels
from lab.packing.workshop import make_missing
from lab.topology import Lab, ProviderName

PROVIDER: ProviderName = "lxc"
HERE = Path(__file__).parent


@dataclass(frozen=True)
class PackReport:
    """A pack that was written: the file, its size in bytes, what it holds, and its fingerprint."""

    file: str
    bytes: int
    fingerprint: str
    manifest: Manifest
    seconds: float


def pack(lab: Lab, home: Home, listener: Listener, to: Path, apps: tuple[str, ...] = ()) -> PackReport:
    """Write everything that a room without internet needs into one file. The caller holds the lab's lock.

    The box of this lab's recipe, with the first app; each app's repository, dependencies and build; the lab and its
    Python packages; and lab.toml, as the lab is, with what other computers do not have left out. What is missing is
    built first.

    Args:
        lab: the topology.
        home: its folder.
        listener: told of phases, steps and progress.
        to: the file; it must not exist.
        apps: profiles, git URLs or folders; without any the lab's own app.

    Raises:
        UsageError: the file exists.
        NeedsNetwork: the lab is to do without internet.
        LabError: something cannot be had, built or written; no half pack stays behind.
    """
    began = monotonic()
    _refuse_existing(to)
    refuse_offline(lab, "lab pack")
    _refuse_other_provider(lab)
    with phase(listener, "apps"):
        profiles = [resolve(name) for name in apps or (lab.app.name,)]
        _refuse_equal_names([profile.name for profile in profiles])
        sources = tuple(obtain(profile) for profile in profiles)
        _warn_of_history(sources, listener)
    context = context_for(lab, sources[0])
    _refuse_secrets(context)
    recipe = recipe_for(context)
    if not store.box_file(recipe.name).exists():
        build(recipe, context, home, listener)
    make_missing(lab, home, recipe.name, sources, listener)
    with tempfile.TemporaryDirectory(prefix="lab-pack-") as scratch:
        files = list(_gathered(lab, recipe, sources, Path(scratch), listener))
        with phase(listener, "checksums"):
            described = tuple(archive.describe(path, name) for name, path in files)
            manifest = replace_files(_manifest(sources, recipe), described)
            readme = Path(scratch) / "README.txt"
            readme.write_text(content.render_file(HERE / "README.txt.j2", **msgspec.structs.asdict(manifest)))
            manifest = replace_files(manifest, (archive.describe(readme, "README.txt"), *described))
        with phase(listener, "write", f"{manifest.bytes / 2**20:.0f} MiB to {to}"):
            written = _written(to, manifest, [readme, *(path for _, path in files)], listener)
    return PackReport(str(to), written, fingerprint(manifest.encoded()), manifest, monotonic() - began)


def replace_files(manifest: Manifest, files: tuple[PackedFile, ...]) -> Manifest:
    """The manifest with these files."""
    return msgspec.structs.replace(manifest, files=files)


def _gathered(
    lab: Lab, recipe: Recipe, sources: tuple[Source, ...], scratch: Path, listener: Listener
) -> Iterator[tuple[str, Path]]:
    """Name in the pack and path here of every file but the README, small ones first."""
    yield "install.sh", HERE / "install.sh"
    first = sources[0].profile
    room = _written_file(scratch / LAB_TOML, toml_for(lab, _name_elsewhere(first.name, first.source), PROVIDER))
    yield LAB_TOML, room
    with phase(listener, "wheels", "the lab and its Python packages"):
        own = scratch / "wheels"
        own.mkdir()
        yield from ((f"wheels/{path.name}", path) for path in wheels(own))
    for source in sources:
        name = source.profile.name
        if name not in shipped() or source.profile.source != str(content.root() / "apps" / name):
            text = _written_file(scratch / f"{name}.json", packed.text_of(source))
            yield f"{packed.FOLDER}/{name}.json", text
            yield f"{packed.FOLDER}/{name}.bundle", source.bundle
        for made in made_of(lab, source):
            if made not in recipe.steps:
                yield f"made/{made.kept.name}", made.kept
    covers = _written_file(scratch / "covers.json", msgspec.json.encode(covers_of(recipe, PROVIDER)))
    yield f"{packed.FOLDER}/boxes/{recipe.name}.json", covers
    yield f"boxes/{recipe.name}.box", store.box_file(recipe.name)


def _manifest(sources: tuple[Source, ...], recipe: Recipe) -> Manifest:
    release = platform.freedesktop_os_release() if platform.system() == "Linux" else {}
    return Manifest(
        format=FORMAT, tool=version(), system=platform.system(), machine=platform.machine(),
        os=release.get("PRETTY_NAME", platform.platform())[:200], python=PYTHON,
        written=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", provider=PROVIDER,
        apps=tuple(source.profile.name for source in sources), boxes=(recipe.name,), files=(),
    )  # fmt: skip


def _name_elsewhere(name: str, source: str) -> str:
    """How another computer names the app: a folder of this one is known there by the app's name."""
    return name if name in shipped() or Path(source).is_dir() else source


def _written(to: Path, manifest: Manifest, sources: list[Path], listener: Listener) -> int:
    """Stream everything into FILE.new, then move it; the size in bytes."""
    total, done = manifest.bytes, 0

    def progress(count: int) -> None:
        nonlocal done
        done += count
        listener(Progress("write", done, total))

    fresh = to.with_name(to.name + ".new")
    try:
        _refuse_small_disk(to, total)
        with fresh.open("wb") as file:
            archive.write(file, manifest, sources, progress)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(to)
    except OSError as fault:
        raise EnvironmentProblem(
            f"{to}: cannot be written: {fault.strerror}", f"the pack takes {total / 2**20:.0f} MiB; name another place"
        ) from None
    finally:
        fresh.unlink(missing_ok=True)
    return to.stat().st_size


def _refuse_small_disk(to: Path, total: int) -> None:
    free = shutil.disk_usage(to.absolute().parent).free
    if free < total + 2**20:
        raise EnvironmentProblem(
            f"{to}: cannot be written: the pack takes {total / 2**20:.0f} MiB, and {free / 2**20:.0f} MiB are free",
            "free some space, or name another place",
        )


def _refuse_existing(to: Path) -> None:
    if to.exists() or to.is_symlink():
        raise UsageError(f"{to} exists already", "name a new file, or remove it")
    if not to.absolute().parent.is_dir():
        raise UsageError(f"{to.parent}: there is no such folder", "name a file in a folder that is there")


def _refuse_other_provider(lab: Lab) -> None:
    if lab.provider not in ("auto", PROVIDER):
        raise UsageError(
            f"a pack holds a box for {PROVIDER}, and this lab's provider is {lab.provider}",
            f'write the pack in a folder whose lab.toml says provider = "{PROVIDER}", or no provider',
        )


def _refuse_equal_names(names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"two of the apps are called {name}", "name each app once; rename one of the folders")


def _warn_of_history(sources: tuple[Source, ...], listener: Listener) -> None:
    """Whoever has a pack has every file that ever was in an app's repository; a profile can exclude some."""
    for source in sources:
        if not source.profile.exclude and source.profile.name not in shipped():
            listener(Note(f"{source.profile.name} goes into the pack with all files and their history", loud=True))


def _refuse_secrets(context: Context) -> None:
    """A box carries the proxy variables of the computer that built it; a password must not go with it."""
    for name, value in context.proxies.items():
        if name != "no_proxy" and urlsplit(value if "://" in value else f"//{value}").password:
            raise UsageError(
                f"{name} holds a password, and the box would carry it to every computer",
                f"unset it, or give {name} without the password, then pack again",
            )


def _written_file(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
