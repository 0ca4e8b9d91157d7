"""Power of single hosts: off, on, and through a reboot until they serve again."""

from __future__ import annotations

from collections.abc import Callable

from lab.errors import UsageError
from lab.events import phase
from lab.machines.protocol import State
from lab.parallel import workers
from lab.proof import require_serving
from lab.session import Session
from lab.topology import Role
from lab.vagrantfile import BOOT_TIMEOUT_S

APP_S = 180
_SAVED = "test -s ~%s/.pm2/dump.pm2"
"""What pm2 brings back at boot; a host without it, as at the start of an exercise, serves nothing by itself."""


def halt(session: Session, names: tuple[str, ...], *, force: bool = False) -> None:
    """Shut hosts down, all at once.

    Raises:
        HostUnreachable: a guest did not shut down in time.
    """
    with phase(session.listener, "halt", ", ".join(names)):
        _each(names, lambda name: session.machines.power_off(name, graceful=not force))


def start(session: Session, names: tuple[str, ...]) -> None:
    """Give hosts power and wait until they let us in, and backends until they serve.

    Raises:
        UsageError: a host does not exist yet.
        HostUnreachable: a host did not come back in time.
    """
    refuse_absent(session, names)
    with phase(session.listener, "start", ", ".join(names)):
        _each(names, lambda name: _start_one(session, name))


def reboot(session: Session, names: tuple[str, ...]) -> None:
    """Shut down and start; HostUnreachable when a host does not come back serving."""
    refuse_absent(session, names)
    halt(session, names)
    start(session, names)


def _start_one(session: Session, name: str) -> None:
    session.machines.power_on(name)
    host = session.reachable_host(name, BOOT_TIMEOUT_S[session.provider])
    if session.lab[name].is_a(Role.BACKEND) and host.run(_SAVED, session.lab.app.user, root=True, check=False).ok:
        require_serving(session.lab, name, APP_S * session.patience)


def refuse_absent(session: Session, names: tuple[str, ...]) -> None:
    """Raise unless all of these hosts exist.

    Raises:
        UsageError: the ones that do not, and what makes them.
    """
    states = session.machines.states()
    absent = [name for name in names if states[name] is State.ABSENT]
    if absent:
        raise UsageError(f"{', '.join(absent)} does not exist yet", "lab up makes what is missing")


def _each(names: tuple[str, ...], act: Callable[[str], None]) -> None:
    """Act on all hosts at once; the first failure is raised when all have ended."""
    with workers(len(names)) as pool:
        for done in [pool.submit(act, name) for name in names]:
            done.result()
