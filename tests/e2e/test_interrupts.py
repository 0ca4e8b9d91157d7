"""Labs that are interrupted, refused or destroyed: they go on, say why, and leave nothing."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.realm import Realm, interrupt, wait_for_line


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_up_goes_on(fresh_realm: Callable[..., Realm], number: signal.Signals) -> None:
    """Ctrl-C reaches the whole group, SIGTERM only us: both exit 130 with a sentence, and `up` goes on."""
    realm = fresh_realm()
    running = realm.start("up", "--app", "hello")
    wait_for_line(running, "boot and provision")
    said = interrupt(running, number)
    assert running.returncode == 130, said
    assert "`lab up` goes on from here" in said
    assert "Traceback" not in said
    assert realm.lab("up").returncode == 0
    assert realm.ask(10).keys() == {"voxy", "zero"}


def test_destroy_removes_a_half_made_lab(fresh_realm: Callable[..., Realm]) -> None:
    """After kill -9 in the middle of `up`, destroy leaves no container, bridge, route, rule or process."""
    realm = fresh_realm()
    running = realm.start("up", "--app", "hello")
    wait_for_line(running, "boot and provision")
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate(timeout=60)
    realm.remove()
    assert {entry.name for entry in realm.home.path.iterdir()} <= {"lock", "logs"}


def test_destroy_works_without_memory(fresh_realm: Callable[..., Realm]) -> None:
    """Also when `.lab/` is gone, for names come from the folder's path."""
    realm = fresh_realm()
    assert realm.lab("up", "--app", "hello").returncode == 0
    assert len(realm.leftovers()) > 0
    subprocess.run(["rm", "-rf", str(realm.home.path)], check=True)
    realm.remove()


@pytest.fixture
def taken_subnet() -> Iterator[str]:
    """An interface of somebody else's in 192.168.60.0/24."""
    name = "othernet0"
    subprocess.run(["ip", "link", "add", name, "type", "bridge"], check=True)
    try:
        subprocess.run(["ip", "address", "add", "192.168.60.1/24", "dev", name], check=True)
        yield name
    finally:
        subprocess.run(["ip", "link", "delete", name], check=True)


def test_subnet_in_use_names_the_interface(tmp_path: Path, taken_subnet: str) -> None:
    """Nothing is made on a network of somebody else."""
    realm = Realm.make(tmp_path / "taken", 60)
    done = realm.lab("up", "--app", "hello")
    assert done.returncode == 4
    assert f"interface {taken_subnet} has 192.168.60.1/24" in done.stderr
    assert not [line for line in realm.leftovers() if realm.home.id in line]


def test_missing_vagrant_is_named_with_the_command_that_brings_it(tmp_path: Path) -> None:
    """Every missing tool at once, before anything is touched."""
    realm = Realm.make(tmp_path / "bare", 61)
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("git", "ssh", "ssh-keygen"):
        (tools / tool).symlink_to(f"/usr/bin/{tool}")
    done = realm.lab("up", "--provider", "lxc", env={"PATH": str(tools)})
    assert done.returncode == 4
    assert "vagrant: not installed" in done.stderr
    assert "sudo apt-get install vagrant" in done.stderr
    assert realm.leftovers() == []


def test_full_disk_is_named_before_anything_is_written(tmp_path: Path) -> None:
    """On a file system of 10 MiB doctor and box build refuse, with the space that there is."""
    realm = Realm.make(tmp_path / "full", 61)
    cache = tmp_path / "cache"
    cache.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=10m", "tmpfs", str(cache)], check=True)
    try:
        done = realm.lab("doctor", env={"LAB_CACHE": str(cache)})
        assert done.returncode == 4
        assert f"only 0.0 GiB are free in {cache}; the lab needs 3 GiB" in done.stdout
        done = realm.lab("box", "build", "--app", "hello", env={"LAB_CACHE": str(cache)})
        assert done.returncode == 4
        assert "the lab needs 3 GiB" in done.stderr
    finally:
        subprocess.run(["umount", str(cache)], check=True)
    assert realm.leftovers() == []
