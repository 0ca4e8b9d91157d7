"""The computers that LXD makes machines on: the members of a cluster, or the one server; and the room that each has."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any
from urllib.parse import urlsplit

from lab.errors import EnvironmentProblem
from lab.lxd.client import Lxd, LxdFailed
from lab.parallel import together
from lab.topology import Engine

ANSWER_S = 2.0
"""A member that does not say what it has within two seconds counts as gone."""
NO_VMS = "LXD starts no virtual machines there"
VM_MEND = (
    "leave --vm and engine.vm out for containers; else LXD needs there: KVM and vhost_vsock in the kernel, "
    "the packages qemu-system-x86 and ovmf, then a restart"
)


@dataclass(frozen=True)
class Member:
    """One computer.

    Attributes:
        name: LXD's.
        address: where it listens for the others, as "10.0.0.1"; empty for a server that listens on its socket only.
        online: whether it can be given a machine now.
        memory_free: bytes.
        memory_total: bytes; 0 where it does not answer, as are the others.
        disk_free: bytes of the pool.
        message: why it is not online; empty when it is.
    """

    name: str
    address: str
    online: bool
    memory_free: int = 0
    memory_total: int = 0
    disk_free: int = 0
    message: str = ""


def members(lxd: Lxd, pool: str = "default", *, vms: bool = False) -> tuple[Member, ...]:
    """All members by name, whether they answer or not; asked all at once, two seconds at most.

    Args:
        lxd: where.
        pool: the storage pool whose room is told.
        vms: whether one that starts no virtual machines counts as not online.

    Raises:
        LxdFailed: LXD itself does not answer.
    """
    if not lxd.is_clustered:
        address = _host_of(str(lxd.info["config"].get("core.https_address", "")))
        return (_asked(lxd, lxd.server_name, address, pool, vms, target=""),)
    told = {each["server_name"]: each for each in lxd.get("cluster/members", recursion=1)}
    found = together(sorted(told), lambda name: _of_cluster(lxd, told[name], pool, vms))
    return tuple(found)


def starts_vms(info: dict[str, Any]) -> bool:
    """Whether a server starts virtual machines, by what it says of itself."""
    return "qemu" in str(info["environment"].get("driver", ""))


def require_vms(lxd: Lxd, engine: Engine) -> None:
    """Raise EnvironmentProblem when no member that the machines may go to starts virtual ones."""
    asked = [each for each in members(lxd, engine.pool, vms=True) if engine.member in ("", each.name)]
    if not any(each.online for each in asked):
        told = "; ".join(f"{each.name}: {each.message}" for each in asked)
        raise EnvironmentProblem(f"{lxd.place}: virtual machines cannot be made: {told or 'no such member'}", VM_MEND)


def addresses(lxd: Lxd) -> tuple[str, ...]:
    """Where LXD's own computers listen: for each other, and for whoever asks them. A socket has no address.

    A member that does not answer is known by the first only.
    """
    if not lxd.is_clustered:
        hosts = map(_host_of, lxd.info["environment"]["addresses"])
    else:
        told = lxd.get("cluster/members", recursion=1)
        asked = [str(each["server_name"]) for each in told if each["status"] == "Online"]
        heard = together(asked, lambda name: _listened_at(lxd, name)) if asked else ()
        hosts = map(_host_of, [*(str(each["url"]) for each in told), *(url for found in heard for url in found)])
    return tuple(sorted(set(filter(_is_address, hosts))))


def _listened_at(lxd: Lxd, member: str) -> list[str]:
    """What LXD calls its addresses: each of the computer's where it listens at all of them."""
    try:
        return [str(each) for each in lxd.get("", within_s=ANSWER_S, target=member)["environment"]["addresses"]]
    except LxdFailed:
        return []


def _is_address(host: str) -> bool:
    try:
        IPv4Address(host)
    except ValueError:
        return False
    return True


def _of_cluster(lxd: Lxd, told: dict[str, Any], pool: str, vms: bool) -> Member:
    name, address = str(told["server_name"]), _host_of(str(told["url"]))
    if told["status"] != "Online":
        return Member(name, address, online=False, message=f"{told['status']}: {told['message']}".lower())
    return _asked(lxd, name, address, pool, vms, target=name)


def _asked(lxd: Lxd, name: str, address: str, pool: str, vms: bool, target: str) -> Member:
    try:
        if vms and not starts_vms(lxd.get("", within_s=ANSWER_S, target=target)):
            return Member(name, address, online=False, message=NO_VMS)
        memory = lxd.get("resources", within_s=ANSWER_S, target=target)["memory"]
        space = lxd.get(f"storage-pools/{pool}/resources", within_s=ANSWER_S, target=target)["space"]
    except LxdFailed as fault:
        return Member(name, address, online=False, message=fault.said)
    free = max(memory["total"] - memory["used"], 0)
    return Member(name, address, True, free, memory["total"], max(space["total"] - space.get("used", 0), 0))


def _host_of(url: str) -> str:
    """The host of "https://10.0.0.1:8443" or "10.0.0.1:8443"; empty for any address."""
    host = urlsplit(url if "//" in url else f"//{url}").hostname or ""
    return "" if host in ("0.0.0.0", "::") else host  # noqa: S104  # compared, not listened at
