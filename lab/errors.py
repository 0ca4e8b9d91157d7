"""What can go wrong, as a tree. Every message says what failed and where, and what to do next.

LabError                      the root: everything that the lab says to its user as an error
├── UsageError                exit 2    the command or the topology is wrong
│   └── TopologyError                   lab.toml names a key, and the mend
├── EnvironmentProblem        exit 4    this computer or its network lacks something
│   ├── MissingTool                     a program is not installed
│   ├── NoPermission                    root is needed and sudo does not give it
│   ├── LabBusy                         another command holds the lab's lock
│   ├── NetworkTaken                    the subnet belongs to somebody else
│   ├── HostUnreachable                 a host did not answer by its deadline
│   ├── HostKeyChanged                  a host shows another key than the pinned one
│   └── CommandFailed                   a command ended with another code than 0
└── Interrupted               exit 130  Ctrl-C; what was begun is in a state that can go on
"""

from __future__ import annotations

from dataclasses import dataclass

HELD, DEVIATED, USAGE, INCONCLUSIVE, ENVIRONMENT, BUG, INTERRUPTED = 0, 1, 2, 3, 4, 70, 130
"""The exit codes of every command."""

LAST_LINES = 10


class LabError(Exception):
    """An error that the user can do something about.

    Args:
        message: what failed and where, one sentence.
        mend: what to do next, one sentence or command; empty when the message already says it.
    """

    exit_code = ENVIRONMENT

    def __init__(self, message: str, mend: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.message}\n  → {self.mend}" if self.mend else self.message


class UsageError(LabError):
    """The command line or a file that the user wrote asks for something that cannot be."""

    exit_code = USAGE


class TopologyError(UsageError):
    """lab.toml does not describe a lab."""


class EnvironmentProblem(LabError):
    """This computer lacks something."""


class MissingTool(EnvironmentProblem):
    """A program that the lab calls is not installed."""


class NoPermission(EnvironmentProblem):
    """The step needs root, and neither root nor sudo is there."""


class LabBusy(EnvironmentProblem):
    """Another command is changing this lab."""


class NetworkTaken(EnvironmentProblem):
    """The lab's subnet overlaps with a network that is not the lab's."""


class HostUnreachable(EnvironmentProblem):
    """A host did not answer over SSH or HTTP by its deadline."""


class Interrupted(LabError):
    """The user pressed Ctrl-C, or SIGTERM came."""

    exit_code = INTERRUPTED


@dataclass(frozen=True)
class Result:
    """How a command ended: the command as text, its exit code and its two outputs."""

    command: str
    code: int
    stdout: str
    stderr: str

    @property
    def ok(self) -> bool:
        """Whether the exit code is 0."""
        return self.code == 0

    @property
    def last_lines(self) -> str:
        """The last ten lines of what the command said, standard error after standard output."""
        lines = (self.stdout.rstrip() + "\n" + self.stderr.rstrip()).strip().splitlines()
        return "\n".join(lines[-LAST_LINES:])


class HostKeyChanged(EnvironmentProblem):
    """A host shows another key than the one that was pinned; it is not talked to."""


class CommandFailed(EnvironmentProblem):
    """A command failed; the message carries the command, its exit code and its last ten lines."""

    def __init__(self, where: str, result: Result, mend: str = "") -> None:
        command = " ".join(result.command.split())
        shown = command if len(command) <= 300 else command[:300] + " …"
        super().__init__(f"{where}: `{shown}` ended with exit code {result.code}", mend)
        self.where = where
        self.result = result

    def __str__(self) -> str:
        said = "\n".join(f"  | {line}" for line in self.result.last_lines.splitlines())
        parts = [self.message, said, f"  → {self.mend}" if self.mend else ""]
        return "\n".join(part for part in parts if part)
