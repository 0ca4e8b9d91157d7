"""Applications that came out of a pack: a repository as one file, and what the lab knows of it.

They are in the cache as `packed/NAME.json` and `packed/NAME.bundle`, under the same names as in the pack.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import msgspec
from pydantic import TypeAdapter

from lab import home
from lab.apps.profile import Profile
from lab.apps.source import Source
from lab.errors import EnvironmentProblem

FOLDER = "packed"

Revision = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{40,64}\Z")]
Branch = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9_][A-Za-z0-9._/-]{0,200}\Z")]
Key = Annotated[str, msgspec.Meta(pattern=r"\A([0-9a-f]{12})?\Z")]


class _Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A `Source` as it lies in a pack, without the place of its bundle; `profile` is a `Profile` as JSON."""

    profile: msgspec.Raw
    revision: Revision
    branch: Branch
    dependencies: Key


def text_of(source: Source) -> bytes:
    """What is written beside an app's bundle."""
    profile = msgspec.Raw(msgspec.json.encode(source.profile))
    known = _Written(profile, source.revision, source.branch, source.dependencies)
    return msgspec.json.format(msgspec.json.encode(known), indent=2) + b"\n"


def read(text: bytes, bundle: Path) -> Source:
    """The reverse of `text_of`, with the place of the bundle.

    Raises:
        ValueError: it is no description of an app.
    """
    try:
        found = msgspec.json.decode(text, type=_Written)
    except msgspec.MsgspecError as fault:
        raise ValueError(str(fault)) from None
    profile = TypeAdapter(Profile).validate_json(bytes(found.profile))
    return Source(profile, found.revision, found.branch, bundle, found.dependencies)


def find(wanted: str) -> Source | None:
    """The app of that name, or from that source, that came out of a pack.

    Raises:
        EnvironmentProblem: its description was damaged since.
    """
    for path in sorted((home.cache() / FOLDER).glob("*.json")):
        known = _known(path)
        if wanted in (known.profile.name, known.profile.source) and known.bundle.exists():
            return known
    return None


def _known(path: Path) -> Source:
    try:
        return read(path.read_bytes(), path.with_suffix(".bundle"))
    except (OSError, ValueError) as fault:
        said = re.sub(r"\s+", " ", str(fault))[:200]
        raise EnvironmentProblem(f"{path}: is damaged: {said}", "lab unpack FILE brings it again") from None
