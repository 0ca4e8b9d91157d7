"""Every wait of the lab: it has a name and a deadline."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic, sleep
from typing import TypeVar

from lab.errors import HostUnreachable

T = TypeVar("T")


def wait_for(what: str, probe: Callable[[], T | None], *, within_s: float, every_s: float = 0.1, mend: str = "") -> T:
    """Call `probe` until it gives something true, and give that back.

    Args:
        what: the name of the wait, for the error: "ssh on voxy".
        probe: gives a false value while the thing is not there yet.
        within_s: the deadline in seconds.
        every_s: seconds between two probes.
        mend: what the user can do when the deadline passes.

    Raises:
        HostUnreachable: the deadline passed.
    """
    deadline = monotonic() + within_s
    while True:
        found = probe()
        if found:
            return found
        if monotonic() >= deadline:
            raise HostUnreachable(f"{what}: not there after {within_s:.0f} s", mend)
        sleep(every_s)
