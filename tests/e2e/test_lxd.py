"""A lab at an LXD, from nothing to nothing, by the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lxd import Daemon, daemon
from tests.realm import Realm

UP = ("up", "--provider", "lxd", "--app", "hello")


@pytest.fixture
def lxd() -> Iterator[Daemon]:
    """An LXD of this test's own, which must be empty afterwards."""
    with daemon() as made:
        yield made
        assert made.leftovers() == []


def test_life_of_a_lab(lxd: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Up, judged, saved, restored, renewed by an exercise, and gone; a second `up` changes nothing."""
    monkeypatch.setenv("LXD_DIR", str(lxd.folder))
    realm = Realm.make(tmp_path / "lab", 63)
    try:
        first = realm.lab(*UP, timeout_s=900)
        assert first.returncode == 0, first.stderr
        again = realm.json("up")
        assert (again["provider"], again["booted"], {host["changed"] for host in again["hosts"]}) == ("lxd", [], {0})
        assert {host["app"] for host in realm.status().values()} == {None, "serving"}
        assert realm.ssh("voxy", "systemctl is-system-running --wait") == "running"
        assert realm.ssh("voxy", "awk '{print ($2 > 65536)}' /proc/self/uid_map") == "1"

        judged = realm.lab("scenario", "kill-voxy")
        assert judged.returncode == 0, judged.stdout + judged.stderr

        realm.ssh("voxy", "touch ~/before")
        assert realm.lab("save", "one").returncode == 0
        realm.ssh("voxy", "rm ~/before; touch ~/after")
        assert realm.lab("restore", "one").returncode == 0
        assert realm.ssh("voxy", "cd && ls -d before after 2>/dev/null; true") == "before"
        assert realm.ask(6).keys() == {"voxy", "zero"}

        realm.ssh("akuma", "touch ~/mine")
        started = realm.lab("exercise", "start", "hello-web")
        assert started.returncode == 0, started.stderr
        assert realm.ssh("akuma", "ls ~/mine 2>/dev/null; true") == ""
        assert [(each["provider"], each["running"]) for each in realm.json("list") if each["id"] == realm.home.id] == [
            ("lxd", 3)
        ]
    finally:
        realm.remove()


def test_no_lxd_is_one_sentence(tmp_path: Path) -> None:
    """Nothing is made; the socket is named, and what to do."""
    realm = Realm.make(tmp_path / "lab", 63)
    done = realm.lab(*UP, env={"LXD_DIR": str(tmp_path / "nowhere")})
    assert done.returncode == 4
    assert f"lab: {tmp_path}/nowhere/unix.socket: LXD does not run\n" in done.stderr
    assert "Traceback" not in done.stderr
    assert realm.leftovers() == []


def test_no_virtual_machines_is_one_sentence(lxd: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where LXD starts none, nothing is made, and the way with containers is told."""
    monkeypatch.setenv("LXD_DIR", str(lxd.folder))
    if "qemu" in lxd.lxd().info["environment"]["driver"]:
        pytest.skip("this computer's LXD starts virtual machines")
    realm = Realm.make(tmp_path / "lab", 63)
    done = realm.lab(*UP, "--vm")
    assert done.returncode == 4
    first, mend = done.stderr.strip().splitlines()[-2:]
    assert first.endswith("LXD starts no virtual machines there") and "virtual machines cannot be made" in first
    assert "leave --vm" in mend
    assert realm.leftovers() == []
