"""What a figure needs beside it: the machine, its load, the versions of the programs."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import time
from pathlib import Path


def machine() -> str:
    """System, kernel, cores and memory, without the machine's name."""
    release = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    kernel = platform.release().split("-")[0]
    cores, gib = os.cpu_count(), memory()["MemTotal"] / 1024
    return f"{release['PRETTY_NAME'].strip(chr(34))}, Linux {kernel}, {cores} cores, {gib:.0f} GiB, LXC"


def memory() -> dict[str, float]:
    """/proc/meminfo in MiB."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines}


def used_memory() -> float:
    """Memory in use without caches, in MiB."""
    table = memory()
    return table["MemTotal"] - table["MemAvailable"]


def load_average() -> float:
    """Runnable processes over the last minute: what else the machine has to do."""
    return os.getloadavg()[0]


def folder_mib(*folders: Path) -> float:
    """What folders take on the disk, without what other file systems hold."""
    shown = subprocess.run(["du", "-sxk", *map(str, folders)], capture_output=True, text=True, check=False).stdout
    return sum(int(line.split()[0]) for line in shown.splitlines()) / 1024


def now() -> str:
    """UTC, to the minute."""
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())


def version(*command: str) -> str:
    """The first thing that looks like a version in what a program says of itself; ? without one."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    except OSError:
        return "?"
    found = re.search(r"\d+(\.\d+)+", done.stdout + done.stderr)
    return found[0] if found else "?"


def package(name: str) -> str:
    """The version of a Debian package; ? where it is not installed."""
    return subprocess.run(
        ["dpkg-query", "-W", "-f", "${Version}", name], capture_output=True, text=True, check=False
    ).stdout or "?"  # fmt: skip
