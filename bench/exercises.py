"""Measures what the README states of exercises: start, check and watch, medians over all of them, on real guests.

    python bench/exercises.py [RUNS]

It makes a lab in a temporary folder on 192.168.62.0/24, with the app `hello`, and removes it.
"""

from __future__ import annotations

import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.up import timed
from lab.exercises.exercise import names
from lab.exercises.watching import Watcher
from tests.realm import Realm

CHANGES = 10
IDLE_S = 60
_TICKS = os.sysconf("SC_CLK_TCK")


def check(realm: Realm, name: str) -> None:
    """A check, whatever it finds; that it breaks is no figure."""
    done = realm.lab("exercise", "check", name, "--json")
    if done.returncode not in (0, 1):
        sys.exit(f"lab exercise check {name} ended with {done.returncode}:\n{done.stderr}")


def reset(realm: Realm, name: str) -> None:
    """The starting state, from the one that the last exercise left."""
    done = realm.lab("exercise", "reset", name, "--json")
    if done.returncode != 0:
        sys.exit(f"lab exercise reset {name} ended with {done.returncode}:\n{done.stderr}")


def measure(realm: Realm, runs: int) -> dict[str, tuple[list[float], list[float]]]:
    """Seconds of start and of check for each exercise, run by run."""
    found: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in names()}
    for _ in range(runs):
        for name, (starts, checks) in found.items():
            starts.append(timed(lambda name=name: reset(realm, name)))  # type: ignore[misc]  # mypy knows no defaults
            checks.append(timed(lambda name=name: check(realm, name)))  # type: ignore[misc]
    return found


def measure_watch(realm: Realm) -> tuple[list[float], float]:
    """Seconds from a change to its notice, and the watcher's share of an idle guest's core, in percent."""
    seen = []
    with Watcher(realm.home.ssh_config, ["akuma", "voxy", "zero"]) as watcher:
        watcher.mark()
        before = ticks(realm)
        time.sleep(IDLE_S)
        share = 100 * (ticks(realm) - before) / _TICKS / IDLE_S
        for number in range(CHANGES):
            realm.ssh("akuma", f"sudo touch /etc/nginx/bench-{number}")
            began = time.monotonic()
            if watcher.wait_for_change(None, 10) != "change":
                sys.exit("a change was not noticed within 10 s")
            seen.append(time.monotonic() - began)
    return seen, share


def ticks(realm: Realm) -> int:
    """Processor time that the watcher on akuma has used so far."""
    shown = realm.ssh("akuma", "for p in $(pgrep -x perl); do cut -d' ' -f14,15 /proc/$p/stat; done")
    return sum(int(word) for word in shown.split())


def main() -> None:
    """Measure, print tables, leave nothing."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    with tempfile.TemporaryDirectory() as folder:
        realm = Realm.make(Path(folder), 62)
        try:
            done = realm.lab("up", "--app", "hello", timeout_s=600)
            if done.returncode != 0:
                sys.exit(done.stderr)
            found = measure(realm, runs)
            seen, share = measure_watch(realm)
        finally:
            realm.remove()
    print(f"{platform.platform()}, {os.cpu_count()} cores, {runs} runs\n")
    print("| exercise | start, median | check, median |\n|---|---|---|")
    for name, (starts, checks) in found.items():
        print(f"| {name} | {statistics.median(starts):.1f} s | {statistics.median(checks):.1f} s |")
    every = [[second for pair in found.values() for second in pair[column]] for column in (0, 1)]
    print(f"| all, slowest run | {max(every[0]):.1f} s | {max(every[1]):.1f} s |")
    print(
        f"\na change was noticed after {statistics.median(seen):.2f} s (median of {CHANGES}, slowest {max(seen):.2f} s)"
    )
    print(f"watching costs {share:.2f} % of a core on a guest while nothing changes")


if __name__ == "__main__":
    main()
