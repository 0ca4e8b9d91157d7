"""Measures a class on a cluster of one member, on this computer: bench/results/class.json, then docs/scale.md.

    python bench/class.py [LABS ...]      1 3 10 30 when nothing is named

Each size is a class of its own, with the app `hello`: brought up, looked at, taken down. The largest is also asked for
its status and checked in one exercise. The image is there before the first one begins, as it is in a second lesson.
One lab alone is brought up by `lab up` some times. Then a cluster of three loses one of its members, and is healed.
Everything is made for the purpose, in network namespaces, and removed.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import msgspec

from bench import scale
from bench.figures import Target
from bench.scale_fit import RESULTS, Healed, Measured, Point
from bench.surroundings import load_average, machine, now, used_memory
from lab.lxd import quotas
from tests.cluster import Cluster
from tests.realm import Realm

SIZES = (1, 3, 10, 30)
SUBNET = "10.85.0.0/24"
EXERCISE = "hello-web"
LOOKS = 3
ONE_LAB = 5
"""So many times one lab alone is brought up."""
ROOM = 84
"""Its subnet is 192.168.84.0/24."""
MEMBERS, LOST_LABS = 3, 6
"""Of the cluster that loses a member, and of the class on it."""
SETTLE_S = 30
"""The pool frees what a class has left after the class is gone; the next one is not to wait for that."""
SETTINGS = """[engine]
overcommit = 2.5
disk_gb = 2
"""
"""30 labs may use 37.5 GiB of memory and 180 GiB of disk at most, and use far less."""
POOL_GB = 100
"""Of a file that takes no more of this computer's disk than is written to it."""
MIB = 1 << 20
LAB = (sys.executable, "-P", "-m", "lab")
UP_S = 1800
QUOTAS = {quotas.SIMPLE: "simple quotas", quotas.SHARED: "quotas of what is shared"}


class Class:
    """One class of so many students, in a folder of its own."""

    def __init__(self, folder: Path, cluster: Cluster, labs: int) -> None:
        self.folder = folder / f"class-{labs}"
        self.cluster = cluster
        self.labs = labs
        self.folder.mkdir(parents=True)
        lines = [f"s{number:03},Student {number}" for number in range(labs)]
        (self.folder / "class").mkdir()
        (self.folder / "class" / "engine.toml").write_text(SETTINGS)
        (self.folder / "roster.csv").write_text("\n".join(["id,name", *lines]) + "\n")

    def lab(self, *words: str, ok: Sequence[int] = (0,)) -> Any:
        """What `lab class …` prints as JSON; ends the measurement where it fails."""
        done = subprocess.run(
            [*LAB, "class", *words, "--json"], cwd=self.folder, capture_output=True, text=True, timeout=UP_S,
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        if done.returncode not in ok:
            sys.exit(f"lab class {' '.join(words)} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr}")
        return json.loads(done.stdout)

    def require_all_serve(self) -> Any:
        """What `status` says of the labs; ends the measurement where one does not serve through both backends."""
        labs = self.lab("status")["labs"]
        if wrong := [each["student"] for each in labs if each["wrong"]]:
            sys.exit(f"{', '.join(wrong)} do not serve through both backends")
        return labs

    def up(self) -> float:
        """Seconds until all labs serve."""
        token = self.cluster.token(f"teacher-{self.labs}")
        began = time.monotonic()
        self.lab("up", "roster.csv", "--engine", self.cluster.url, "--token", token, "--app", "hello")
        return time.monotonic() - began

    def down(self) -> None:
        """Nothing of it stays on the cluster, but for the image."""
        self.lab("down", "--yes")


def measure(folder: Path, sizes: Sequence[int]) -> tuple[Measured, list[Target]]:
    """One lab alone; all sizes, one after the other, on a cluster whose log has each call; a loss on another."""
    points: list[Point] = []
    targets: list[Target] = []
    load = load_average()
    with Cluster.make(folder, members=1, subnet=SUBNET, pool_gb=POOL_GB) as cluster:
        targets.append(_one_lab(folder / "one", cluster))
    with Cluster.make(folder, members=1, subnet=SUBNET, pool_gb=POOL_GB, debug=True) as cluster:
        warm = Class(folder / "warm", cluster, 1)
        warm.up()
        warm.down()
        time.sleep(SETTLE_S)
        counted = QUOTAS.get(quotas.counting(_pool(cluster)["config"]["source"]), "no quotas")
        image = int(cluster.query("m1", "GET", "/1.0/images?recursion=1")[0]["size"])
        for labs in sizes:
            point, further = _point(Class(folder / "measured", cluster, labs), labs == max(sizes))
            print(point, flush=True)
            points.append(point)
            targets += further
    healed = _lose_a_member(folder)
    targets[1:1] = _of_points(points)
    where = f"{machine().removesuffix(', LXC')}; LXD with a btrfs pool, {counted}, in a file, and a log of each call; "
    where += f"load average before {load:.1f}"
    notes = tuple(str(target).removeprefix("- ") for target in targets)
    return Measured(where, now(), 1, image, tuple(points), (healed,), notes), targets


def _one_lab(folder: Path, cluster: Cluster) -> Target:
    """`lab up` with the provider lxd, by https."""
    realm = Realm.make(folder, ROOM)
    joined = realm.lab("engine", "join", cluster.token("one"))
    if joined.returncode:
        sys.exit(joined.stderr)
    engine = joined.stdout[joined.stdout.index("[engine]") :]
    (folder / "lab.toml").write_text((folder / "lab.toml").read_text() + engine)
    seconds = []
    for _ in range(1 + ONE_LAB):
        began = time.monotonic()
        done = realm.lab("up", "--provider", "lxd", "--app", "hello", timeout_s=UP_S)
        seconds.append(time.monotonic() - began)
        gone = realm.lab("destroy", "--yes")
        if done.returncode or gone.returncode:
            sys.exit(done.stderr + gone.stderr)
    print(f"one lab, the first with its image: {seconds}", flush=True)
    return Target(
        f"one lab by `lab up --provider lxd`, image present, until it serves, median of {ONE_LAB}",
        statistics.median(seconds[1:]), 5, False, "s",
    )  # fmt: skip


def _lose_a_member(folder: Path) -> Healed:
    """How long `lab class heal` takes, from the command until all labs of the dead member serve on the others."""
    with Cluster.make(folder, members=MEMBERS, subnet=SUBNET, pool_gb=POOL_GB) as cluster:
        made = Class(folder / "loss", cluster, LOST_LABS)
        made.up()
        made.lab("save", "before")
        lost = cluster.names[-1]
        fallen = sum(each["member"] == lost for each in made.require_all_serve())
        cluster.kill(lost)
        began = time.monotonic()
        made.lab("heal")
        seconds = time.monotonic() - began
        made.require_all_serve()
        print(f"{fallen} labs healed: {seconds:.1f} s", flush=True)
        cluster.start(lost)  # LXD removes a network from all members or from none
        cluster.wait_online()
        made.lab("heal")
        made.down()
    return Healed(fallen, seconds)


def _point(made: Class, is_largest: bool) -> tuple[Point, list[Target]]:
    cluster = made.cluster
    before = used_memory(), _disk(cluster), _calls(cluster)
    seconds = made.up()
    memory, disk, calls = used_memory() - before[0], _disk(cluster) - before[1], _calls(cluster) - before[2]
    made.require_all_serve()
    further = _further(made) if is_largest else []
    made.down()
    time.sleep(SETTLE_S)
    return Point(made.labs, seconds, int(memory * MIB), disk, calls), further


def _further(made: Class) -> list[Target]:
    looks = []
    for _ in range(LOOKS):
        began = time.monotonic()
        made.lab("status")
        looks.append(time.monotonic() - began)
    made.lab("exercise", EXERCISE, "start")
    began = time.monotonic()
    made.lab("exercise", EXERCISE, "check", "--no-save", ok=(0, 1))
    plain = time.monotonic() - began
    return [
        Target(f"`lab class status` of {made.labs} labs, median of {LOOKS}", statistics.median(looks), 3, False, "s"),
        Target(f"{made.labs} × `check` of {EXERCISE}", plain, 60, False, "s"),
    ]


def _of_points(points: Sequence[Point]) -> list[Target]:
    """What was promised of the sizes that were measured."""
    by = {point.labs: point for point in points}
    found = []
    if 30 in by:
        found.append(Target("30 labs until all serve", by[30].seconds / 60, 4, False, "min"))
        found.append(Target("memory of 30 labs", by[30].memory_bytes / (1 << 30), 12, False, "GiB"))
    if 3 in by and 30 in by:
        times = by[30].seconds / 30 / (by[3].seconds / 3)
        found.append(Target("time for a lab at 30, beside that at 3", times, 1.5, False))
    return found


def _pool(cluster: Cluster) -> Any:
    """What the member's LXD says of its pool."""
    return cluster.query("m1", "GET", "/1.0/storage-pools/default?target=m1")


def _disk(cluster: Cluster) -> int:
    """Bytes of the member's pool that are in use."""
    return int(cluster.query("m1", "GET", "/1.0/storage-pools/default/resources")["space"]["used"])


def _calls(cluster: Cluster) -> int:
    """Requests that the member's API has handled so far, without those of members among themselves."""
    log = cluster.log("m1").read_text(errors="replace")
    return sum("Handling API request" in line and "/internal/" not in line for line in log.splitlines())


def main() -> None:
    """Measure, write the results and the page, leave nothing."""
    sizes = tuple(int(word) for word in sys.argv[1:]) or SIZES
    folder = Path(tempfile.mkdtemp(prefix="lab-class-"))
    folder.chmod(0o711)
    try:
        measured, targets = measure(folder / "cluster", sizes)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("\n".join(map(str, targets)))
    if set(sizes) >= set(SIZES):
        RESULTS.write_bytes(msgspec.json.format(msgspec.json.encode(measured), indent=2) + b"\n")
        scale.main()


if __name__ == "__main__":
    main()
