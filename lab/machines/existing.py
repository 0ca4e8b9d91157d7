"""Machines that are there already: Multipass or cloud VMs, Raspberry Pis, whatever lets us in over SSH.

The lab makes none of them and removes none. `create` adopts: it looks at all of them first, and changes nothing where
one of them will not do. `destroy` takes away what the lab has put there. Their power is their owner's.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import NoReturn, TypeVar

from lab import keys
from lab.errors import EnvironmentProblem, HostUnreachable
from lab.home import Home
from lab.host import SshHost, SshTarget
from lab.machines import adoption, host_keys
from lab.machines.adoption import Look, Mark
from lab.machines.capabilities import NOTHING, CannotBeDone, Capability, require
from lab.machines.protocol import State
from lab.parallel import workers
from lab.topology import Host, Lab
from lab.waiting import wait_for

ADOPTED = "adopted"
SHUTDOWN_S = 90
GREETING_S = 1.0
T = TypeVar("T")


class Refused(EnvironmentProblem):
    """At least one machine cannot be a host of this lab; nothing was changed on any."""


class ExistingMachines:
    """The machines that lab.toml names, with how their owner gets into them.

    Args:
        lab: the topology.
        home: the lab's folder; its id is in the mark on each machine.
    """

    capabilities = NOTHING

    def __init__(self, lab: Lab, home: Home) -> None:
        self._lab = lab
        self._home = home

    def tidy(self) -> None:
        """Nothing here is ever half made: adopting goes on where it stopped."""

    def create(self) -> tuple[str, ...]:
        """Look at all machines, then adopt those that are not the lab's yet; their names.

        Raises:
            HostKeyUnknown: a host key has to be accepted first; no machine was logged in to.
            HostUnreachable: a machine lets its owner not in; nothing was changed on any.
            Refused: a machine will not do; nothing was changed on any.
        """
        keys.make_lab_key(self._home)
        host_keys.settle(self._lab, self._home)
        found = self._on_all(self._lab.hosts, self._look)
        faults = [adoption.fault_of(found[host.name], host, self._lab, self._home.id) for host in self._lab.hosts]
        if any(faults):
            raise Refused("\n".join(filter(None, faults)), "nothing was changed on any of them; mend that, then lab up")
        known = self._adopted()  # one that was set up anew since has lost its mark
        new = tuple(host for host in self._lab.hosts if host.name not in known or found[host.name].mark is None)
        self._on_all(new, lambda host: self._adopt(host, found[host.name]))
        return tuple(host.name for host in new)

    def destroy(self) -> None:
        """Take away what the lab has put on the machines; they stay, and so do the packages that apt installed.

        Raises:
            HostUnreachable: a machine does not answer; the others are done, and it can be done again.
        """
        adopted = [host for host in self._lab.hosts if host.name in self._adopted()]
        states = self.states()
        self._on_all([host for host in adopted if states[host.name] is State.RUNNING], self._release)
        silent = [host.name for host in adopted if states[host.name] is not State.RUNNING]
        if silent:
            raise HostUnreachable(
                f"{', '.join(silent)}: no answer, so what the lab has put there stays",
                f"switch it on, then lab destroy again; is it gone for good, rm {self._memory}",
            )

    def states(self) -> Mapping[str, State]:
        """Absent until the lab has adopted it; then running while its SSH port greets."""
        adopted = self._adopted()
        known = [host for host in self._lab.hosts if host.name in adopted]
        greets = self._on_all(known, self._greets)
        return {
            host.name: State.ABSENT if host.name not in greets
            else State.RUNNING if greets[host.name] else State.STOPPED
            for host in self._lab.hosts
        }  # fmt: skip

    def power_on(self, name: str) -> None:
        """Nothing when it is on; only its owner can switch it on.

        Raises:
            CannotBeDone: it is off.
        """
        if not self._greets(self._lab[name]):
            require(f"{name} is off", Capability.POWER_ON, self.capabilities, f"switch {name} on yourself, then go on")

    def power_off(self, name: str, *, graceful: bool = True) -> None:
        """Shut a machine down over SSH, in order, or at once as if the plug were pulled; nothing when it is off.

        Raises:
            HostUnreachable: it did not shut down in time.
        """
        host = self._lab[name]
        if not self._greets(host):
            return
        force = "" if graceful else " --force --force"
        with SshHost(self._target(host)) as shell:
            shell.run(f"systemd-run --quiet --collect --on-active=0.2 systemctl poweroff{force}", root=True)
        wait_for(f"power off of {name}", lambda: not self._greets(host), within_s=SHUTDOWN_S)

    def renew(self, name: str) -> NoReturn:
        """There is no box to make it from: `clean` is what there is instead.

        Raises:
            CannotBeDone: always.
        """
        instead = "lab exercise start brings it back by undoing what is known"
        require(self._lab[name].name, Capability.RENEW, self.capabilities, instead)
        raise AssertionError("unreachable")

    def save(self, id: str) -> NoReturn:
        """Refused, as the other verbs of saves are: the disks are their owner's.

        Raises:
            CannotBeDone: always.
        """
        self._refuse_saves(f"the save {id}")

    def restore(self, id: str) -> NoReturn:
        """Refused."""
        self._refuse_saves(f"the save {id}")

    def saves(self) -> NoReturn:
        """Refused."""
        self._refuse_saves("saves")

    def prune(self, keep: Collection[str]) -> None:
        """There is nothing to remove."""

    def _refuse_saves(self, what: str) -> NoReturn:
        require(what, Capability.SAVE, self.capabilities, "whoever made the machines can: as with multipass snapshot")
        raise AssertionError("unreachable")

    def clean(self, name: str) -> None:
        """Undo on a machine what the lab, its students and its exercises are known to do; it stays the lab's.

        Raises:
            CannotBeDone: the lab has not adopted it.
            EnvironmentProblem: it is not the lab's any more, or it could not be undone.
        """
        host = self._lab[name]
        if name not in self._adopted():
            raise CannotBeDone(f"{name} is not a host of the lab yet", "lab up")
        with self._door(host) as shell:
            mark = self._own_mark(host, shell)
            adoption.undo(shell, mark, self._apps(), release=False)
            adoption.adopt(shell, mark, self._public_key(), self._apps())

    def targets(self) -> tuple[SshTarget, ...]:
        """How to reach each host: the lab's account, the lab's key, the pinned host key."""
        return tuple(self._target(host) for host in self._lab.hosts)

    def _look(self, host: Host) -> Look:
        with self._door(host) as shell:
            return adoption.look(shell, self._lab, self._apps())

    def _adopt(self, host: Host, found: Look) -> None:
        user = self._lab.access(host).user
        ours = found.mark.account if found.mark else user != keys.LOGIN
        mark = Mark(self._home.id, str(self._home.folder), host.name, ours)
        with self._door(host) as shell:
            adoption.adopt(shell, mark, self._public_key(), self._apps())
        self._home.write(f"{ADOPTED}/{host.name}", f"{host.address}\n")

    def _release(self, host: Host) -> None:
        with self._door(host) as shell:
            found = adoption.look(shell, self._lab, self._apps())
            if found.mark and found.mark.lab == self._home.id:
                adoption.undo(shell, found.mark, self._apps(), release=True)
        (self._memory / host.name).unlink(missing_ok=True)

    def _own_mark(self, host: Host, shell: SshHost) -> Mark:
        mark = adoption.look(shell, self._lab, self._apps()).mark
        if mark is None or mark.lab != self._home.id:
            raise EnvironmentProblem(f"{host.name} does not bear this lab's mark any more ({adoption.MARK})", "lab up")
        return mark

    @property
    def _memory(self) -> Path:
        """A file for each machine that the lab has adopted."""
        return self._home.path / ADOPTED

    def _adopted(self) -> set[str]:
        return {path.name for path in self._memory.glob("*")}

    def _apps(self) -> tuple[str, ...]:
        """The folders that the lab's apps have in a home."""
        used = self._home.state().app.rstrip("/").removesuffix(".git").rpartition("/")[2]
        return tuple(filter(None, dict.fromkeys(("dumbsound", used))))

    def _public_key(self) -> str:
        return keys.make_lab_key(self._home).with_suffix(".pub").read_text(encoding="utf-8")

    def _target(self, host: Host) -> SshTarget:
        port = self._lab.access(host).port
        known = str(self._home.path / host_keys.FILE)
        return SshTarget(host.name, str(host.address), port, keys.LOGIN, str(self._home.keys / "lab"), known)

    def _door(self, host: Host) -> SshHost:
        """The machine as its owner gets into it, with the connection open.

        Raises:
            HostUnreachable: it does not let the owner in; names user, address, port and key.
        """
        access = self._lab.access(host)
        key = Path(access.key).expanduser()
        if not key.is_file():
            raise HostUnreachable(f"{host.name}: there is no key {key} to log in with", "mend ssh_key in lab.toml")
        shell = SshHost(
            SshTarget(host.name, str(host.address), access.port, access.user, str(key), self._target(host).known_hosts)
        )
        try:
            shell.run("true")
        except HostUnreachable as fault:
            why = fault.message.rpartition(": ")[2]
            raise HostUnreachable(
                f"{host.name}: {host.address}, port {access.port}, does not let {access.user} in with {key}: {why}",
                f"ssh -i {key} -p {access.port} {access.user}@{host.address} must work without a question",
            ) from None
        return shell

    def _greets(self, host: Host) -> bool:
        try:
            place = (str(host.address), self._lab.access(host).port)
            with socket.create_connection(place, timeout=GREETING_S) as connection:
                connection.settimeout(GREETING_S)
                return connection.recv(4).startswith(b"SSH-")
        except OSError:
            return False

    @staticmethod
    def _on_all(hosts: tuple[Host, ...] | list[Host], act: Callable[[Host], T]) -> dict[str, T]:
        """Act on all at once; when all have ended, the first failure is raised."""
        with workers(len(hosts)) as pool:
            work = {host.name: pool.submit(act, host) for host in hosts}
            return {name: done.result() for name, done in work.items()}


def in_use(home: Home) -> tuple[str, ...]:
    """The provider's name where the lab has adopted machines; nothing where it has none."""
    return ("existing",) if any((home.path / ADOPTED).glob("*")) else ()
