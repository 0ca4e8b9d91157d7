"""Before the first test: away with what a killed run has left."""

from __future__ import annotations

import pytest

from tests.killed_runs import take_away


def pytest_sessionstart(session: pytest.Session) -> None:
    """Say what it was, where somebody reads it."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    for what in take_away():
        if reporter:
            reporter.write_line(f"A run of the tests was killed; what it left is removed: {what}")
