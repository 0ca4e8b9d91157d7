"""An LXD of the tests' own: a daemon with its folder, its pool and its networks, which all go with it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from lab.errors import HostUnreachable
from lab.lxd.client import Lxd, connect
from lab.topology import Engine
from lab.waiting import wait_for
from tests import killed_runs
from tests.cluster_leftovers import alive, processes
from tests.emulated import emulating, how_vms_run

POOL_GIB = 8
READY_S = 60
FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
_PRESEED = "storage_pools: [{{name: default, driver: {driver}, config: {config}}}]"


@dataclass(frozen=True)
class Daemon:
    """A running LXD without https. Its folder is short, for the path of a socket has 108 characters."""

    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def env(self) -> dict[str, str]:
        """What commands need to find it."""
        return {"LXD_DIR": str(self.folder)}

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self.folder / "unix.socket"

    def lxd(self) -> Lxd:
        """The lab's door to it."""
        return connect(Engine(url=str(self.socket)), self.folder)

    def leftovers(self) -> list[str]:
        """What of labs is in it: projects, instances, networks, access rules. What they are copies of may stay."""
        lxd = self.lxd()
        return [
            *(path for path in lxd.get("instances", all_projects="true") if "/lab-lxd-" not in path),
            *(path for path in lxd.get("projects") if not path.endswith("/default")),
            *(each["name"] for each in lxd.get("networks", recursion=1) if each["managed"]),
            *lxd.get("network-acls"),
        ]


@contextmanager
def daemon(driver: str = "btrfs", *, vms: bool = False) -> Iterator[Daemon]:
    """Start an LXD in this computer's own network, with a pool of 8 GiB (sparse); stop it and remove everything of it.

    Args:
        driver: of the pool.
        vms: whether it starts virtual machines, too, if need be emulated.
    """
    folder = Path(tempfile.mkdtemp(prefix="lxd-", dir="/tmp"))
    killed_runs.write_down("lxd", folder)
    folder.chmod(0o711)
    forwarding = FORWARD.read_text()
    env = {**os.environ, "LXD_DIR": str(folder)}
    if vms and how_vms_run() == "qemu":
        env |= emulating(folder / "programs")
    log = folder / "log"
    argv = ["unshare", "--mount", "--propagation=private", "lxd", "--group", "root"]  # nobody else copies its mounts
    with log.open("wb") as out:
        process = subprocess.Popen(
            argv, env=env, stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True
        )
    try:
        subprocess.run(["lxd", "waitready", f"--timeout={READY_S}"], env=env, check=True, timeout=READY_S + 10)
        config = f"{{size: {POOL_GIB}GiB}}" if driver != "dir" else "{}"
        preseed = _PRESEED.format(driver=driver, config=config)
        subprocess.run(["lxd", "init", "--preseed"], env=env, check=True, input=preseed.encode(), timeout=60)
        yield Daemon(folder, process)
    finally:
        remove(folder)
        process.wait(10)
        FORWARD.write_text(forwarding)


def remove(folder: Path) -> None:
    """Stop the LXD of a folder, if it runs, and take away all of it."""
    env = {**os.environ, "LXD_DIR": str(folder)}
    _run("lxd", "shutdown", "--timeout=30", env=env)
    with suppress(HostUnreachable):
        wait_for("the end of LXD", lambda: not _living(folder), within_s=30)
    for pid in _living(folder):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_for("the end of LXD by force", lambda: not _living(folder), within_s=10)
    _run("nft", "delete", "table", "inet", "lxd")
    for bridge in sorted((folder / "networks").glob("*")):
        for link in [*_links_at(bridge.name), bridge.name]:
            _run("ip", "link", "delete", link)
    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for mount in sorted((each for each in mounts if each.startswith(f"{folder}/")), reverse=True):
        _run("umount", "-l", mount)
    for line in _run("losetup", "--list", "--noheadings", "--output", "NAME,BACK-FILE").splitlines():
        if str(folder) in line:
            _run("losetup", "--detach", line.split()[0])
    wait_for("the end of its loop devices", lambda: str(folder) not in _run("losetup", "--list"), within_s=20)
    shutil.rmtree(folder, ignore_errors=True)
    assert not folder.exists(), list(folder.rglob("*"))[:5]


def _living(folder: Path) -> list[int]:
    return [pid for pid in processes(folder) if alive(pid)]


def _links_at(bridge: str) -> list[str]:
    """What a virtual machine was connected by stays when its LXD was killed."""
    return [link["ifname"] for link in json.loads(_run("ip", "-json", "link", "show", "master", bridge) or "[]")]


def _run(*argv: str, env: dict[str, str] | None = None) -> str:
    return subprocess.run(argv, env=env, check=False, capture_output=True, text=True, timeout=90).stdout
