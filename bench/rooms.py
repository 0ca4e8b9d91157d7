"""Labs for measuring: a folder with a lab.toml of so many backends, on a subnet of its own, removed afterwards."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.realm import Realm

FIRST = int(os.environ.get("BENCH_SUBNET", "83"))
"""The benches use 192.168.N.0/24 for N from here on, ten of them when ten labs stand side by side."""
UP_S = 900


def toml(subnet: int, backends: int) -> str:
    """A lab.toml for LXC: akuma, and as many backends as asked for."""
    hosts = [("akuma", 10, "balancer"), *((f"b{number:02}", 11 + number, "backend") for number in range(backends))]
    entries = [
        f'[[host]]\nname = "{name}"\naddress = "192.168.{subnet}.{last}"\nroles = ["{role}"]\n'
        for name, last, role in hosts
    ]
    return f'name = "bench"\nprovider = "lxc"\nsubnet = "192.168.{subnet}.0/24"\n' + "".join(entries)


@contextmanager
def rooms(count: int = 1, backends: int = 2) -> Iterator[tuple[Realm, ...]]:
    """So many labs side by side, not yet up; what was brought up is removed, with proof."""
    with tempfile.TemporaryDirectory(prefix="lab-bench-") as folder, ExitStack() as undo:
        made = []
        for number in range(count):
            realm = Realm(Path(folder) / f"room-{number}", FIRST + number)
            realm.folder.mkdir()
            (realm.folder / "lab.toml").write_text(toml(realm.subnet, backends))
            undo.callback(realm.remove)
            made.append(realm)
        yield tuple(made)


def checked(realm: Realm, *argv: str) -> str:
    """A command of the lab that must succeed; what it printed."""
    done = realm.lab(*argv, timeout_s=UP_S)
    if done.returncode != 0:
        sys.exit(f"lab {' '.join(argv)} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


def build_box() -> None:
    """Our box, where it is not in the cache yet; no part times that."""
    with rooms() as (realm,):
        checked(realm, "box", "build", "--app", "hello")
