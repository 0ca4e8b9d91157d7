"""The sender itself: an event loop that starts each request when it is due. Run as a module, it is `Load`'s process.

That process reads one line from standard input, the plan and the clock as JSON, and writes one sample a line to
standard output. It ends when the plan is over, when standard input ends, or when nobody reads any more.
"""

from __future__ import annotations

import asyncio
import gc
import resource
import sys
from asyncio import Event
from collections.abc import Callable, Coroutine
from importlib.util import find_spec
from random import Random
from typing import Any

import msgspec

from lab.exchange import LINGER_S, Desk, Due, Exchange, kind_of
from lab.load_plan import LoadPlan
from lab.sample import Clock, Sample

REST_S = 0.001
"""How long the sender rests, at least: without, it was on time to 0.01 ms and took a whole core from the lab."""
LOOK_S = 0.02
"""How often the sender looks whether it is told to stop, at least."""


class _Sender:
    """Starts the requests of a plan when they are due."""

    def __init__(self, plan: LoadPlan, clock: Clock, on_sample: Callable[[Sample], None]) -> None:
        self._plan, self._clock, self._on_sample = plan, clock, on_sample
        self._desk = Desk(self._done, self._free, self._gone)
        self._idle: dict[str, list[Exchange]] = {}
        self._open: set[Exchange] = set()
        self._under_way = 0
        self._quiet = Event()
        self._quiet.set()
        self._random = Random(plan.seed)  # noqa: S311  # which path and client comes next is no secret

    async def run(self, stop: Event) -> None:
        """Send until the plan is over or `stop` is set; return when the last answer is there or given up."""
        plan, clock, number = self._plan, self._clock, 0
        start = clock.now()
        while number < plan.total and not stop.is_set():
            now = clock.now()
            while number < plan.total and start + number / plan.rate <= now:
                self._begin(number, start + number / plan.rate)
                number += 1
            await asyncio.sleep(max(REST_S, min(start + number / plan.rate - clock.now(), LOOK_S)))
        await self._quiet.wait()
        await self._close()

    def _begin(self, number: int, scheduled: float) -> None:
        plan, random = self._plan, self._random
        method = "POST" if plan.posts and random.random() < plan.posts else "GET"
        client = random.choice(plan.clients) if plan.clients else ""
        self._under_way += 1
        self._quiet.clear()
        waiting = self._idle.get(client)
        exchange = waiting.pop() if waiting else Exchange(plan, self._clock, self._desk, client)
        exchange.begin(Due(f"{plan.run_id}-{number:06d}", scheduled, method, random.choice(plan.paths)))
        if not exchange.connected:
            self._open.add(exchange)
            exchange.connecting = asyncio.create_task(self._connect(exchange))

    async def _connect(self, exchange: Exchange) -> None:
        local = (exchange.client, 0) if exchange.client else None
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: exchange, self._plan.address, self._plan.port, local_addr=local)
        except OSError as fault:
            exchange.connecting = None
            self._gone(exchange)
            exchange.fail(kind_of(fault))

    def _done(self, sample: Sample) -> None:
        self._under_way -= 1
        if not self._under_way:
            self._quiet.set()
        self._on_sample(sample)

    def _free(self, exchange: Exchange) -> None:
        self._idle.setdefault(exchange.client, []).append(exchange)

    def _gone(self, exchange: Exchange) -> None:
        self._open.discard(exchange)
        waiting = self._idle.get(exchange.client, [])
        if exchange in waiting:
            waiting.remove(exchange)

    async def _close(self) -> None:
        connecting = [exchange.connecting for exchange in self._open if exchange.connecting is not None]
        for exchange in tuple(self._open):
            exchange.abort()
        if connecting:
            await asyncio.wait(connecting, timeout=LINGER_S)


async def run_load(plan: LoadPlan, clock: Clock, on_sample: Callable[[Sample], None], stop: Event) -> None:
    """Send a plan's requests from this loop.

    Ends when the plan is over or `stop` is set, and every request has its sample: at most `timeout_s` later.
    """
    raise_limit_of_sockets()
    await _Sender(plan, clock, on_sample).run(stop)


def raise_limit_of_sockets() -> None:
    """As many open sockets as the system allows: a hanging backend holds thousands."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run it on the fastest loop that is installed."""
    if find_spec("uvloop"):
        import uvloop

        uvloop.run(work)
    else:
        asyncio.run(work)


async def _serve() -> None:
    """The sender's process."""
    loop = asyncio.get_running_loop()
    plan, clock = msgspec.json.decode(sys.stdin.buffer.readline(), type=tuple[LoadPlan, Clock])
    stop = Event()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
    told = loop.create_task(_until_end(reader, stop))
    transport, output = await loop.connect_write_pipe(lambda: _Output(stop), sys.stdout.buffer)
    encode = msgspec.json.Encoder().encode

    def tell(sample: Sample) -> None:
        if not output.gone:
            transport.write(encode(sample) + b"\n")

    gc.freeze()
    await run_load(plan, clock, tell, stop)
    told.cancel()
    transport.close()
    while transport.get_write_buffer_size() and not output.gone:
        await asyncio.sleep(LOOK_S)


async def _until_end(reader: asyncio.StreamReader, stop: Event) -> None:
    await reader.read()
    stop.set()


class _Output(asyncio.BaseProtocol):
    """Standard output; when nobody reads it any more there is nothing left to do."""

    def __init__(self, stop: Event) -> None:
        self._stop = stop
        self.gone = False

    def connection_lost(self, fault: Exception | None) -> None:
        self.gone = True
        self._stop.set()


if __name__ == "__main__":
    run(_serve())
