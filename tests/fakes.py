"""Stand-ins for what the lab reaches outside itself: hosts, power tools, listeners; and small labs."""

from __future__ import annotations

import getpass
import grp
import os
import shutil
import subprocess
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lab import config
from lab.errors import CommandFailed, Result
from lab.events import Event
from lab.host import SshTarget, quoted
from lab.machines.protocol import State
from lab.topology import Lab

ME = f"{getpass.getuser()}:{grp.getgrgid(os.getgid()).gr_name}"
"""Owner and group of the files that this test run makes."""

Answer = Result | str | int
Reply = Answer | Callable[[str], Answer]


@dataclass(frozen=True)
class Ran:
    """One command as a host was given it, with every argument quoted in."""

    command: str
    user: str = ""
    root: bool = False
    env: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 60


class FakeHost:
    """A host that records its commands and answers from a script.

    Args:
        name: the host's name.
        script: part of a command → the answer to it: text, an exit code, or a function of the command. The first
            part that fits counts; a command that nothing fits succeeds and says nothing.
    """

    patience = 1.0

    def __init__(self, name: str = "voxy", script: Mapping[str, Reply] | None = None) -> None:
        self.name = name
        self.script = dict(script or {})
        self.ran: list[Ran] = []
        self.files: dict[str, bytes] = {}
        self.modes: dict[str, tuple[str, str]] = {}

    @property
    def commands(self) -> list[str]:
        """The commands, in order."""
        return [each.command for each in self.ran]

    def run(
        self,
        command: str,
        *args: object,
        user: str = "",
        root: bool = False,
        check: bool = True,
        timeout_s: float = 60,
        env: Mapping[str, str] | None = None,
    ) -> Result:
        """Record the command and give the scripted answer."""
        text = quoted(command, *args)
        self.ran.append(Ran(text, user, root, dict(env or {}), timeout_s))
        result = self._answer(text)
        if check and not result.ok:
            raise CommandFailed(self.name, result)
        return result

    def put(self, content: bytes | Path, to: str, *, mode: str = "644", owner: str = "root:root") -> None:
        """Keep the content under its path."""
        self.files[to] = content if isinstance(content, bytes) else content.read_bytes()
        self.modes[to] = (mode, owner)

    def get(self, path: str) -> bytes:
        """What was put there."""
        return self.files[path]

    def _answer(self, text: str) -> Result:
        reply: Reply = next((reply for part, reply in self.script.items() if part in text), "")
        answer = reply(text) if callable(reply) else reply
        if isinstance(answer, Result):
            return answer
        if isinstance(answer, int):
            return Result(text, answer, "", "")
        return Result(text, 0, answer, "")


class LocalHost:
    """This computer as a host, for states of a folder of the test: its commands are really run, as this user."""

    patience = 1.0

    def __init__(self, name: str = "voxy") -> None:
        self.name = name

    def run(
        self,
        command: str,
        *args: object,
        user: str = "",
        root: bool = False,
        check: bool = True,
        timeout_s: float = 60,
        env: Mapping[str, str] | None = None,
    ) -> Result:
        """Run the command with sh; whoever it is for, it is us."""
        text = quoted(command, *args)
        done = subprocess.run(
            ["sh", "-c", text], capture_output=True, text=True, check=False, env={**os.environ, **(env or {})}
        )
        result = Result(text, done.returncode, done.stdout, done.stderr)
        if check and not result.ok:
            raise CommandFailed(self.name, result)
        return result

    def put(self, content: bytes | Path, to: str, *, mode: str = "644", owner: str = "root:root") -> None:
        """Write the file with its mode."""
        path = Path(to)
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            shutil.copyfile(content, path)
        path.chmod(int(mode, 8))

    def get(self, path: str) -> bytes:
        """Read the file."""
        return Path(path).read_bytes()


class FakePowerTool:
    """A provider with its guests in memory, and a record of what it was told.

    Args:
        guests: the provider's name of each guest → its state.
        deaf: guests that do not react to a shut-down.
    """

    def __init__(self, guests: Mapping[str, State] | None = None, deaf: tuple[str, ...] = ()) -> None:
        self.held = dict(guests or {})
        self.deaf = deaf
        self.told: list[str] = []

    def guests(self) -> Mapping[str, State]:
        """Every guest."""
        return dict(self.held)

    def start(self, guest: str) -> None:
        """It runs."""
        self.told.append(f"start {guest}")
        self.held[guest] = State.RUNNING

    def shut_down(self, guest: str) -> None:
        """It is stopped, unless it is deaf."""
        self.told.append(f"shut_down {guest}")
        if guest not in self.deaf:
            self.held[guest] = State.STOPPED

    def cut(self, guest: str) -> None:
        """It is stopped."""
        self.told.append(f"cut {guest}")
        self.held[guest] = State.STOPPED

    def remove(self, guest: str) -> None:
        """It is gone."""
        self.told.append(f"remove {guest}")
        del self.held[guest]


class FakeKeeper(FakePowerTool):
    """A provider that must be told which state to go back to."""

    def keep(self, guest: str) -> None:
        """It is remembered."""
        self.told.append(f"keep {guest}")


class FakeRenewer(FakePowerTool):
    """A provider that has a quick way back to the box."""

    def renew(self, guest: str) -> None:
        """It runs."""
        self.told.append(f"renew {guest}")
        self.held[guest] = State.RUNNING


class FakeSaver(FakePowerTool):
    """A provider that can keep disks."""

    kept: frozenset[str] = frozenset()

    def save(self, guests: Collection[str], id: str) -> int:
        """A byte a guest."""
        self.told.append(f"save {' '.join(guests)} {id}")
        self.kept |= {id}
        return len(guests)

    def restore(self, guest: str, id: str) -> None:
        """It runs."""
        self.told.append(f"restore {guest} {id}")
        self.held[guest] = State.RUNNING

    def saves(self, guest: str) -> frozenset[str]:
        """The same for each."""
        return self.kept if guest in self.held else frozenset()

    def prune(self, guest: str, keep: Collection[str]) -> None:
        """The others are gone."""
        self.told.append(f"prune {guest} {' '.join(keep)}")


class Heard:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        """Take an event."""
        self.events.append(event)


def target(name: str = "voxy", address: str = "192.168.56.11", port: int = 22) -> SshTarget:
    """A way to a host that is not there."""
    return SshTarget(name, address, port, "vagrant", "/nonexistent/key", "/nonexistent/known_hosts")


def host_table(name: str, last: int, *roles: str, **more: object) -> dict[str, object]:
    """A [[host]] table of lab.toml on the default subnet."""
    return {"name": name, "address": f"192.168.56.{last}", "roles": list(roles), **more}


def default_hosts() -> list[dict[str, object]]:
    """The [[host]] tables of the documented lab."""
    return [
        host_table("akuma", 10, "balancer"),
        host_table("voxy", 11, "backend"),
        host_table("zero", 12, "backend"),
    ]


def five_hosts() -> Lab:
    """Five hosts: the balancer is also a backend; weights, a backup, least_conn, connections that are kept."""
    return config.parse(
        {
            "host": [
                host_table("akuma", 10, "balancer", "backend", weight=2),
                host_table("voxy", 11, "backend", weight=5),
                host_table("zero", 12, "backend"),
                host_table("luna", 13, "backend", backup=True),
                host_table("nova", 14, "backend", weight=3),
            ],
            "upstream": {
                "name": "site", "method": "least_conn", "keepalive": 16, "max_fails": 2, "fail_timeout_s": 7,
                "connect_timeout_s": 0.5, "read_timeout_s": 2.25, "tries": 3, "zone_kb": 128,
                "next_upstream": ["error", "timeout", "http_502"],
            },
            "app": {"port": 8080},
        }
    )  # fmt: skip
