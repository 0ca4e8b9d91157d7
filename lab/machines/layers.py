"""The layers of a container's root, and the saves among them.

A container's root is an overlay: its own layer on top, its box at the bottom. A save is a copy of the own layer,
which is never written again. A restored container stands on that copy with an empty layer of its own, so going back
takes the same time however much was written. A save of a restored container holds only what came after, and names
the layers under it.

    /var/lib/lxc/GUEST/delta…             the own layer, as the configuration says
    /var/lib/lxc/GUEST/saves/ID/layer     a saved one
    /var/lib/lxc/GUEST/saves/ID/lowers    the ids of the saves under it, top first; written last: the save is whole

All of it is root's alone, and goes with the container.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from lab import process
from lab.errors import EnvironmentProblem, UsageError

MOST = 40
"""So many saves may a container stand on: the kernel takes their paths within one page, at most 80 bytes each."""
SPARE = 512 * 2**20
"""Bytes that a save leaves free."""
COPY_S = 600
_ROOTFS = re.compile(r"^\s*lxc\.rootfs\.path\s*=\s*(.*?)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Stack:
    """The layers of one container.

    Attributes:
        folder: the container's.
        box: its lowest layer.
        saved: the ids of the saves that it stands on, top first.
        own: the folder that holds all that was written since.
    """

    folder: Path
    box: str
    saved: tuple[str, ...]
    own: Path

    def save(self, id: str) -> Path:
        """The folder of a save."""
        return self.folder / "saves" / id

    @property
    def root(self) -> str:
        """As the configuration names it."""
        lowers = [str(self.save(id) / "layer") for id in self.saved]
        return ":".join(["overlay", *lowers, self.box, str(self.own)])


def folder_of(guest: str) -> Path:
    """The container's folder."""
    return Path(process.run("lxc-config", "lxc.lxcpath").stdout.strip()) / guest


def stack_of(guest: str, wanted: str) -> Stack:
    """The layers, as the container's configuration says.

    `lxc-info -c` is no help: it leaves the word `overlay` out. The last line counts, as for LXC.

    Args:
        guest: the container.
        wanted: what is to be done with it, for the error: "made anew".

    Raises:
        EnvironmentProblem: the container is not a layer over a box; nothing was touched.
    """
    folder = folder_of(guest)
    path = (_ROOTFS.findall(_config(folder)) or ["nothing"])[-1]
    kind, *lowers, own = path.split(":") if path.count(":") >= 2 else ("", "", "")
    ids = [re.fullmatch(re.escape(f"{folder}/saves/") + r"([0-9a-f]{8})/layer", lower) for lower in lowers[:-1]]
    ours = re.fullmatch(re.escape(f"{folder}/") + r"\w+", own) and own != f"{folder}/aside"
    if kind != "overlay" or not ours or not all(ids):
        raise EnvironmentProblem(
            f"{guest} cannot be {wanted}: its root is {path}, and not a layer over a box in {folder}",
            "`lab destroy` and `lab up` make it again",
        )
    return Stack(folder, lowers[-1], tuple(found[1] for found in ids if found), Path(own))


def restack(stack: Stack) -> None:
    """Write a container's layers into its configuration, in one move."""
    config = stack.folder / "config"
    text = _config(stack.folder)
    last = list(_ROOTFS.finditer(text))[-1]
    fresh = config.with_name("config.new")
    process.as_root("cp", "--preserve=all", config, fresh)
    process.as_root("tee", fresh, stdin=text[: last.start(1)] + stack.root + text[last.end(1) :])
    process.as_root("mv", "-T", fresh, config)


def refuse_too_deep(stack: Stack, guest: str) -> None:
    """Raise where the kernel would not take one more layer.

    Raises:
        UsageError: with the way out.
    """
    if len(stack.saved) >= MOST:
        raise UsageError(
            f"{guest} stands on {len(stack.saved)} saves, each made after going back to the one before it",
            "`lab restore` an earlier one first, or begin with `lab destroy` and `lab up`",
        )


def require_room(stacks: Iterable[Stack]) -> None:
    """Raise unless there is room for a copy of all own layers.

    Raises:
        EnvironmentProblem: what is needed, and what is free.
    """
    stacks = list(stacks)
    needed = sum(size(stack.own) for stack in stacks) + SPARE
    parent = stacks[0].folder.parent
    free = int(process.as_root("df", "--block-size=1", "--output=avail", parent).stdout.split()[-1])
    if free < needed:
        raise EnvironmentProblem(
            f"only {free / 2**30:.1f} GiB are free in {parent}; the save needs {needed / 2**30:.1f} GiB",
            "make room there, or `lab saves --remove` an old one",
        )


def copy(stack: Stack, id: str) -> None:
    """Copy the own layer, with everything that the overlay's driver writes into it; by reference where that can be."""
    process.as_root("mkdir", "-p", "-m", "700", stack.save(id).parent, stack.save(id))
    layer = stack.save(id) / "layer"
    process.as_root("cp", "--archive", "--reflink=auto", stack.own, layer, timeout_s=COPY_S)


def seal(stack: Stack, id: str) -> None:
    """Mark a copy as whole, once it is on the disk."""
    save = stack.save(id)
    process.as_root("sync", "--file-system", save, timeout_s=COPY_S)
    process.as_root("tee", save / "lowers.new", stdin="".join(f"{each}\n" for each in stack.saved))
    process.as_root("mv", "-T", save / "lowers.new", save / "lowers")


def restored(stack: Stack, id: str) -> Stack:
    """The layers after going back to a save: an empty one, made already, over it and what is under it."""
    lowers = process.as_root("cat", stack.save(id) / "lowers").stdout.split()
    own = stack.folder / f"delta_{uuid4().hex[:8]}"
    process.as_root("mkdir", own)
    for copy_of in ("chown", "chmod"):  # of the guest's `/`
        process.as_root(copy_of, f"--reference={stack.save(id) / 'layer'}", own)
    return Stack(stack.folder, stack.box, (id, *lowers), own)


def sealed(folder: Path) -> frozenset[str]:
    """The ids of the whole saves in a container's folder; none when it is gone.

    Raises:
        CommandFailed: they cannot be listed; to find none then would be to lose them all.
    """
    if not process.as_root("test", "-d", folder / "saves", check=False).ok:
        return frozenset()
    found = process.as_root("find", folder / "saves", "-mindepth", "2", "-maxdepth", "2", "-name", "lowers")
    return frozenset(Path(line).parent.name for line in found.stdout.splitlines())


def prune(stack: Stack, keep: Collection[str]) -> None:
    """Remove the other saves, except layers that the container or a kept save stands on; and own layers of the past."""
    whole = sealed(stack.folder)
    for id in sorted(whole - set(keep)):
        process.as_root("rm", "-f", stack.save(id) / "lowers")
    needed = set(stack.saved)
    for id in sorted(whole & set(keep)):
        needed |= {id, *process.as_root("cat", stack.save(id) / "lowers").stdout.split()}
    listed = process.as_root("find", stack.folder / "saves", "-mindepth", "1", "-maxdepth", "1", check=False)
    old = process.as_root("find", stack.folder, "-maxdepth", "1", "(", "-name", "delta*", "-o", "-name", "aside", ")")
    saves = [Path(line) for line in listed.stdout.splitlines() if Path(line).name not in needed]
    for path in [*saves, *(Path(line) for line in old.stdout.splitlines() if Path(line) != stack.own)]:
        despite_flags(path, "rm", "-rf", path)


def size(path: Path) -> int:
    """The bytes on the disk of all that is in a folder."""
    shown = process.as_root("du", "--summarize", "--block-size=1", path, check=False).stdout
    return int((shown.split() or ["0"])[0])  # a file that goes meanwhile is no reason to fail


def despite_flags(path: Path, *argv: str | Path) -> None:
    """Run a command on a path as root, also where root of the guest has used `chattr +i` in it.

    Kernels before 5.15 put that flag on the layer's own file, where it holds for us as well.
    """
    if not process.as_root(*argv, check=False).ok:
        process.as_root("chattr", "-R", "-f", "-i", "-a", path, check=False)
        process.as_root(*argv)


def _config(folder: Path) -> str:
    return process.as_root("cat", folder / "config").stdout
