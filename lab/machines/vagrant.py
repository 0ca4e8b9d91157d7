"""Machines made by Vagrant; the only user of python-vagrant.

Vagrant takes 1 to 4 s to start, so it is called only where a guest must be made or removed. Power
and states go through the provider's own switch.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from lab import keys, process
from lab.errors import LAST_LINES, CommandFailed, EnvironmentProblem, LabError, Result, UsageError
from lab.home import Home
from lab.host import SshTarget
from lab.machines.capabilities import capabilities_of
from lab.machines.protocol import PowerSwitch, State
from lab.names import vagrant_name
from lab.parallel import together
from lab.topology import Lab
from lab.vagrantfile import FINISHED
from lab.waiting import wait_for

KEY_S = 60
MEMORY = Path(".vagrant") / "machines"
QUIET = {"VAGRANT_CHECKPOINT_DISABLE": "1", "VAGRANT_NO_COLOR": "1"}
UNLOGGED = {"VAGRANT_LOG": "off"}
"""Vagrant makes a logger for each of its actions on each guest, whose methods are compiled anew unless the log is off.

That was half of its processor time: 7.3 s for 9 guests at LXC, and 3.8 s without. A user's own VAGRANT_LOG stands.
"""
SPAWNING = {"CHILDPROCESS_POSIX_SPAWN": "true"}
"""Vagrant's library for child processes copies all of Vagrant's memory for each of them, unless it is told not to.

There are thirty for a guest. The library can do without the copy on the kinds of computer that its source names, and
refuses to on others. 17 guests at LXC on 2 cores, from nothing to the proof: 25.2 s with the copies, 20.8 s without.
"""


class VagrantMachines:
    """The guests of a lab, as its rendered Vagrantfile describes them.

    Args:
        lab: the topology.
        home: the lab's folder; the Vagrantfile is in `home.vagrant`.
        provider: Vagrant's name for it.
        switch: that provider's power switch.
    """

    def __init__(self, lab: Lab, home: Home, provider: str, switch: PowerSwitch) -> None:
        self._lab = lab
        self._home = home
        self._provider = provider
        self._switch = switch
        self.capabilities = capabilities_of(provider)

    def tidy(self) -> None:
        """Remove guests that Vagrant or the provider knows, but that Vagrant never finished."""
        for name, state in self.states().items():
            if state is State.ABSENT:
                self._sweep(name)

    def _sweep(self, name: str) -> None:
        self._switch.forget(name)
        shutil.rmtree(self._memory_of(name), ignore_errors=True)

    def create(self) -> tuple[str, ...]:
        """Make what is absent or half made, power on what is stopped; the names that changed.

        Raises:
            CommandFailed: Vagrant failed; what it made so far is taken up by the next call.
        """
        self.tidy()
        before = self.states()
        absent = tuple(name for name, state in before.items() if state is State.ABSENT)
        stopped = tuple(name for name, state in before.items() if state is State.STOPPED)
        for name in stopped:
            self._switch.on(name)
        if absent and self._provider != "lxc":  # a new guest has a new host key; a container's is ours
            self._home.remember(targets=())
        if len(absent) == len(before):
            self._vagrant("up", provider=self._provider)
        else:
            for name in absent:
                self._vagrant("up", provider=self._provider, vm_name=self._known_as(name))
        for name in before:
            self._switch.keep(name)
        return stopped + absent

    def destroy(self) -> None:
        """Remove all guests; those that Vagrant does not know are removed by the provider's tool.

        libvirt's all are: Vagrant knows one disk of each, and not what was kept of it. Others lose their power
        beforehand, for Vagrant shuts them down in order, one after the other.
        """
        if (
            self._provider != "libvirt"
            and (self._home.vagrant / "Vagrantfile").exists()
            and any(self._memory.glob("*/*/id"))
        ):
            with suppress(LabError):
                together(self._names, lambda name: self._switch.off(name, graceful=False))
            with suppress(EnvironmentProblem):
                self._vagrant("destroy")
        for host in self._lab.hosts:
            self._sweep(host.name)

    def states(self) -> Mapping[str, State]:
        """The state of every host; a guest that Vagrant never finished counts as absent."""
        found = self._switch.states([host.name for host in self._lab.hosts])
        return {name: state if self._is_finished(name) else State.ABSENT for name, state in found.items()}

    def power_on(self, name: str) -> None:
        """Give a guest power."""
        self._switch.on(self._lab[name].name)

    def power_off(self, name: str, *, graceful: bool = True) -> None:
        """Shut a guest down, or take its power."""
        self._switch.off(self._lab[name].name, graceful=graceful)

    def renew(self, name: str) -> None:
        """Put a guest back to its box, running: with the provider's own commands, or else destroyed and made again.

        Raises:
            UsageError: it does not exist yet.
        """
        if self.states()[self._lab[name].name] is State.ABSENT:
            raise UsageError(f"{name} does not exist yet", "lab up makes what is missing")
        if self._switch.renew(name):
            return
        self._home.remember(targets=())  # it will have a new host key
        self._vagrant("destroy", vm_name=self._known_as(name))
        self._vagrant("up", provider=self._provider, vm_name=self._known_as(name))

    def save(self, id: str) -> int:
        """Keep the disks of all guests as they are at one point of time, with the provider's own commands."""
        return self._switch.save(self._names, id)

    def restore(self, id: str) -> None:
        """Put the disks of all guests back to a save, and start them."""
        self._switch.restore(self._names, id)

    def saves(self) -> Mapping[str, frozenset[str]]:
        """The ids of the whole saves that each host has."""
        return self._switch.saves(self._names)

    def prune(self, keep: Collection[str]) -> None:
        """Remove all saves but these, and what interrupted work has left."""
        self._switch.prune(self._names, keep)

    def targets(self) -> tuple[SshTarget, ...]:
        """How to reach each host: remembered, or known from our own keys, or asked of Vagrant once."""
        if self._provider == "lxc":
            return keys.lxc_targets(self._lab, self._home)
        remembered = self._home.state().targets
        if {target.name for target in remembered} >= {host.name for host in self._lab.hosts}:
            return remembered
        return self._pinned(self._known_targets() if self._provider == "libvirt" else self._asked_targets())

    @property
    def _names(self) -> tuple[str, ...]:
        return tuple(host.name for host in self._lab.hosts)

    @property
    def _memory(self) -> Path:
        """Vagrant's own folder of this lab's machines."""
        return self._home.vagrant / MEMORY

    def _memory_of(self, name: str) -> Path:
        return self._memory / self._known_as(name)

    def _known_as(self, name: str) -> str:
        return vagrant_name(self._home, name)

    def _is_finished(self, name: str) -> bool:
        """A container is, with `action_provision`, which Vagrant writes at the end of its boot.

        That of a virtual machine is written before the lab's key is in it; our own mark comes after.
        """
        folder = self._memory_of(name) / self._provider
        mark = "action_provision" if self._provider == "lxc" else FINISHED
        return (folder / "id").exists() and (folder / mark).exists()

    def _known_targets(self) -> tuple[SshTarget, ...]:
        """Where the lab's own network gives the addresses, nobody need be asked."""
        return tuple(self._target(host.name, str(host.address), 22, "vagrant") for host in self._lab.hosts)

    def _asked_targets(self) -> tuple[SshTarget, ...]:
        import vagrant

        asker = vagrant.Vagrant(root=str(self._home.vagrant))
        entries = {host.name: asker.conf(vm_name=self._known_as(host.name)) for host in self._lab.hosts}
        return tuple(
            self._target(name, entry["HostName"], int(entry["Port"]), entry["User"]) for name, entry in entries.items()
        )

    def _target(self, name: str, address: str, port: int, user: str) -> SshTarget:
        known = self._home.path / "known_hosts"
        return SshTarget(name, address, port, user, str(self._home.keys / "lab"), str(known))

    def _pinned(self, targets: tuple[SshTarget, ...]) -> tuple[SshTarget, ...]:
        """The targets, once the host keys that they show are written down."""
        self._home.write("known_hosts", "".join(_scanned(target) for target in targets))
        return targets

    def _vagrant(self, verb: str, **options: Any) -> None:
        """Call Vagrant with its output in a log; a failure shows the last lines of it.

        `vagrant up` ends only when every guest answered over SSH.
        """
        import vagrant

        log = self._home.log("vagrant")
        log.write_text("", encoding="utf-8")
        to_log = vagrant.make_file_cm(str(log))
        caller = vagrant.Vagrant(root=str(self._home.vagrant), out_cm=to_log, err_cm=to_log, env=_environment())
        try:
            getattr(caller, verb)(**options)
        except subprocess.CalledProcessError as fault:
            self.states()  # a provider that does not answer says so itself, in one sentence
            said = "\n".join(log.read_text(errors="replace").splitlines()[-LAST_LINES:])
            result = Result(f"vagrant {verb}", fault.returncode, "", said)
            raise CommandFailed("this computer", result, f"the whole output is in {log}") from None
        except (OSError, RuntimeError) as fault:
            raise EnvironmentProblem(f"vagrant {verb}: {fault}", "lab doctor says what is missing") from None


def providers_in_use(home: Home) -> tuple[str, ...]:
    """The providers at which Vagrant has made guests of this lab, finished or not."""
    return tuple(sorted({path.parent.name for path in (home.vagrant / MEMORY).glob("*/*/id")}))


def _environment() -> dict[str, str]:
    """What Vagrant runs with."""
    spawns = (platform.system(), platform.machine()) == ("Linux", "x86_64")
    return {**UNLOGGED, **os.environ, **QUIET, **(SPAWNING if spawns else {})}


def _scanned(target: SshTarget) -> str:
    """The host key as the host shows it on first contact: known_hosts lines, pinned from then on."""

    def shown() -> str:
        return process.run("ssh-keyscan", "-T", "10", "-p", str(target.port), target.address, check=False).stdout

    return wait_for(f"the host key of {target.name}", shown, within_s=KEY_S)
