"""Looks before a run whether there is anything to run it on, and writes down how it was found."""

from __future__ import annotations

import time

from lab import nginx_config
from lab.errors import EnvironmentProblem, UsageError
from lab.journal import Journal
from lab.ledger import Ledger
from lab.proof import prove
from lab.records import ClockRecord, ConfigRecord, Finding
from lab.sample import Clock
from lab.session import Session
from lab.status import status
from lab.virtual_network import network_of

CLOCK_TRIES = 5
GOOD_ERROR_S = 0.08
"""A little less than what the gate of the clocks lets pass."""


def require_ready(session: Session, ledger: Ledger) -> None:
    """Every host runs, every backend serves, no fault is left, and the target is ours.

    Raises:
        UsageError, EnvironmentProblem: what is not so, and the command that mends it.
    """
    left = ledger.entries()
    if left:
        raise EnvironmentProblem(f"still in force: {', '.join(entry.what for entry in left)}", "lab heal")
    for host in status(session).hosts:
        if host.state != "running":
            raise EnvironmentProblem(f"{host.name} is {host.state}", f"lab start {host.name}, or lab up")
        if not host.reachable:
            raise EnvironmentProblem(f"{host.name} lets nobody in over SSH", f"lab reboot {host.name}, or lab up")
        if host.app not in (None, "serving"):
            raise EnvironmentProblem(f"the app on {host.name}: {host.app}", f"lab logs {host.name}; lab provision")
    _require_ours(session)


def require_balanced(session: Session) -> None:
    """Wait until each backend answers through the balancer: after an outage nginx leaves one out for a while.

    A site that does not use its upstream never will be balanced; it is not waited for, and the run's gates say why
    nothing can be concluded.

    Raises:
        HostUnreachable: one does not within 15 s.
    """
    if all(finding.holds for finding in _found(session) if finding.subject in ("upstream", "members")):
        prove(session)


def _require_ours(session: Session) -> None:
    """The host behind the target's address has the key that we pinned, and that address on an interface of its own."""
    balancer = session.lab.balancer
    if network := network_of(session.provider, session.lab, session.home):
        network.ensure()
    held = session.host(balancer.name).run("ip -brief -4 address").stdout
    if f" {balancer.address}/" not in held:
        raise UsageError(f"{balancer.address} is not {balancer.name}'s own address: it gets no load", "lab provision")


def record_config(session: Session, journal: Journal, clock: Clock) -> None:
    """Lint what nginx really runs with, and write down what was found."""
    journal.append(ConfigRecord(clock.now(), _found(session)))


def _found(session: Session) -> tuple[Finding, ...]:
    """What the lint says of the configuration that nginx would read."""
    shown = session.host(session.lab.balancer.name).run("nginx -T 2>/dev/null", root=True).stdout
    return nginx_config.lint(shown, session.lab.domain)


def record_clocks(session: Session, journal: Journal, clock: Clock) -> None:
    """Compare each host's clock with ours, and write down the difference."""
    for host in session.lab.hosts:
        offset_s, error_s = _best_offset(session, host.name)
        journal.append(ClockRecord(clock.now(), host.name, offset_s, error_s))


def _best_offset(session: Session, name: str) -> tuple[float, float]:
    """The offset that is known best, of five questions; of up to sixty to an emulated guest that answers slowly."""
    found = [_offset(session, name) for _ in range(CLOCK_TRIES)]
    for _ in range(round(CLOCK_TRIES * (session.patience - 1))):
        if min(error_s for _, error_s in found) <= GOOD_ERROR_S:
            break
        found.append(_offset(session, name))
    return min(found, key=lambda pair: pair[1])


def _offset(session: Session, name: str) -> tuple[float, float]:
    """How far a host's clock is ahead, and by how much that may be wrong: half of the question's time; seconds."""
    asked = time.time()
    theirs = float(session.host(name).run("date +%s.%N").stdout)
    answered = time.time()
    return theirs - (asked + answered) / 2, (answered - asked) / 2
