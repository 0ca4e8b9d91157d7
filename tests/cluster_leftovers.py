"""What a cluster of the tests' own has made on this computer, found by its mark, its folder and its networks."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import partial
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from lab import process
from lab.errors import HostUnreachable
from lab.waiting import wait_for

CGROUPS = Path("/sys/fs/cgroup")
GONE_S = 15


def environment() -> dict[str, str]:
    """This process's environment without a word to LXD or its client."""
    return {name: value for name, value in os.environ.items() if not name.startswith("LXD_")}


def hierarchies() -> list[Path]:
    """The roots of this computer's cgroups: one, or one for each kind."""
    if (CGROUPS / "cgroup.controllers").exists():
        return [CGROUPS]
    return sorted(folder for folder in CGROUPS.iterdir() if (folder / "cgroup.procs").exists())


def cgroups(mark: str) -> list[Path]:
    """The topmost cgroups that bear the mark."""
    return [folder for kind in hierarchies() for folder in sorted(kind.glob(f"{mark}*"))]


def members_of(groups: Iterable[Path]) -> set[int]:
    """The processes in these cgroups and in those below."""
    found: set[int] = set()
    for group in groups:
        for file in group.rglob("cgroup.procs"):
            with suppress(OSError):
                found.update(map(int, file.read_text().split()))
    return found - {0}


def first_process(groups: Iterable[Path]) -> int:
    """The process that a member's others end with, as this computer numbers it."""
    for pid in sorted(members_of(groups)):
        if _status(pid, "NSpid")[1:] == ["1"]:
            return pid
    raise AssertionError(f"no first process in {[str(group) for group in groups]}")


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits for its parent does not."""
    return _status(pid, "State")[:1] not in ([], ["Z"], ["X"])


def kill(groups: Iterable[Path]) -> None:
    """End every process in these cgroups by force, and remove them."""
    groups = list(groups)

    def emptied() -> bool:
        left = members_of(groups)
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not any(alive(pid) for pid in left)

    wait_for(f"the end of the processes in {groups[:1]}", emptied, within_s=GONE_S, every_s=0.05)
    for group in groups:
        for folder, _, _ in os.walk(group, topdown=False):
            wait_for(f"the end of {folder}", partial(_removed, Path(folder)), within_s=GONE_S, every_s=0.05)


def loops(folder: Path) -> list[str]:
    """The loop devices of files in a folder."""
    listed = json.loads(process.run("losetup", "--json", "--list").stdout or "{}").get("loopdevices", [])
    return [each["name"] for each in listed if (each["back-file"] or "").startswith(f"{folder}/")]


def mounts(folder: Path) -> list[str]:
    """What is mounted at or below a folder, the innermost first."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    points = [line.split()[4] for line in lines]
    return [point for point in reversed(points) if f"{point}/".startswith(f"{folder}/")]


def processes(folder: Path) -> set[int]:
    """The processes of an LXD in a folder or below it, and those that talk to it: by LXD_DIR in their environment."""
    words = tuple(f"LXD_DIR={folder}{end}".encode() for end in ("/", "\0"))
    found = set()
    for pid in (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()):
        with suppress(OSError):
            environment = Path(f"/proc/{pid}/environ").read_bytes()
            if any(word in environment for word in words):
                found.add(pid)
    return found


def found(mark: str, folder: Path, networks: Iterable[IPv4Network]) -> list[str]:
    """Every trace of a cluster, one a line: what kind it is, and its name."""
    own = members_of(cgroups(mark))
    traces = {
        "process": [f"{pid} {_command(pid)}" for pid in sorted(own | processes(folder)) if alive(pid)],
        "namespace": _namespaces(mark), "link": _links(mark),
        "route": [f"{dst} {kind}".strip() for dst, kind in routes(networks)],
        "loop device": loops(folder), "mount": mounts(folder), "nft table": [" ".join(each) for each in _tables(mark)],
        "cgroup": [str(group) for group in cgroups(mark)],
        "folder": [str(folder)] if folder.is_dir() and any(folder.iterdir()) else [],
    }  # fmt: skip
    return [f"{kind}: {name}" for kind, names in traces.items() for name in names]


def remove(mark: str, folder: Path, networks: Iterable[IPv4Network], metric: str) -> None:
    """Take every trace away, in the order in which they hold each other; walls are the last, those of labs too.

    A class that was not taken down, because a test failed or was killed, has a wall for each of its labs.
    """
    networks = list(networks)
    for pid in processes(folder):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for name in _namespaces(mark):
        process.run("ip", "netns", "delete", name, check=False)
    for name in sorted(_links(mark), reverse=True):
        process.run("ip", "link", "delete", name, check=False)
    for family, name in _tables(mark):
        process.run("nft", "delete", "table", family, name, check=False)
    for point in mounts(folder):
        process.run("umount", point, check=False)
    with suppress(HostUnreachable):
        wait_for("the disks let go", lambda: not loops(folder), within_s=5)
    for device in loops(folder):
        process.run("losetup", "-d", device, check=False)
    shutil.rmtree(folder, ignore_errors=True)
    for wall in [*(each for each, kind in routes(networks) if kind == "unreachable"), *map(str, networks)]:
        process.run("ip", "route", "delete", "unreachable", wall, "metric", metric, check=False)
    with suppress(HostUnreachable):
        wait_for("nothing left", lambda: not found(mark, folder, networks), within_s=5)


def _namespaces(mark: str) -> list[str]:
    folder = Path("/run/netns")
    return sorted(each.name for each in folder.glob(f"{mark}*")) if folder.exists() else []


def _links(mark: str) -> list[str]:
    return [link["ifname"] for link in _json("ip", "-json", "link", "show") if link["ifname"].startswith(mark)]


def routes(networks: Iterable[IPv4Network]) -> Iterator[tuple[str, str]]:
    """The routes of the main table to these networks or to parts of them."""
    networks = list(networks)
    for route in _json("ip", "-json", "-4", "route", "show"):
        if route["dst"] != "default" and any(IPv4Network(route["dst"]).subnet_of(network) for network in networks):
            yield route["dst"], route.get("type", route.get("dev", ""))


def _tables(mark: str) -> list[tuple[str, str]]:
    listed = _json("nft", "--json", "list", "tables")["nftables"]
    tables = [each["table"] for each in listed if "table" in each]
    return [(table["family"], table["name"]) for table in tables if table["name"].startswith(mark)]


def _json(*argv: str) -> Any:
    return json.loads(process.run(*argv).stdout or "[]")


def _removed(folder: Path) -> bool:
    with suppress(OSError):
        folder.rmdir()
    return not folder.exists()


def _status(pid: int, field: str) -> list[str]:
    """The words of a field of /proc/PID/status; none when the process is gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(f"{field}:"):
                return line.split()[1:]
    return []


def _command(pid: int) -> str:
    with suppress(OSError):
        return " ".join(Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ").split())[:100]
    return "(gone)"
