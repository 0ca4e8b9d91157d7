"""Runs every scenario with every configuration, and writes docs/scenarios.md from the verdicts.

    python bench/scenarios.py [NAME…]

It makes a lab in a temporary folder on 192.168.62.0/24, with the app `hello`, and removes it. Load goes to that
lab's balancer only, and each run ends by itself.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.up import checked
from lab.scenario import Scenario, load, names
from tests.realm import CHECKOUT, Realm

CONFIGS = ("default", "tuned", "naive")
PAGE = CHECKOUT / "docs" / "scenarios.md"


@dataclass(frozen=True)
class Row:
    """One run in the table."""

    name: str
    config: str
    expected: str
    verdict: dict[str, Any]

    def __str__(self) -> str:
        requests, timings = self.verdict["requests"], self.verdict["timings"]
        marked = self.verdict["outcome"] + ("" if self.verdict["outcome"] == self.expected else " (unexpected)")
        cells = [self.name, self.config, marked, f"{requests['failed']} of {requests['sent']}"]
        cells += [_seconds(timings[key]) for key in ("detect_s", "reroute_s", "recover_s")]
        return f"| {' | '.join(cells)} |"


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f} s"


def configs_of(scenario: Scenario) -> tuple[str, ...]:
    """The three configurations; a scenario about a mistake runs with its own alone."""
    return CONFIGS if scenario.config == "default" else (scenario.config,)


def rows_of(realm: Realm, name: str) -> list[Row]:
    """Run one scenario with each of its configurations."""
    scenario = load(name)
    rows = []
    for config in configs_of(scenario):
        done = realm.lab("scenario", name, "--config", config, "--json", timeout_s=600)
        if not done.stdout:
            sys.exit(f"{name}, {config}: {done.stderr}")
        rows.append(Row(name, config, scenario.expected(config), json.loads(done.stdout)))  # type: ignore[arg-type]
        print(rows[-1], flush=True)
    return rows


def page(rows: list[Row]) -> str:
    """The text of docs/scenarios.md."""
    machine = f"{platform.platform()}, {os.cpu_count()} cores, LXC, app hello, 150 requests a second"
    lines = [
        "# What the scenarios measured",
        "",
        f"Written by `make scenarios` on {datetime.now(UTC):%Y-%m-%d}: {machine}.",
        "",
        "Each row is one run at the scenario's own length; the machine was not quiet, so take times as orders of",
        "magnitude. HELD means that what the scenario expects came true; DEVIATED that it did not, which with a bad",
        "configuration is the lesson; INCONCLUSIVE that the run proves nothing, and says why. Detected and rerouted",
        "count from the fault, back from the healing.",
        "",
        "| scenario | config | outcome | failed requests | detected | rerouted | back |",
        "|---|---|---|---|---|---|---|",
        *map(str, rows),
        "",
        "## What each one teaches",
        "",
    ]
    for name in dict.fromkeys(row.name for row in rows):
        scenario = load(name)
        lines += [f"**{name}.** {scenario.question} {scenario.lesson.en}", "", f"*{scenario.lesson.id}*", ""]
    return "\n".join(lines)


def main() -> None:
    """Run, print each row as it comes, write the page, leave nothing."""
    wanted = sys.argv[1:] or names()
    with tempfile.TemporaryDirectory() as folder:
        realm = Realm.make(Path(folder), 62)
        try:
            checked(realm, "up", "--app", "hello")
            rows = [row for name in wanted for row in rows_of(realm, name)]
        finally:
            realm.remove()
    if len(wanted) == len(names()):
        PAGE.write_text(page(rows), encoding="utf-8")
    if any(row.verdict["outcome"] != row.expected for row in rows):
        sys.exit("some came out otherwise than their file says")


if __name__ == "__main__":
    main()
