"""What we tell the user to type names the lab that the command line named."""

from __future__ import annotations

import pytest

from lab.cli import naming
from lab.cli.naming import with_name


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command was `lab --name b …`."""
    monkeypatch.setattr(naming, "_typed", "b")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lab up", "lab --name b up"),
        ("`lab halt --force voxy` takes its power", "`lab --name b halt --force voxy` takes its power"),
        ("lab destroy, then lab up", "lab --name b destroy, then lab --name b up"),
        ("weiter: lab exercise start x", "weiter: lab --name b exercise start x"),
        ("this lab runs on lxc", "this lab runs on lxc"),
        ("`lab --name NAME up` makes another", "`lab --name NAME up` makes another"),
        ("`cd /there && lab destroy`", "`cd /there && lab destroy`"),
        ("a collab up there, lab.sh, lab upside", "a collab up there, lab.sh, lab upside"),
    ],
)
def test_commands_of_ours_get_the_name(typed: None, text: str, expected: str) -> None:
    """Everything else stays, and what is meant for another lab."""
    assert with_name(text) == expected
    assert with_name(expected) == expected


def test_without_a_name_nothing_changes() -> None:
    """Nor after a command that had one."""
    naming.forget()
    assert with_name("lab up") == "lab up"
