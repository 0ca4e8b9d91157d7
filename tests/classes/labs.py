"""A student's lab on the cluster, as a class makes one: a folder with a lab.toml, and the command line run in it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Network
from itertools import islice
from pathlib import Path

from lab import process, registry
from tests.cluster import Cluster
from tests.realm import Realm

LAST = {"akuma": 10, "voxy": 11, "zero": 12}
ROLES = {"akuma": "balancer", "voxy": "backend", "zero": "backend"}
UP_S = 420
_TOML = """
name = "seat{number}"
subnet = "{network}"
provider = "lxd"

[engine]
url = "{url}"
member = "{member}"
address = "{address}"
trust = "trust"
disk_gb = 2
cpu = 0.3
isolated = {isolated}
"""


@dataclass(frozen=True)
class Seat:
    """A lab that has the n-th /27 of the class's networks, and whose machines are at one member.

    Attributes:
        cluster: where they are.
        folder: with lab.toml and the keys for the cluster.
        number: n.
        member: the cluster's member.
    """

    cluster: Cluster
    folder: Path
    number: int
    member: str

    @classmethod
    def make(cls, cluster: Cluster, folder: Path, number: int, member: str, *, isolated: bool = False) -> Seat:
        """Write lab.toml, and let the cluster trust the folder's own key."""
        made = cls(cluster, folder, number, member)
        folder.mkdir(parents=True)
        hosts = "".join(
            f'\n[[host]]\nname = "{name}"\naddress = "{made.address(name)}"\nroles = ["{role}"]\nmemory_mb = 384\n'
            for name, role in ROLES.items()
        )
        (folder / "lab.toml").write_text(_TOML.format(
            number=number, network=made.network, url=cluster.url, member=member, address=cluster.address(member),
            isolated=str(isolated).lower(),
        ) + hosts)  # fmt: skip
        done = made.lab("engine", "join", cluster.token(f"seat{number}"), "--to", "trust")
        assert done.returncode == 0, done.stderr
        return made

    @property
    def network(self) -> IPv4Network:
        """Its subnet."""
        return next(islice(self.cluster.supernet.subnets(new_prefix=27), self.number, None))

    @property
    def gateway(self) -> str:
        """The member's address in the subnet."""
        return str(self.network.network_address + 1)

    def address(self, host: str) -> str:
        """A host's address."""
        return str(self.network.network_address + LAST[host])

    @property
    def addresses(self) -> list[str]:
        """Every host's address."""
        return [self.address(host) for host in LAST]

    @property
    def realm(self) -> Realm:
        """The folder in which commands are run."""
        return Realm(self.folder, -1)

    @property
    def project(self) -> str:
        """The lab's project at the cluster."""
        return f"lab-{self.realm.home.id}"

    def lab(self, *argv: str, timeout_s: float = 300, nice: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a command of the lab in the folder; the lower `nice`, the sooner it has a processor."""
        return subprocess.run(
            ["nice", "-n", str(nice), *self.realm.command, *argv], cwd=self.folder, timeout=timeout_s,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def leftovers(self) -> list[str]:
        """What of the lab is on this computer or at the cluster."""
        noted = registry.folder() / f"{self.realm.home.id}.json"
        routes = json.loads(process.run("ip", "-json", "-4", "route", "show").stdout or "[]")
        query = self.cluster.query
        return [
            *([f"list of labs: {noted}"] if noted.exists() else []),
            *(f"route: {each['dst']}" for each in routes if each["dst"] == str(self.network)),
            *(path for path in query("m1", "GET", "/1.0/projects") if path.endswith(f"/{self.project}")),
            *(path for path in query("m1", "GET", "/1.0/networks") if path.endswith(f"/lab{self.realm.home.id}")),
        ]

    def remove(self) -> None:
        """Destroy the lab, and prove that nothing is left."""
        done = self.lab("destroy", "--yes")
        assert done.returncode == 0, done.stderr
        assert self.leftovers() == []


@contextmanager
def seat(cluster: Cluster, folder: Path, number: int, member: str = "m1", *, isolated: bool = False) -> Iterator[Seat]:
    """A lab with the app `hello` that is up; removed at the end, with proof."""
    made = Seat.make(cluster, folder, number, member, isolated=isolated)
    try:
        done = made.lab("up", "--app", "hello", timeout_s=UP_S)
        assert done.returncode == 0, done.stdout + done.stderr
        yield made
    finally:
        made.remove()
