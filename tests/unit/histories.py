"""Recorded histories without machines: a small model of a balancer before voxy and zero, played by the second.

The run: steady from 0 s, inject from 5 s, observe from 6 s, heal from 10 s, recover from 11 s, steady again from 13 s
to 18 s, at 100 requests a second. A balancer is a function from a request's instant and number to its `Reply`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from lab.access import AccessRecord
from lab.history import Fault, History, Phase
from lab.records import (
    Backend,
    ClockRecord,
    Effect,
    EventRecord,
    Finding,
    HostAddress,
    LeftoverRecord,
    LifeRecord,
    RunRecord,
)
from lab.sample import Sample

EPOCH, AHEAD_S = 1_800_000_000.0, 3600.0
"""The balancer's clock is an hour ahead of ours."""
RUN_ID = "run1"
STRUCK, HEALED, END, RATE = 5.5, 10.4, 18.0, 100.0
ADDRESSES = {"voxy": "192.168.56.11:3000", "zero": "192.168.56.12:3000"}
PHASES = (
    Phase(0.0, 5.0, "steady"), Phase(5.0, 6.0, "inject"), Phase(6.0, 10.0, "observe"), Phase(10.0, 11.0, "heal"),
    Phase(11.0, 13.0, "recover"), Phase(13.0, END, "steady-again"),
)  # fmt: skip
USED = Finding("upstream", "the site's proxy_pass uses the upstream domain", True)
MEMBERS = Finding("members", "domain has 2 members: 192.168.56.11:3000, 192.168.56.12:3000", True)


@dataclass(frozen=True)
class Try:
    """An attempt of the balancer: the backend, the status, seconds to connect (None: never) and to the answer."""

    backend: str
    status: int
    connect_s: float | None = 0.0
    took_s: float = 0.002


@dataclass(frozen=True)
class Reply:
    """What became of a request: the attempts, or an error that the client saw instead of an answer."""

    tries: tuple[Try, ...]
    error: str = ""
    took_s: float = 0.0


Balancer = Callable[[float, int], Reply]


def healthy(t: float, n: int) -> Reply:
    """Round robin over both."""
    return Reply((Try("voxy" if n % 2 == 0 else "zero", 200),))


def fails_over(t: float, n: int) -> Reply:
    """Voxy is dead from STRUCK to HEALED; its first request then is retried, and zero takes over."""
    if not STRUCK <= t < HEALED:
        return healthy(t, n)
    met = t < STRUCK + 0.02 and n % 2 == 0
    return Reply((Try("voxy", 502, None, 0.001), Try("zero", 200))) if met else Reply((Try("zero", 200),))


RUN = RunRecord(
    t=0.0,
    id=RUN_ID,
    scenario="kill-voxy",
    question="Does nginx hide the loss of voxy from users?",
    lab="lab",
    provider="lxc",
    variant="default",
    balancer="akuma",
    hosts=tuple(HostAddress(name, f"192.168.56.{n}") for n, name in enumerate(("akuma", "voxy", "zero"), 10)),
    backends=tuple(Backend(name, address) for name, address in ADDRESSES.items()),
    victims=("voxy",),
    rate=RATE,
    seed=1,
    epoch=EPOCH,
    command="lab scenario kill-voxy",
)
KILLED = Fault("power_off voxy", "voxy", Effect.SILENT, 5.1, STRUCK, 5.9, 10.0, HEALED, 10.9, restarts=True)


def lives(*restarted: str) -> tuple[LifeRecord, ...]:
    """In which life each host was found before the load and after it; these were restarted meanwhile."""
    return tuple(
        LifeRecord(t, host.name, "second" if t and host.name in restarted else "first")
        for t in (0.0, END) for host in RUN.hosts
    )  # fmt: skip


def played(
    balancer: Balancer, *faults: Fault, rate: float = RATE, method: str = "GET", run: RunRecord = RUN
) -> History:
    """The history of a run in which the balancer was like this."""
    pairs = [request(balancer(n / rate, n), n / rate, n, method) for n in range(int(END * rate))]
    return History(
        run=run,
        samples=tuple(sample for sample, _ in pairs),
        access=tuple(line for _, line in pairs if line is not None),
        phases=PHASES,
        faults=faults,
        clocks=(ClockRecord(0.1, "akuma", AHEAD_S, 0.0002),),
        lives=lives(*(fault.host for fault in faults if fault.restarts)),
        findings=(USED, MEMBERS),
        leftovers=(LeftoverRecord(END, ("akuma", "voxy", "zero"), ()),),
        events=(EventRecord(STRUCK, "voxy", "power off"),),
    )


def request(reply: Reply, scheduled: float, n: int, method: str = "GET") -> tuple[Sample, AccessRecord | None]:
    """One request, as the client saw it and as the balancer logged it; no line where the client got no connection."""
    id, sent = f"{RUN_ID}-{n:06d}", scheduled + 0.0002
    took = reply.took_s or sum(tried.took_s for tried in reply.tries)
    done = sent + took + 0.0004
    addresses = ", ".join(ADDRESSES.get(tried.backend, tried.backend) for tried in reply.tries)
    if reply.error:
        sample = Sample(id, scheduled, sent, None, done, None, reply.error, method=method)
    else:
        last = reply.tries[-1]
        backend = last.backend if last.backend in ADDRESSES else ""
        sample = Sample(id, scheduled, sent, done, done, last.status, "", backend, addresses, 612, method)
    if reply.error and not reply.tries:
        return sample, None
    line = AccessRecord(
        at=round(EPOCH + AHEAD_S + sent + took, 3),
        id=id,
        client="192.168.56.1",
        method=method,
        uri="/",
        status=499 if reply.error else reply.tries[-1].status,
        bytes=612,
        seconds=round(took, 3),
        upstream_addr=addresses,
        upstream_status=", ".join(str(tried.status) for tried in reply.tries),
        upstream_connect_time=", ".join("-" if t.connect_s is None else f"{t.connect_s:.3f}" for t in reply.tries),
        upstream_response_time=", ".join(f"{tried.took_s:.3f}" for tried in reply.tries),
    )
    return sample, line


def killed() -> History:
    """kill-voxy, as it should be."""
    return played(fails_over, KILLED)


def quiet() -> History:
    """No fault, no victim, nothing to see."""
    return played(healthy, run=replace(RUN, scenario="no-fault", victims=()))


def all_dead() -> History:
    """Both backends are down from STRUCK to HEALED: 502, and then no live upstream."""

    def balancer(t: float, n: int) -> Reply:
        if not STRUCK <= t < HEALED:
            return healthy(t, n)
        if n < STRUCK * RATE + 2:
            return Reply((Try("voxy", 502, None, 0.001), Try("zero", 502, None, 0.001)))
        return Reply((Try("domain", 502, None, 0.0),))

    both = (KILLED, replace(KILLED, what="power_off zero", host="zero"))
    return played(balancer, *both, run=replace(RUN, scenario="kill-both", victims=("voxy", "zero")))


def ghost() -> History:
    """The tutorial's mistake: the upstream is declared and not used, so that zero alone answers."""
    unused = "upstream domain is declared but the site's proxy_pass http://127.0.0.1:3000 does not use it"
    history = played(lambda t, n: Reply((Try("zero", 200),)), KILLED)
    return replace(history, findings=(Finding("upstream", unused, False), MEMBERS))


def one_classroom() -> History:
    """ip_hash and clients of one /24: voxy has them all, until it dies."""

    def balancer(t: float, n: int) -> Reply:
        if not STRUCK <= t < HEALED:
            return Reply((Try("voxy", 200),))
        return Reply((Try("voxy", 502, None, 0.001), Try("zero", 200)))

    return played(balancer, KILLED)


def hung(read_timeout_s: float = 2.0) -> History:
    """Voxy hangs: what goes to it in the first 2 s stalls until the read timeout, then it is left out."""

    def balancer(t: float, n: int) -> Reply:
        if not STRUCK <= t < HEALED:
            return healthy(t, n)
        if n % 2 == 0 and t < STRUCK + read_timeout_s:
            return Reply((Try("voxy", 504, 0.0, read_timeout_s), Try("zero", 200)))
        return Reply((Try("zero", 200),))

    return played(balancer, replace(KILLED, what="pause voxy"), run=replace(RUN, scenario="hang-voxy"))
