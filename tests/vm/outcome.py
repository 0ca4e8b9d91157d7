"""What a scenario finds on virtual machines, held to what its file names."""

from __future__ import annotations

import json

from lab import scenario
from lab.history import History
from lab.run_folder import find_run
from tests.realm import Realm

RATE = "10"
"""Requests a second: what an emulated guest answers without falling behind."""
NETEM = {"slow-voxy": "slow_link voxy by netem", "lossy-voxy": "lose_packets voxy by netem"}
LONG_S = 1100
"""Voxy boots in it once, which took 4½ minutes on a busy computer."""


def must_come_out_as_on_lxc(realm: Realm, name: str) -> None:
    """The outcome that its file names; once more where it does not: a busy computer starves its guests."""
    expected = scenario.load(name).expected("default")
    for _ in range(2):
        done = realm.lab("scenario", name, "--rate", RATE, "--json", timeout_s=LONG_S)
        verdict = json.loads(done.stdout or "{}")
        if verdict.get("outcome") == expected.value:
            break
    told = done.stdout + done.stderr
    assert (verdict.get("outcome"), done.returncode) == (expected.value, expected.exit_code), told
    assert verdict["healed"] is True
    said = [event.text for event in History.load(find_run(realm.home).path).events]
    assert [text for text in said if "netem" in text] == ([NETEM[name]] if name in NETEM else [])
