"""The load, against small servers on 127.0.0.1 that behave well or badly on purpose."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from lab.errors import EnvironmentProblem, UsageError
from lab.exchange import kind_of
from lab.load import Clock, Load, LoadPlan, Sample, require_allowed, run_load
from lab.sending import run

LOCAL = "127.0.0.1"
GOOD = b"HTTP/1.1 200 OK\r\nX-Backend: voxy\r\nX-Upstream: 10.0.0.1:1, 10.0.0.2:1\r\nContent-Length: 2\r\n\r\nok"
Behaviour = Callable[[socket.socket], None]


@dataclass
class Server:
    """A server on 127.0.0.1 that notes who came and what they asked."""

    listener: socket.socket
    behave: Behaviour
    seen: list[bytes] = field(default_factory=list)
    peers: list[str] = field(default_factory=list)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.listener.getsockname()[1])

    def serve(self) -> None:
        """Take connections until the listener is shut."""
        while True:
            try:
                connection, peer = self.listener.accept()
            except OSError:
                return
            self.peers.append(peer[0])
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while request := connection.recv(65536):
                self.seen.append(request)
                self.behave(connection)


@contextmanager
def server(behave: Behaviour) -> Iterator[Server]:
    """Run a server."""
    listener = socket.create_server((LOCAL, 0), backlog=512)
    thread = threading.Thread(target=(found := Server(listener, behave)).serve, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def answer(connection: socket.socket) -> None:
    """Answer and close."""
    connection.sendall(GOOD)
    connection.shutdown(socket.SHUT_WR)


def reset(connection: socket.socket) -> None:
    """Answer half and reset."""
    connection.sendall(GOOD[:-1])
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def plan(port: int, **changes: Any) -> LoadPlan:
    """Twenty requests in 0.2 s."""
    return replace(LoadPlan(LOCAL, port, "akuma.xyz", 100, 0.2, "r1", timeout_s=2), **changes)


def sent(wanted: LoadPlan, loop: Callable[[], asyncio.AbstractEventLoop] | None = None) -> list[Sample]:
    """The samples of a plan, sent from a loop in this process; by default the loop that the load would take."""
    samples: list[Sample] = []

    async def all_of_it() -> None:
        await asyncio.wait_for(run_load(wanted, Clock.start(), samples.append, asyncio.Event()), 20)

    if loop is None:
        run(all_of_it())
    else:
        with asyncio.Runner(loop_factory=loop) as runner:
            runner.run(all_of_it())
    return samples


def test_one_sample_for_each_request() -> None:
    """Constant rate, ids in order, what the headers said, and a new connection for each."""
    with server(answer) as target:
        samples = sorted(sent(plan(target.port)), key=lambda sample: sample.scheduled)
    assert [sample.id for sample in samples] == [f"r1-{n:06d}" for n in range(20)]
    gaps = {round(later.scheduled - sooner.scheduled, 6) for sooner, later in pairwise(samples)}
    assert gaps == {0.01}
    assert {(s.status, s.error, s.backend, s.upstream, s.bytes) for s in samples} == {
        (200, "", "voxy", "10.0.0.1:1, 10.0.0.2:1", 2)
    }
    assert all(s.scheduled <= s.sent <= (s.first_byte or 0) <= s.done for s in samples)
    assert len(target.peers) == 20
    assert target.seen[0].startswith(b"GET / HTTP/1.1\r\nHost: akuma.xyz\r\n")
    assert b"X-Request-Id: r1-000000\r\n" in target.seen[0]
    assert b"Connection: close\r\n" in target.seen[0]


def test_latency_counts_from_the_schedule() -> None:
    """A server that stands still for half a second shows in every request that was due meanwhile."""
    start = time.monotonic()

    def frozen(connection: socket.socket) -> None:
        time.sleep(max(0.0, start + 0.6 - time.monotonic()))
        answer(connection)

    with server(frozen) as target:
        samples = sent(plan(target.port, duration_s=0.4))
    assert len(samples) == 40
    assert max(sample.lag_s for sample in samples) < 0.1
    assert max(sample.latency_s for sample in samples) > 0.4
    assert sum(sample.latency_s for sample in samples) / 40 > 0.2


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, None], ids=["asyncio", "fastest"])
@pytest.mark.parametrize(
    ("behave", "kind"),
    [
        (lambda connection: connection.shutdown(socket.SHUT_RDWR), "closed"),
        (lambda connection: connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n"), "protocol"),
        (
            lambda connection: connection.sendall(b"HTTP/1.1 101 Ha\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
            "protocol",
        ),
        (reset, "reset"),
        (lambda connection: time.sleep(0.6), "timeout"),
        (lambda connection: connection.sendall(GOOD[:-1]), "timeout"),
    ],
    ids=["closed", "no http", "upgrade", "reset in the middle", "silent", "half an answer"],
)
def test_each_failure_has_its_word(behave: Behaviour, kind: str, loop: Callable[[], Any] | None) -> None:
    """No status, the kind of failure, and the time at which it was given up; uvloop's timers count in ms."""
    with server(behave) as target:
        samples = sent(plan(target.port, duration_s=0.05, timeout_s=0.3), loop)
    assert [(sample.error, sample.status) for sample in samples] == [(kind, None)] * 5
    if kind == "timeout":
        assert all(0.298 <= sample.latency_s < 0.5 for sample in samples)


def test_a_closed_port_refuses() -> None:
    """And a server that never accepts times out at the connection already."""
    with socket.create_server((LOCAL, 0)) as listener:
        port = listener.getsockname()[1]
    assert {sample.error for sample in sent(plan(port))} == {"refused"}


def test_an_answer_in_two_pieces_with_a_preliminary_one() -> None:
    """100 Continue is no answer; pieces are put together; the first byte is the first one's."""

    def slow(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" + GOOD[:30])
        time.sleep(0.1)
        answer_rest(connection)

    def answer_rest(connection: socket.socket) -> None:
        connection.sendall(GOOD[30:])
        connection.shutdown(socket.SHUT_WR)

    with server(slow) as target:
        [sample] = sent(plan(target.port, duration_s=0.01))
    assert (sample.status, sample.bytes, sample.error) == (200, 2, "")
    assert sample.done - (sample.first_byte or 0) > 0.08


def test_posts_paths_and_clients() -> None:
    """Drawn by the seed: the same plan sends the same."""
    with server(answer) as target:
        wanted = plan(target.port, rate=200, posts=0.5, paths=("/", "/a"), clients=("127.0.0.2", "127.0.0.3"))
        samples, again = sent(wanted), sent(wanted)
        peers = set(target.peers)
    assert {sample.method for sample in samples} == {"GET", "POST"}
    assert {sample.path for sample in samples} == {"/", "/a"}
    assert {sample.client for sample in samples} == peers == {"127.0.0.2", "127.0.0.3"}
    drawn = [{s.id: (s.method, s.path, s.client) for s in run} for run in (samples, again)]
    assert drawn[0] == drawn[1]
    post = next(seen for seen in target.seen if seen.startswith(b"POST"))
    assert b'Content-Length: 18\r\n\r\n{"id":"r1-' in post


def test_keepalive_uses_connections_again() -> None:
    """One connection serves them one after the other; one that the server closed is not used."""
    with server(lambda connection: connection.sendall(GOOD)) as target:
        samples = sent(plan(target.port, keepalive=True))
    assert not any(sample.failed for sample in samples)
    assert len(target.peers) < 5


def test_an_address_that_is_not_ours_is_no_client() -> None:
    """A source address that this computer lacks is our failure, not the lab's."""
    assert {sample.error for sample in sent(plan(9, clients=("203.0.113.1",)))} == {"local"}


def test_what_the_system_says() -> None:
    """No route is unreachable; no more sockets is ours."""
    words = {errno.EHOSTUNREACH: "unreachable", errno.ETIMEDOUT: "timeout", errno.EMFILE: "local"}
    assert {number: kind_of(OSError(number, "")) for number in words} == words
    assert kind_of(ValueError()) == "local"


def collected(target: int, **changes: Any) -> tuple[Load, list[Sample]]:
    """A load in its own process, and where its samples go."""
    samples: list[Sample] = []
    wanted = plan(target, **changes)
    return Load(wanted, Clock.start(), allowed=[LOCAL], allowed_subnet="", on_sample=samples.append), samples


def test_its_own_process_shares_our_clock() -> None:
    """The samples come while it runs, on the clock of this process; it ends by itself."""
    with server(answer) as target:
        load, samples = collected(target.port)
        began = load._clock.now()
        load.start()
        assert load.running
        load.wait()
        assert not load.running
    assert len(samples) == 20
    assert began < samples[0].scheduled < samples[-1].done < load._clock.now()


def test_stop_ends_early_and_loses_nothing() -> None:
    """What was sent has its sample, also what is still waited for."""

    def slow(connection: socket.socket) -> None:
        time.sleep(0.3)
        answer(connection)

    with server(slow) as target:
        load, samples = collected(target.port, duration_s=60)
        with load:
            deadline = time.monotonic() + 10
            while not samples and time.monotonic() < deadline:
                time.sleep(0.01)
        assert samples[-1].status == 200
        assert len(samples) == len({sample.id for sample in samples}) >= 20
        assert max(s.id for s in samples) == f"r1-{len(samples) - 1:06d}"
        load.stop()


def test_a_dead_sender_is_an_error() -> None:
    """Its end is noticed and said; the samples so far were given."""
    with server(answer) as target:
        load, samples = collected(target.port, duration_s=60)
        load.start()
        deadline = time.monotonic() + 10
        while not samples and time.monotonic() < deadline:
            time.sleep(0.01)
        assert load._running is not None
        os.kill(load._running.process.pid, signal.SIGKILL)
        with pytest.raises(EnvironmentProblem, match="the load ended with exit code -9"):
            load.wait()
    assert samples


def test_a_sender_that_nobody_reads_ends() -> None:
    """Its owner was killed while answers were due: it waits for them, for nobody, and is gone."""

    def slow(connection: socket.socket) -> None:
        time.sleep(0.3)
        answer(connection)

    with server(slow) as target:
        sender = subprocess.Popen(
            [sys.executable, "-m", "lab.sending"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )  # fmt: skip
        assert sender.stdin is not None and sender.stdout is not None
        try:
            line = msgspec.json.encode((plan(target.port, rate=200, duration_s=60), Clock.start())) + b"\n"
            sender.stdin.write(line)
            sender.stdin.flush()
            assert sender.stdout.readline()
            sender.stdin.close()
            sender.stdout.close()
            sender.wait(10)
        finally:
            sender.kill()
            sender.wait()
    assert sender.returncode == 0


def test_a_sample_that_nobody_can_take_ends_the_load() -> None:
    """A full disk in the journal comes back from `stop`."""

    def full(sample: Sample) -> None:
        raise EnvironmentProblem("the disk is full")

    with server(answer) as target:
        load = Load(plan(target.port, duration_s=60), Clock.start(), allowed=[LOCAL], allowed_subnet="", on_sample=full)
        load.start()
        with pytest.raises(EnvironmentProblem, match="the disk is full"):
            load.wait()


def test_the_limit_of_sockets_is_raised() -> None:
    """To what the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, soft), hard))
    with server(answer) as target:
        sent(plan(target.port, duration_s=0.01))
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == hard


@pytest.mark.parametrize(
    ("changes", "allowed", "subnet", "sentence"),
    [
        ({"address": "93.184.216.34"}, [LOCAL], "", "is no host of this lab"),
        ({"address": "93.184.216.34"}, ["93.184.216.34"], "192.168.56.0/24", "is outside the lab's network"),
        ({"address": "192.168.56.10"}, ["192.168.56.10"], "", "is outside the lab's network"),
        ({"address": "192.168.56.99"}, ["192.168.56.10"], "192.168.56.0/24", "is no host of this lab"),
        ({"address": "akuma.xyz"}, ["akuma.xyz"], "192.168.56.0/24", "'akuma.xyz' is no address"),
        ({"address": "::1"}, ["::1"], "", "the lab speaks IPv4"),
        ({"clients": ("nobody",)}, [LOCAL], "", "'nobody' is no address"),
    ],
)
def test_load_goes_only_to_the_lab(changes: dict[str, Any], allowed: list[str], subnet: str, sentence: str) -> None:
    """Anything else is refused before a single packet."""
    with pytest.raises(UsageError, match=sentence):
        Load(plan(80, **changes), Clock.start(), allowed=allowed, allowed_subnet=subnet, on_sample=lambda sample: None)
    require_allowed(plan(80, address="192.168.56.10"), ["192.168.56.10"], "192.168.56.0/24")


@pytest.mark.parametrize(
    "changes",
    [{"rate": 0}, {"rate": 1e9}, {"duration_s": -1}, {"posts": 2}, {"timeout_s": 0}, {"paths": ()}, {"port": 0},
     {"paths": ("/a b",)}, {"host": "x\r\nY: z"}, {"run_id": ""}, {"paths": ("/é",)}],
)  # fmt: skip
def test_a_plan_that_cannot_be(changes: dict[str, Any]) -> None:
    """Numbers out of range and text that would break a request are refused."""
    with pytest.raises(UsageError, match="load: "):
        replace(plan(80), **changes)
