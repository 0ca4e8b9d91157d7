"""How long judging takes, and the page: a recorded kill of 100,000 requests, read from its files, seven claims.

.venv/bin/python bench/judge.py [REQUESTS] [RUNS]
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import perf_counter

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "unit"))

from lab import after, during, failed_requests, share_of, stalls
from lab.expectations import standing
from lab.history import History
from lab.judge import judge
from lab.report import page
from tests.unit.histories import END, KILLED, fails_over, played
from tests.unit.recording import record

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
        times = [measured(Path(folder)) for _ in range(runs)]
        history = History.load(Path(folder))
    for name, column in zip(("read", "judge", "both"), zip(*times, strict=True), strict=True):
        print(f"{name:6} {requests} requests: {median(column):.3f} s, worst of {runs}: {max(column):.3f} s")
    for title, shown in (("page", history), ("page of a run that failed", ruined(history))):
        start = perf_counter()
        size = len(page(shown, judge(shown, CLAIMS)).encode())
        print(f"{title}: {size / 1e6:.2f} MB in {perf_counter() - start:.2f} s")


def ruined(history: History) -> History:
    """Every request of it failed after a second: the page draws each of them."""
    samples = tuple(replace(s, status=None, error="timeout", done=s.scheduled + 1) for s in history.samples)
    return replace(history, samples=samples)


def measured(folder: Path) -> tuple[float, float, float]:
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
