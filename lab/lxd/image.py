"""The image that LXD makes machines from: the LXC box as it is, and a unit that tells each machine who it is.

For virtual machines it is a disk with the same on it, which the builder of boxes makes bootable.

It is named by what it is made of, so an equal one is never made twice, and it gets that name last: a machine is never
made from half an image.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab import labs, process
from lab.boxes import store
from lab.boxes.build import refuse_full_disk
from lab.boxes.ours import obtain
from lab.boxes.recipe import Recipe, VmRecipe, recipe_for
from lab.boxes.vm import DISK
from lab.context import Context
from lab.events import Listener, phase
from lab.home import Home, cache
from lab.lxd.client import Lxd, LxdFailed
from lab.lxd.kind import VM_IMAGE

HERE = Path(__file__).parent
IDENTITY = "/var/lib/lab/identity"
UNIT, FETCHER = "machine-identity.service", "fetch-identity.service"
"""Not lab-…: units of that name are what faults leave behind. The other one is for virtual machines."""
MASKED = (
    "systemd-journald-audit.socket", "sys-fs-fuse-connections.mount", "systemd-sysctl.service",
    "systemd-modules-load.service", "dev-mqueue.mount", "kmod-static-nodes.service", "e2scrub_reap.service",
    *(f"modprobe@{module}.service" for module in ("configfs", "dm_mod", "drm", "efi_pstore", "fuse", "loop")),
)  # fmt: skip
"""Units that may not do their work in a container without privileges, or have none there."""
_WANTS = "etc/systemd/system/sysinit.target.wants"
_IMPORT_S = 600.0
_UNPACK = 'tar -xOf "$1" ./rootfs.tar.gz | tar --numeric-owner --xattrs --xattrs-include="*" -xzf - -C "$2"'
_TEMPLATES = {
    "/etc/hostname": ("hostname.tpl", "{{ container.name }}\n"),
    IDENTITY: ("identity.tpl", '{{ config_get("user.identity", "") }}\n'),
}


def name_of(context: Context) -> str:
    """The image's alias for a lab; nothing is made."""
    return (vm_alias_of if context.lab.engine.vm else alias_of)(box_of(context))


def box_of(context: Context) -> str:
    """The box that the image for a lab is made from; nothing is made."""
    return _recipe(context).name


def alias_of(box: str) -> str:
    """The alias of the image that is made from an LXC box."""
    return _alias("lab-lxd-", box, _text(UNIT), *MASKED)


def vm_alias_of(box: str) -> str:
    """The alias of the image that is made from the box of a virtual machine, which has the units in it."""
    return _alias(VM_IMAGE, box)


def is_there(lxd: Lxd, context: Context) -> bool:
    """Whether LXD has the image already."""
    return lxd.find(f"images/aliases/{name_of(context)}") is not None


def obtain_image(lxd: Lxd, context: Context, home: Home, listener: Listener) -> str:
    """The alias of an image that LXD has afterwards, built from the box when it is not there.

    Raises:
        MissingTool, NoPermission: the box must be built, and something that the build needs is missing.
        EnvironmentProblem: there is no room, or LXD does not take the image; nothing half done stays behind.
    """
    alias = name_of(context)
    if lxd.find(f"images/aliases/{alias}"):
        return alias
    box = obtain(_recipe(context), context, home, listener)
    with labs.one_at_a_time("the image"), phase(listener, "image", alias):
        if not lxd.find(f"images/aliases/{alias}"):
            (publish_disk if context.lab.engine.vm else publish)(lxd, box, alias)
    return alias


def _recipe(context: Context) -> Recipe | VmRecipe:
    base = recipe_for(context)
    if not context.lab.engine.vm:
        return base
    units = tuple((f"/etc/systemd/system/{unit}", _text(unit)) for unit in (UNIT, FETCHER))
    return VmRecipe(base, "lxd", (*units, ("/usr/local/sbin/fetch-identity", _text("fetch-identity.sh"))))


def _text(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _alias(prefix: str, *parts: str) -> str:
    told = "\n".join([*parts, *map(str, _TEMPLATES.items())])
    return prefix + hashlib.sha256(told.encode()).hexdigest()[:12]


def publish(lxd: Lxd, box: str, alias: str) -> None:
    """Pack an LXC box as an image, give it to LXD, and name it.

    Raises:
        EnvironmentProblem: there is no room, or LXD does not take it.
    """
    with _scratch() as folder:
        _pack(box, folder / "ours", folder / "rootfs.tar")
        _give(lxd, box, alias, "rootfs", folder / "rootfs.tar")


def publish_disk(lxd: Lxd, box: str, alias: str) -> None:
    """The same of the box of a virtual machine."""
    with _scratch() as folder:
        process.run("tar", "-C", folder, "-xf", store.box_file(box), f"./{DISK}", timeout_s=_IMPORT_S)
        _give(lxd, box, alias, "rootfs.img", folder / DISK)


@contextmanager
def _scratch() -> Iterator[Path]:
    refuse_full_disk(cache())
    with tempfile.TemporaryDirectory(dir=cache(), prefix="image-") as scratch:
        yield Path(scratch)


def _give(lxd: Lxd, box: str, alias: str, field: str, rootfs: Path) -> None:
    """Upload both halves, and name them; `field` is what LXD tells containers and virtual machines by."""
    metadata = rootfs.parent / "metadata.tar"
    metadata.write_bytes(_metadata(alias))
    done = lxd.upload("images", (("metadata", metadata), (field, rootfs)), within_s=_IMPORT_S)
    body = {"name": alias, "target": done["metadata"]["fingerprint"], "description": f"the lab's machines, from {box}"}
    try:
        lxd.post("images/aliases", body)
    except LxdFailed as fault:  # another computer's lab was faster
        if not fault.is_there_already:
            raise


def _metadata(alias: str) -> bytes:
    """The first half of the image: what it is, and the files that LXD writes before each start."""
    told = {
        "architecture": platform.machine(),
        "creation_date": 1700000000,
        "properties": {"description": f"a machine of the lab ({alias})", "os": "debian", "release": "bookworm"},
        "templates": {path: {"when": ["start"], "template": name} for path, (name, _) in _TEMPLATES.items()},
    }
    files = {"metadata.yaml": json.dumps(told), **{f"templates/{name}": text for name, text in _TEMPLATES.values()}}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text.encode()), 0o644
            archive.addfile(entry, io.BytesIO(text.encode()))
    return packed.getvalue()


def _pack(box: str, ours: Path, to: Path) -> None:
    """The other half: the box's root file system with our unit in it."""
    units = ours / "etc" / "systemd" / "system"
    (ours / _WANTS).mkdir(parents=True)
    (units / UNIT).write_text(_text(UNIT))
    (ours / _WANTS / UNIT).symlink_to(f"/etc/systemd/system/{UNIT}")
    for unit in MASKED:
        (units / unit).symlink_to("/dev/null")
    packer = "zstd -T0 -3" if process.find("zstd") else "gzip -1"
    base = store.base_folder(box)
    if (base / "complete").exists():
        root = base / "rootfs"
    else:
        root = to.parent / "box"
        root.mkdir()
        process.as_root("sh", "-c", _UNPACK, "unpack", store.box_file(box), root, timeout_s=_IMPORT_S)
    added = sorted(str(path.relative_to(ours)) for path in ours.rglob("*") if not path.is_dir() or path.is_symlink())
    process.as_root("chown", "-hR", "0:0", ours)
    process.as_root(
        "tar", "--numeric-owner", "--xattrs", "--xattrs-include=*", f"--use-compress-program={packer}",
        "-cf", to, "-C", root, ".", "-C", ours, *added,
        timeout_s=_IMPORT_S,
    )  # fmt: skip
    process.as_root("chown", f"{os.getuid()}:{os.getgid()}", to)
    process.as_root("rm", "-rf", ours, *([root] if root != base / "rootfs" else []))
