"""The images of a virtual machine's disk, and the saves among them.

The machine writes to its layer, always the same file; under it are images that are never written again. A save of a
machine without power puts its layer among those and an empty one in its place, so it takes no time and no room; what
is written afterwards does. A restored machine gets an empty layer over the image of the save.

    POOL/GUEST.img            what `renew` goes back to, on the image of the box
    POOL/GUEST.layer.img      what the machine writes to
    POOL/GUEST.ID.under.img   a former layer
    POOL/GUEST.ID.save        empty, made last: that former layer is a whole save, and not only stood on

All of it goes with the machine.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from lab import process
from lab.errors import UsageError

MOST = 40
"""So many former layers may a machine stand on; each is one more file to look into for what was not written since."""
SYNC_S = 600
_MARK = re.compile(r"\.([0-9a-f]{8})\.save")
_UNDER = re.compile(r"\.[0-9a-f]{8}\.under\.img")


@dataclass(frozen=True)
class Images:
    """The images of one machine.

    Attributes:
        folder: the store.
        guest: the machine; there is no dot in its name.
    """

    folder: Path
    guest: str

    @property
    def first(self) -> Path:
        """The disk as it was when the machine was finished."""
        return self.folder / f"{self.guest}.img"

    @property
    def layer(self) -> Path:
        """What the machine writes to."""
        return self.folder / f"{self.guest}.layer.img"

    def under(self, id: str) -> Path:
        """A former layer."""
        return self.folder / f"{self.guest}.{id}.under.img"

    def mark(self, id: str) -> Path:
        """Says that a save is whole."""
        return self.folder / f"{self.guest}.{id}.save"

    def saves(self) -> frozenset[str]:
        """The ids of the whole saves."""
        names = [path.name.removeprefix(self.guest) for path in self.folder.glob(f"{self.guest}.*.save")]
        return frozenset(found[1] for name in names if (found := _MARK.fullmatch(name)))

    def refuse_too_deep(self) -> None:
        """Raise where one more layer would make the machine slow.

        Raises:
            UsageError: with the way out.
        """
        depth = sum(path in self._formers() for path in chain(self.layer))
        if depth >= MOST:
            raise UsageError(
                f"{self.guest} stands on {depth} saves, each made after the one before it",
                "`lab restore` an earlier one first, or begin with `lab destroy` and `lab up`",
            )

    def save(self, id: str) -> None:
        """Put the layer of a machine without power among the images that are never written again.

        Interrupted anywhere, the machine finds what it wrote, and there is no save or a whole one.
        """
        process.as_root("sync", self.layer, timeout_s=SYNC_S)
        process.as_root("ln", self.layer, self.under(id))
        self.stand_on(self.under(id))
        process.as_root("touch", self.mark(id))

    def stand_on(self, image: Path) -> None:
        """Give the machine, which must have no power, an empty layer over an image, in one step; root's alone."""
        fresh = self.layer.with_name(self.layer.name + ".new")
        process.as_root("qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", image, fresh)
        process.as_root("chmod", "600", fresh)
        process.as_root("mv", "-T", fresh, self.layer)

    def prune(self, keep: Collection[str]) -> None:
        """Remove all other saves; a former layer stays while the machine, or a save that is kept, stands on it."""
        for id in sorted(self.saves() - set(keep)):
            process.as_root("rm", "-f", self.mark(id))
        tops = [path for path in (self.layer, *map(self.under, self.saves())) if path.exists()]
        needed = {path for top in tops for path in chain(top)}
        for path in sorted(set(self._formers()) - needed):
            process.as_root("rm", "-f", path)

    def _formers(self) -> list[Path]:
        found = self.folder.glob(f"{self.guest}.*.under.img")
        return [path for path in found if _UNDER.fullmatch(path.name.removeprefix(self.guest))]


def chain(top: Path) -> Iterator[Path]:
    """An image, and those under it, also while a machine writes to it.

    Raises:
        CommandFailed: one of them cannot be read; to find less than there is would be to remove what is needed.
    """
    shown = process.as_root("qemu-img", "info", "--force-share", "--backing-chain", "--output=json", top).stdout
    return (Path(image["filename"]) for image in json.loads(shown))
