"""Builds the boxes of virtual machines: the root file system of the LXC box, a kernel, and a disk that boots.

Nothing is provisioned twice: what the LXC box has, a virtual machine gets as it is, and on top what a container
does without. All of it happens in one folder that is removed at the end, and nothing is mounted.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from lab import content, process
from lab.boxes import store
from lab.boxes.build import MASKED, refuse_full_disk
from lab.boxes.disk import write_disk
from lab.boxes.recipe import HERE, VmRecipe
from lab.errors import EnvironmentProblem
from lab.events import Listener, phase
from lab.home import cache

_UNMASKED = tuple(unit for unit in MASKED if "udev" in unit)
_KERNEL_S = 900
_UNPACK = 'tar -xOf "$1" ./rootfs.tar.gz | tar --numeric-owner --xattrs --xattrs-include="*" -xzf - -C "$2"'
_QCOW2 = ("-c", "-O", "qcow2", "-o", "compression_type=zstd")
_VMDK = ("-O", "vmdk", "-o", "subformat=streamOptimized")
DISK = "disk.qcow2"
"""What LXD's disk is called in its box."""
BASE_MAC = "0800271AB000"
"""Vagrant gives it to the first card of the machine that it imports; its clones get others."""


def build_vm(recipe: VmRecipe, listener: Listener) -> str:
    """Build the box of a virtual machine, and give it to Vagrant where that makes the guests; its name.

    The LXC box of its base must be there.

    Raises:
        EnvironmentProblem: less than 3 GiB are free, or a step failed. Nothing half done stays behind.
    """
    for folder in (store.BASES, cache()):
        refuse_full_disk(folder)
    with ExitStack() as undo:
        work = store.BASES / f"building-{recipe.name}-{os.getpid()}"
        undo.callback(process.as_root, "rm", "-rf", work)
        process.as_root("mkdir", "-p", work / "root", work / "box")
        process.as_root("chmod", "755", work, work / "root", work / "box")
        with phase(listener, "base", f"a copy of {recipe.base.name}"):
            _copy_base(recipe.base.name, work / "root")
        with phase(listener, "kernel", f"{recipe.kernel}, boot loader, first boot"):
            _make_bootable(recipe, work / "root")
        with phase(listener, "disk", f"{recipe.size_gib} GiB"):
            write_disk(work / "root", work / "disk.img", recipe.size_gib, recipe.firmware)
            process.as_root("rm", "-rf", work / "root")
        with phase(listener, "pack", f"box {recipe.name}"):
            _FILLERS[recipe.provider](recipe, work / "disk.img", work / "box")
            _pack(recipe.name, work / "box")
    if store.is_for_vagrant(recipe.name):
        store.add(recipe.name)
    return recipe.name


def _copy_base(name: str, root: Path) -> None:
    """From where guests stand on it, or, where none ever did, from the box file."""
    base = store.base_folder(name)
    if (base / "complete").exists():
        process.as_root("cp", "-a", "--reflink=auto", "-T", base / "rootfs", root, timeout_s=600)
    else:
        process.as_root("sh", "-c", _UNPACK, "unpack", store.box_file(name), root, timeout_s=600)


def _make_bootable(recipe: VmRecipe, root: Path) -> None:
    resolver = Path("/etc/resolv.conf")
    let_in = (HERE / "vagrant.pub").read_text(encoding="utf-8") if store.is_for_vagrant(recipe.name) else ""
    process.as_root("rm", "-f", root / "etc" / "resolv.conf")
    process.as_root("tee", root / "etc" / "resolv.conf", stdin=resolver.read_text() if resolver.exists() else "")
    process.as_root("cp", HERE / "vm-guest.sh", root / "vm-guest.sh")
    process.as_root(
        "chroot", root, "sh", "/vm-guest.sh", recipe.kernel, recipe.consoles, recipe.firmware, *_UNMASKED,
        stdin=let_in, timeout_s=_KERNEL_S,
    )  # fmt: skip
    process.as_root("rm", root / "vm-guest.sh")
    for path, text in recipe.files:
        _write(root / path.lstrip("/"), text)
    if units := [Path(path).name for path, _ in recipe.files if path.endswith(".service")]:
        process.as_root("chroot", root, "systemctl", "--quiet", "enable", *units)


def _fill_libvirt(recipe: VmRecipe, disk: Path, box: Path) -> None:
    _convert(disk, box / "box.img", *_QCOW2)
    metadata = {"provider": "libvirt", "format": "qcow2", "virtual_size": recipe.size_gib, "lab": {"name": recipe.name}}
    _write(box / "metadata.json", json.dumps(metadata))


def _fill_lxd(recipe: VmRecipe, disk: Path, box: Path) -> None:
    _convert(disk, box / DISK, "-c", "-O", "qcow2")
    _write(box / "metadata.json", json.dumps({"provider": "lxd", "lab": {"name": recipe.name}}))


def _fill_virtualbox(recipe: VmRecipe, disk: Path, box: Path) -> None:
    target = box / "box.vmdk"
    _convert(disk, target, *_VMDK)
    described = content.render_file(
        HERE / "box.ovf.j2", name=recipe.name, disk=target.name, disk_bytes=target.stat().st_size,
        capacity=recipe.size_gib * 2**30,
    )  # fmt: skip
    _write(box / "box.ovf", described)
    _write(box / "metadata.json", json.dumps({"provider": "virtualbox", "lab": {"name": recipe.name}}))
    _write(box / "Vagrantfile", f'Vagrant.configure("2") {{ |config| config.vm.base_mac = "{BASE_MAC}" }}\n')


_FILLERS: dict[str, Callable[[VmRecipe, Path, Path], None]] = {
    "libvirt": _fill_libvirt, "virtualbox": _fill_virtualbox, "lxd": _fill_lxd,
}  # fmt: skip


def _convert(disk: Path, target: Path, *options: str) -> None:
    process.as_root("qemu-img", "convert", "-f", "raw", *options, disk, target, timeout_s=900)
    process.as_root("chmod", "644", target)


def _write(path: Path, text: str) -> None:
    process.as_root("tee", path, stdin=text)


def _pack(name: str, box: Path) -> None:
    """The box file into the cache, in one move."""
    target = store.box_file(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f"{target.name}.{os.getpid()}.new")
    try:
        process.run("tar", "-C", box, "-cf", fresh, ".", timeout_s=600)
        fresh.replace(target)
    except OSError as fault:
        raise EnvironmentProblem(f"{target}: cannot be written: {fault.strerror}") from None
    finally:
        fresh.unlink(missing_ok=True)
