"""libvirt's own command: virsh."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from xml.etree import ElementTree

from lab import process
from lab.errors import CommandFailed, EnvironmentProblem
from lab.machines.images import Images
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
ANSWER_S = 120
TRYING_S = 600
"""For what is about a guest's devices: libvirt may try QEMU anew for each of them, 2 s a time. Definitions of three
guests at once took longer than 120 s, on a computer whose /dev/kvm was closed to the account of libvirt's guests.
"""
_TRYING = "define", "start"
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
        """Remove the domain and its disks, or what there is of them; what makes it a guest, its first disk, last."""
        if guest in self._virsh("list", "--all", "--name").split():
            self._virsh("undefine", guest, "--managed-save", "--snapshots-metadata")
        own = [volume for volume in volumes() if volume.partition(".")[0] == guest]
        for volume in sorted(own, key=lambda name: (name == f"{guest}.img", name.endswith(".img"), name)):
            self._virsh("vol-delete", "--pool", POOL, volume)

    def keep(self, guest: str) -> None:
        """From now on the guest writes to a layer over its disk, which `renew` throws away; nothing when it does.

        The guest may run: what it had not yet written to its disk by then, its file system repairs at the next start.
        """
        disk = self._disk_of(guest)
        images = Images(disk.parent, guest)
        if disk != images.layer:
            layer = f"vda,file={images.layer}"
            self._virsh("snapshot-create-as", guest, "--disk-only", "--no-metadata", "--atomic", "--diskspec", layer)

    def renew(self, guest: str) -> None:
        """Give the domain an empty layer over the disk that was kept, and start it; its saves stay.

        The new layer takes the place of the old one in one step, so a renewal that is interrupted is done again.

        Raises:
            EnvironmentProblem: there is no such layer; nothing was touched.
        """
        images = self._images(guest, "made anew")
        self._put_back(images, images.first)

    def save(self, guests: Collection[str], id: str) -> int:
        """Keep the layer of each disk, with all guests shut down; those that ran are booted again.

        A save takes next to nothing when it is made, and grows with what is written afterwards: 0.

        Raises:
            UsageError: a guest stands on too many saves already; nothing was touched.
            EnvironmentProblem: a guest's first state was not kept; nothing was touched.
            HostUnreachable: a guest did not shut down in time.
        """
        for guest in guests:
            self._images(guest, "saved").refuse_too_deep()
        running = [guest for guest in guests if self._runs(guest)]
        try:
            together(running, self._shut_down_and_wait)
            together(guests, lambda guest: self._save_one(guest, id))
        finally:
            together([guest for guest in running if not self._runs(guest)], self.start)
        return 0

    def restore(self, guest: str, id: str) -> None:
        """Take its power, give it an empty layer over the save, and start it."""
        images = self._images(guest, "restored")
        self._put_back(images, images.under(id))

    def saves(self, guest: str) -> frozenset[str]:
        """The ids of its whole saves; looked for in the store's folder."""
        return Images(STORE, guest).saves()

    def prune(self, guest: str, keep: Collection[str]) -> None:
        """Remove its other saves, and what interrupted ones have left."""
        if guest in self.guests():
            Images(STORE, guest).prune(keep)

    def _save_one(self, guest: str, id: str) -> None:
        self._let_libvirt_look(guest)
        self._images(guest, "saved").save(id)

    def _put_back(self, images: Images, image: Path) -> None:
        if self._runs(images.guest):
            self.cut(images.guest)
        for snapshot in self._virsh("snapshot-list", images.guest, "--name").split():  # made by hand, in the layer
            self._virsh("snapshot-delete", images.guest, snapshot, "--metadata")
        images.stand_on(image)
        self.start(images.guest)

    def _let_libvirt_look(self, guest: str) -> None:
        """Have libvirt find what the disk stands on when it starts the guest, instead of remembering it."""
        definition = ElementTree.fromstring(self._virsh("dumpxml", "--inactive", guest))  # noqa: S314  # libvirt's
        remembered = [disk for disk in definition.iterfind("./devices/disk") if disk.find("backingStore") is not None]
        if not remembered:
            return
        for disk in remembered:
            disk.remove(disk.find("backingStore"))  # type: ignore[arg-type]  # it is there
        with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
            file.write(ElementTree.tostring(definition, encoding="unicode"))
            file.flush()
            self._virsh("define", file.name)

    def _images(self, guest: str, wanted: str) -> Images:
        """The guest's images.

        Raises:
            EnvironmentProblem: it does not write to a layer over its first disk.
        """
        disk = self._disk_of(guest)
        images = Images(disk.parent, guest)
        if disk != images.layer:
            raise EnvironmentProblem(
                f"{guest} cannot be {wanted}: its first state was not kept", "`lab destroy` and `lab up` make it again"
            )
        return images

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
        names = [path.name for path in STORE.glob("lab-*.img") if BOX_IMAGE not in path.name]
        return {name.partition(".")[0] for name in names}

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
        within_s = TRYING_S if argv[0] in _TRYING else ANSWER_S
        return process.run("virsh", "--connect", URI, *argv, timeout_s=within_s).stdout
    except CommandFailed as fault:
        if any(words in fault.result.stderr for words in _DEAF):
            raise LibvirtGone(
                "libvirtd does not answer; the guests that were running go on",
                "lab up starts it, and goes on from there",
            ) from None
        raise
