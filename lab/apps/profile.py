"""What the lab must know of an application to run it: a TOML file in `apps/`, or good guesses."""

from __future__ import annotations

import difflib
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from lab import content
from lab.errors import UsageError

_WEBPACK_4 = 5  # react-scripts below this major version bundle webpack 4
_LEGACY_OPENSSL = {"NODE_OPTIONS": "--openssl-legacy-provider"}
_REACT = {"BROWSER": "none", "GENERATE_SOURCEMAP": "false"}
"""For create-react-app: no browser on a server, and a build in 1.3 GB instead of 2.2 GB (measured)."""


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Profile:
    """An application as a profile file describes it.

    Attributes:
        name: also the folder that it is cloned to.
        source: a git URL, or a folder; relative to `apps/` in a profile file.
        title: for people.
        env: variables that it needs to install, build and run.
        install: how dependencies are installed; empty for an app without any.
        start: how pm2 starts it in mode dev; empty takes the repository's ecosystem.config.js, else npm start.
        build: how mode build makes the files to serve.
        output: the folder in which they are then.
        exclude: files and folders of the repository that must not be passed on, to hosts, boxes or packs; with any, the
            hosts get one commit without them, and no history.
        ready_s: how long the first answer may take, in seconds.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
    source: str
    title: str = ""
    env: dict[str, str] = Field(default_factory=dict)
    install: str = "npm ci"
    start: str = ""
    build: str = "npm run build"
    output: str = "build"
    exclude: tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9._][^:*?\[\\]{0,200}$")], ...] = ()
    ready_s: Annotated[int, Field(ge=1, le=3600)] = 120


def names() -> list[str]:
    """The profiles that ship with the lab."""
    return sorted(path.stem for path in (content.root() / "apps").glob("*.toml"))


def resolve(wanted: str) -> Profile:
    """The profile for what the user named: a profile, a git URL, or a folder.

    Raises:
        UsageError: it is none of these.
    """
    if wanted in names():
        return _from_file(content.root() / "apps" / f"{wanted}.toml")
    for name in names():  # by its address it is the same app
        shipped = _from_file(content.root() / "apps" / f"{name}.toml")
        if wanted.removesuffix(".git") == shipped.source.removesuffix(".git"):
            return shipped
    if "://" in wanted or re.match(r"^[\w.-]+@[\w.-]+:", wanted):
        return Profile(name=_name_of(wanted), source=wanted)
    folder = Path(wanted).expanduser()
    if folder.is_dir():
        return Profile(name=_name_of(str(folder.resolve())), source=str(folder.resolve()))
    close = difflib.get_close_matches(wanted, names(), n=1)
    hint = f"did you mean {close[0]}?" if close else f"name one of {', '.join(names())}, a git URL or a folder"
    raise UsageError(f"app: there is no profile and no folder {wanted!r}", hint)


def completed(profile: Profile, package: dict[str, Any], files: frozenset[str]) -> Profile:
    """The profile with what its package.json tells.

    Args:
        profile: as resolved.
        package: the parsed package.json; empty when there is none.
        files: the names of the files at the top of the repository.
    """
    depends = {**package.get("devDependencies", {}), **package.get("dependencies", {})}
    install = profile.install if depends else ""
    if install == "npm ci" and not files & {"package-lock.json", "npm-shrinkwrap.json"}:
        install = "npm install --no-package-lock"
    react = _REACT if "react-scripts" in depends else {}
    openssl = _LEGACY_OPENSSL if _bundles_webpack_4(depends) else {}
    env = {**react, **openssl, **profile.env}
    return Profile(**{**vars(profile), "install": install, "env": env})


def _bundles_webpack_4(depends: dict[str, str]) -> bool:
    """Webpack 4 hashes with MD4, which the OpenSSL of Node 17 and later refuses."""
    major = re.search(r"\d+", depends.get("react-scripts", ""))
    return major is not None and int(major.group()) < _WEBPACK_4


def _from_file(path: Path) -> Profile:
    try:
        table = {"name": path.stem, **tomllib.loads(path.read_text(encoding="utf-8"))}
        profile = TypeAdapter(Profile).validate_python(table)
    except (tomllib.TOMLDecodeError, ValidationError) as fault:
        raise UsageError(f"{path}: is no app profile: {fault}") from None
    shipped = path.parent / profile.source
    if shipped.is_dir():
        return Profile(**{**vars(profile), "source": str(shipped)})
    return profile


def _name_of(source: str) -> str:
    last = re.split(r"[/:]", source.rstrip("/"))[-1].removesuffix(".git")
    return re.sub(r"[^A-Za-z0-9._-]", "-", last).lstrip("._-")[:63] or "app"
