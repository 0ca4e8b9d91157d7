"""Traffic that tells the truth: requests at a constant rate, whatever becomes of the ones before.

The loop is open: request n is due at n / rate, and its latency counts from then, so that a frozen server cannot hide
by making the sender wait. The sender runs in a process of its own, since a busy neighbour in the same interpreter
would make it late; both share one monotonic clock.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, ip_address
from threading import Thread
from types import TracebackType
from typing import Self

import msgspec

from lab.errors import EnvironmentProblem, UsageError
from lab.load_plan import LoadPlan
from lab.sample import Clock, Failure, Sample
from lab.sending import run_load

__all__ = ["Clock", "Failure", "Load", "LoadPlan", "Sample", "require_allowed", "run_load"]

OnSample = Callable[[Sample], None]
GRACE_S = 5.0
"""How long the sender may take beyond its plan until it is ended."""


def require_allowed(plan: LoadPlan, allowed: Iterable[str], allowed_subnet: str = "") -> None:
    """Refuse a target that is not the lab's.

    Args:
        plan: whose address and client addresses are checked.
        allowed: the addresses of the lab's hosts.
        allowed_subnet: the lab's network; besides it only loopback addresses are taken.

    Raises:
        UsageError: the target is not among `allowed`, or it lies outside the subnet and is no loopback address.
    """
    target = _address(plan.address)
    if target not in {_address(word) for word in allowed}:
        known = ", ".join(sorted(allowed)) or "none"
        raise UsageError(f"{plan.address} is no host of this lab: it gets no load", f"the lab's addresses: {known}")
    if not target.is_loopback and not (allowed_subnet and target in IPv4Network(allowed_subnet)):
        raise UsageError(f"{plan.address} is outside the lab's network {allowed_subnet or '(none)'}: it gets no load")
    for client in plan.clients:
        _address(client)


def _address(word: str) -> IPv4Address:
    try:
        found = ip_address(word)
    except ValueError:
        raise UsageError(f"{word!r} is no address", "write an IPv4 address, as 192.168.56.10") from None
    if not isinstance(found, IPv4Address):
        raise UsageError(f"{word}: the lab speaks IPv4", "write an IPv4 address, as 192.168.56.10")
    return found


class Load:
    """A plan under way, in a process of its own.

    Args:
        plan: what to send.
        clock: the run's clock; the samples' times are on it.
        allowed, allowed_subnet: see `require_allowed`.
        on_sample: called for each sample, on a thread of this object, in the order in which they were done.

    Raises:
        UsageError: the target is not the lab's.
    """

    def __init__(
        self, plan: LoadPlan, clock: Clock, *, allowed: Iterable[str], allowed_subnet: str, on_sample: OnSample
    ) -> None:
        require_allowed(plan, tuple(allowed), allowed_subnet)
        self.plan = plan
        self._clock = clock
        self._on_sample = on_sample
        self._running: _Running | None = None
        self._fault: BaseException | None = None
        self._said = b""

    def start(self) -> None:
        """Begin. The first request is due as soon as the sender is up, about a quarter of a second later.

        Raises:
            EnvironmentProblem: the process cannot be started.
        """
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", "lab.sending"], start_new_session=True,  # Ctrl-C is for the runner, which heals
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )  # fmt: skip
        except OSError as fault:
            raise EnvironmentProblem(f"the load cannot be started: {fault}") from None
        self._running = _Running(process, Thread(target=self._read, args=(process,), name="load", daemon=True))
        self._running.tell(msgspec.json.encode((self.plan, self._clock)) + b"\n")
        self._running.reader.start()

    @property
    def running(self) -> bool:
        """Whether requests are being sent, or waited for."""
        return self._running is not None and self._running.reader.is_alive()

    def stop(self) -> None:
        """Send no more; wait for the answers that are due, each at most its timeout; all samples were then given.

        Raises:
            EnvironmentProblem: the sender crashed; the message has its last words.
            Exception: what `on_sample` raised.
        """
        if self._running is not None:
            self._running.tell(None)
        self._finish(self.plan.timeout_s + GRACE_S)

    def wait(self) -> None:
        """Wait until the plan is over; as `stop` otherwise."""
        self._finish(self.plan.duration_s + self.plan.timeout_s + GRACE_S)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _finish(self, within_s: float) -> None:
        if self._running is None:
            return
        late, code = self._running.end(within_s)
        if self._fault is not None:
            raise self._fault
        if late or code:
            said = self._said.decode(errors="replace").strip().splitlines()[-10:]
            what = f"did not end by its deadline of {within_s:g} s" if late else f"ended with exit code {code}"
            raise EnvironmentProblem("\n".join([f"the load {what}", *(f"  | {line}" for line in said)]))

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        decode = msgspec.json.Decoder(Sample).decode
        for line in process.stdout or ():
            if self._fault is None:
                try:
                    self._on_sample(decode(line))
                except BaseException as fault:
                    self._fault = fault
                    process.terminate()
        self._said = process.stderr.read() if process.stderr else b""


@dataclass
class _Running:
    """The sender's process and the thread that reads from it."""

    process: subprocess.Popen[bytes]
    reader: Thread

    def tell(self, line: bytes | None) -> None:
        """Write to its standard input; None closes it, which means stop. It may be gone: then the reader knows."""
        pipe = self.process.stdin
        if pipe is None or pipe.closed:
            return
        try:
            if line is None:
                pipe.close()
            else:
                pipe.write(line)
                pipe.flush()
        except BrokenPipeError:
            self.process.terminate()

    def end(self, within_s: float) -> tuple[bool, int]:
        """Wait for its end, or bring it about; whether it was late, and its exit code."""
        self.reader.join(within_s)
        late = self.reader.is_alive()
        if late:
            self.process.kill()
            self.reader.join(GRACE_S)
        self.tell(None)
        return late, self.process.wait(GRACE_S)
