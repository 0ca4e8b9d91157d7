"""A second provision that changes nothing: the lab, Ansible, pyinfra, and Vagrant's shell provisioner."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench.boxes import OWN_NAME, PREBUILT, rival_boxes
from bench.contestants import TOOLS, Contestant, Ours, ansible, pyinfra, shell
from bench.contests.result import Result
from bench.figures import Row, Series, Table, Target, ratio
from bench.rooms import FIRST, build_box
from bench.surroundings import version
from bench.up import timed
from tests.realm import Realm

LAB = "lab provision"
LEAST = 8.0
HELD_AGAINST = ("ansible-playbook", "pyinfra")


def run(runs: int) -> Result:
    """Bring all up, provision each once more unmeasured, then interleaved."""
    build_box()
    with rival_boxes(PREBUILT), tempfile.TemporaryDirectory(prefix="lab-bench-") as scratch, ExitStack() as undo:
        folder = Path(scratch)
        ours = Ours(Realm.make(folder / "0", FIRST))
        undo.callback(ours.down)
        entered: dict[str, Contestant] = {LAB: ours}
        for number, (title, kind) in enumerate(
            (("ansible-playbook", ansible), ("pyinfra", pyinfra), ("vagrant provision (shell)", shell)), start=1
        ):
            rival = kind(PREBUILT, folder / str(number), FIRST + number)
            undo.callback(rival.close)
            rival.prepare()
            entered[title] = rival
        for contestant in entered.values():
            contestant.up()
            contestant.provision()
        return judged(rounds(entered, runs))


def rounds(entered: dict[str, Contestant], runs: int) -> dict[str, Series]:
    """Seconds of every contestant, round by round."""
    seconds: dict[str, list[float]] = {title: [] for title in entered}
    for _ in range(runs):
        for title, contestant in entered.items():
            seconds[title].append(timed(contestant.provision))
            print(f"  {title}: {seconds[title][-1]:.2f} s", flush=True)
    return {title: Series(tuple(values), digits=2) for title, values in seconds.items()}


def judged(found: dict[str, Series]) -> Result:
    """The table, and the promise: eight times faster than either tool that asks first."""
    ours = found[LAB]
    rows = [Row(title, (series, Series((ratio(series, ours),), "×"))) for title, series in found.items()]
    targets = [Target(f"`{LAB}` against {title}", ratio(found[title], ours), LEAST) for title in HELD_AGAINST]
    return Result(
        "A second provision, nothing to change",
        (
            "Three machines that are as they shall be; each tool asks, and changes nothing. The states are the same: "
            "names of neighbours, Node, pm2, the app and that it runs, nginx, its site, the services.",
            "Ansible with pipelining, one kept connection a host and without gathering facts, its fastest usual "
            "setting; pyinfra as it comes. Shell scripts do not ask: theirs is the time of doing part of it again.",
            f"The rivals' guests get {OWN_NAME}: without it each of their sudo would wait for the name server.",
            "All four labs run side by side, and each tool was run once more before the clock.",
            "About 0.35 s of the lab's time, measured once by itself, is Python with what it is made of: Fabric, "
            "paramiko, pydantic, rich, jinja2.",
        ),
        (LAB, "ansible-playbook -i inventory.ini site.yml", "pyinfra -y inventory.py deploy.py", "vagrant provision"),
        (Table(("tool", "nothing to change", "times the lab's"), tuple(rows)),),
        tuple(targets),
        {
            "ansible-core": version(str(TOOLS / "ansible"), "--version"),
            "pyinfra": version(str(TOOLS / "pyinfra"), "--version"),
        },
    )
