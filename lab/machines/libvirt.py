"""libvirt's own command: virsh."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from lab import process
from lab.errors import CommandFailed, EnvironmentProblem
from lab.machines.protocol import State
from lab.parallel import together
from lab.vagrantfile import POOL
from lab.waiting import wait_for

URI = "qemu:///system"
BOX_IMAGE = "_vagrant_box_image_"
"""What vagrant-libvirt puts into the name of a box's image in the store."""
STORE = Path("/var/lib/lab/pool")
SHUTDOWN_S = 240
"""For a save; an emulated guest takes about a minute."""
_ID = re.compile(r"[0-9a-f]{8}")
"""What the lab's own snapshots are called; others are left alone."""
_DISK, _LAYER = ".img", ".layer.img"
_GONE = "failed to connect to the hypervisor"
_DEAF = "Connection reset by peer", "End of file while reading data", _GONE


class LibvirtGone(EnvironmentProblem):
    """libvirt's daemon does not answer. Guests that run go on running; nothing can be asked of them."""


class Libvirt:
    """The domains of this computer."""

    def guests(self) -> Mapping[str, State]:
        """Every domain. A disk that no domain has is what is left of a guest, which counts as one without power."""
        rows = [line.split() for line in self._virsh("list", "--all").splitlines()[2:]]
        domains = {row[1]: State.STOPPED if row[0] == "-" else State.RUNNING for row in rows if row}
        return {**dict.fromkeys(self._disks(), State.STOPPED), **domains}

    def start(self, guest: str) -> None:
        """Start the domain."""
        self._virsh("start", guest)

    def shut_down(self, guest: str) -> None:
        """Press its power button."""
        self._virsh("shutdown", guest)

    def cut(self, guest: str) -> None:
        """Take its power."""
        self._virsh("destroy", guest)

    def remove(self, guest: str) -> None:
        """Remove the domain and its disks, or what there is of them."""
        if guest in self._virsh("list", "--all", "--name").split():
            self._virsh("undefine", guest, "--managed-save", "--snapshots-metadata")
        there = volumes()
        for volume in (guest + _LAYER, guest + _DISK):
            if volume in there:
                self._virsh("vol-delete", "--pool", POOL, volume)

    def keep(self, guest: str) -> None:
        """From now on the guest writes to a layer over its disk, which `renew` throws away; nothing when it does.

        The guest may run: what it had not yet written to its disk by then, its file system repairs at the next start.
        """
        disk = self._disk_of(guest)
        if not disk.name.endswith(_LAYER):
            layer = f"vda,file={disk.with_name(guest + _LAYER)}"
            self._virsh("snapshot-create-as", guest, "--disk-only", "--no-metadata", "--atomic", "--diskspec", layer)

    def renew(self, guest: str) -> None:
        """Give the domain an empty layer over the disk that was kept, and start it; its snapshots are gone.

        The new layer takes the place of the old one in one step, so a renewal that is interrupted is done again.

        Raises:
            EnvironmentProblem: there is no such layer; nothing was touched.
        """
        layer = self._disk_of(guest)
        kept = layer.with_name(guest + _DISK)
        if not layer.name.endswith(_LAYER):
            raise EnvironmentProblem(
                f"{guest} cannot be made anew: its first state was not kept", "`lab destroy` and `lab up` make it again"
            )
        if self.guests()[guest] is State.RUNNING:
            self.cut(guest)
        for snapshot in self._virsh("snapshot-list", guest, "--name").split():
            self._virsh("snapshot-delete", guest, snapshot, "--metadata")
        fresh = layer.with_name(layer.name + ".new")
        process.as_root("qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", kept, fresh)
        process.as_root("mv", "-T", fresh, layer)
        self.start(guest)

    def save(self, guests: Collection[str], id: str) -> int:
        """Take a snapshot inside each disk, with all guests shut down; those that ran are booted again.

        A snapshot takes next to nothing when it is made, and grows with what is written afterwards: 0.

        Raises:
            HostUnreachable: a guest did not shut down in time.
        """
        running = [guest for guest in guests if self._runs(guest)]
        try:
            together(running, self._shut_down_and_wait)
            together(guests, lambda guest: self._virsh("snapshot-create-as", guest, id, "--atomic"))
        finally:
            together([guest for guest in running if not self._runs(guest)], self.start)
        return 0

    def restore(self, guest: str, id: str) -> None:
        """Take its power, go back to the snapshot, and start it."""
        if self._runs(guest):
            self.cut(guest)
        self._virsh("snapshot-revert", guest, id)
        self.start(guest)

    def saves(self, guest: str) -> frozenset[str]:
        """The names of its snapshots that are ids of ours."""
        if guest not in self.guests():
            return frozenset()
        return frozenset(filter(_ID.fullmatch, self._virsh("snapshot-list", guest, "--name").split()))

    def prune(self, guest: str, keep: Collection[str]) -> None:
        """Delete its other snapshots of ours; libvirt leaves no half ones."""
        for id in sorted(self.saves(guest) - set(keep)):
            self._virsh("snapshot-delete", guest, id)

    def _runs(self, guest: str) -> bool:
        return self.guests().get(guest) is State.RUNNING

    def _shut_down_and_wait(self, guest: str) -> None:
        self.shut_down(guest)
        wait_for(
            f"power off of {guest}", lambda: not self._runs(guest), within_s=SHUTDOWN_S,
            mend="`lab halt --force` takes its power",
        )  # fmt: skip

    def _disks(self) -> set[str]:
        """The guests whose disks are in the store; looked for in its folder, for states are asked for all the time."""
        names = [path.name for path in STORE.glob(f"lab-*{_DISK}") if BOX_IMAGE not in path.name]
        return {name.removesuffix(_LAYER).removesuffix(_DISK) for name in names}

    def _disk_of(self, guest: str) -> Path:
        """The file that the domain writes to."""
        lines = [line.split() for line in self._virsh("domblklist", guest).splitlines()]
        return next(Path(words[1]) for words in lines if words[:1] == ["vda"])

    def _virsh(self, *argv: str) -> str:
        return virsh(*argv)


def volumes() -> tuple[str, ...]:
    """Everything in the store, as it is on the disk; nothing when there is no store."""
    if POOL not in virsh("pool-list", "--name").split():
        return ()
    virsh("pool-refresh", POOL)
    return tuple(line.split()[0] for line in virsh("vol-list", POOL).splitlines()[2:] if line.strip())


def virsh(*argv: str) -> str:
    """What libvirt's command prints.

    Raises:
        LibvirtGone: its daemon does not answer.
        CommandFailed: the command failed.
    """
    try:
        return process.run("virsh", "--connect", URI, *argv).stdout
    except CommandFailed as fault:
        if any(words in fault.result.stderr for words in _DEAF):
            raise LibvirtGone(
                "libvirtd does not answer; the guests that were running go on",
                "lab up starts it, and goes on from there",
            ) from None
        raise
