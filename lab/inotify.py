"""Room for many containers: the kernel's limit of inotify instances, which all containers of this computer share.

The systemd of one container takes seven. The limit of 128 for root is reached with 18 containers; the next one boots,
but its systemd stops with "Too many open files" before it starts sshd (measured with 16 backends beside other labs).
"""

from __future__ import annotations

from pathlib import Path

from lab import process

LIMIT = Path("/proc/sys/fs/inotify/max_user_instances")
BEFORE = Path("/run/lab-inotify-before")
"""What the limit was, for the last lab that goes. Gone with a reboot, as our limit is."""
ENOUGH = 8192


def make_room() -> None:
    """Raise the limit where it is low; remembers what it was."""
    held = LIMIT.read_text().strip()
    if int(held) < ENOUGH:
        process.as_root("tee", BEFORE, stdin=f"{held}\n")
        process.as_root("tee", LIMIT, stdin=f"{ENOUGH}\n")


def give_back() -> None:
    """Set the limit back to what it was, where we had raised it."""
    if BEFORE.exists():
        process.as_root("tee", LIMIT, stdin=BEFORE.read_text())
        process.as_root("rm", "-f", BEFORE)
