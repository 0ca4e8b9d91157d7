"""The machine that all others are copies of: made from the image once on each member, and never booted.

LXD 5.0.2 gives every file of a machine another owner before its first start, wherever the kernel cannot do that for
the whole mount (measured with Linux 6.18: 2 to 5 s of a busy computer a machine). A copy of one that has been started
has the owners already: so this one is started with a first process that ends at once.
"""

from __future__ import annotations

import fcntl
from contextlib import suppress
from zlib import crc32

from lab.errors import EnvironmentProblem
from lab.home import cache
from lab.lxd.client import Lxd, LxdFailed
from lab.waiting import wait_for

PROJECT = "default"
READY = "user.lab.ready"
MADE_S = 120
_ENDED_S = 30


def name_on(alias: str, member: str) -> str:
    """What the machine of an image is called on a member; the empty member is the only one."""
    return f"{alias}-{crc32(member.encode()):08x}"


def ensure(lxd: Lxd, alias: str, member: str, pool: str) -> str:
    """Have LXD have it; its name. One that was never finished is made again.

    Args:
        lxd: where.
        alias: of the image.
        member: of the cluster; empty for the only one.
        pool: the storage pool.

    Raises:
        LxdFailed: it cannot be made; nothing half made is ever copied.
    """
    name = name_on(alias, member)
    if _is_ready(lxd, name):
        return name
    with (cache() / f"{name}.lock").open("w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not _is_ready(lxd, name):
            try:
                _make(lxd, name, alias, member, pool)
            except LxdFailed as fault:
                if not fault.is_there_already:
                    raise
                _wait_or_make(lxd, name, alias, member, pool)
    return name


def _wait_or_make(lxd: Lxd, name: str, alias: str, member: str, pool: str) -> None:
    """Another computer makes it just now; or one did not finish it."""
    try:
        wait_for(f"{name} at {lxd.place}", lambda: _is_ready(lxd, name), within_s=MADE_S, every_s=0.5)
    except EnvironmentProblem:
        with suppress(LxdFailed):
            _set(lxd, name, "stop", force=True)
        lxd.delete(f"instances/{name}", project=PROJECT)
        _make(lxd, name, alias, member, pool)


def _make(lxd: Lxd, name: str, alias: str, member: str, pool: str) -> None:
    body = {
        "name": name,
        "type": "container",
        "profiles": [],
        "source": {"type": "image", "alias": alias},
        "config": {"raw.lxc": "lxc.init.cmd = /bin/true"},
        "devices": {"root": {"type": "disk", "path": "/", "pool": pool}},
    }
    lxd.post("instances", body, project=PROJECT, target=member)
    with suppress(LxdFailed):  # its first process may have ended before LXD saw it run
        _set(lxd, name, "start")
    wait_for(f"the end of {name}", lambda: _marked(lxd, name), within_s=_ENDED_S)


def _is_ready(lxd: Lxd, name: str) -> bool:
    found = lxd.find(f"instances/{name}", project=PROJECT) or {"config": {}}
    return bool(found["config"].get(READY) == "true")


def _marked(lxd: Lxd, name: str) -> bool:
    """Mark it as ready to be copied; False while LXD still ends it."""
    found = lxd.find(f"instances/{name}", project=PROJECT) or {}
    if found.get("status") != "Stopped":
        return False
    try:
        lxd.patch(f"instances/{name}", {"config": {READY: "true"}}, project=PROJECT)
    except LxdFailed as fault:
        if not fault.is_busy:
            raise
        return False
    return True


def _set(lxd: Lxd, name: str, action: str, **more: bool) -> None:
    lxd.put(f"instances/{name}/state", {"action": action, "timeout": _ENDED_S, **more}, project=PROJECT)
