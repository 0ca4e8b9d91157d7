"""Notices that a student changed something on a host: a small script, over one ssh each, looks twice a second."""

from __future__ import annotations

import select
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Literal, Self

from lab import process
from lab.errors import MissingTool
from lab.exercises.lookout import GONE, Lookout

PLACES = (
    "/proc", "/etc/nginx", "/var/www", "/etc/hosts", "/etc/systemd/system", "/etc/ssh", "/home:4",
    "/var/lib/dpkg/status",
)  # fmt: skip
"""The script's arguments: where the kernel tells of itself, then what is looked at, with a depth."""
OPTIONS = (
    "BatchMode=yes", "ConnectTimeout=5", "ServerAliveInterval=2", "ServerAliveCountMax=2", "ControlPath=none",
)  # fmt: skip
QUIET_S = 0.3
"""One act of a student shows on several hosts, and in several looks: so long after the last of it, it is over."""
UNREST_S = 2.0
"""Where it is never quiet, as with an app that crashes all the time, so long is waited at most."""
ANSWER_S = 3.0

Happened = Literal["change", "key", "time"]


class Watcher:
    """Watches hosts from one thread. A context manager: it leaves no process behind, here nor there.

        with Watcher(home.ssh_config, names) as watcher, Keyboard() as keyboard:
            while True:
                watcher.pause()
                ...                 # the checks
                watcher.resume()
                match watcher.wait_for_change(keyboard.fd, timeout_s=60): ...

    A host that goes away, and one that comes back, has changed; it is called again once a second.

    Args:
        ssh_config: the file for `ssh -F`.
        hosts: their names in it.
        places: the arguments of watcher.pl.
        ssh: the program.

    Raises:
        MissingTool: there is no such program.
    """

    def __init__(
        self, ssh_config: Path, hosts: Sequence[str], *, places: Sequence[str] = PLACES, ssh: str = "ssh"
    ) -> None:
        program = process.find(ssh)
        if program is None:
            raise MissingTool(f"`{ssh}` is not installed", "lab doctor says how to install it")
        options = [word for option in OPTIONS for word in ("-o", option)]
        command = shlex.join(["exec", "perl", "-", *places])
        self._lookouts = {
            host: Lookout([program, "-F", str(ssh_config), "-T", *options, host, command]) for host in hosts
        }
        self._seen: Mapping[str, str] | None = None

    def __enter__(self) -> Self:
        for lookout in self._lookouts.values():
            lookout.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        for lookout in self._lookouts.values():
            lookout.end()
        for lookout in self._lookouts.values():
            lookout.bury()

    def wait_for_change(self, keys: int | None, timeout_s: float) -> Happened:
        """Wait for whatever comes first.

        Args:
            keys: a file descriptor, as `Keyboard.fd`; None when there is none.
            timeout_s: how long at most; a change that is under way is seen to its end, 2 s more at the most.

        Returns:
            `change`: a host is not as it was when this was last returned, or at `pause` or `mark`, and quiet again.
            What went back to as it was, like a process that has ended, is none.
            `key`: something can be read from `keys`; a change that came as well is told next time.
            `time`: nothing of it.
        """
        if self._seen is None:
            self.mark()
        deadline = monotonic() + timeout_s
        while True:
            if self.differs():
                if self._is_key_while_unquiet(keys):
                    return "key"
                self.settle()
                if self.differs():
                    self._seen = self._now()
                    return "change"
            left = deadline - monotonic()
            if left <= 0:
                return "time"
            if self._wait(keys, left):
                return "key"
            self.read()

    def pause(self) -> None:
        """Remember how the hosts are now, just before they are checked."""
        self.mark()

    def resume(self) -> None:
        """Look again after a check: what it did and left no trace of is no change; all else is, by the student.

        After a check that changes the hosts itself, as one that reboots them, call `mark` instead.
        """
        self.settle()

    def mark(self) -> None:
        """Take the hosts as they are now for unchanged."""
        self._seen = self.settle()

    def differs(self) -> bool:
        """Whether a host, as last heard, is not as it was at the last mark."""
        return self._seen is not None and self._now() != self._seen

    def settle(self) -> Mapping[str, str]:
        """Ask every host how it is at this moment; its number by its name, GONE where none is to be had within 3 s."""
        self.read()
        for lookout in self._lookouts.values():
            lookout.ask()
        deadline = monotonic() + ANSWER_S
        while any(lookout.is_awaited for lookout in self._lookouts.values()) and (left := deadline - monotonic()) > 0:
            self._wait(None, left)
            self.read()
        for lookout in self._lookouts.values():
            lookout.wait_no_longer()
        return self._now()

    def filenos(self) -> tuple[int, ...]:
        """For a `select` of one's own: where something can be read, call `read`; call it once a second in any case."""
        return tuple(lookout.fileno for lookout in self._lookouts.values() if lookout.fileno is not None)

    def read(self) -> bool:
        """Take what the hosts have said, without waiting, and call those that are gone; whether any said something."""
        heard = [lookout.read() for lookout in self._lookouts.values()]
        return any(heard)

    def _now(self) -> dict[str, str]:
        return {host: lookout.number or GONE for host, lookout in self._lookouts.items()}

    def _wait(self, keys: int | None, at_most_s: float) -> bool:
        """Until there is something to read, or a host to call again; whether a key is there."""
        calls = [lookout.call_at for lookout in self._lookouts.values() if lookout.fileno is None]
        timeout_s = max(0.0, min([at_most_s, *(call_at - monotonic() for call_at in calls)]))
        wanted = [*self.filenos(), *([] if keys is None else [keys])]
        return keys in select.select(wanted, [], [], timeout_s)[0]

    def _is_key_while_unquiet(self, keys: int | None) -> bool:
        """Wait until the hosts have been quiet for 0.3 s, 2 s at most; true at once when a key comes."""
        end = monotonic() + UNREST_S
        quiet_at = monotonic() + QUIET_S
        while (left := min(end, quiet_at) - monotonic()) > 0:
            if self._wait(keys, left):
                return True
            if self.read():
                quiet_at = monotonic() + QUIET_S
        return False
