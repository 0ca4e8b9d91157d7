"""The load generator beside wrk and hey: rate, what it costs, and what each says when the server freezes.

Only against an nginx of our own on 127.0.0.1; each run has an end.
"""

from __future__ import annotations

import re
import resource
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from bench import load
from bench.contests.result import Result
from bench.figures import Row, Series, Table, Target
from bench.surroundings import package
from lab.quantities import percentile

URL = f"http://127.0.0.1:{load.PORT}/"
RATE, CALM_RATE, WORKERS = 2000, 200, 10
TRUE_P99_S = 1.9
"""2 s of 10 s frozen: a fifth of the visitors wait, evenly from 0 to 2 s; a hundredth of all wait longer than 1.9 s."""
LEAST_SHARE = 95
_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}


@dataclass(frozen=True)
class Said:
    """What a generator said of its own run; seconds."""

    requests: int
    p50_s: float
    p99_s: float


Generator = Callable[[float, float], Said]
"""Runs at a rate for so many seconds; a closed loop without a brake takes the rate for advice."""


def run(runs: int) -> Result:
    """All three, interleaved."""
    generators: dict[str, Generator] = {"lab": ours, "wrk": wrk, "hey": hey}
    rates: dict[str, list[tuple[float, float]]] = {name: [] for name in generators}
    p99s: dict[str, list[tuple[float, float]]] = {name: [] for name in generators}
    with load.nginx() as master:
        for _ in range(runs):
            for name, generator in generators.items():
                rates[name].append(costed(generator, RATE))
                with load.frozen(master):
                    said = generator(CALM_RATE, load.RUN_S)
                p99s[name].append((said.p50_s, said.p99_s))
                print(f"  {name}: {rates[name][-1][0]:.0f}/s; frozen: p99 {said.p99_s:.4f} s", flush=True)
    return judged(rates, p99s)


def costed(generator: Generator, rate: float) -> tuple[float, float]:
    """Requests a second that were made, and processor time for each in microseconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    made = generator(rate, load.RUN_S).requests
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return made / load.RUN_S, 1e6 * spent / max(made, 1)


def ours(rate: float, seconds: float) -> Said:
    """The lab's open loop: each request is due at its time, and its latency counts from then."""
    latencies = sorted(sample.latency_s for sample in load.run(rate, seconds))
    return Said(len(latencies), percentile(latencies, 0.5), percentile(latencies, 0.99))


def wrk(rate: float, seconds: float) -> Said:
    """Wrk: a closed loop as fast as it goes; it knows no rate."""
    text = said_by("wrk", "-t1", f"-c{WORKERS}", f"-d{seconds:g}s", "--latency", "-H", "Connection: close", URL)
    return read_wrk(text)


def hey(rate: float, seconds: float) -> Said:
    """Hey: a closed loop with a brake: so many requests a second for each worker at most."""
    text = said_by(
        "hey", "-z", f"{seconds:g}s", "-c", str(WORKERS), "-q", f"{rate / WORKERS:g}", "-disable-keepalive", URL
    )
    return read_hey(text)


def said_by(*command: str) -> str:
    """What a program prints; it must end by itself."""
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def read_wrk(text: str) -> Said:
    """Wrk's own words: `50%  0.52ms`, `1234 requests in 10.00s`."""
    times = {name: _in_seconds(*_only(rf"{name}%\s+([\d.]+)(us|ms|s)", text)) for name in ("50", "99")}
    return Said(int(_only(r"(\d+) requests in", text)[0]), times["50"], times["99"])


def read_hey(text: str) -> Said:
    """Hey's own words: `50% in 0.0005 secs`, `[200] 1234 responses`."""
    times = {name: float(_only(rf"{name}%+ in ([\d.]+) secs", text)[0]) for name in ("50", "99")}
    return Said(sum(int(count) for count in re.findall(r"\[\d+\]\s+(\d+) responses", text)), times["50"], times["99"])


def _only(pattern: str, text: str) -> tuple[str, ...]:
    found = re.search(pattern, text)
    if not found:
        raise ValueError(f"{pattern!r} is not in what was printed:\n{text}")
    return found.groups()


def _in_seconds(number: str, unit: str) -> float:
    return float(number) * _UNITS[unit]


def judged(rates: dict[str, list[tuple[float, float]]], p99s: dict[str, list[tuple[float, float]]]) -> Result:
    """Two tables, and the promise: at least 95 % of the truth."""
    costs = [
        Row(name, (Series(tuple(rate for rate, _ in pairs), "/s", 0), Series(tuple(us for _, us in pairs), "µs", 0)))
        for name, pairs in rates.items()
    ]
    frozen = [
        Row(
            name,
            (Series(tuple(1000 * p50 for p50, _ in pairs), "ms", 2), Series(tuple(p99 for _, p99 in pairs), "s", 3)),
        )
        for name, pairs in p99s.items()
    ]  # fmt: skip
    told = Series(tuple(p99 for _, p99 in p99s["lab"])).median
    claim = "the lab's p99 with a frozen server, as a share of the truth"
    return Result(
        "The load generator beside wrk and hey",
        (
            f"An nginx on 127.0.0.1 with one worker, {load.RUN_S:g} s a run, a new connection for each request. "
            f"lab and hey are asked for {RATE}/s; wrk knows no rate and goes as fast as {WORKERS} connections can.",
            "The lab keeps a record of each request (due, sent, answered, by whom), which wrk and hey do not: what it "
            "costs is the price of that.",
            f"Frozen: nginx stands still for {load.FROZEN_S:g} s of {load.RUN_S:g} s. Visitors who come at "
            f"{CALM_RATE}/s then see a 99th percentile of {TRUE_P99_S:g} s. A closed loop stops sending while it "
            "waits, and so hardly sees it.",
        ),
        (
            "bench/contests/load.py: lab.load.Load at the given rate",
            f"wrk -t1 -c{WORKERS} -d{load.RUN_S:g}s --latency -H 'Connection: close' {URL}",
            f"hey -z {load.RUN_S:g}s -c {WORKERS} -q RATE/{WORKERS} -disable-keepalive {URL}",
        ),
        (
            Table(("generator", "requests made", "processor time a request"), tuple(costs)),
            Table(("nginx frozen", "p50 it says", "p99 it says"), tuple(frozen)),
        ),
        (Target(claim, 100 * told / TRUE_P99_S, LEAST_SHARE, unit="%"),),
        {"wrk": package("wrk"), "hey": package("hey"), "nginx": package("nginx-light")},
    )  # fmt: skip
