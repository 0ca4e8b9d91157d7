"""The kinds of line in a journal, and the line of the balancer's log: all that a run leaves behind.

Every record but the log's has `t`, in seconds on the run's clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from lab.sample import Sample

PhaseName = Literal["steady", "inject", "observe", "heal", "recover", "steady-again", "end"]
"""The phases of a run in their order; `end` is the mark that closes the last one."""

Stage = Literal["written", "injected", "confirmed", "healing", "healed", "confirmed-healed"]


class Effect(StrEnum):
    """What a fault does to its victim as the balancer sees it; the gates demand the signs of it."""

    SILENT = "silent"
    """No good answers any more: no power, no app, paused, cut off, rejecting."""
    BRIEF = "brief"
    """Gone for a moment and back before it is healed: a killed process under pm2."""
    FAILING = "failing"
    """Answers with errors."""
    SLOW = "slow"
    """Answers, but late: a slow or lossy link, a starved CPU."""
    WITHDRAWN = "withdrawn"
    """Not asked any more, on purpose: drained."""
    BALANCER = "balancer"
    """The balancer itself is hit: there is no victim behind it."""


@dataclass(frozen=True)
class HostAddress:
    """A machine of the lab."""

    name: str
    address: str
    roles: tuple[str, ...] = ()


@dataclass(frozen=True)
class Backend:
    """A member of the upstream; `address` is what nginx logs: `192.168.56.11:3000`."""

    name: str
    address: str
    weight: int = 1
    backup: bool = False


@dataclass(frozen=True)
class Version:
    """A program that took part, as `nginx` `1.22.1`."""

    program: str
    version: str


@dataclass(frozen=True)
class RunRecord:
    """The first line: what was run, where and with what.

    Attributes:
        id: the run's name and the beginning of every request's id.
        scenario, question: from the scenario file.
        variant: the nginx configuration: default, tuned, naive.
        balancer: the name of the nginx host, whose clock stamps the access log.
        victims: the backends that the fault hits; empty without one or when it hits the balancer.
        rate: requests a second.
        epoch: Unix time at t = 0 on the clock of the computer that ran it.
        command: how to run it again.
        file: the scenario file of the user's own; empty for a shipped scenario.
    """

    t: float
    id: str
    scenario: str
    question: str
    lab: str
    provider: str
    variant: str
    balancer: str
    hosts: tuple[HostAddress, ...]
    backends: tuple[Backend, ...]
    victims: tuple[str, ...]
    rate: float
    seed: int
    epoch: float
    command: str = ""
    file: str = ""
    versions: tuple[Version, ...] = ()


@dataclass(frozen=True)
class PhaseRecord:
    """A phase begins, and with it the one before ends."""

    t: float
    name: PhaseName


@dataclass(frozen=True)
class EventRecord:
    """Something happened on a host: a word for the timeline."""

    t: float
    host: str
    text: str


@dataclass(frozen=True)
class FaultRecord:
    """A fault reaches a stage.

    Attributes:
        fault: its description, the same at every stage: "power_off voxy".
        host: whom it hits.
        effect: what it does, for the gates.
        note: what the probe saw, for the timeline.
        restarts: whether the host is started again by it, or by its healing.
    """

    t: float
    stage: Stage
    fault: str
    host: str
    effect: Effect
    note: str = ""
    restarts: bool = False


@dataclass(frozen=True)
class ClockRecord:
    """How far a host's clock was ahead of this computer's, and by how much that may be wrong; seconds."""

    t: float
    host: str
    offset_s: float
    error_s: float


@dataclass(frozen=True)
class LifeRecord:
    """A host was found in this life; after each start it has another. Written before the load and after it."""

    t: float
    host: str
    life: str


@dataclass(frozen=True)
class Finding:
    """A statement about the balancer's configuration.

    Attributes:
        subject: server, upstream, members, method, failures, timeouts or retries.
        text: the sentence.
        holds: True when it is as it should be, False for a mistake, None when it cannot be told.
    """

    subject: str
    text: str
    holds: bool | None


@dataclass(frozen=True)
class ConfigRecord:
    """What the lint of the balancer's configuration found before the run."""

    t: float
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class PostsRecord:
    """The POSTs that a backend says it executed: request ids, one entry for each execution."""

    t: float
    host: str
    ids: tuple[str, ...]


@dataclass(frozen=True)
class LeftoverRecord:
    """What was found on the hosts that were looked at in the end; nothing found is an empty tuple."""

    t: float
    hosts: tuple[str, ...]
    found: tuple[str, ...]


@dataclass(frozen=True)
class NoteRecord:
    """A sentence for the reader of the journal."""

    t: float
    text: str


@dataclass(frozen=True)
class SampleRecord:
    """One request; `t` is when it was done."""

    t: float
    sample: Sample


Record = (
    RunRecord | PhaseRecord | SampleRecord | EventRecord | FaultRecord | ClockRecord | LifeRecord | ConfigRecord
    | PostsRecord | LeftoverRecord | NoteRecord
)  # fmt: skip

KINDS: dict[str, type[Record]] = {
    "run": RunRecord,
    "phase": PhaseRecord,
    "sample": SampleRecord,
    "event": EventRecord,
    "fault": FaultRecord,
    "clock": ClockRecord,
    "life": LifeRecord,
    "config": ConfigRecord,
    "posts": PostsRecord,
    "leftover": LeftoverRecord,
    "note": NoteRecord,
}
"""The word in a line's "kind", and its class."""
