"""Saves at the teacher's: what a machine had is there again on one made anew, and what it lacked is gone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from lab.classes import archive
from lab.classes.archive import find, keep, latest, prune, put_back, saves
from lab.errors import CommandFailed, EnvironmentProblem, HostUnreachable, Result, UsageError
from lab.home import Home
from lab.host import quoted
from lab.machines.fake import FakeMachines
from lab.session import Session
from lab.topology import Lab

BOX = {"etc/motd": "welcome", "etc/nginx/nginx.conf": "the box's", "usr/local/bin/node": "node", "srv/old/file": "x"}
"""What every machine is made from."""


class Disk:
    """A host whose root is a folder; commands are really run, by us."""

    patience = 1.0

    def __init__(self, name: str, root: Path) -> None:
        self.name = name
        self.root = root
        self.is_away = False
        self.anew()

    def anew(self) -> None:
        """As from the box."""
        shutil.rmtree(self.root, ignore_errors=True)
        for path, text in {**BOX, "var/tmp/.keep": "", "etc/ssh/ssh_host_ed25519_key": self.name}.items():
            self.write(path, text)

    def write(self, path: str, text: str) -> None:
        """A file on it."""
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def run(
        self, command: str, *args: object, user: str = "", root: bool = False, check: bool = True,
        timeout_s: float = 60, env: Mapping[str, str] | None = None,
    ) -> Result:  # fmt: skip
        """Run it as if the folder were /."""
        if self.is_away:
            raise HostUnreachable(f"{self.name}: no SSH")
        text = (
            quoted(command, *args).replace("cd /\n", f"cd {self.root}\n").replace("/var/tmp/", f"{self.root}/var/tmp/")
        )
        done = subprocess.run(["sh", "-c", text], capture_output=True, text=True, check=False)
        result = Result(text, done.returncode, done.stdout, done.stderr)
        if check and not result.ok:
            raise CommandFailed(self.name, result)
        return result

    def put(self, content: bytes | Path, to: str, *, mode: str = "644", owner: str = "root:root") -> None:
        """Write it in the folder."""
        found = content if isinstance(content, bytes) else content.read_bytes()
        (self.root / to.lstrip("/")).write_bytes(found)

    def get(self, path: str) -> bytes:
        """Read it there."""
        return (self.root / path.lstrip("/")).read_bytes()

    def close(self) -> None:
        """Nothing is open."""


Disks = dict[str, Disk]


@pytest.fixture
def disks(tmp_path: Path) -> Disks:
    """The machines of a lab."""
    return {host.name: Disk(host.name, tmp_path / "disks" / host.name) for host in Lab().hosts}


@pytest.fixture
def session(home: Home, disks: Disks, monkeypatch: pytest.MonkeyPatch) -> Session:
    """The lab of these machines; both backends serve."""

    def renew(session: Session, names: tuple[str, ...]) -> None:
        for name in names:
            disks[name].anew()

    monkeypatch.setattr(Session, "host", lambda self, name: disks[name])
    monkeypatch.setattr(Session, "reachable_host", lambda self, name, within_s: disks[name])
    monkeypatch.setattr(archive, "renew", renew)
    monkeypatch.setattr(archive, "restart", lambda session, name: None)
    monkeypatch.setattr(archive, "status_of", lambda lab, name, within_s: 200)
    monkeypatch.setattr(archive, "require_answer", lambda lab, name, within_s: None)
    return Session(Lab(), home, "lxc", FakeMachines(Lab()))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A student's saves."""
    return tmp_path / "saves" / "ayu"


def test_a_restored_machine_is_as_it_was_saved(session: Session, disks: Disks, folder: Path) -> None:
    """Changed, added, removed, odd names, links, modes; and kinds that have changed places since."""
    akuma = disks["akuma"]
    akuma.write("etc/nginx/nginx.conf", "the student's")
    akuma.write("home/vagrant/answers\nof 'mine'.txt", "42")
    akuma.write("srv/run.sh", "#!/bin/sh")
    (akuma.root / "srv/run.sh").chmod(0o751)
    (akuma.root / "srv/link").symlink_to("/etc")
    (akuma.root / "etc/motd").unlink()
    shutil.rmtree(akuma.root / "srv/old")
    akuma.write("srv/old", "a file where the box has a folder")
    before = _tree(akuma)
    made = keep(session, folder, "one")
    assert [each.host for each in made.hosts] == ["akuma", "voxy", "zero"] and not made.missing
    assert made.serving == ("voxy", "zero") and made.bytes > 0
    akuma.anew()
    put_back(session, folder, "one")
    assert _tree(akuma) == before
    assert (akuma.root / "srv/run.sh").stat().st_mode & 0o777 == 0o751
    assert not (akuma.root / "etc/motd").exists()
    assert not list((akuma.root / "var/tmp").glob("lab-*"))


def test_what_is_the_machines_own_is_neither_saved_nor_removed(session: Session, disks: Disks, folder: Path) -> None:
    """Its host key, the box's tools; caches and logs."""
    akuma = disks["akuma"]
    akuma.write("home/vagrant/.pm2/logs/out.log", "much")
    akuma.write("home/vagrant/.pm2/dump.pm2", "[]")
    keep(session, folder, "one")
    packed = subprocess.run(
        ["tar", "-tzf", folder / "one" / "akuma.tar.gz"], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "home/vagrant/.pm2/dump.pm2" in packed and "etc/nginx/nginx.conf" in packed
    assert not [path for path in packed if "ssh_host" in path or "logs" in path or path.endswith("bin/node")]
    akuma.write("etc/ssh/ssh_host_ed25519_key", "another")
    put_back(session, folder, "one")
    assert akuma.get("/etc/ssh/ssh_host_ed25519_key") == b"akuma"
    assert akuma.get("/usr/local/bin/node") == b"node"


def test_a_host_that_lets_nobody_in_is_left_out_and_named(session: Session, disks: Disks, folder: Path) -> None:
    """The others are saved; when nobody lets us in there is no save at all."""
    disks["zero"].is_away = True
    made = keep(session, folder, "one")
    assert made.missing == ("zero",) and [each.host for each in made.hosts] == ["akuma", "voxy"]
    for disk in disks.values():
        disk.is_away = True
    with pytest.raises(HostUnreachable, match="let nobody in"):
        keep(session, folder, "two")
    assert [path.name for path in folder.iterdir()] == ["one"]


def test_too_much_is_refused_with_the_largest_file(session: Session, disks: Disks, folder: Path) -> None:
    """And nothing half done is left."""
    disks["voxy"].write("srv/film", "x" * 3 * 2**20)
    with pytest.raises(EnvironmentProblem, match=r"voxy has 3 MiB to save, more than 2; .* /srv/film with 3 MiB"):
        keep(session, folder, "one", limit_mb=2)
    assert not list(folder.iterdir())
    assert keep(session, folder, "one", limit_mb=4).name == "one"


def test_a_name_is_used_once_unless_it_is_replaced(session: Session, disks: Disks, folder: Path) -> None:
    """A replaced save is the new one, and nothing is beside it."""
    keep(session, folder, "one")
    with pytest.raises(UsageError, match="has a save one already"):
        keep(session, folder, "one")
    disks["akuma"].write("srv/new", "later")
    keep(session, folder, "one", replace=True)
    put_back(session, folder, "one")
    assert disks["akuma"].get("/srv/new") == b"later"
    assert [path.name for path in folder.iterdir()] == ["one"]


def test_a_damaged_save_is_refused_before_anything_is_touched(session: Session, disks: Disks, folder: Path) -> None:
    """One changed byte, or a file that is gone."""
    keep(session, folder, "one")
    disks["akuma"].write("srv/work", "since")
    packed = folder / "one" / "zero.tar.gz"
    found = bytearray(packed.read_bytes())
    found[-1] ^= 1
    for damage in (lambda: packed.write_bytes(bytes(found)), packed.unlink):
        damage()
        with pytest.raises(EnvironmentProblem, match=r"zero\.tar\.gz: is damaged, and nothing was touched"):
            put_back(session, folder, "one")
    assert disks["akuma"].get("/srv/work") == b"since"


def test_an_interrupted_save_is_none(
    session: Session, disks: Disks, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one before stays, and what is left of a killed one is swept away."""
    keep(session, folder, "one")

    def interrupted(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(archive, "status_of", interrupted)
    with pytest.raises(KeyboardInterrupt):
        keep(session, folder, "one", replace=True)
    (folder / "two.partial").mkdir()
    assert [each.name for each in saves(folder)] == ["one"]
    prune(folder)
    assert [path.name for path in folder.iterdir()] == ["one"]


def test_the_newest_automatic_saves_stay_and_always_a_whole_one(folder: Path) -> None:
    """Saves that somebody named are never removed."""
    for number in range(1, 7):
        _record(folder, f"auto-{number}", number, missing=("zero",) if number > 2 else ())
    _record(folder, "mine", 0)
    prune(folder, keep=2)
    assert [each.name for each in saves(folder)] == ["mine", "auto-2", "auto-5", "auto-6"]


def test_the_latest_is_the_newest_whole_one(folder: Path) -> None:
    """Where none is whole, the newest; without any, none."""
    assert latest(folder) is None
    with pytest.raises(UsageError, match="there is no save"):
        find(folder, "")
    _record(folder, "a", 1, missing=("zero",))
    assert find(folder, "").name == "a"
    _record(folder, "b", 2)
    _record(folder, "c", 3, missing=("zero",))
    assert find(folder, "").name == "b"
    assert find(folder, "c").missing == ("zero",)
    (folder / "d").mkdir()
    (folder / "d" / "save.json").write_text("{")
    assert [each.name for each in saves(folder)] == ["a", "b", "c"]
    with pytest.raises(UsageError, match="no save 'd'"):
        find(folder, "d")


def test_attempts_come_back_only_where_they_are_lost(session: Session, folder: Path, home: Home) -> None:
    """What was reached since is not taken back; the exercise is the one of then."""
    attempt = home.path / "exercises" / "practice" / "01-hello" / "1.json"
    attempt.parent.mkdir(parents=True)
    attempt.write_text("then")
    (home.path / "exercises" / "practice" / "active").write_text("01-hello\n")
    keep(session, folder, "one")
    attempt.write_text("now")
    (home.path / "exercises" / "practice" / "active").write_text("02-other\n")
    put_back(session, folder, "one")
    assert attempt.read_text() == "now"
    assert (home.path / "exercises" / "practice" / "active").read_text() == "01-hello\n"
    shutil.rmtree(home.path / "exercises")
    put_back(session, folder, "one")
    assert attempt.read_text() == "then"


def test_a_save_of_another_lab_is_refused(session: Session, folder: Path) -> None:
    """Nothing is made anew for a host that the lab does not have."""
    _record(folder, "one", 1, host="mail")
    with pytest.raises(UsageError, match="the lab has no host mail"):
        put_back(session, folder, "one")


def _record(folder: Path, name: str, when: int, *, missing: tuple[str, ...] = (), host: str = "akuma") -> None:
    (folder / name).mkdir(parents=True)
    told = {
        "name": name, "when": f"2026-01-01T00:00:0{when}+00:00", "missing": missing,
        "hosts": [{"host": host, "bytes": 1, "sha256": "00"}],
    }  # fmt: skip
    (folder / name / "save.json").write_text(json.dumps(told))


def _tree(disk: Disk) -> dict[str, str]:
    """Everything below the saved folders: path → what it is."""

    def told(path: Path) -> str:
        if path.is_symlink():
            return f"→ {os.readlink(path)}"
        return "folder" if path.is_dir() else path.read_text()

    tops = (disk.root / top for top in ("etc", "home", "srv", "usr"))
    return {str(path.relative_to(disk.root)): told(path) for top in tops for path in sorted(top.rglob("*"))}
