"""The contestants: the lab, and three tools that a competent teacher would use instead, each on an own network."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copytree, rmtree
from typing import Protocol

from bench.boxes import INSECURE_KEY
from lab import home
from lab.config import parse
from lab.home import Home
from lab.names import bridge_name
from lab.network import Network
from lab.topology import Lab
from lab.waiting import wait_for
from tests.realm import CHECKOUT, Realm

RIVALS = CHECKOUT / "bench" / "rivals"
TOOLS = home.cache() / "rivals" / "venv" / "bin"
"""Where `tools/setup bench` has installed ansible-core and pyinfra: never in the product's own environment."""
UP_S = 900
FIRST_ANSWER_S = 60
GUESTS = ("akuma", "voxy", "zero")


class Contestant(Protocol):
    """Who brings three machines up and provisions them."""

    def up(self) -> None:
        """From nothing running to all machines provisioned."""
        ...

    def provision(self) -> None:
        """Once more, on machines that run."""
        ...

    def down(self) -> None:
        """Remove the machines."""
        ...


@dataclass(frozen=True)
class Ours:
    """`lab up --app hello`, with a lab.toml in a folder of its own."""

    realm: Realm

    def up(self) -> None:
        """From nothing: bridge, keys, guests, states, proof."""
        self._lab("up", "--app", "hello")
        await_both(self.realm.subnet)

    def provision(self) -> None:
        """Ask every state again."""
        self._lab("provision")

    def down(self) -> None:
        """Guests, bridge, keys: all gone."""
        self.realm.remove()

    def _lab(self, *argv: str) -> None:
        done = self.realm.lab(*argv, timeout_s=UP_S)
        if done.returncode != 0:
            sys.exit(f"lab {' '.join(argv)} ended with {done.returncode}:\n{done.stderr}")


@dataclass(frozen=True)
class Rival:
    """A hand-written Vagrantfile, and for two of the three a tool that provisions when `vagrant up` is through.

    Its bridge, with the wall behind it, is made before the clock starts: a gift of some tenths of a second.

    Attributes:
        name: shell, ansible or pyinfra: the folder under bench/rivals.
        box: what its guests boot.
        folder: a copy of that folder goes here.
        subnet: 192.168.N.0/24.
    """

    name: str
    box: str
    folder: Path
    subnet: int
    tool: tuple[str, ...] = field(default=())

    def prepare(self) -> None:
        """The folder, the inventory, the network; not timed."""
        for part in ("bench/rivals", "apps/hello"):
            copytree(CHECKOUT / part, self.folder / part, dirs_exist_ok=True)
        lines = [
            f"{name} ansible_host=192.168.{self.subnet}.{last}" for name, last in zip(GUESTS, (10, 11, 12), strict=True)
        ]
        lines += ["[backends]", "voxy", "zero", "[all:vars]", "ansible_user=vagrant"]
        (self._work / "inventory.ini").write_text("\n".join(lines) + f"\nansible_ssh_private_key_file={INSECURE_KEY}\n")
        Home(self.folder).make()
        self._network.ensure()

    def up(self) -> None:
        """`vagrant up`, and the tool."""
        (self.folder / "known_hosts").unlink(missing_ok=True)
        self._run("vagrant", "up", "--provider", "lxc")
        if self.tool:
            self.provision()
        await_both(self.subnet)

    def provision(self) -> None:
        """The tool, or Vagrant's own shell provisioner."""
        self._run(*(self.tool or ("vagrant", "provision")))

    def down(self) -> None:
        """The guests, and Ansible's kept connections to them; the network goes with `close`."""
        rmtree(self._kept, ignore_errors=True)
        self._run("vagrant", "destroy", "--force")

    def close(self) -> None:
        """What `prepare` and a broken run left."""
        with suppress(SystemExit):
            self.down()
        for guest in GUESTS:
            subprocess.run(
                ["lxc-destroy", "--force", "--name", f"{self._bridge}-{guest}"], capture_output=True, check=False
            )
        self._network.remove()

    @property
    def _work(self) -> Path:
        return self.folder / "bench" / "rivals" / self.name

    @property
    def _kept(self) -> Path:
        return self.folder / "kept"

    @property
    def _bridge(self) -> str:
        return bridge_name(Home(self.folder))

    @property
    def _network(self) -> Network:
        return Network(_lab_on(self.subnet), Home(self.folder))

    def _env(self) -> Mapping[str, str]:
        return {
            **os.environ, "PATH": f"{TOOLS}:{os.environ['PATH']}", "VAGRANT_CHECKPOINT_DISABLE": "1",
            "RIVAL_BOX": self.box, "RIVAL_BRIDGE": self._bridge, "RIVAL_SUBNET": f"192.168.{self.subnet}",
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self._kept), "RIVAL_KEY": str(INSECURE_KEY),
            "RIVAL_KNOWN_HOSTS": str(self.folder / "known_hosts"),
        }  # fmt: skip

    def _run(self, *command: str) -> None:
        done = subprocess.run(
            command, cwd=self._work, env=self._env(), timeout=UP_S, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        (self.folder / "last.log").write_text(done.stdout)
        if done.returncode != 0:
            sys.exit(f"{self.name}: {' '.join(command)} ended with {done.returncode}:\n{done.stdout[-3000:]}")


def shell(box: str, folder: Path, subnet: int) -> Rival:
    """Vagrant with shell provisioning."""
    return Rival("shell", box, folder, subnet)


def ansible(box: str, folder: Path, subnet: int) -> Rival:
    """Vagrant, then Ansible with pipelining over one connection a host."""
    return Rival("ansible", box, folder, subnet, ("ansible-playbook", "-i", "inventory.ini", "site.yml"))


def pyinfra(box: str, folder: Path, subnet: int) -> Rival:
    """Vagrant, then pyinfra."""
    return Rival("pyinfra", box, folder, subnet, ("pyinfra", "-y", "inventory.py", "deploy.py"))


def await_both(subnet: int) -> None:
    """Ask akuma until voxy and zero have each answered with 200 through it."""
    seen: set[str] = set()

    def both() -> bool:
        connection = http.client.HTTPConnection(f"192.168.{subnet}.10", 80, timeout=5)
        with suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/", headers={"Host": "akuma.xyz"})
            answer = connection.getresponse()
            answer.read()
            if answer.status == 200:
                seen.add(answer.getheader("X-Upstream") or "")
        connection.close()
        return len(seen - {""}) >= 2

    wait_for("an answer from each backend", both, within_s=FIRST_ANSWER_S, every_s=0.02)


def _lab_on(subnet: int) -> Lab:
    hosts = [
        {"name": name, "address": f"192.168.{subnet}.{last}", "roles": ["balancer" if last == 10 else "backend"]}
        for name, last in zip(GUESTS, (10, 11, 12), strict=True)
    ]
    return parse({"name": "rival", "subnet": f"192.168.{subnet}.0/24", "host": hosts})
