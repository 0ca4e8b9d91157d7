"""What `lab explain` says of the live configuration is what the scenarios measure."""

from __future__ import annotations

import pytest

from lab import failover
from lab.history import History
from tests.realm import Realm


@pytest.mark.parametrize("name", ["stop-app-voxy", "cut-voxy", "error-voxy"])
def test_statement_agrees_with_the_measurement(realm: Realm, name: str) -> None:
    """Whether requests fail, and how long the slowest takes."""
    statement = next(each for each in realm.json("explain") if each["scenario"] == name)
    realm.lab("scenario", name, "--duration", "3")
    history = History.load(realm.home.path / "runs" / "latest")
    assert history.run.scenario == name
    samples = history.touched_by(failover.in_force(history))
    assert any(sample.failed for sample in samples) is statement["fails"]
    assert max(sample.latency_s for sample in samples) <= statement["stall_s"]
