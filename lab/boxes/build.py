"""Builds the LXC box: a minimal Debian, the provision steps run in it once booted, then a snapshot.

Nothing comes from Vagrant's public boxes: the base is made by mmdebstrap out of the Debian mirror,
and what is on top is made by the same steps that provision every other host.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

from lab import content, process
from lab.boxes import store
from lab.boxes.recipe import HERE, Recipe
from lab.boxes.scratch import booted
from lab.context import Context
from lab.errors import EnvironmentProblem
from lab.events import Listener, phase
from lab.home import Home, cache
from lab.network import Network
from lab.provisioning import bring_about

GUEST = "lab-box"
NEEDED_BYTES = 3 * 2**30
_BASE_S = 900
MASKED = (
    "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer", "fstrim.timer",
    "getty@tty1.service", "systemd-binfmt.service", "systemd-udevd.service", "systemd-udevd-control.socket",
    "systemd-udevd-kernel.socket", "dev-hugepages.mount", "sys-kernel-debug.mount",
)  # fmt: skip
"""Units that a container cannot use, or that would do work in the middle of a lesson."""
GENERATORS = (
    "cryptsetup", "debug", "gpt-auto", "hibernate-resume", "integritysetup", "rc-local", "run", "system-update",
    "veritysetup",
)  # fmt: skip
"""Those of systemd that find nothing to do in a guest: run at each boot, they are a seventh of its processor time."""
UNREAD = ("/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/doc/*")
"""A quarter of a Debian's files, in a guest without `man` and without locales; copyright notices are kept.

LXD looks twice at each file of a guest that it copies.
"""

_CLEAN = """
apt-get -qq clean
rm -rf /var/lib/apt/lists/* /var/cache/debconf/*-old /var/log/journal/* /tmp/* /var/tmp/* /root/.npm /home/*/.npm
rm -rf /home/*/.pm2 /home/*/.ssh /etc/ssh/ssh_host_*
find /var/log -type f -exec truncate -s 0 {} +
: > /etc/machine-id
"""


def build(recipe: Recipe, context: Context, home: Home, listener: Listener) -> str:
    """Build the box of a recipe and give it to Vagrant; its name.

    Args:
        recipe: what to build.
        context: the lab whose network the build uses, and the proxies and certificates of this computer.
        home: the lab's folder.
        listener: told of the phases and steps.

    Raises:
        EnvironmentProblem: less than 3 GiB are free, or a step failed. Nothing half done stays behind.
    """
    for folder in (store.BASES, cache()):
        refuse_full_disk(folder)
    process.as_root("mkdir", "-p", store.BASES)
    with ExitStack() as undo:
        work = store.BASES / f"building-{recipe.name}-{os.getpid()}"
        undo.callback(process.as_root, "rm", "-rf", work)
        undo.enter_context(Network(context.lab, home).lent())
        with phase(listener, "base", f"Debian {recipe.suite}, by mmdebstrap"):
            make_base(recipe, work / "rootfs")
        with phase(listener, "box", "the provision steps, in a booted guest"):
            _provision(recipe, context, home, work / "rootfs", listener)
        with phase(listener, "pack", f"box {recipe.name}"):
            _pack(recipe.name, work / "rootfs")
    store.add(recipe.name)
    return recipe.name


def template_of(name: str) -> str:
    """The script in a box that makes a guest of it: an overlay on the box, and the settings of a container."""
    settings = (HERE / "lxc-config").read_text(encoding="utf-8")
    return content.render_file(HERE / "lxc-template.j2", name=name, base=store.base_folder(name), settings=settings)


def refuse_full_disk(folder: Path) -> None:
    """Raise when less than 3 GiB are free where boxes and guests go.

    Raises:
        EnvironmentProblem: with the free space and what to do.
    """
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if free < NEEDED_BYTES:
        raise EnvironmentProblem(
            f"only {free / 2**30:.1f} GiB are free in {existing}; the lab needs 3 GiB",
            "free some space, or `lab box remove NAME` a box that is no longer used (lab box list)",
        )


def make_base(recipe: Recipe, rootfs: Path) -> None:
    """The Debian of a recipe without its steps, by mmdebstrap into a folder."""
    mirror = [recipe.mirror] if recipe.mirror else []
    masked = " ".join(f"systemd-{name}-generator" for name in GENERATORS)
    generators = "$1/etc/systemd/system-generators"
    process.as_root("mkdir", "-p", rootfs.parent)
    process.as_root(
        "mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(recipe.packages)}",
        *(f"--dpkgopt=path-exclude={each}" for each in UNREAD), "--dpkgopt=path-include=/usr/share/doc/*/copyright",
        "--customize-hook=chroot $1 useradd --create-home --shell /bin/bash vagrant",
        "--customize-hook=echo 'vagrant ALL=(ALL) NOPASSWD: ALL' > $1/etc/sudoers.d/vagrant",
        "--customize-hook=chmod 440 $1/etc/sudoers.d/vagrant",
        f"--customize-hook=chroot $1 systemctl -q mask {' '.join(MASKED)}",
        f"--customize-hook=mkdir -p {generators} && for each in {masked}; do ln -s /dev/null {generators}/$each; done",
        "--customize-hook=rm -f $1/etc/ssh/ssh_host_*",
        recipe.suite, rootfs, *mirror, timeout_s=_BASE_S,
    )  # fmt: skip


def _provision(recipe: Recipe, context: Context, home: Home, rootfs: Path, listener: Listener) -> None:
    """Boot the base, give it its states, clean it, shut it down."""
    with booted(context.lab, home, GUEST, f"dir:{rootfs}") as host:
        for step in recipe.steps:
            bring_about(step, host, listener)
        host.run(_CLEAN, root=True)
        process.as_root("lxc-stop", "--name", f"{GUEST}-{home.id}", "--timeout", "20", check=False)


def _pack(name: str, rootfs: Path) -> None:
    """The box file into the cache, and the root file system where the box's template looks for it."""
    base = store.base_folder(name)
    target = store.box_file(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        inside = Path(scratch) / "box"
        inside.mkdir()
        process.as_root(
            "tar", "--numeric-owner", "--xattrs", "--xattrs-include=*", "--use-compress-program=gzip -1",
            "-C", rootfs, "-cf", inside / "rootfs.tar.gz", ".", timeout_s=600,
        )  # fmt: skip
        process.as_root("chown", f"{os.getuid()}:{os.getgid()}", inside / "rootfs.tar.gz")
        metadata = {"provider": "lxc", "version": "1.0.0", "lab": {"name": name}}
        (inside / "metadata.json").write_text(json.dumps(metadata))
        (inside / "lxc-template").write_text(template_of(name))
        (inside / "lxc-template").chmod(0o755)
        fresh = Path(scratch) / target.name
        process.run("tar", "-C", inside, "-cf", fresh, ".", timeout_s=600)
        fresh.replace(target)
    process.as_root("rm", "-rf", base)
    process.as_root("mkdir", "-p", base)
    process.as_root("mv", rootfs, base / "rootfs")
    process.as_root("touch", base / "complete")
