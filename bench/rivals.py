"""Measures the lab beside what people would use instead, and writes docs/benchmarks.md from the figures.

    python bench/rivals.py [--runs N] [up] [provision] [load] [labs] [backends]     without a name: all, in this order

Each part keeps its figures in bench/results/PART.json, so a part that is run alone renews its own section of the page.
Needs `tools/setup bench`. Uses 192.168.83.0/24 to 192.168.92.0/24 (BENCH_SUBNET=N begins elsewhere), sends requests to
the machines that it made and to 127.0.0.1, and removes all of them.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.contests import backends, labs, load, provision, up
from bench.contests.result import Result
from bench.figures import Part, page
from bench.surroundings import load_average, machine, now
from tests.realm import CHECKOUT

RESULTS = CHECKOUT / "bench" / "results"
PAGE = CHECKOUT / "docs" / "benchmarks.md"
PARTS: dict[str, tuple[Callable[[int], Result], int]] = {
    "up": (up.run, 3),
    "provision": (provision.run, 5),
    "load": (load.run, 3),
    "labs": (labs.run, 1),
    "backends": (backends.run, 3),
}
"""What runs each part, and how often it repeats."""


def main(argv: list[str]) -> None:
    """Run the parts, keep what each found, write the page."""
    parser = argparse.ArgumentParser(description="Measure the lab beside what people would use instead.")
    parser.add_argument("--runs", type=int, default=0, help="repeats of each part, instead of 1, 3 or 5")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all when none is named")
    options = parser.parse_args(argv)
    unknown = [name for name in options.parts if name not in PARTS]
    if unknown:
        parser.error(f"there is no part {unknown[0]!r}; there are {', '.join(PARTS)}")
    RESULTS.mkdir(exist_ok=True)
    for name in options.parts or PARTS:
        print(f"{name} …", flush=True)
        part = measured(name, options.runs)
        (RESULTS / f"{name}.json").write_bytes(msgspec.json.format(msgspec.json.encode(part), indent=1) + b"\n")
        PAGE.write_text(page(kept()), encoding="utf-8")
        for table in part.tables:
            print(f"\n{table}")
        print("\n" + "\n".join(map(str, part.targets)) + "\n", flush=True)


def measured(name: str, runs: int = 0) -> Part:
    """Run one part, and note the machine and what else it had to do."""
    act, usual = PARTS[name]
    before, began = load_average(), time.monotonic()
    found = act(runs or usual)
    busy = f"load average {before:.1f} before, {load_average():.1f} at the end, the measurement's own work included"
    return Part(
        name, found.title, now(), round(time.monotonic() - began, 1), machine(), busy, found.versions,
        found.setting, found.commands, found.tables, found.targets,
    )  # fmt: skip


def kept() -> list[Part]:
    """The parts that were measured so far, in their order."""
    files = [RESULTS / f"{name}.json" for name in PARTS]
    return [msgspec.json.decode(file.read_bytes(), type=Part) for file in files if file.exists()]


if __name__ == "__main__":
    main(sys.argv[1:])
