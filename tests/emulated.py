"""Lets an LXD start virtual machines where the kernel has neither KVM nor vhost_vsock: by emulation.

LXD asks `modprobe` whether there is vhost_vsock, and starts QEMU with a file that asks for KVM. Both programs are found
by PATH, so an LXD of the tests finds these first. It starts them by way of itself, with more locked memory than a root
without CAP_SYS_RESOURCE may grant, which only devices that are passed through need. Its QEMU is nobody, and opens
/dev/net/tun, which udev opens to all: where there is no udev, the daemon has one of its own, in its own mounts. What
such a machine lacks is LXD's agent, which talks by vsock and which the lab does not use; all else is LXD's and QEMU's.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

from lab.machines.kvm import kvm_works

_MODPROBE = """#!/bin/sh
case $* in *vhost_vsock*) exit 0 ;; esac
exec {modprobe} "$@"
"""
_LXD = """#!/bin/sh
[ "$1" = --group ] && {{ rm -f {tun}; mknod -m 666 {tun} c 10 200 && mount --bind {tun} /dev/net/tun; }}
[ "$1" = forklimits ] && [ "${{2%%:*}}" = limit=memlock ] && {{ shift 2; set -- forklimits "$@"; }}
exec {lxd} "$@"
"""
_QEMU = """#!{python}
import os, pathlib, sys
sys.path.insert(0, {root!r})
from tests.emulated import without_kvm
argv = sys.argv[1:]
if "-readconfig" in argv:
    asked = pathlib.Path(argv[argv.index("-readconfig") + 1])
    asked.write_text(without_kvm(asked.read_text()))
    argv[argv.index("-cpu") + 1] = "qemu64"
os.execv({qemu!r}, ["qemu-system-x86_64", *argv])
"""


def how_vms_run() -> str:
    """As the lab calls it for libvirt: "kvm" where this computer has all that LXD wants, else "qemu"."""
    return "kvm" if kvm_works() and Path("/dev/vhost-vsock").exists() else "qemu"


def without_kvm(asked: str) -> str:
    """QEMU's configuration as LXD writes it, for emulation and without the agent's line to LXD."""
    asked = asked.replace('accel = "kvm"', 'accel = "tcg"')
    return re.sub(r'\[device "qemu_vsock"\]\n(.+\n)+', "", asked)


def emulating(folder: Path) -> dict[str, str]:
    """The environment of an LXD that starts virtual machines so; the programs for it are put into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "lxd": _LXD.format(lxd=shutil.which("lxd"), tun=folder / "tun"),
        "modprobe": _MODPROBE.format(modprobe=shutil.which("modprobe", path="/usr/sbin:/sbin:/usr/bin")),
        "qemu-system-x86_64": _QEMU.format(
            python=sys.executable, root=str(Path(__file__).parent.parent), qemu=shutil.which("qemu-system-x86_64")
        ),
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}", "LXD_EXEC_PATH": str(folder / "lxd")}
