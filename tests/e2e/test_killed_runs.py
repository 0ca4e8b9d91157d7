"""A run of the tests that is killed leaves what it had made, and the next run takes it away."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import killed_runs
from tests.cluster_leftovers import alive, processes
from tests.lxd import FORWARD
from tests.realm import CHECKOUT, Realm, wait_for_line
from tests.strangers import Strangers

A_LAB = """
realm = Realm.make(folder, 66)
done = realm.lab("up", "--provider", "lxc", "--app", "hello")
assert done.returncode == 0, done.stderr
"""
AT_LXD = """
with daemon() as lxd:
    realm = Realm.make(folder, 66, f'[engine]\\nurl = "{lxd.socket}"').small()
    lab = load(realm.folder / "lab.toml")
    realm.home.make()
    up.prepare(Session(lab, realm.home, "lxd", machines_for(lab, realm.home, "lxd")), obtain(resolve("hello")))
    print("at", lxd.folder, flush=True)
    sleep(600)
"""
STRANGERS = "Strangers.make(folder, 66)"
_RUN = """
import sys
from pathlib import Path
from time import sleep
from lab import up
from lab.apps.profile import resolve
from lab.apps.source import obtain
from lab.config import load
from lab.machines.choose import machines_for
from lab.session import Session
from tests.lxd import daemon
from tests.realm import Realm
from tests.strangers import Strangers
folder = Path(sys.argv[1])
{made}
print("made", flush=True)
sleep(600)
"""


@pytest.fixture(autouse=True)
def own_notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What this run itself has written down is not touched, nor is what another one has left."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)


@contextmanager
def run(made: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A run of the tests that has begun to make something, and does not end by itself; killed at the end."""
    with subprocess.Popen(
        [sys.executable, "-c", _RUN.format(made=made), folder], cwd=CHECKOUT, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def test_a_lab(tmp_path: Path) -> None:
    """It is there while its run lives, and when that was killed; the next run removes it and says so."""
    folder = tmp_path / "lab"
    realm = Realm(folder, 66)
    try:
        with run(A_LAB, folder) as process:
            wait_for_line(process, "made")
            assert list(killed_runs.take_away()) == []
            assert realm.ask().keys() == {"voxy", "zero"}
        assert realm.leftovers() != []
        assert list(killed_runs.take_away()) == [f"lab in {folder}"]
        assert realm.leftovers() == []
        assert list(killed_runs.take_away()) == []
    finally:
        if realm.leftovers():
            realm.remove()


@pytest.mark.parametrize("daemon_too", [False, True])
def test_an_lxd_with_a_labs_network(tmp_path: Path, daemon_too: bool) -> None:
    """Whether the daemon lives on, as it does in a session of its own, or was killed too."""
    forwarding, folder, lxd = FORWARD.read_text(), tmp_path / "lab", Path()
    realm = Realm(folder, 66)
    try:
        with run(AT_LXD, folder) as process:
            assert process.stdout
            lxd = Path(next(line for line in process.stdout if line.startswith("at ")).split()[1])
        if daemon_too:
            for pid in processes(lxd):
                os.kill(pid, signal.SIGKILL)
        assert realm.leftovers() != [] and lxd.exists()
        assert list(killed_runs.take_away()) == [f"lxd in {lxd}", f"lab in {folder}"]
        assert realm.leftovers() == []
        assert not lxd.exists() and not [pid for pid in processes(lxd) if alive(pid)]
    finally:
        FORWARD.write_text(forwarding)


def test_machines_that_the_lab_did_not_make(tmp_path: Path) -> None:
    """Their containers are known to nobody but the run that made them."""
    folder = tmp_path / "machines"
    with run(STRANGERS, folder) as process:
        wait_for_line(process, "made")
    strangers = Strangers.known_by(folder, 66)
    assert strangers.are_here()
    assert list(killed_runs.take_away()) == [f"strangers in {folder}"]
    assert not strangers.are_here()


def test_a_number_that_was_given_again(tmp_path: Path) -> None:
    """A note whose process has the number of a living one, and is not it."""
    killed_runs.write_down("lab", tmp_path, subnet=66)
    (note,) = (tmp_path / f"lab-tests-{os.getuid()}").glob("*.json")
    text = note.read_text()
    assert list(killed_runs.take_away()) == [] and note.exists()
    note.write_text(text.replace('"began":"', '"began":"1'))
    assert list(killed_runs.take_away()) == [] and not note.exists()
    shutil.rmtree(note.parent)
