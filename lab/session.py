"""An opened lab: its topology, its folder, its machines, and connections to its hosts."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from lab import keys
from lab.errors import HostUnreachable, UsageError
from lab.events import Listener, silent
from lab.home import Home
from lab.host import SshHost, SshTarget
from lab.lxd.kind import has_vms
from lab.machines.choose import machines_for
from lab.machines.protocol import Machines
from lab.topology import Lab
from lab.vagrantfile import BOOT_TIMEOUT_S


class NotUp(UsageError):
    """The command needs a lab that was brought up."""


@dataclass
class Session:
    """One lab while a command works on it. A context manager: it closes its connections.

    Attributes:
        lab: the topology.
        home: its folder.
        provider: who makes its guests.
        machines: its guests.
        listener: told of what happens.
    """

    lab: Lab
    home: Home
    provider: str
    machines: Machines
    listener: Listener = silent
    _hosts: dict[str, SshHost] = field(default_factory=dict)
    _targets: dict[str, SshTarget] = field(default_factory=dict)

    @property
    def patience(self) -> float:
        """By how much the deadlines are longer than a container's: 1, or more where the guests are emulated."""
        return self.home.state().patience

    @property
    def boot_s(self) -> float:
        """How long a host may take to let us in once it has power; LXD's virtual machines as long as libvirt's."""
        return BOOT_TIMEOUT_S["libvirt" if has_vms(self.home) else self.provider]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all connections; commands that still run on them fail."""
        for host in list(self._hosts.values()):
            host.close()

    def host(self, name: str) -> SshHost:
        """A host of the lab over SSH; opened when it is first used, closed with the session."""
        if name not in self._hosts:
            self._hosts[name] = SshHost(self._target(name), self.patience)
        return self._hosts[name]

    def reachable_host(self, name: str, within_s: float, give_up: Callable[[], bool] = lambda: False) -> SshHost:
        """The same, once it lets us in.

        Raises:
            HostUnreachable: it did not by the deadline, or `give_up` said so.
        """
        host = self.host(name)
        host.wait_until_reachable(within_s, give_up)
        return host

    def record_targets(self) -> tuple[SshTarget, ...]:
        """Write down how to reach the hosts, for every later command and for `ssh -F`."""
        targets = self.machines.targets()
        before, self._targets = self._targets, {target.name: target for target in targets}
        for name in [name for name, target in before.items() if self._targets.get(name) != target]:
            if name in self._hosts:
                self._hosts.pop(name).close()
        self.home.remember(provider=self.provider, targets=targets)
        self.home.write("ssh_config", keys.ssh_config(targets))
        return targets

    def _target(self, name: str) -> SshTarget:
        if not self._targets:
            self._targets = {target.name: target for target in self.home.state().targets}
        try:
            return self._targets[name]
        except KeyError:
            raise HostUnreachable(f"{name}: was not brought up yet", "lab up") from None


def open_session(lab: Lab, home: Home, listener: Listener = silent) -> Session:
    """The session of a lab that was brought up before.

    Raises:
        NotUp: it was not.
    """
    provider = home.state().provider
    if not provider:
        raise NotUp(f"there is no lab {f'{home.name} ' if home.name else ''}in {home.folder} yet", "lab up")
    session = Session(lab, home, provider, machines_for(lab, home, provider), listener)
    if provider == "lxd" and any(not Path(target.key).is_relative_to(home.path) for target in home.state().targets):
        session.record_targets()  # the folder was somewhere else when they were written down
    return session


def named_hosts(lab: Lab, names: Collection[str]) -> tuple[str, ...]:
    """The hosts that the user named; all when none was.

    Raises:
        UsageError: the lab has no such host.
    """
    known = tuple(host.name for host in lab.hosts)
    for name in names:
        if name not in known:
            raise UsageError(f"there is no host {name!r}", f"name one of {', '.join(known)}")
    return tuple(name for name in known if name in names) if names else known
