"""Runs kill-voxy again and again: the same verdict each time, no error, and how long it takes.

    python bench/scenario.py [RUNS]

It makes a lab in a temporary folder on 192.168.62.0/24, with the app `hello`, and removes it. Load goes to that
lab's balancer only, and each run ends by itself.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.up import checked
from tests.realm import Realm


def main() -> None:
    """Measure, print a table, leave nothing."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    outcomes: Counter[str] = Counter()
    failed, sent, took, detect, recover = 0, [], [], [], []
    with tempfile.TemporaryDirectory() as folder:
        realm = Realm.make(Path(folder), 62)
        try:
            checked(realm, "up", "--app", "hello")
            for _ in range(runs):
                began = time.monotonic()
                done = realm.lab("scenario", "kill-voxy", "--json")
                took.append(time.monotonic() - began)
                verdict = json.loads(done.stdout)
                outcomes[verdict["outcome"]] += 1
                failed += verdict["requests"]["failed"]
                sent.append(verdict["requests"]["sent"])
                detect.append(verdict["timings"]["detect_s"])
                recover.append(verdict["timings"]["recover_s"])
                if verdict["outcome"] != "HELD":
                    reasons = [piece["claim"] for piece in verdict["evidence"] if piece["holds"] is not True]
                    print(f"not HELD: {reasons}", file=sys.stderr)
        finally:
            realm.remove()
    print(f"{platform.platform()}, {os.cpu_count()} cores\n")
    print("| kill-voxy, default config | |\n|---|---|")
    print(f"| verdicts of {runs} runs | {', '.join(f'{count} × {name}' for name, count in outcomes.items())} |")
    print(f"| failed requests, all runs together | {failed} of {sum(sent)} (at least {min(sent)} a run) |")
    print(f"| from enter to verdict | median {statistics.median(took):.1f} s, longest {max(took):.1f} s |")
    found = [seconds for seconds in detect if seconds is not None]
    print(f"| balancer notices after | median {1000 * statistics.median(found):.0f} ms |")
    back = [seconds for seconds in recover if seconds is not None]
    print(f"| voxy serves again, from its power on | {min(back):.1f} to {max(back):.1f} s |")


if __name__ == "__main__":
    main()
