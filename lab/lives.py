"""Whether a host lives on as it was found: a restart that nobody planned is a second cause of what a run measures."""

from __future__ import annotations

from lab.host import CONNECT_S, Host
from lab.journal import Journal
from lab.records import LifeRecord
from lab.sample import Clock
from lab.session import Session

_LIFE = "cat /proc/sys/kernel/random/boot_id && awk '{print $22}' /proc/1/stat"
"""The kernel's id, and for a container, which shares it, when its first process began."""


def life_of(host: Host) -> str:
    """A word that is another after each start of the host.

    Raises:
        HostUnreachable, CommandFailed: it does not answer within 5 s.
    """
    return host.run(_LIFE, timeout_s=CONNECT_S).stdout


def record_lives(session: Session, journal: Journal, clock: Clock) -> None:
    """Write down in which life each host is; one that is just starting is waited for.

    Raises:
        HostUnreachable: a host does not come back.
    """
    for host in session.lab.hosts:
        life = life_of(session.reachable_host(host.name, session.boot_s))
        journal.append(LifeRecord(clock.now(), host.name, " ".join(life.split())))
