"""One request and its answer on the wire, from the instant at which it was due to its sample."""

from __future__ import annotations

import asyncio
import errno
from asyncio import TimerHandle, Transport
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import httptools

from lab.load_plan import LoadPlan
from lab.sample import Clock, Failure, Sample

LINGER_S = 1.0
"""How long a finished connection waits for the server to close it first, which keeps our ports free."""

_KINDS = {
    errno.ECONNREFUSED: Failure.REFUSED, errno.ECONNRESET: Failure.RESET, errno.EPIPE: Failure.RESET,
    errno.ECONNABORTED: Failure.RESET, errno.ETIMEDOUT: Failure.TIMEOUT, errno.EHOSTUNREACH: Failure.UNREACHABLE,
    errno.ENETUNREACH: Failure.UNREACHABLE, errno.EHOSTDOWN: Failure.UNREACHABLE,
}  # fmt: skip


def kind_of(fault: BaseException) -> Failure:
    """The word for what the system said; what it says about this computer only is LOCAL."""
    number = fault.errno if isinstance(fault, OSError) else None
    return _KINDS.get(number or 0, Failure.LOCAL)


@dataclass(frozen=True)
class Due:
    """A request that is due."""

    id: str
    scheduled: float
    method: str
    path: str


@dataclass(frozen=True)
class Desk:
    """Whom an exchange reports to: the sample, that the connection can be used again, that it is gone."""

    on_sample: Callable[[Sample], None]
    on_free: Callable[[Exchange], None]
    on_gone: Callable[[Exchange], None]


class Exchange(asyncio.Protocol):
    """A connection, and the request that is under way on it."""

    def __init__(self, plan: LoadPlan, clock: Clock, desk: Desk, client: str) -> None:
        self.client = client
        self.connecting: asyncio.Task[None] | None = None
        self._plan, self._clock, self._desk = plan, clock, desk
        self._transport: Transport | None = None
        self._timer: TimerHandle | None = None
        self._due: Due | None = None

    @property
    def connected(self) -> bool:
        """Whether the connection is there."""
        return self._transport is not None

    def begin(self, due: Due) -> None:
        """Take the next request. Its time limit counts from the instant at which it was due."""
        now = self._clock.now()
        self._due, self._sent = due, now
        self._first_byte: float | None = None
        self._backend = self._upstream = ""
        self._bytes = 0
        self._parser = httptools.HttpResponseParser(self)
        left = max(0.0, self._plan.timeout_s - (now - due.scheduled))
        self._timer = asyncio.get_running_loop().call_later(left, self.fail, Failure.TIMEOUT)
        self._write()

    def fail(self, kind: Failure) -> None:
        """Give the request up, and the connection with it."""
        self._finish(None, kind)
        self.abort()

    def abort(self) -> None:
        """Drop the connection, also one that is not there yet."""
        if self.connecting is not None:
            self.connecting.cancel()
        if self._transport is not None:
            self._transport.abort()

    def _write(self) -> None:
        if self._transport is not None and self._due is not None:
            self._transport.write(self._plan.request(self._due.method, self._due.path, self._due.id))

    def _finish(self, status: int | None, error: str) -> None:
        due, self._due = self._due, None
        if self._timer is not None:
            self._timer.cancel()
        if due is None:
            return
        del self._parser  # it refers to us: a circle for each request would wait for the collector
        self._desk.on_sample(Sample(
            due.id, due.scheduled, self._sent, self._first_byte, self._clock.now(), status, error,
            self._backend, self._upstream, self._bytes, due.method, due.path, self.client,
        ))  # fmt: skip

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is there; the request may have been given up meanwhile."""
        self._transport = cast(Transport, transport)
        if self._due is None:
            self._transport.abort()
        self._write()

    def data_received(self, data: bytes) -> None:
        """A part of the answer."""
        if self._due is None:
            return
        if self._first_byte is None:
            self._first_byte = self._clock.now()
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.fail(Failure.PROTOCOL)

    def connection_lost(self, fault: Exception | None) -> None:
        """The connection is gone."""
        self._desk.on_gone(self)
        self._finish(None, Failure.CLOSED if fault is None else kind_of(fault))

    def on_header(self, name: bytes, value: bytes) -> None:
        """The parser met a header."""
        name = name.lower()
        if name == b"x-backend":
            self._backend = value.decode("latin-1")
        elif name == b"x-upstream":
            self._upstream = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        """The parser met a part of the body."""
        self._bytes += len(body)

    def on_message_complete(self) -> None:
        """The parser met the end of the answer."""
        status, again = self._parser.get_status_code(), self._parser.should_keep_alive()
        if status < 200:
            return
        self._finish(status, "")
        if again and self._plan.keepalive:
            self._desk.on_free(self)
        else:
            self._timer = asyncio.get_running_loop().call_later(LINGER_S, self.abort)
