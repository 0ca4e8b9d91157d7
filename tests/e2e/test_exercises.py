"""The content of the exercises, in full and on real machines: every starting state, solution, mistake and reset.

No exercise is left out: the list is the one that ships.
"""

from __future__ import annotations

import pytest

from lab import config
from lab.exercises.exercise import load, names
from lab.exercises.rehearsal import rehearse
from lab.session import open_session
from tests.realm import Realm


@pytest.mark.parametrize("name", names())
def test_an_exercise_is_as_it_says(classroom: Realm, name: str) -> None:
    """Start fails what it lists, the solution passes twice, mistakes are caught, reset = start, three students."""
    lab = config.load(classroom.folder / "lab.toml")
    with open_session(lab, classroom.home) as session:
        found = list(rehearse(session, load(name)))
    wrong = [f"{finding.what}\n{finding.seen}" for finding in found if not finding.ok]
    assert wrong == [], "\n".join(wrong)
    assert len(found) >= 1 + 2 + 1 + 1 + 4, "files, start and solution, a mistake, reset, two more students"


def test_there_are_fifteen() -> None:
    """None is lost, and their order is the course's."""
    assert names() == [
        "hello-web", "nginx-t", "include-dir", "server-name", "hosts-file", "see-502", "run-app", "pm2", "backends",
        "upstream", "ghost-upstream", "kill-voxy", "voxy-dark", "hardening", "capstone",
    ]  # fmt: skip
