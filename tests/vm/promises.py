"""What virtual machines keep, whoever makes them."""

from __future__ import annotations

import json

from lab import scenario
from lab.history import History
from lab.run_folder import find_run
from lab.waiting import wait_for
from tests.realm import Realm

RATE = "10"
"""Requests a second: what an emulated guest answers without falling behind."""
NETEM = {"slow-voxy": "slow_link voxy by netem", "lossy-voxy": "lose_packets voxy by netem"}
LONG_S = 1100
"""Voxy boots in it once, which took 4½ minutes on a busy computer."""


def must_be_balanced(realm: Realm) -> None:
    """Wait until both answer: nginx leaves a backend alone for 10 s when it was slow once, as on a busy computer."""
    wait_for("answers from both", lambda: set(realm.ask(6)) == {"voxy", "zero"}, within_s=120)


def must_survive_a_power_cut(realm: Realm) -> None:
    """Pulled, and given back: voxy serves again, with all that it wrote 4 s before."""
    realm.ssh("voxy", "echo mine > ~/mine; sleep 4")
    assert realm.lab("halt", "--force", "voxy").returncode == 0
    assert realm.status()["voxy"]["state"] == "stopped"
    assert set(realm.ask(6)) == {"zero"}
    done = realm.lab("start", "voxy", timeout_s=LONG_S)
    assert done.returncode == 0, done.stderr
    assert realm.ssh("voxy", "cat ~/mine") == "mine"
    must_be_balanced(realm)


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
