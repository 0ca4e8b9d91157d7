"""What an LXD must have for labs, looked at as `lab doctor` wants it: everything at once, each with its mend."""

from __future__ import annotations

from pathlib import Path

from lab.errors import EnvironmentProblem, LabError
from lab.home import Home
from lab.lxd import quotas
from lab.lxd.client import Lxd, connect
from lab.lxd.members import members, require_vms, starts_vms
from lab.preflight import Finding
from lab.topology import Lab

SUBUID = Path("/etc/subuid")
CGROUPS = Path("/sys/fs/cgroup")
CONTROLLERS = ("cpu", "memory", "pids")
RANGE = 65536
"""User ids of one machine."""
_DRIVERS = {
    "btrfs": "shares what machines have in common",
    "zfs": "shares what machines have in common, but goes back to the newest save only",
    "dir": "copies the whole disk of every machine: slow, and 0.6 GiB each",
}


def findings(lab: Lab, home: Home) -> tuple[Finding, ...]:
    """What was found of an LXD; only why it cannot be asked, where it cannot."""
    try:
        lxd = connect(lab.engine, home.folder)
        is_here = not lab.engine.url.startswith("https:")
        found = [_door(lxd), _pool(lxd, lab.engine.pool, is_here), _firewall(lxd), *_members(lxd, lab), *_vms(lxd, lab)]
    except LabError as fault:
        return (Finding("lxd", False, fault.message, fault.mend),)
    return (*found, _uids(len(lab.hosts)), _cgroups()) if is_here else tuple(found)


def _door(lxd: Lxd) -> Finding:
    environment = lxd.info["environment"]
    vms = "yes, lab up --vm" if starts_vms(lxd.info) else "not here, labs do without"
    detail = f"{environment['server']} {environment['server_version']} at {lxd.place}"
    return Finding("lxd", True, f"{detail}; virtual machines: {vms}")


def _vms(lxd: Lxd, lab: Lab) -> list[Finding]:
    """Whether the virtual machines that the topology asks for can be made; nothing where it asks for none."""
    if not lab.engine.vm:
        return []
    try:
        require_vms(lxd, lab.engine)
        return [Finding("virtual machines", True, "can be made")]
    except EnvironmentProblem as fault:
        return [Finding("virtual machines", False, fault.message, fault.mend)]


def _pool(lxd: Lxd, name: str, is_here: bool) -> Finding:
    """The pool; of one that is here also how it counts, which the API does not tell."""
    there = lxd.find(f"storage-pools/{name}")
    if there is None:
        return Finding(
            "pool", False, f"LXD has no pool {name}", "sudo lxd init, or name another: engine.pool in lab.toml"
        )
    driver = str(there["driver"])
    detail = f"{name}, {driver}: {_DRIVERS.get(driver, 'shares what it can')}"
    if is_here and driver == "btrfs" and quotas.counting(str(there["config"].get("source", ""))) == quotas.SHARED:
        detail += "; its quotas slow down many machines (docs/lxd.md: simple quotas)"
    return Finding("pool", True, detail)


def _firewall(lxd: Lxd) -> Finding:
    kind = str(lxd.info["environment"].get("firewall", ""))
    lists = lxd.can("network_acl")
    mend = "sudo apt-get install nftables, then restart LXD"
    return Finding("firewall", bool(kind) and lists, kind if lists else f"{kind}, without access lists", mend)


def _members(lxd: Lxd, lab: Lab) -> list[Finding]:
    found = members(lxd, lab.engine.pool)
    named = lab.engine.member
    if named and named not in {member.name for member in found}:
        return [
            Finding("member", False, f"LXD has no member {named}", "lxc cluster list; then engine.member in lab.toml")
        ]
    wanted = sum(host.memory_mb for host in lab.hosts) * 2**20
    shown = []
    for member in found:
        room = f"{member.memory_free / 2**30:.1f} GiB of memory, {member.disk_free / 2**30:.1f} GiB of disk free"
        needed = member.name == named or (not named and len(found) == 1)
        lacking = member.online and needed and member.memory_free < wanted
        detail = f"{member.name}: {room if member.online else member.message}"
        ok = not needed or (member.online and not lacking)
        shown.append(Finding("member", ok, detail, "make room there, or give the hosts less memory_mb"))
    if not any(member.online for member in found):
        shown.append(Finding("member", False, "no member answers", "lxc cluster list"))
    return shown


def _uids(hosts: int) -> Finding:
    """The range that LXD gives out, which is root's; a machine has one of its own."""
    try:
        lines = [line.split(":") for line in SUBUID.read_text(encoding="utf-8").splitlines()]
    except OSError:
        lines = []
    count = sum(int(line[2]) for line in lines if len(line) == 3 and line[0] == "root")
    places = max(count // RANGE - 1, 0)
    mend = f"echo root:1000000:1000000000 | sudo tee -a {SUBUID} /etc/subgid, then restart LXD"
    return Finding("user ids", places >= hosts, f"for {places} machines with ids of their own", mend)


def _cgroups() -> Finding:
    unified = CGROUPS / "cgroup.controllers"
    there = (
        unified.read_text(encoding="utf-8").split() if unified.exists() else [each.name for each in CGROUPS.glob("*")]
    )
    lacking = [each for each in CONTROLLERS if each not in there]
    detail = f"no {', '.join(lacking)}, so these limits hold nobody" if lacking else ", ".join(CONTROLLERS)
    return Finding("cgroups", not lacking, detail, "boot with cgroup_enable=memory swapaccount=1")
