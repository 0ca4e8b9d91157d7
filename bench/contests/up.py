"""From nothing running to the first balanced request: the lab, a Vagrantfile with shell, and the same with Ansible."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.boxes import BARE, OWN_NAME, PREBUILT, rival_boxes
from bench.contestants import TOOLS, Contestant, Ours, Rival, ansible, shell
from bench.contests.result import Result
from bench.figures import Row, Series, Table, Target, ratio
from bench.rooms import FIRST, build_box
from bench.surroundings import package, version
from bench.up import timed
from tests.realm import Realm

LAB = "lab up --app hello"
LEAST = 5.0


def run(runs: int) -> Result:
    """Interleaved: each round brings each contestant up once and takes it down again."""
    build_box()
    with rival_boxes(BARE, PREBUILT), contestants() as entered:
        found = rounds(entered, runs)
    return judged(found)


def rounds(entered: dict[str, Contestant], runs: int) -> dict[str, Series]:
    """Seconds of every contestant, round by round."""
    seconds: dict[str, list[float]] = {title: [] for title in entered}
    for _ in range(runs):
        for title, contestant in entered.items():
            seconds[title].append(timed(contestant.up))
            print(f"  {title}: {seconds[title][-1]:.1f} s", flush=True)
            contestant.down()
    return {title: Series(tuple(values)) for title, values in seconds.items()}


@contextmanager
def contestants() -> Iterator[dict[str, Contestant]]:
    """Everybody, on one subnet after another, with what they need made beforehand."""
    with tempfile.TemporaryDirectory(prefix="lab-bench-") as scratch, ExitStack() as undo:
        folder = Path(scratch)
        rivals: dict[str, Rival] = {
            "Vagrant and shell, bare Debian": shell(BARE, folder / "1", FIRST + 1),
            "Vagrant and Ansible, bare Debian": ansible(BARE, folder / "2", FIRST + 2),
            "Vagrant and shell, our box": shell(PREBUILT, folder / "3", FIRST + 3),
            "Vagrant and Ansible, our box": ansible(PREBUILT, folder / "4", FIRST + 4),
        }
        for rival in rivals.values():
            undo.callback(rival.close)
            rival.prepare()
        ours = Ours(Realm.make(folder / "0", FIRST))
        undo.callback(ours.down)
        entered: dict[str, Contestant] = {LAB: ours}
        entered.update(rivals)
        yield entered


def judged(found: dict[str, Series]) -> Result:
    """The table, and the promise: five times faster than either on a bare Debian."""
    ours = found[LAB]
    rows = [Row(title, (series, Series((ratio(series, ours),), "×"))) for title, series in found.items()]
    targets = [
        Target(f"`{LAB}` against {title}", ratio(series, ours), LEAST)
        for title, series in found.items()
        if title.endswith("bare Debian")
    ]
    return Result(
        "From nothing running to the first balanced request",
        (
            "Three machines; the clock stops when akuma has answered with 200 from each backend. The same app, the "
            "same upstream with the same timeouts, the same limits of memory and processor for each guest.",
            "Bare Debian: the guests start as mmdebstrap makes them; Node and npm come from Debian's archive and pm2 "
            "from the npm registry, downloaded in each run. This is what a lesson without `lab` begins with.",
            "Much of that is Debian's npm, hundreds of packages: about 53 s on one guest, measured once by itself.",
            f"Both boxes of the rivals get {OWN_NAME}: without it each of their sudo would wait for the name server.",
            "Our box: the rivals get Node, pm2, nginx and Python in the box already. What is left is the tool itself.",
            "All boxes are unpacked before the clock starts and every guest is an overlay of its box, by the same "
            "template; the rivals' bridge is there already, while the lab makes its own within its time. Building the "
            "lab's box costs about a minute once, which is not in these figures.",
            "Interleaved: every round runs all of them, one after the other.",
        ),
        (
            LAB,
            "cd bench/rivals/shell && vagrant up --provider lxc",
            "cd bench/rivals/ansible && vagrant up --provider lxc && ansible-playbook -i inventory.ini site.yml",
        ),
        (Table(("contestant", "to the first balanced request", "times the lab's"), tuple(rows)),),
        tuple(targets),
        {
            "Vagrant": package("vagrant"), "vagrant-lxc": package("vagrant-lxc"),
            "ansible-core": version(str(TOOLS / "ansible"), "--version"),
        },
    )  # fmt: skip
