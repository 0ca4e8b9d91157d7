"""VirtualBox's own command: VBoxManage."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lab import process
from lab.machines.protocol import State
from lab.machines.switch import states_from

_LISTED = re.compile(r'^"(?P<name>[^"]+)" \{', re.MULTILINE)


class Virtualbox:
    """The machines of this user."""

    def guests(self) -> Mapping[str, State]:
        """Every machine."""
        return states_from(self._names("vms"), self._names("runningvms"))

    def start(self, guest: str) -> None:
        """Start the machine without a window."""
        process.run("VBoxManage", "startvm", guest, "--type", "headless")

    def shut_down(self, guest: str) -> None:
        """Press its power button."""
        process.run("VBoxManage", "controlvm", guest, "acpipowerbutton")

    def cut(self, guest: str) -> None:
        """Pull its plug."""
        process.run("VBoxManage", "controlvm", guest, "poweroff")

    def remove(self, guest: str) -> None:
        """Remove the machine and its disks."""
        process.run("VBoxManage", "unregistervm", guest, "--delete")

    def _names(self, what: str) -> list[str]:
        return _LISTED.findall(process.run("VBoxManage", "list", what).stdout)
