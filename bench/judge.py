"""How long judging takes: a recorded kill of 100,000 requests, read from its files and judged against six claims.

.venv/bin/python bench/judge.py [REQUESTS] [RUNS]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "unit"))

from histories import END, KILLED, fails_over, played
from recording import record

from lab import after, during, failed_requests, share_of, stalls
from lab.expectations import standing
from lab.history import History
from lab.judge import judge

CLAIMS = (
    during(failed_requests()).at_most("0 %"),
    during(stalls()).at_most("0 %"),
    during(share_of("voxy"), settled=True).at_most("0 %"),
    after(share_of("voxy")).at_least("40 %"),
    *standing(),
)


def main(requests: int, runs: int) -> None:
    """Print the seconds for reading and for judging: the median and the worst."""
    with tempfile.TemporaryDirectory() as folder:
        record(played(fails_over, KILLED, rate=requests / END), Path(folder))
        times = [measured(Path(folder), requests) for _ in range(runs)]
    for name, column in zip(("read", "judge", "both"), zip(*times, strict=True), strict=True):
        print(f"{name:6} {requests} requests: {median(column):.3f} s, worst of {runs}: {max(column):.3f} s")


def measured(folder: Path, requests: int) -> tuple[float, float, float]:
    """Seconds for reading, for judging, and for both."""
    start = perf_counter()
    history = History.load(folder)
    read = perf_counter()
    verdict = judge(history, CLAIMS)
    end = perf_counter()
    assert verdict.outcome == "HELD", verdict.reasons
    return read - start, end - read, end - start


if __name__ == "__main__":
    main(*(int(word) for word in (sys.argv[1:] + ["100000", "7"][len(sys.argv) - 1 :])))
