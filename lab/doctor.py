"""Looks at this computer as `lab up` would, and says everything that it lacks, at once."""

from __future__ import annotations

import sys

from lab import preflight
from lab.boxes.build import refuse_full_disk
from lab.boxes.store import BASES
from lab.errors import LabError
from lab.home import Home, cache
from lab.lxd import health
from lab.machines.choose import choose
from lab.network import Network, resolv_conf
from lab.placing import foreseen
from lab.preflight import Finding
from lab.topology import Lab


def examine(lab: Lab, home: Home, provider: str | None) -> tuple[str, tuple[Finding, ...]]:
    """The provider that was looked at, and what was found of everything that it needs.

    Args:
        lab: the topology.
        home: its folder.
        provider: look at this one; None looks at the one that `lab up` would take.
    """
    chosen, why = _choice(provider or lab.provider)
    found = [why, _python(), *preflight.findings(chosen), _try("disk", "3 GiB free", lambda: refuse_full_disk(cache()))]
    if chosen == "lxd":
        found += health.findings(lab, home)
    if chosen == "lxc":
        found.append(_try("disk", f"3 GiB free for {BASES}", lambda: refuse_full_disk(BASES)))
        if all(finding.ok for finding in found):
            found.append(_subnet(lab, home))
        if not lab.offline:
            found.append(_resolver(lab))
    return chosen, tuple(found)


def _choice(wanted: str) -> tuple[str, Finding]:
    try:
        choice = choose(wanted)
        return choice.provider, Finding("provider", True, choice.why)
    except LabError as fault:
        usual = "lxc" if sys.platform == "linux" else "virtualbox"
        return usual, Finding("provider", False, fault.message, "install what is marked below")


def _python() -> Finding:
    return Finding("python", True, f"{sys.version.split()[0]} at {sys.executable}")


def _resolver(lab: Lab) -> Finding:
    servers = [line.split()[1] for line in resolv_conf(lab).splitlines() if line.startswith("nameserver")]
    mend = 'set dns = ["…"] in lab.toml to servers that guests can reach'
    detail = ", ".join(servers) or "only on this computer's loopback, where guests cannot reach it"
    return Finding("dns", bool(servers), detail, mend)


def _subnet(lab: Lab, home: Home) -> Finding:
    """Whether the lab can be where it is, or where a named lab would be put."""
    try:
        lab = foreseen(lab, home, "lxc")
        Network(lab, home).refuse_taken_subnet()
    except LabError as fault:
        return Finding("subnet", False, fault.message, fault.mend)
    return Finding("subnet", True, f"{lab.subnet} is free, or ours")


def _try(what: str, good: str, check) -> Finding:  # type: ignore[no-untyped-def]
    try:
        check()
    except LabError as fault:
        return Finding(what, False, fault.message, fault.mend)
    return Finding(what, True, good)
