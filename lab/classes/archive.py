"""Saves of a lab's machines on the teacher's computer, which outlive the machines and whatever they run on.

A save of a machine is all that provisioning, exercises and students write: the folders of ROOTS, but not the tools
that every box brings. It is whole in itself, so it fits any machine that was made anew from the box: what it lacks is
removed there, what it has is put there, and the machine is rebooted. Packages that a student has installed are not in
it.

SAVES/NAME/HOST.tar.gz    one for each host that let us in
SAVES/NAME/exercises/     the student's attempts, in case the lab's own folder is lost
SAVES/NAME/save.json      written last; a folder without it, or called NAME.partial, is no save
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from lab.errors import CommandFailed, EnvironmentProblem, HostUnreachable, UsageError
from lab.events import Note, phase
from lab.exercises import progress
from lab.exercises.staging import renew
from lab.parallel import together
from lab.power import APP_S, restart
from lab.proof import require_answer, status_of
from lab.session import Session
from lab.topology import Role

ROOTS = ("etc", "home", "srv", "root", "usr/local", "var/www", "opt", "var/lib/lab", "var/spool/cron")
"""Where provisioning, exercises and students write, from the root folder."""
LEFT = (
    "usr/local/lib/node_modules", "usr/local/bin/node", "usr/local/bin/npm", "usr/local/bin/npx",
    "usr/local/bin/corepack", "usr/local/bin/pm2*", "usr/local/bin/sirv", "etc/ssh/ssh_host_*", "etc/machine-id",
    "home/*/.npm", "home/*/.cache", "home/*/.pm2/logs", "home/*/.pm2/*.pid", "home/*/.pm2/pids", "root/.npm",
    "root/.pm2/logs", "root/.pm2/*.pid", "root/.pm2/pids", "var/lib/lab/identity*",
)  # fmt: skip
"""What is never saved, replaced or removed: the box's tools, the machine's own keys, caches, logs."""
LIMIT_MB = 256
"""A host with more than this in ROOTS is refused; with the lab's own app it has 4 MB."""
KEEP = 3
"""So many automatic saves stay."""
SCRIPT_S = 180
ANSWER_S = 5
AUTOMATIC = "auto-"
_PACKED = "/var/tmp/lab-save.tar.gz"
_TOO_MUCH = 3


class Packed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One host's file: its size and SHA-256."""

    host: str
    bytes: int
    sha256: str


class Archived(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A save.

    Attributes:
        name: a label; automatic ones begin with `auto-`.
        when: ISO 8601 in UTC.
        hosts: what was saved.
        missing: hosts that did not let us in, and are not in it.
        serving: the backends whose app answered; a restore waits for these.
        app: what the backends ran.
        exercise: the one that was started last; empty for none.
    """

    name: str
    when: str
    hosts: tuple[Packed, ...]
    missing: tuple[str, ...] = ()
    serving: tuple[str, ...] = ()
    app: str = ""
    exercise: str = ""

    @property
    def bytes(self) -> int:
        """What it takes on the disk."""
        return sum(each.bytes for each in self.hosts)


def automatic_name() -> str:
    """A name for a save that nobody asked for by name: it tells the time in UTC."""
    return f"{AUTOMATIC}{datetime.now(UTC):%Y%m%d-%H%M%S}"


def saves(folder: Path) -> tuple[Archived, ...]:
    """The whole saves in a student's folder, the oldest first; damaged records count as none."""
    found = []
    for path in folder.glob("*/save.json"):
        with suppress(OSError, ValueError):  # msgspec's errors are ValueErrors
            found.append(msgspec.json.decode(path.read_bytes(), type=Archived))
    return tuple(sorted(found, key=lambda each: (each.when, each.name)))


def latest(folder: Path) -> Archived | None:
    """The newest save that has all hosts, else the newest; None without any."""
    found = saves(folder)
    whole = tuple(each for each in found if not each.missing)
    return (whole or found)[-1] if found else None


def find(folder: Path, name: str) -> Archived:
    """A student's save of that name; an empty one is the latest.

    Raises:
        UsageError: there is none.
    """
    named = next((each for each in saves(folder) if each.name == name), None) if name else latest(folder)
    if named is None:
        what = f"no save {name!r}" if name else "no save"
        raise UsageError(f"{folder.name}: there is {what}", "`lab class save` makes one")
    return named


def keep(session: Session, folder: Path, name: str, *, replace: bool = False, limit_mb: int = LIMIT_MB) -> Archived:
    """Save all hosts that let us in. The machines go on meanwhile; the caller holds the lab's lock.

    Args:
        session: the student's lab.
        folder: of the student's saves.
        name: of the save.
        replace: let it take the place of one of that name, which stays until the new one is whole.
        limit_mb: how much a host may have, in MiB.

    Raises:
        UsageError: the name is taken.
        HostUnreachable: no host lets us in.
        EnvironmentProblem: a host has too much, or the save cannot be written; no half save is left.
    """
    if (folder / name).exists() and not replace:
        raise UsageError(f"{folder.name}: has a save {name} already", "name another, or --replace")
    half = folder / f"{name}.partial"
    try:
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(mode=0o700, parents=True)
        made = _kept(session, half, name, limit_mb)
        _write(half / "save.json", msgspec.json.format(msgspec.json.encode(made), indent=2) + b"\n")
        _take_place(half, folder / name)
    except OSError as fault:
        raise EnvironmentProblem(f"{folder / name}: cannot be written: {fault.strerror}", "make room") from None
    finally:
        shutil.rmtree(half, ignore_errors=True)
    return made


def put_back(session: Session, folder: Path, name: str) -> Archived:
    """Make the save's hosts anew and bring them to what was saved; the caller holds the lab's lock.

    What was reached in exercises is not taken back; attempts that the lab's folder has lost come back.

    Args:
        session: the student's lab, which is up; what its hosts have is lost.
        folder: of the student's saves.
        name: of the save.

    Raises:
        UsageError: there is no such save, or the lab lacks a host of it.
        EnvironmentProblem: the save is damaged, in which case nothing was touched; or what failed: again goes on.
    """
    wanted = find(folder, name)
    names = tuple(each.host for each in wanted.hosts)
    known = {host.name for host in session.lab.hosts}
    if strangers := [name for name in names if name not in known]:
        raise UsageError(f"{wanted.name}: the lab has no host {', '.join(strangers)}", "lab.toml names the hosts")
    packed = {each.host: _checked(folder / wanted.name, each) for each in wanted.hosts}
    renew(session, names)
    with phase(session.listener, "put back", wanted.name):
        together(names, lambda host: _unpack(session, host, packed[host]))
        together(names, lambda host: restart(session, host))
        together(names, lambda host: _wait(session, host, wanted))
    _put_back_progress(session, folder / wanted.name, wanted)
    return wanted


def prune(folder: Path, keep: int = KEEP) -> None:
    """Remove all automatic saves but the newest few, and what an interrupted save has left.

    The newest automatic save that has all hosts stays in any case.
    """
    automatic = [each for each in saves(folder) if each.name.startswith(AUTOMATIC)]
    whole = [each.name for each in automatic if not each.missing][-1:]
    for each in automatic[: -keep or None]:
        if each.name not in whole:
            shutil.rmtree(folder / each.name, ignore_errors=True)
    for half in folder.glob("*.partial"):
        shutil.rmtree(half, ignore_errors=True)


def _kept(session: Session, half: Path, name: str, limit_mb: int) -> Archived:
    names = tuple(host.name for host in session.lab.hosts)
    with phase(session.listener, "save", ", ".join(names)):
        packed = dict(zip(names, together(names, lambda host: _pack(session, host, half, limit_mb)), strict=True))
    missing = tuple(host for host, found in packed.items() if found is None)
    if len(missing) == len(names):
        raise HostUnreachable(f"no save: {', '.join(names)} let nobody in", "`lab class status`, `lab class heal`")
    if missing:
        session.listener(Note(f"{', '.join(missing)} let nobody in and is not in the save", loud=True))
    attempts = session.home.path / progress.FOLDER
    if attempts.is_dir():
        shutil.copytree(attempts, half / progress.FOLDER)
    backends = [backend.name for backend in session.lab.backends]
    answers = together(backends, lambda host: status_of(session.lab, host, ANSWER_S))
    return Archived(
        name, progress.now(), tuple(found for found in packed.values() if found), missing,
        tuple(host for host, code in zip(backends, answers, strict=True) if code is not None),
        session.home.state().app, progress.active(session.home),
    )  # fmt: skip


def _pack(session: Session, name: str, into: Path, limit_mb: int) -> Packed | None:
    """A host's file; None when the host lets nobody in."""
    host = session.host(name)
    try:
        done = host.run(_script("pack", limit_mb), root=True, check=False, timeout_s=SCRIPT_S)
        if done.code == _TOO_MUCH:
            raise EnvironmentProblem(f"{session.home.folder.name}: {name} {done.stdout.strip()}", "remove it there")
        if not done.ok:
            raise CommandFailed(f"{session.home.folder.name}: {name}", done)
        found = host.get(_PACKED)
        host.run("rm -f %s", _PACKED, root=True)
    except HostUnreachable:
        return None
    _write(into / f"{name}.tar.gz", found)
    return Packed(name, len(found), hashlib.sha256(found).hexdigest())


def _unpack(session: Session, name: str, packed: Path) -> None:
    host = session.host(name)
    host.put(packed, _PACKED, mode="600")
    host.run(_script("unpack", 0), root=True, timeout_s=SCRIPT_S)


def _wait(session: Session, name: str, wanted: Archived) -> None:
    session.reachable_host(name, session.boot_s)
    if name in wanted.serving and session.lab[name].is_a(Role.BACKEND):
        require_answer(session.lab, name, APP_S * session.patience)


def _checked(folder: Path, each: Packed) -> Path:
    path = folder / f"{each.host}.tar.gz"
    try:
        sound = hashlib.sha256(path.read_bytes()).hexdigest() == each.sha256
    except OSError:
        sound = False
    if not sound:
        raise EnvironmentProblem(f"{path}: is damaged, and nothing was touched", "`lab class restore` an earlier save")
    return path


def _put_back_progress(session: Session, saved: Path, wanted: Archived) -> None:
    """The exercise that was under way; and attempts, where there are none of that number."""
    for path in _files(saved / progress.FOLDER):
        target = session.home.path / progress.FOLDER / path.relative_to(saved / progress.FOLDER)
        if not target.exists():
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    if wanted.exercise and progress.active(session.home) != wanted.exercise:
        progress.activate(session.home, wanted.exercise)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())


def _script(name: str, limit_mb: int) -> str:
    """One of our two shell scripts, with the folders in it."""
    text = (Path(__file__).parent / f"{name}.sh").read_text(encoding="utf-8")
    left = " -o ".join(f"-path '{pattern}'" for pattern in LEFT)
    values = {"@ROOTS@": " ".join(ROOTS), "@LEFT@": left, "@PACKED@": _PACKED, "@LIMIT@": str(limit_mb)}
    for word, value in values.items():
        text = text.replace(word, value)
    return text


def _write(path: Path, found: bytes) -> None:
    with path.open("xb") as file:
        file.write(found)


def _take_place(fresh: Path, target: Path) -> None:
    """A folder cannot be renamed over one that is not empty: the old one steps aside first."""
    aside = target.with_name(f"{target.name}.partial-old")
    shutil.rmtree(aside, ignore_errors=True)
    if target.exists():
        target.replace(aside)
    fresh.replace(target)
    shutil.rmtree(aside, ignore_errors=True)
