"""What a run of the tests that was killed has left: written down when it is made, and taken away by the next run.

A run that ends by itself removes what it made, with proof, also when a test fails. A killed one can't, and its subnets
would be another lab's for every run after it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import IPv4Network
from pathlib import Path
from typing import Literal

import msgspec

from lab import ip, labs, network
from lab.home import Home
from lab.waiting import wait_for

ORDER = ("lxd", "strangers", "lab")
"""A bridge goes after what hangs on it."""
BUSY_S = 300
"""What was killed may have left a command behind that ends by itself."""


class Made(msgspec.Struct, frozen=True):
    """A thing that outlives its run when that is killed.

    Attributes:
        kind: how it is taken away.
        folder: what it is known by.
        name: a lab's, where it has one.
        subnet: the N of its 192.168.N.0/24; 0 where it has none.
        pid: of the run.
        began: when that process began, in ticks of the kernel: numbers of processes are given again.
    """

    kind: Literal["lxd", "strangers", "lab"]
    folder: str
    name: str
    subnet: int
    pid: int
    began: str

    @property
    def lives(self) -> bool:
        """Whether its run still does."""
        return bool(self.began) and _began(self.pid) == self.began


def write_down(kind: Literal["lxd", "strangers", "lab"], folder: Path, *, name: str = "", subnet: int = 0) -> None:
    """Before the first thing of it is made."""
    made = Made(kind, str(folder), name, subnet, os.getpid(), _began(os.getpid()))
    _notes().mkdir(mode=0o700, exist_ok=True)
    file = tempfile.NamedTemporaryFile(dir=_notes(), suffix=".json", delete=False)  # noqa: SIM115 - it stays
    with file:
        file.write(msgspec.json.encode(made))


def take_away() -> Iterator[str]:
    """Remove what killed runs have left; what it was, one after the other."""
    for path, made in sorted(_of_killed_runs(), key=lambda each: ORDER.index(each[1].kind)):
        if {"lxd": _lxd, "strangers": _strangers, "lab": _lab}[made.kind](made):
            yield f"{made.kind} in {made.folder}"
        path.unlink()


def _lxd(made: Made) -> bool:
    from tests.lxd import remove

    there = Path(made.folder).exists()
    if there:
        remove(Path(made.folder))
    return there


def _strangers(made: Made) -> bool:
    from tests.strangers import Strangers

    strangers = Strangers.known_by(Path(made.folder), made.subnet)
    there = strangers.are_here()
    if there:
        strangers.remove()
    return there


def _lab(made: Made) -> bool:
    """Without its folder it is removed by its id, which works for every provider and however little was made.

    What only its LXD knew went with that; a wall may be all that is left then.
    """
    home = Home(Path(made.folder), made.name)
    id, subnet = home.id, IPv4Network(f"192.168.{made.subnet}.0/24")
    there = labs.find(id) is not None
    walled = subnet in ip.unreachable() and labs.owner(subnet, but=id) is None
    if there:
        wait_for(f"the end of what a killed run does in {made.folder}", lambda: not home.is_held, within_s=BUSY_S)
        shutil.rmtree(made.folder, ignore_errors=True)
        done = subprocess.run(
            [sys.executable, "-c", "from lab.cli import main; main()", "destroy", "--id", id, "--yes"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    if walled:
        network.remove(id, subnet)
    return there or walled


def _of_killed_runs() -> Iterator[tuple[Path, Made]]:
    for path in sorted(_notes().glob("*.json")):
        with suppress(msgspec.DecodeError):
            made = msgspec.json.decode(path.read_bytes(), type=Made)
            if not made.lives:
                yield path, made


def _notes() -> Path:
    return Path(tempfile.gettempdir()) / f"lab-tests-{os.getuid()}"


def _began(pid: int) -> str:
    """Field 22 of /proc/PID/stat, see proc(5); nothing when there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""
