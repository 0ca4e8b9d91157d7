"""A room without internet: a network namespace without a route, in which the kernel counts who wanted out."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.home import Home

HOLD = """
mount -t tmpfs tmpfs /run
mkdir /run/cgroup && mount --rbind /sys/fs/cgroup /run/cgroup
mount -t sysfs sysfs /sys && mount --rbind /run/cgroup /sys/fs/cgroup
ip link set lo up
echo ready
exec sleep 900
"""
"""A sysfs of the namespace's own, for LXC looks for its bridge there; /run of its own, where marks of labs are."""
_FOREIGN = ("LAB_", "PIP_", "XDG_", "VAGRANT_", "PYTHON")


@dataclass(frozen=True)
class Room:
    """A computer that knows nothing yet: a home folder without a cache, in a namespace without a route.

    Attributes:
        pid: of the process that holds the namespace.
        home: the student's home folder.
        folder: where the student works.
    """

    pid: int
    home: Path
    folder: Path
    env: Mapping[str, str] = field(default_factory=dict)

    def run(self, *argv: str | Path, timeout_s: float = 300, env: Mapping[str, str] | None = None) -> str:
        """What a command that succeeds prints."""
        done = self.tried(*argv, timeout_s=timeout_s, env=env)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def tried(
        self, *argv: str | Path, timeout_s: float = 300, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command there."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
        within = ["nsenter", "--net", "--mount", f"--target={self.pid}", f"--wd={self.folder}", "--"]
        return subprocess.run(
            [*within, *map(str, argv)], env={**own, "HOME": str(self.home), **(env or {})}, timeout=timeout_s,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip

    @property
    def lab(self) -> Path:
        """The command that the pack's install.sh has put there."""
        return self.home / ".local" / "bin" / "lab"

    def json(self, *argv: str) -> Any:
        """What a command of the lab prints with --json."""
        return json.loads(self.run(self.lab, *argv, "--json"))

    def who_wanted_out(self) -> dict[str, int]:
        """How many packets had nowhere to go: of this computer, and of its guests; counted by the kernel."""
        ip = _counters(self.run("cat", "/proc/net/snmp"), "Ip:")
        more = _counters(self.run("cat", "/proc/net/netstat"), "IpExt:")
        six = dict(line.split() for line in self.run("cat", "/proc/net/snmp6").splitlines())
        return {"computer": ip["OutNoRoutes"] + int(six["Ip6OutNoRoutes"]), "guests": more["InNoRoutes"]}

    def ask(self, url: str, times: int = 10) -> Counter[str]:
        """Who answered GET / through akuma."""
        answers = [self.run("curl", "-sI", "-H", "Host: akuma.xyz", url) for _ in range(times)]
        return Counter(line.split()[1] for each in answers for line in each.splitlines() if "X-Backend" in line)

    def leftovers(self) -> list[str]:
        """Guests, links and routes that bear the lab's id or a lab's subnet."""
        looks = ("lxc-ls -1", "ip -br link", "ip route show table all", "nft list tables")
        lines = [line for look in looks for line in self.run(*look.split()).splitlines()]
        return [line for line in lines if Home(self.folder).id in line or "192.168." in line]


@contextmanager
def room(folder: Path) -> Iterator[Room]:
    """A room; at the end its lab is destroyed, with proof that nothing is left, and the namespace with it."""
    for name in ("home", "course"):
        (folder / name).mkdir()
    with subprocess.Popen(
        ["unshare", "--net", "--mount", "sh", "-ec", HOLD], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as holder:
        try:
            assert holder.stdout and holder.stdout.readline() == "ready\n", holder.stderr and holder.stderr.read()
            made = Room(holder.pid, folder / "home", folder / "course")
            try:
                yield made
            finally:
                if made.lab.exists():
                    made.run(made.lab, "destroy", "--yes")
                assert made.leftovers() == []
        finally:
            holder.kill()


def _counters(text: str, kind: str) -> dict[str, int]:
    """The counters of a kind: the kernel writes a line of names and one of numbers."""
    names, numbers = (line.split()[1:] for line in text.splitlines() if line.startswith(kind))
    return dict(zip(names, map(int, numbers), strict=True))
