"""Brings an application's repository to this computer once, and packs it for the hosts.

A clone in the user's cache is refreshed when its source can be reached; each revision is packed as
a git bundle, from which every host makes a real `git clone`. What an app's profile excludes stays in
the cache: hosts, boxes and packs get one commit without it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import home, process
from lab.apps.profile import Profile, completed
from lab.errors import CommandFailed, EnvironmentProblem

REACH_S = 20
CLONE_S = 600
LOCKFILES = ("package-lock.json", "npm-shrinkwrap.json", "package.json")
_GIT_ENV = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_SSH_COMMAND": os.environ.get("GIT_SSH_COMMAND", "ssh -oBatchMode=yes"),
    **{f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
       for what, value in (("NAME", "lab"), ("EMAIL", "lab@localhost"), ("DATE", "2000-01-01T00:00:00Z"))},
}  # fmt: skip
"""No questions, and a snapshot of equal files is an equal commit."""


class SourceUnreachable(EnvironmentProblem):
    """The application's repository cannot be fetched, and there is no earlier clone of it."""


@dataclass(frozen=True)
class Source:
    """One revision of an application, ready to be copied to hosts.

    Attributes:
        profile: completed with what the repository tells.
        revision: the commit.
        branch: the branch that it is the tip of.
        bundle: the git bundle on this computer.
        dependencies: a key that is equal where the same dependencies are asked for; empty for none.
    """

    profile: Profile
    revision: str
    branch: str
    bundle: Path
    dependencies: str


def obtain(profile: Profile, *, offline: bool = False) -> Source:
    """The newest revision of an application that can be had.

    Args:
        profile: which application.
        offline: nothing is fetched; an earlier clone is what can be had.

    Raises:
        SourceUnreachable: it cannot be fetched and was never fetched before.
        CommandFailed: git failed otherwise.
    """
    mirror = _mirror_path(profile)
    if Path(profile.source).is_dir() and not _is_repository(Path(profile.source)):
        _snapshot(Path(profile.source), mirror)
    elif not offline:
        _refresh(profile.source, mirror)
    elif not mirror.exists():
        raise SourceUnreachable(
            f"the app {profile.name} is not on this computer, and without internet it cannot be cloned",
            f"lab unpack FILE brings it: `lab pack FILE --app {profile.name}` makes that file where there is internet",
        )
    if profile.exclude:
        mirror = _without(mirror, profile)
    revision = _git(mirror, "rev-parse", "HEAD^{commit}")
    branch = _git(mirror, "symbolic-ref", "--short", "HEAD")
    full = completed(profile, _package(mirror), frozenset(_git(mirror, "ls-tree", "--name-only", "HEAD").splitlines()))
    return Source(full, revision, branch, _bundle(mirror, revision, branch), _dependencies(mirror, full))


def _mirror_path(profile: Profile) -> Path:
    key = hashlib.sha256(profile.source.encode()).hexdigest()[:8]
    return home.cache() / "apps" / f"{profile.name}-{key}.git"


def _is_repository(folder: Path) -> bool:
    return (folder / ".git").exists() or ((folder / "HEAD").is_file() and (folder / "objects").is_dir())


def _refresh(url: str, mirror: Path) -> None:
    """Clone, or fetch into the clone; without a connection an earlier clone is good enough."""
    if not mirror.exists():
        _clone(url, mirror)
        return
    asked = process.run(
        "git", "ls-remote", "--symref", "--", url, "HEAD", env=_GIT_ENV, timeout_s=REACH_S, check=False
    )  # fmt: skip
    tip = re.search(r"^([0-9a-f]{40,})\tHEAD$", asked.stdout, re.MULTILINE)
    branch = re.search(r"^ref: (\S+)\tHEAD$", asked.stdout, re.MULTILINE)
    if not asked.ok or tip is None:
        return
    if tip[1] != _git(mirror, "rev-parse", "HEAD"):
        process.run("git", "-C", mirror, "fetch", "-q", "--prune", "origin", env=_GIT_ENV, timeout_s=CLONE_S)
    if branch:
        _git(mirror, "symbolic-ref", "HEAD", branch[1])


def _clone(url: str, mirror: Path) -> None:
    mirror.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=mirror.parent))
    try:
        process.run("git", "ls-remote", "--", url, "HEAD", env=_GIT_ENV, timeout_s=REACH_S)
        process.run("git", "clone", "-q", "--mirror", "--", url, fresh, env=_GIT_ENV, timeout_s=CLONE_S)
        if not process.run("git", "-C", fresh, "rev-parse", "-q", "--verify", "HEAD^{commit}", check=False).ok:
            raise SourceUnreachable(f"{url}: the repository has no commit yet", "commit the app, then try again")
        fresh.replace(mirror)
    except CommandFailed as fault:
        lines = fault.result.last_lines.splitlines() or ["git said nothing"]
        said = next((line for line in lines if line.startswith("fatal:")), lines[-1])
        raise SourceUnreachable(
            f"the app cannot be cloned from {url}: {said}",
            "check the address and the connection, or name another app with --app",
        ) from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _snapshot(folder: Path, mirror: Path) -> None:
    """A repository with one commit: the folder as it is now, without node_modules."""
    if not mirror.exists():
        process.run("git", "init", "-q", "--bare", "--initial-branch=main", mirror)
    with tempfile.TemporaryDirectory() as scratch:
        env = {**_GIT_ENV, "GIT_DIR": str(mirror), "GIT_WORK_TREE": str(folder), "GIT_INDEX_FILE": f"{scratch}/index"}
        process.run(
            "git", "add", "--all", "--force", ":!node_modules", ":(exclude,glob)**/node_modules/**", env=env, cwd=folder
        )
        tree = process.run("git", "write-tree", env=env).stdout.strip()
        commit = process.run("git", "commit-tree", "-m", f"{folder.name}, as it is", tree, env=env).stdout.strip()
        process.run("git", "update-ref", "refs/heads/main", commit, env=env)


def _without(mirror: Path, profile: Profile) -> Path:
    """A repository beside the clone with one commit: the tip's files without those that the profile excludes."""
    clean = mirror.with_name(f"{mirror.stem}-without.git")
    tip = _git(mirror, "rev-parse", "HEAD^{commit}")
    branch = _git(mirror, "symbolic-ref", "HEAD")
    if not clean.exists():
        process.run("git", "init", "-q", "--bare", clean)
    (clean / "objects" / "info" / "alternates").write_text(f"{mirror / 'objects'}\n", encoding="utf-8")
    with tempfile.TemporaryDirectory() as scratch:
        env = {**_GIT_ENV, "GIT_DIR": str(clean), "GIT_WORK_TREE": scratch, "GIT_INDEX_FILE": f"{scratch}/index"}
        paths = [f":(top,literal){path}" for path in profile.exclude]
        process.run("git", "read-tree", tip, env=env)
        process.run("git", "rm", "-r", "-q", "-f", "--cached", "--ignore-unmatch", "--", *paths, env=env)
        tree = process.run("git", "write-tree", env=env).stdout.strip()
        message = f"{profile.name} at {tip}, without {', '.join(profile.exclude)}"
        commit = process.run("git", "commit-tree", "-m", message, tree, env=env).stdout.strip()
        process.run("git", "update-ref", branch, commit, env=env)
        process.run("git", "symbolic-ref", "HEAD", branch, env=env)
    return clean


def _package(mirror: Path) -> dict[str, Any]:
    shown = process.run("git", "-C", mirror, "show", "HEAD:package.json", check=False)
    try:
        found = json.loads(shown.stdout) if shown.ok else {}
    except ValueError as fault:
        raise EnvironmentProblem(f"the app's package.json is not JSON: {fault}", "mend it and commit") from None
    return found if isinstance(found, dict) else {}


def _dependencies(mirror: Path, profile: Profile) -> str:
    if not profile.install:
        return ""
    digest = hashlib.sha256(f"{profile.install} {sorted(profile.env.items())}".encode())
    for name in LOCKFILES:
        shown = process.run("git", "-C", mirror, "rev-parse", f"HEAD:{name}", check=False)
        digest.update(shown.stdout.encode() if shown.ok else b"-")
    return digest.hexdigest()[:12]


def _bundle(mirror: Path, revision: str, branch: str) -> Path:
    path = mirror.with_suffix("") / f"{revision}.bundle"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        fresh = path.with_suffix(".new")
        process.run("git", "-C", mirror, "bundle", "create", "-q", fresh, "HEAD", f"refs/heads/{branch}")
        fresh.replace(path)
    return path


def _git(mirror: Path, *words: str) -> str:
    return process.run("git", "-C", mirror, *words).stdout.strip()
