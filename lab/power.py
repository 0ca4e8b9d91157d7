"""Power of single hosts: off, on, and through a reboot until they serve again."""

from __future__ import annotations

from collections.abc import Callable

from lab.errors import CommandFailed, HostUnreachable, UsageError
from lab.events import Note, phase
from lab.lives import life_of
from lab.machines.capabilities import Capability
from lab.machines.protocol import State
from lab.parallel import workers
from lab.proof import require_answer
from lab.session import Session
from lab.topology import Role
from lab.waiting import wait_for

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
    if Capability.POWER_ON not in session.machines.capabilities:
        session.listener(Note(f"only you can switch {', '.join(names)} on again: the lab cannot", loud=True))


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
    if Capability.POWER_ON in session.machines.capabilities:
        halt(session, names)
    else:
        with phase(session.listener, "reboot", ", ".join(names)):
            _each(names, lambda name: restart(session, name))
    start(session, names)


def restart(session: Session, name: str) -> None:
    """Shut a host down and have it on again; where its power is not ours, by its own reboot. It may not answer yet.

    Raises:
        HostUnreachable: it lets nobody in, or did not come back.
    """
    host = session.host(name)
    if Capability.POWER_ON in session.machines.capabilities:
        host.close()
        session.machines.power_off(name)
        session.machines.power_on(name)
        return
    before = life_of(host)
    host.run("systemd-run --quiet --collect --on-active=0.2 systemctl reboot", root=True)

    def has_begun_anew() -> bool:
        host.close()  # a connection from before the reboot is dead, and would be waited for
        try:
            return life_of(host) != before
        except (HostUnreachable, CommandFailed):
            return False

    wait_for(f"reboot of {name}", has_begun_anew, within_s=session.boot_s)


def _start_one(session: Session, name: str) -> None:
    session.machines.power_on(name)
    host = session.reachable_host(name, session.boot_s)
    if session.lab[name].is_a(Role.BACKEND) and host.run(_SAVED, session.lab.app.user, root=True, check=False).ok:
        require_answer(session.lab, name, APP_S * session.patience)


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
