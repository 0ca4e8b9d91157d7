"""Measures saves: how long one takes, and how long it takes to be back; on real guests.

    python bench/saves.py [RUNS] [SUBNET]

It makes a lab in a temporary folder on 192.168.SUBNET.0/24 (62), with the app `hello`, and removes it. It measures
twice: as the lab is after `up`, and with 40,000 files of 9 kB written on each backend, as a student's `npm ci` leaves
them. Beside that it copies what was saved, which is what going back by copying would have to do.
"""

from __future__ import annotations

import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.up import checked, timed
from tests.realm import Realm

NAMES = {"akuma": 10, "voxy": 11, "zero": 12}
MANY = "mkdir -p files && head -c 360000000 /dev/urandom | split -b 9000 -a 5 - files/"
PATIENCE_S = 120


def until(what: str, seen: Callable[[], bool]) -> float:
    """The time at which something was first seen."""
    deadline = time.monotonic() + PATIENCE_S
    while not seen():
        if time.monotonic() > deadline:
            sys.exit(f"{what}: not seen within {PATIENCE_S} s")
        time.sleep(0.01)
    return time.monotonic()


def first_process(realm: Realm, name: str) -> str:
    """The process id of a guest's init here; empty when it is off."""
    argv = ["lxc-info", "--name", f"lab-{realm.home.id}-{name}", "--pid", "--no-humanize"]
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()


def greets(realm: Realm, last: int) -> bool:
    """Whether a guest's SSH answers."""
    try:
        with socket.create_connection((f"192.168.{realm.subnet}.{last}", 22), timeout=1) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def asked(realm: Realm) -> str:
    """Who answers through akuma; empty for nobody."""
    try:
        return "".join(realm.ask(1))
    except OSError:
        return ""


def restore(realm: Realm, name: str) -> tuple[float, float, float]:
    """Seconds until all hosts answer by SSH, until the command has ended, and until the site is balanced.

    Nobody asks the site before the command has ended: who does meets backends that are not up yet, and nginx leaves
    those out for `fail_timeout`, 10 s.
    """
    before = {host: first_process(realm, host) for host in NAMES}
    began = time.monotonic()
    running = realm.start("restore", name)
    for host in NAMES:
        until(f"{host} anew", lambda host=host: first_process(realm, host) not in ("", before[host]))  # type: ignore[misc]
    for host, last in NAMES.items():
        ssh = until(f"ssh on {host}", lambda last=last: greets(realm, last))  # type: ignore[misc]
    said, _ = running.communicate(timeout=PATIENCE_S)
    ended = time.monotonic()
    if running.returncode != 0:
        sys.exit(said)
    answered: set[str] = set()

    def both() -> bool:
        answered.add(asked(realm))
        return answered >= {"voxy", "zero"}

    balanced = until("answers from both backends", both)
    return ssh - began, ended - began, balanced - began


def copy(realm: Realm) -> float:
    """Seconds for copying the newest saved layer of both backends at once."""
    folders = [Path("/var/lib/lxc") / f"lab-{realm.home.id}-{name}" for name in ("voxy", "zero")]
    layers = [max(folder.glob("saves/*/layer"), key=lambda layer: layer.parent.stat().st_mtime) for folder in folders]
    copies = [folder / "copy" for folder in folders]
    began = time.monotonic()
    running = [subprocess.Popen(["cp", "-a", layer, to]) for layer, to in zip(layers, copies, strict=True)]
    codes = [each.wait() for each in running]
    took = time.monotonic() - began
    subprocess.run(["rm", "-rf", *copies], check=True)
    return took if not any(codes) else sys.exit("a copy failed")


def measure(realm: Realm, name: str, runs: int) -> dict[str, list[float]]:
    """Seconds of saving what is there, and of going back to it from a clean lab, run by run."""
    found = {"lab save": [timed(lambda: checked(realm, "save", name, "--replace")) for _ in range(runs)]}
    for _ in range(runs):
        checked(realm, "restore", "clean")
        ssh, ended, balanced = restore(realm, name)
        found.setdefault("lab restore, until all hosts answer by SSH", []).append(ssh)
        found.setdefault("lab restore, until the command has ended: all serve", []).append(ended)
        found.setdefault("lab restore, until the site is balanced", []).append(balanced)
        found.setdefault("a copy of the saved layers, both backends at once", []).append(copy(realm))
    return found


def main() -> None:
    """Measure, print tables, leave nothing."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as folder:
        realm = Realm.make(Path(folder), int(sys.argv[2]) if len(sys.argv) > 2 else 62)
        try:
            checked(realm, "up", "--app", "hello")
            checked(realm, "save", "clean")
            found = {"as after `up`": measure(realm, "light", runs)}
            for name in ("voxy", "zero"):
                realm.ssh(name, MANY)
            found["40,000 files of 9 kB on each backend"] = measure(realm, "many-files", runs)
        finally:
            realm.remove()
    print(f"{platform.platform()}, {os.cpu_count()} cores, {runs} runs\n")
    for when, table in found.items():
        print(f"| {when} | median | slowest |\n|---|---|---|")
        for what, seconds in table.items():
            print(f"| {what} | {statistics.median(seconds):.1f} s | {max(seconds):.1f} s |")
        print()


if __name__ == "__main__":
    main()
