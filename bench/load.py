"""What the load can do, beside wrk in the same run, against an nginx of our own on 127.0.0.1.

    .venv/bin/python bench/load.py [SECONDS]

1. The rate that the load holds with a new connection for each request, its send lag, and the part of one core
   that it needs.
2. nginx frozen for 2 s in a run of 10 s: what the load says of the 99th percentile, and what wrk says.

Needs Debian's nginx-light and wrk. Ends only what it started.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

from lab.load import Clock, Load, LoadPlan, Sample
from lab.quantities import percentile

PORT, FROZEN_S, RUN_S = 18080, 2.0, 10.0
CONFIG = """
daemon off; worker_processes 1; pid {folder}/pid; error_log stderr crit;
events {{ worker_connections 16384; }}
http {{
  access_log off;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port} backlog=16384;
    location / {{ add_header X-Backend voxy always; add_header X-Upstream 127.0.0.1:3000 always; return 200 "ok"; }}
  }}
}}
"""


def main(seconds: float) -> None:
    """Print the two tables."""
    with nginx() as master:
        print(f"load alone, a new connection for each request, {seconds:g} s each; uvloop and httptools")
        print("  rate asked  got    answered  send lag p50    p99      max      latency p99  CPU of one core")
        for rate in (500, 1000, 2000, 3000):
            print(f"  {rate:10} {schedule(rate, seconds)}")
        print(f"\nnginx frozen for {FROZEN_S:g} s in a run of {RUN_S:g} s: what is the p99? (the truth is near 1.9 s)")
        for name, peer in (("lab, 200/s, open loop", ours), ("wrk, 10 connections, closed loop", wrk)):
            with frozen(master):
                print(f"  {name:34} {peer()}")


@contextmanager
def nginx() -> Iterator[int]:
    """An nginx on 127.0.0.1; gives the id of its master."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "nginx.conf")
        config.write_text(CONFIG.format(folder=folder, port=PORT))
        process = subprocess.Popen([shutil.which("nginx") or "/usr/sbin/nginx", "-p", folder, "-c", config])
        try:
            wait_until_open()
            yield process.pid
        finally:
            process.terminate()
            process.wait(10)


def wait_until_open(within_s: float = 5) -> None:
    """Wait for the port."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            socket.create_connection(("127.0.0.1", PORT), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


@contextmanager
def frozen(master: int) -> Iterator[None]:
    """Freeze the workers of that master from 4 s on, for 2 s."""
    workers = [int(word) for word in Path(f"/proc/{master}/task/{master}/children").read_text().split()]
    timers = [Timer(4.0 + wait, send, (workers, what)) for wait, what in ((0, "STOP"), (FROZEN_S, "CONT"))]
    for timer in timers:
        timer.start()
    try:
        yield
    finally:
        for timer in timers:
            timer.cancel()
        send(workers, "CONT")


def send(processes: list[int], what: str) -> None:
    """Send a signal."""
    for process in processes:
        os.kill(process, signal.Signals[f"SIG{what}"])


def run(rate: float, seconds: float) -> list[Sample]:
    """The samples of a run."""
    samples: list[Sample] = []
    plan = LoadPlan("127.0.0.1", PORT, "akuma.xyz", rate, seconds, "bench")
    load = Load(plan, Clock.start(), allowed=["127.0.0.1"], allowed_subnet="", on_sample=samples.append)
    load.start()
    load.wait()
    return samples


def schedule(rate: float, seconds: float) -> str:
    """One line of the first table."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    samples = run(rate, seconds)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / seconds
    lags = sorted(1000 * sample.lag_s for sample in samples)
    latencies = sorted(1000 * sample.latency_s for sample in samples)
    good = sum(not sample.failed for sample in samples)
    return (
        f"{len(samples) / seconds:6.0f} {good:8}   {percentile(lags, 0.5):8.2f} ms {percentile(lags, 0.99):6.2f} ms "
        f"{lags[-1]:6.2f} ms {percentile(latencies, 0.99):9.2f} ms  {100 * cpu:5.0f} %"
    )


def ours() -> str:
    """What our load says."""
    samples = run(200, RUN_S)
    latencies = sorted(sample.latency_s for sample in samples)
    return f"p99 {percentile(latencies, 0.99):.3f} s  p50 {1000 * percentile(latencies, 0.5):.2f} ms  n {len(samples)}"


def wrk() -> str:
    """What wrk says; with a new connection for each request, too."""
    command = [
        "wrk",
        "-t1",
        "-c10",
        f"-d{RUN_S:g}s",
        "--latency",
        "-H",
        "Connection: close",
        f"http://127.0.0.1:{PORT}/",
    ]
    text = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    found = {part: re.search(rf"{part}%\s+(\S+)", text) for part in ("50", "99")}
    p50, p99 = (match[1] if match else "?" for match in found.values())
    requests = re.search(r"(\d+) requests in", text)
    return f"p99 {p99}  p50 {p50}  n {requests[1] if requests else '?'}"


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0)
