"""How the time of `lab up` grows with 2, 4, 8 and 16 backends."""

from __future__ import annotations

from functools import partial

from bench.contests.result import Result
from bench.figures import Row, Series, Table, Target, ratio
from bench.rooms import build_box, checked, rooms
from bench.up import timed

COUNTS = (2, 4, 8, 16)
MOST = 3.0


def run(runs: int) -> Result:
    """Interleaved: each round brings a lab of each size up and removes it."""
    build_box()
    found: dict[int, list[float]] = {count: [] for count in COUNTS}
    for _ in range(runs):
        for count in COUNTS:
            with rooms(backends=count) as (realm,):
                found[count].append(timed(partial(checked, realm, "up", "--app", "hello")))
            print(f"  {count} backends: {found[count][-1]:.1f} s", flush=True)
    return judged({count: Series(tuple(seconds)) for count, seconds in found.items()})


def judged(found: dict[int, Series]) -> Result:
    """The table, and the promise: sixteen take at most three times as long as two."""
    two = found[COUNTS[0]]
    rows = [
        Row(str(count), (series, Series((ratio(series, two),), "×"), Series((series.median / (count + 1),), digits=2)))
        for count, series in found.items()
    ]
    target = Target(f"{COUNTS[-1]} backends against {COUNTS[0]}", ratio(found[COUNTS[-1]], two), MOST, at_least=False)
    return Result(
        "How `lab up` grows with the number of backends",
        (
            "One balancer and so many backends with `hello`; the box is in the cache. The time includes the proof: a "
            "request through each backend. Interleaved: every round makes a lab of each size.",
            "A processor's work, not a wait: on these 2 cores a guest takes 1.6 s of one until its app answers, half "
            "of that Node and pm2 (measured once, by cgroup), and Vagrant 0.4 s. Three times as long would need a "
            "larger fixed part than the 2 to 3 s that two backends have.",
        ),
        ("lab up --app hello",),
        (Table(("backends", "`lab up`", "times that of two", "a machine"), tuple(rows)),),
        (target,),
    )  # fmt: skip
