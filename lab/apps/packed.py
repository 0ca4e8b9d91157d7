"""Applications that came out of a pack: a repository as one file, and what the lab knows of it.

They are in the cache as `packed/NAME.json` and `packed/NAME.bundle`, under the same names as in the pack.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import msgspec

from lab import home
from lab.apps.profile import Profile
from lab.apps.source import Source
from lab.errors import EnvironmentProblem

FOLDER = "packed"

Revision = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{40,64}\Z")]
Branch = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9_][A-Za-z0-9._/-]{0,200}\Z")]
Key = Annotated[str, msgspec.Meta(pattern=r"\A([0-9a-f]{12})?\Z")]


class PackedApp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A `Source` as it lies in a pack, without the place of its bundle."""

    profile: Profile
    revision: Revision
    branch: Branch
    dependencies: Key


def text_of(source: Source) -> bytes:
    """What is written beside an app's bundle."""
    known = PackedApp(source.profile, source.revision, source.branch, source.dependencies)
    return msgspec.json.format(msgspec.json.encode(known), indent=2) + b"\n"


def read(text: bytes) -> PackedApp:
    """The reverse of `text_of`.

    Raises:
        ValueError: it is no description of an app.
    """
    try:
        found = msgspec.json.decode(text, type=PackedApp)
    except msgspec.MsgspecError as fault:
        raise ValueError(str(fault)) from None
    return PackedApp(Profile(**vars(found.profile)), found.revision, found.branch, found.dependencies)


def find(wanted: str) -> Source | None:
    """The app of that name, or from that source, that came out of a pack.

    Raises:
        EnvironmentProblem: its description was damaged since.
    """
    for path in sorted((home.cache() / FOLDER).glob("*.json")):
        known = _known(path)
        bundle = path.with_suffix(".bundle")
        if wanted in (known.profile.name, known.profile.source) and bundle.exists():
            return Source(known.profile, known.revision, known.branch, bundle, known.dependencies)
    return None


def _known(path: Path) -> PackedApp:
    try:
        return read(path.read_bytes())
    except (OSError, ValueError) as fault:
        said = re.sub(r"\s+", " ", str(fault))[:200]
        raise EnvironmentProblem(f"{path}: is damaged: {said}", "lab unpack FILE brings it again") from None
