"""Measures what the README states of `lab up`: medians over some runs, on real guests.

    python bench/up.py [RUNS]

It makes a lab in a temporary folder on 192.168.62.0/24, with the app `hello`, and removes it.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.realm import LAB, Realm


def timed(act: Callable[[], object]) -> float:
    """Seconds that a call takes."""
    began = time.monotonic()
    act()
    return time.monotonic() - began


def checked(realm: Realm, *argv: str) -> None:
    """A command of the lab that must succeed."""
    done = realm.lab(*argv, timeout_s=900)
    if done.returncode != 0:
        sys.exit(f"lab {' '.join(argv)} ended with {done.returncode}:\n{done.stderr}")


def measure(realm: Realm, runs: int) -> dict[str, list[float]]:
    """Seconds of each command, run by run."""
    found: dict[str, list[float]] = {}

    def note(what: str, act: Callable[[], object]) -> None:
        found.setdefault(what, []).append(timed(act))

    for _ in range(runs):
        note("lab up, box in cache", lambda: checked(realm, "up", "--app", "hello"))
        note("lab up, running lab", lambda: checked(realm, "up"))
        note("lab provision, nothing to change", lambda: checked(realm, "provision"))
        note("lab status", lambda: checked(realm, "status"))
        note("lab reboot voxy", lambda: checked(realm, "reboot", "voxy"))
        note("lab --help", lambda: subprocess.run([*LAB, "--help"], check=True, capture_output=True))
        note("lab destroy", lambda: checked(realm, "destroy", "--yes"))
    return found


def main() -> None:
    """Measure, print a table, leave nothing."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as folder:
        realm = Realm.make(Path(folder), 62)
        try:
            checked(realm, "box", "build", "--app", "hello")
            found = measure(realm, runs)
        finally:
            realm.remove()
    print(f"{platform.platform()}, {os.cpu_count()} cores, {runs} runs\n")
    print("| what | median | slowest |\n|---|---|---|")
    for what, seconds in found.items():
        print(f"| {what} | {statistics.median(seconds):.1f} s | {max(seconds):.1f} s |")


if __name__ == "__main__":
    main()
