"""A lab of the tests' own: a folder, a subnet, the command line run in it, and proof that it left nothing."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import registry
from lab.home import Home
from tests import killed_runs

CHECKOUT = Path(__file__).parent.parent
LAB = [sys.executable, "-c", "from lab.cli import main; main()"]


@dataclass(frozen=True)
class Realm:
    """A folder with a lab.toml, the subnet that its hosts are in (192.168.N.0/24), and the lab's name if it has one."""

    folder: Path
    subnet: int
    name: str = ""

    @classmethod
    def make(cls, folder: Path, subnet: int, extra: str = "") -> Realm:
        """Write lab.toml: akuma .10, voxy .11, zero .12."""
        hosts = "\n".join(
            f'[[host]]\nname = "{name}"\naddress = "192.168.{subnet}.{last}"\nroles = ["{role}"]\n'
            for name, last, role in (("akuma", 10, "balancer"), ("voxy", 11, "backend"), ("zero", 12, "backend"))
        )
        killed_runs.write_down("lab", folder, subnet=subnet)
        folder.mkdir(parents=True, exist_ok=True)
        text = f'name = "test"\nsubnet = "192.168.{subnet}.0/24"\n{hosts}\n{extra}'
        (folder / "lab.toml").write_text(text)
        return cls(folder, subnet)

    def beside(self, name: str, subnet: int) -> Realm:
        """Another lab of the same folder, with a name."""
        killed_runs.write_down("lab", self.folder, name=name, subnet=subnet)
        return Realm(self.folder, subnet, name)

    def small(self) -> Realm:
        """The same lab with 512 MiB for each host."""
        file = self.folder / "lab.toml"
        file.write_text(file.read_text().replace("roles = ", "memory_mb = 512\nroles = "))
        return self

    @property
    def home(self) -> Home:
        """The lab's folder."""
        return Home(self.folder, self.name)

    @property
    def command(self) -> list[str]:
        """What its commands begin with."""
        return [*LAB, *(["--name", self.name] if self.name else [])]

    def lab(
        self, *argv: str | Path, env: Mapping[str, str] | None = None, timeout_s: float = 300
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of the lab in the folder, without a terminal and without standard input."""
        return subprocess.run(
            [*self.command, *map(str, argv)], cwd=self.folder, env={**os.environ, **(env or {})}, timeout=timeout_s,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def start(self, *argv: str) -> subprocess.Popen[str]:
        """Begin a command in a process group of its own, as a terminal does."""
        return subprocess.Popen(
            [*self.command, *argv], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip

    def json(self, *argv: str) -> Any:
        """What a command prints with --json, which must succeed."""
        done = self.lab(*argv, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def status(self) -> dict[str, dict[str, Any]]:
        """The hosts of `lab status`, by name."""
        return {host["name"]: host for host in self.json("status")["hosts"]}

    def ssh(self, host: str, command: str) -> str:
        """What a command on a host prints."""
        done = self.lab("ssh", host, "--", command)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def ask(self, times: int = 10) -> Counter[str]:
        """Who answered GET / through akuma: backend names, or the status of an error."""
        answers: Counter[str] = Counter()
        for _ in range(times):
            connection = http.client.HTTPConnection(f"192.168.{self.subnet}.10", 80, timeout=10)
            connection.request("GET", "/", headers={"Host": "akuma.xyz"})
            answer = connection.getresponse()
            answer.read()
            answers[answer.getheader("X-Backend") or "" if answer.status == 200 else str(answer.status)] += 1
            connection.close()
        return answers

    def leftovers(self) -> list[str]:
        """Everything on this computer that bears the lab's id or subnet."""
        looks = {
            "containers": "lxc-ls -1", "links": "ip -br link", "routes": "ip route show table all",
            "nft": "nft list tables", "processes": "ps -eo pid,stat,args",
        }  # fmt: skip
        marks = (self.home.id, f"192.168.{self.subnet}.")
        written_down = registry.folder() / f"{self.home.id}.json"
        found = [f"list of labs: {written_down}"] if written_down.exists() else []
        for what, command in looks.items():
            shown = subprocess.run(command.split(), capture_output=True, text=True, check=True).stdout
            lines = [line for line in shown.splitlines() if any(mark in line for mark in marks)]
            found += [f"{what}: {line}" for line in lines if " Z" not in line]
        return found

    def remove(self) -> None:
        """Destroy the lab and prove that nothing is left."""
        done = self.lab("destroy", "--yes")
        assert done.returncode == 0, done.stderr
        assert self.leftovers() == []


def interrupt(process: subprocess.Popen[str], number: signal.Signals) -> str:
    """Send SIGINT or SIGHUP as a terminal does, to the whole group, or another signal to the process; all it says."""
    if number in (signal.SIGINT, signal.SIGHUP):
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    said, _ = process.communicate(timeout=60)
    return said


def wait_for_line(process: subprocess.Popen[str], part: str) -> None:
    """Read the process's output up to a line with the part in it; fails when it ends before."""
    assert process.stdout
    for line in process.stdout:
        if part in line:
            return
    raise AssertionError(f"{part!r} never came")
