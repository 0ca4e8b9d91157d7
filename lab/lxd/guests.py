"""The machines of all labs at this computer's LXD: for `lab list`, and for labs whose folder is gone."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from lab.errors import EnvironmentProblem
from lab.lxd.client import Lxd, LxdFailed, connect
from lab.lxd.projects import OWNER
from lab.machines.protocol import State
from lab.topology import Engine


class LxdGuests:
    """A `PowerTool`: a machine goes by lab-, the id of its lab, and its own name."""

    @cached_property
    def _lxd(self) -> Lxd:
        return connect(Engine(), Path())

    def guests(self) -> Mapping[str, State]:
        """Every machine that a lab has made here."""
        return {guest: state for guest, (_, state) in self._found().items()}

    def start(self, guest: str) -> None:
        """Power it on."""
        self._set(guest, {"action": "start", "timeout": 30})

    def shut_down(self, guest: str) -> None:
        """Let its init end it."""
        self._set(guest, {"action": "stop", "timeout": 20})

    def cut(self, guest: str) -> None:
        """Kill all its processes."""
        self._set(guest, {"action": "stop", "timeout": 30, "force": True})

    def remove(self, guest: str) -> None:
        """Remove it with its disk, and its project with the last one in it."""
        project, _ = self._found()[guest]
        self._lxd.delete(f"instances/{_name(guest)}", project=project)
        with suppress(LxdFailed):  # there are others in it
            if self._lxd.get(f"projects/{project}")["config"].get(OWNER):
                self._lxd.delete(f"projects/{project}")

    def _found(self) -> dict[str, tuple[str, State]]:
        every = self._lxd.get("instances", recursion=1, all_projects="true")
        return {
            f"lab-{each['config'][OWNER]}-{each['name']}": (
                str(each["project"]), State.STOPPED if each["status"] in ("Stopped", "Error") else State.RUNNING
            )
            for each in every if OWNER in each["config"]
        }  # fmt: skip

    def _set(self, guest: str, body: dict[str, object]) -> None:
        project, _ = self._found()[guest]
        self._lxd.put(f"instances/{_name(guest)}/state", body, project=project)


def remove_network(id: str) -> None:
    """Remove the network of a lab of which only the id is left; nothing where there is no LXD or no such network."""
    with suppress(EnvironmentProblem):
        lxd = connect(Engine(), Path())
        for each in lxd.get("networks", recursion=1):
            if each["managed"] and each["config"].get(OWNER) == id:
                lxd.delete(f"networks/{each['name']}")
                lxd.delete(f"network-acls/{each['name']}")


def _name(guest: str) -> str:
    return guest.split("-", 2)[2]
