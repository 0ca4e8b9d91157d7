"""Whether KVM runs guests on this computer: tried with fifteen bytes of machine code, not looked up."""

from __future__ import annotations

import os
import platform
import tempfile
import time
from pathlib import Path

from lab import home, process
from lab.errors import CommandFailed

PROBE = bytes(0xFFF0) + bytes.fromhex("66b900000001 6649 75fc b010 e6f4 f4 f4")
"""A firmware: mov ecx, 1 << 24; again: dec ecx; jnz again; mov al, 16; out 0xf4, al; hlt."""
PROBE_EXIT = 33
"""What QEMU's debug-exit device makes of the 16 that the probe writes to it: 16 * 2 + 1."""
PROBE_DEVICES = ("-nodefaults", "-display", "none", "-no-reboot", "-device", "isa-debug-exit,iobase=0xf4,iosize=1")
BELIEVED_S = 3600
"""So long a trial that was too slow is believed, seconds: each lab that is made would wait 3 s for the next."""
_PROBE_S = 3
_EMULATORS = {"x86_64": "qemu-system-x86_64"}
_BOOT = Path("/proc/sys/kernel/random/boot_id")


def kvm_works(*, believed: bool = False) -> bool:
    """Whether a guest really runs under KVM.

    /dev/kvm may open and a guest may be made where none can run, or where KVM emulates each instruction: a hundred
    times slower than QEMU does (13 s for the probe, which takes 0.1 s emulated by QEMU; no system booted). The probe is
    a firmware that counts to 2^24 and then ends the emulator with a code of its own. It gets this computer's CPU, as
    libvirt's guests do: without that it has run where no system booted.

    Args:
        believed: whether a trial of the last hour that was too slow will do.
    """
    emulator = process.find(_EMULATORS.get(platform.machine(), "none"))
    if emulator is None or not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    if believed and _was_too_slow():
        return False
    with tempfile.TemporaryDirectory() as folder:
        firmware = Path(folder) / "probe.bin"
        firmware.write_bytes(PROBE)
        try:
            done = process.run(
                emulator, "-accel", "kvm", "-cpu", "host", *PROBE_DEVICES, "-bios", firmware,
                check=False, timeout_s=_PROBE_S,
            )  # fmt: skip
        except CommandFailed:
            _slow().write_text(_boot(), encoding="ascii")
            return False
    _slow().unlink(missing_ok=True)
    return done.code == PROBE_EXIT


def _was_too_slow() -> bool:
    """Whether the probe took too long since this computer was started, and not long ago."""
    try:
        return _slow().read_text(encoding="ascii") == _boot() and time.time() - _slow().stat().st_mtime < BELIEVED_S
    except FileNotFoundError:
        return False


def _slow() -> Path:
    return home.cache() / "kvm-too-slow"


def _boot() -> str:
    """This start of the computer; another one may have other settings in its firmware."""
    return _BOOT.read_text(encoding="ascii")
