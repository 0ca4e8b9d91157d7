"""A host over SSH: run a command, put a file, get a file. The only user of fabric."""

from __future__ import annotations

import io
import logging
import shlex
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self
from uuid import uuid4

from lab.errors import CommandFailed, HostKeyChanged, HostUnreachable, Result
from lab.waiting import wait_for

CONNECT_S = 5
_IMPORTING = threading.Lock()
"""Several threads open hosts at once, and fabric's modules need each other: imported by two at once they break."""


@dataclass(frozen=True)
class SshTarget:
    """How to reach a host: what an `ssh_config` entry holds. Paths are absolute."""

    name: str
    address: str
    port: int
    user: str
    key: str
    known_hosts: str


class Host(Protocol):
    """What steps, checks and faults ask of a host; the fake in tests has the same four verbs.

    Attributes:
        name: the host's.
        patience: by how much deadlines are longer on it; above 1 where it is emulated.
    """

    name: str
    patience: float

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
        """Run a shell command; each `%s` in it is replaced by an argument, quoted."""
        ...

    def put(self, content: bytes | Path, to: str, *, mode: str = "644", owner: str = "root:root") -> None:
        """Write a file on the host in one move."""
        ...

    def get(self, path: str) -> bytes:
        """The bytes of a file on the host."""
        ...


def quoted(command: str, *args: object) -> str:
    """The command with every `%s` replaced by an argument that the shell takes as one word."""
    return command % tuple(shlex.quote(str(arg)) for arg in args) if args else command


class SshHost:
    """A host reached over SSH by fabric, on one connection that is opened when it is first needed.

    The host's key must be in the target's known_hosts file. Use as a context manager, from one
    thread at a time.

    Args:
        target: how to reach it.
        patience: by how much every deadline is longer: those of connecting, and those of the commands.
    """

    def __init__(self, target: SshTarget, patience: float = 1.0) -> None:
        self.name = target.name
        self.patience = patience
        self._connect_s = CONNECT_S * patience
        self.target = target
        self._opened: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connection; the next command opens a new one."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

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
        """Run a shell command and wait for it.

        Args:
            command: for `sh`; each `%s` is replaced by an argument, quoted.
            args: what replaces them.
            user: run it as this user, in a login environment; empty is the user that logs in.
            root: run it as root.
            check: raise when the exit code is not 0.
            timeout_s: after so many seconds, times the host's patience, the command counts as failed.
            env: variables for the command.

        Raises:
            HostUnreachable: there is no connection, or it broke.
            CommandFailed: another exit code than 0, or too late.
        """
        text = quoted(command, *args)
        result = self._exec(shell_line(text, user, root, env or {}), text, timeout_s * self.patience)
        if check and not result.ok:
            raise CommandFailed(self.name, result)
        return result

    def put(self, content: bytes | Path, to: str, *, mode: str = "644", owner: str = "root:root") -> None:
        """Write a file on the host in one move, by way of /tmp.

        Args:
            content: the bytes, or a file of this computer.
            to: the absolute path on the host; its folder is made.
            mode: octal permissions.
            owner: user:group.

        Raises:
            HostUnreachable, CommandFailed: as `run`.
        """
        staged = f"/tmp/lab-{uuid4().hex}"
        source = io.BytesIO(content) if isinstance(content, bytes) else str(content)
        try:
            self._connection().put(source, remote=staged)
        except (OSError, EOFError) as fault:
            raise HostUnreachable(f"{self.name}: could not write {to}: {fault}") from None
        user, _, group = owner.partition(":")
        self.run(
            'install -D -m %s -o %s -g %s %s %s.new && mv -f %s.new %s; code=$?; rm -f %s; exit $code',
            mode, user, group or user, staged, to, to, to, staged, root=True,
        )  # fmt: skip

    def get(self, path: str) -> bytes:
        """The bytes of a file on the host, also one that only root may read.

        Raises:
            HostUnreachable, CommandFailed: as `run`.
        """
        staged = f"/tmp/lab-{uuid4().hex}"
        self.run("install -m 600 -o %s %s %s", self.target.user, path, staged, root=True)
        buffer = io.BytesIO()
        try:
            self._connection().get(staged, local=buffer)
        finally:
            self.run("rm -f %s", staged)
        return buffer.getvalue()

    def wait_until_reachable(self, within_s: float, give_up: Callable[[], bool] = lambda: False) -> None:
        """Wait until the host lets us in.

        Raises:
            HostUnreachable: it did not by the deadline, or `give_up` told that it never will.
        """

        def lets_in() -> bool:
            if give_up():
                raise HostUnreachable(f"{self.name}: was not booted")
            if self._opened is None and not self._listens():
                return False
            try:
                return self.run("true", timeout_s=CONNECT_S).ok
            except (HostUnreachable, CommandFailed):
                self.close()
                return False

        wait_for(
            f"ssh on {self.name} ({self.target.address}:{self.target.port})",
            lets_in,
            within_s=within_s,
            every_s=0.05,
            mend=f"`lab logs {self.name}` and `lab status` say more; `lab reboot {self.name}` may bring it back",
        )

    def _listens(self) -> bool:
        """Whether the port is open: a thousandth of what an attempt to log in costs, and many hosts wait at once."""
        try:
            socket.create_connection((self.target.address, self.target.port), timeout=CONNECT_S).close()
        except OSError:
            return False
        return True

    def _exec(self, line: str, shown: str, timeout_s: float) -> Result:
        with _IMPORTING:
            from invoke.exceptions import CommandTimedOut
            from paramiko.ssh_exception import SSHException

        try:
            done = self._connection().run(line, hide=True, warn=True, in_stream=False, timeout=timeout_s)
        except CommandTimedOut as late:
            said = late.result.stderr + f"\nnot finished after {timeout_s:.0f} s"
            self.close()
            return Result(shown, 124, late.result.stdout, said)
        except (OSError, EOFError, SSHException) as fault:
            self.close()
            raise HostUnreachable(
                f"{self.name}: the SSH connection broke: {fault or type(fault).__name__}",
                f"`lab status` says whether {self.name} runs",
            ) from None
        code = 255 if done.return_code is None else done.return_code
        return Result(shown, code, done.stdout, done.stderr)

    def _connection(self) -> Any:
        if self._opened is None:
            self._opened = self._open()
        return self._opened

    def _open(self) -> Any:
        with _IMPORTING:
            from fabric import Config, Connection
            from paramiko import RejectPolicy
            from paramiko.ssh_exception import BadHostKeyException, SSHException

        logging.getLogger("paramiko").setLevel(logging.CRITICAL)  # a lost connection is an error of ours, said once
        options = {"key_filename": self.target.key, "look_for_keys": False, "allow_agent": False,
                   "banner_timeout": self._connect_s, "auth_timeout": self._connect_s}  # fmt: skip
        connection = Connection(
            self.target.address, user=self.target.user, port=self.target.port,
            config=Config(overrides={"load_ssh_configs": False}), connect_timeout=self._connect_s,
            connect_kwargs=options,
        )  # fmt: skip
        try:
            connection.client.load_host_keys(self.target.known_hosts)
            connection.client.set_missing_host_key_policy(RejectPolicy())
            connection.open()
            # Without it each command waits 40 ms for the other side's delayed acknowledgement.
            connection.transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except BadHostKeyException as fault:
            connection.close()
            place = f"[{self.target.address}]:{self.target.port}" if self.target.port != 22 else self.target.address
            raise HostKeyChanged(
                f"{self.name} at {self.target.address}:{self.target.port} shows another host key than the pinned one: "
                f"{fault.key.get_name()} {fault.key.fingerprint}",
                f"if the machine was set up anew: ssh-keygen -f {self.target.known_hosts} -R '{place}', then lab up; "
                "if not, somebody may be in between",
            ) from None
        except (OSError, EOFError, SSHException, socket.gaierror) as fault:
            connection.close()
            raise HostUnreachable(
                f"{self.name}: no SSH at {self.target.address}:{self.target.port}: {fault or type(fault).__name__}",
                f"`lab status` says whether {self.name} runs; `lab up` mends what is missing",
            ) from None
        return connection


def shell_line(command: str, user: str, root: bool, env: Mapping[str, str]) -> str:
    """The command as the login shell gets it: with its variables, and as the wanted user."""
    exports = "".join(f"export {name}={shlex.quote(value)}; " for name, value in env.items())
    script = shlex.quote(exports + command)
    if root:
        return f"sudo -n -- sh -c {script}"
    if user:
        return f"sudo -n -H -u {shlex.quote(user)} -- bash -lc {script}"
    return f"sh -c {script}"
