"""What a lab is like right now, found out without Vagrant and within a second."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from lab.host import SshTarget
from lab.ledger import Entry, Ledger
from lab.machines.protocol import State
from lab.parallel import workers
from lab.proof import is_serving, status_of
from lab.session import Session
from lab.topology import Host, Role

PROBE_S = 0.5


@dataclass(frozen=True)
class HostStatus:
    """One host.

    Attributes:
        name, roles, address: from the topology.
        state: running, stopped or absent, as the provider says.
        reachable: whether its SSH port greets.
        app: for a backend `serving`, `answers CODE` or `silent`; None for a host that is no backend.
    """

    name: str
    roles: tuple[str, ...]
    address: str
    state: str
    reachable: bool
    app: str | None


@dataclass(frozen=True)
class LabStatus:
    """The whole lab."""

    lab: str
    provider: str
    url: str
    hosts: tuple[HostStatus, ...]
    faults: tuple[Entry, ...] = ()


def status(session: Session) -> LabStatus:
    """Look at all hosts at once."""
    states = session.machines.states()
    targets = {target.name: target for target in session.home.state().targets}

    def look(host: Host) -> HostStatus:
        running = states[host.name] is State.RUNNING
        return HostStatus(
            host.name, tuple(role.value for role in host.roles), str(host.address), states[host.name].value,
            running and host.name in targets and _greets(targets[host.name], PROBE_S * session.patience),
            _app(session, host, running),
        )  # fmt: skip

    with workers(len(session.lab.hosts)) as pool:
        hosts = tuple(pool.map(look, session.lab.hosts))
    return LabStatus(session.lab.name, session.provider, session.lab.url, hosts, Ledger(session.home).entries())


def _greets(target: SshTarget, within_s: float = PROBE_S) -> bool:
    try:
        with socket.create_connection((target.address, target.port), timeout=within_s) as connection:
            connection.settimeout(within_s)
            return connection.recv(4).startswith(b"SSH-")
    except OSError:
        return False


def _app(session: Session, host: Host, running: bool) -> str | None:
    if not host.is_a(Role.BACKEND):
        return None
    code = status_of(session.lab, host.name, PROBE_S * session.patience) if running else None
    if code is None:
        return "silent"
    return "serving" if is_serving(code) else f"answers {code}"
