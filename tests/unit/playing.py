"""A lab in memory for tests of what is done to it: a real session whose hosts and machines only remember."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from lab.errors import HostUnreachable
from lab.home import Home
from lab.host import SshHost
from lab.ledger import Entry
from lab.machines.fake import FakeMachines
from lab.session import Session
from lab.topology import Lab
from tests.fakes import FakeHost, Heard, Reply


class OpenHost(FakeHost):
    """A fake host with a connection; `dead` hosts let nobody in."""

    def __init__(self, name: str, script: Mapping[str, Reply] | None = None) -> None:
        super().__init__(name, script)
        self.closed = 0
        self.dead = False
        self.waited: list[float] = []

    def close(self) -> None:
        """Count it."""
        self.closed += 1

    def wait_until_reachable(self, within_s: float, give_up: Callable[[], bool] = lambda: False) -> None:
        """At once, or never."""
        self.waited.append(within_s)
        if self.dead:
            raise HostUnreachable(f"ssh on {self.name}: not there after {within_s:.0f} s")


class ToldMachines(FakeMachines):
    """Machines that run, and remember what they were told."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.create()
        self.told: list[str] = []

    def power_on(self, name: str) -> None:
        """As its parent."""
        self.told.append(f"on {name}")
        super().power_on(name)

    def power_off(self, name: str, *, graceful: bool = True) -> None:
        """As its parent."""
        self.told.append(f"{'shut down' if graceful else 'cut'} {name}")
        super().power_off(name, graceful=graceful)

    def renew(self, name: str) -> None:
        """As its parent."""
        self.told.append(f"renew {name}")
        super().renew(name)


class Playing:
    """A session, with its parts as the fakes that they are."""

    def __init__(self, home: Home, lab: Lab | None = None, provider: str = "virtualbox") -> None:
        self.lab = lab or Lab()
        self.home = home
        self.machines = ToldMachines(self.lab)
        self.hosts = {host.name: OpenHost(host.name) for host in self.lab.hosts}
        self.heard = Heard()
        opened = cast("dict[str, SshHost]", self.hosts)
        self.session = Session(self.lab, home, provider, self.machines, self.heard, opened)
        home.remember(provider=provider, app="hello", targets=self.machines.targets())

    def commands(self, name: str) -> list[str]:
        """What a host was told."""
        return self.hosts[name].commands


def entry(id: str = "e1", what: str = "cut_link voxy", host: str = "voxy", kind: str = "command") -> Entry:
    """An entry of the ledger."""
    return Entry(id, what, host, kind, "" if kind == "power" else f"undo {id}", "run1")
