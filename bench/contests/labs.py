"""Memory and disk of one lab of three, and of ten side by side."""

from __future__ import annotations

import time
from pathlib import Path

from bench.contests.result import Result
from bench.figures import Row, Series, Table, Target
from bench.rooms import build_box, checked, rooms
from bench.surroundings import folder_mib, used_memory
from lab import home
from lab.boxes import store
from lab.names import container_prefix
from tests.realm import Realm

MANY = 10
SETTLE_S = 10
MOST_GIB = 6.0
CONTAINERS = Path("/var/lib/lxc")


def run(_runs: int) -> Result:
    """One by one up to ten; each must serve from both backends while all the others run. Never repeated."""
    build_box()
    before = used_memory()
    grown, disks, seconds = [], [], []
    with rooms(MANY) as labs:
        for number, realm in enumerate(labs, start=1):
            began = time.monotonic()
            checked(realm, "up", "--app", "hello")
            seconds.append(time.monotonic() - began)
            if number in (1, MANY):
                time.sleep(SETTLE_S)
                grown.append(used_memory() - before)
                disks.append(folder_mib(*(folder for each in labs[:number] for folder in folders(each))))
            print(f"  lab {number} up after {seconds[-1]:.1f} s, memory +{used_memory() - before:.0f} MiB", flush=True)
        serving = [
            len([name for name, count in realm.ask(20).items() if name.startswith("b") and count]) for realm in labs
        ]
    return judged(grown, disks, seconds, serving)


def folders(realm: Realm) -> list[Path]:
    """What a lab of its own takes: its folder, and what its guests have written over their box."""
    return [realm.folder, *CONTAINERS.glob(f"{container_prefix(realm.home)}*")]


def judged(grown: list[float], disks: list[float], seconds: list[float], serving: list[int]) -> Result:
    """The table, and the promise: ten labs of three within 6 GiB."""
    rows = [
        Row(what, (Series((grown[at],), "MiB", 0), Series((disks[at],), "MiB", 0), Series((spent,))))
        for at, (what, spent) in enumerate((("one lab", seconds[0]), (f"{MANY} labs, the last of them", seconds[-1])))
    ]
    whole = Target(f"{MANY} labs up, each served by so many backends", min(serving), 2, unit="backends")
    room = Target(f"memory of {MANY} labs", grown[-1] / 1024, MOST_GIB, at_least=False, unit="GiB")
    boxes = folder_mib(store.BASES, home.cache() / "boxes")
    return Result(
        "Memory and disk: one lab, and ten side by side",
        (
            "Labs of three with `hello`, idle, each in a folder and on a subnet of its own. Memory is by how much more "
            f"the computer has in use, without caches, {SETTLE_S} s after the last is up.",
            "Disk is what the labs have written themselves. The boxes, which all labs share, take "
            f"{boxes:.0f} MiB besides (all versions on this computer, packed and unpacked).",
        ),
        ("lab up --app hello, in each of the folders",),
        (Table(("", "memory", "disk", "time of `lab up`"), tuple(rows)),),
        (room, whole),
    )  # fmt: skip
