"""One request as its sender saw it: what the load records, the journal keeps and the verdict rests on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from time import monotonic, time


class Failure(StrEnum):
    """Why a request got no answer. The empty string in a sample's `error` means that it got one."""

    REFUSED = "refused"
    RESET = "reset"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    CLOSED = "closed"
    PROTOCOL = "protocol"
    LOCAL = "local"
    """This computer could not send: out of sockets or ports. It is our failure, never the lab's."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One request.

    Attributes:
        id: what the header X-Request-Id carried.
        scheduled: when it had to be sent, in seconds on the run's clock; latencies start here.
        sent: when the sender began with it, before the connection was there; seconds.
        first_byte: when the first byte of the answer came; None without an answer.
        done: when the answer was complete, or the request given up; seconds.
        status: HTTP status; None without a complete answer.
        error: a `Failure`, or empty.
        backend: the answer's X-Backend; empty without.
        upstream: the answer's X-Upstream, nginx's list of all attempts; empty without.
        bytes: length of the answer's body.
        method, path: as requested.
        client: the source address that was asked for; empty for the system's choice.
    """

    id: str
    scheduled: float
    sent: float
    first_byte: float | None
    done: float
    status: int | None
    error: str = ""
    backend: str = ""
    upstream: str = ""
    bytes: int = 0
    method: str = "GET"
    path: str = "/"
    client: str = ""

    @property
    def latency_s(self) -> float:
        """From the instant at which it had to be sent: a late sender makes it longer, never shorter."""
        return self.done - self.scheduled

    @property
    def lag_s(self) -> float:
        """How late the sender was."""
        return self.sent - self.scheduled

    @property
    def failed(self) -> bool:
        """Whether the user got no answer, or one that says no (status 400 and above)."""
        return self.status is None or self.status >= 400 or self.error != ""


@dataclass(frozen=True)
class Clock:
    """The run's clock: seconds since the run's start, the same in every process of this computer.

    Attributes:
        origin: the system's monotonic clock at t = 0.
        epoch: Unix time at t = 0, for comparing with the logs of other hosts.
    """

    origin: float
    epoch: float

    @classmethod
    def start(cls) -> Clock:
        """A clock that shows 0 now."""
        return cls(monotonic(), time())

    def now(self) -> float:
        """Seconds since the run's start."""
        return monotonic() - self.origin
