"""Errors: what failed and where, the command with its code and last ten lines, and what to do next."""

from __future__ import annotations

import pytest

from lab import errors
from lab.errors import CommandFailed, LabError, Result
from lab.session import NotUp
from lab.up import ProvisionFailed


def _result(command: str = "make it", lines: int = 3) -> Result:
    return Result(command, 7, "\n".join(f"line {number}" for number in range(1, lines + 1)), "")


def test_a_failed_command_tells_everything() -> None:
    """Where, the command, its code, what it said, and the mend."""
    expected = "voxy: `make it` ended with exit code 7\n  | line 1\n  | line 2\n  | line 3\n  → try again"
    assert expected == str(CommandFailed("voxy", _result(), "try again"))


def test_only_the_last_ten_lines_are_shown() -> None:
    """Of standard output and standard error together, the latter last."""
    result = Result("x", 1, "\n".join(f"out {number}" for number in range(30)), "err 0\nerr 1\n")
    assert result.last_lines.splitlines() == [*(f"out {number}" for number in range(22, 30)), "err 0", "err 1"]
    assert str(CommandFailed("voxy", result)).count("  | ") == 10


def test_a_long_command_is_cut() -> None:
    """After 300 characters, on one line; the result keeps it whole."""
    fault = CommandFailed("voxy", _result("a\n   b " + "x" * 500))
    assert fault.message == f"voxy: `a b {'x' * 296} …` ended with exit code 7"
    assert fault.result.command.endswith("x" * 500)


def test_a_command_that_said_nothing_adds_no_line() -> None:
    """Neither an empty one."""
    assert str(CommandFailed("voxy", Result("x", 1, "", "\n"))) == "voxy: `x` ended with exit code 1"


def test_an_error_is_a_sentence_with_its_mend() -> None:
    """The mend is on a line of its own, when there is one."""
    assert str(LabError("it broke", "mend it")) == "it broke\n  → mend it"
    assert str(LabError("it broke")) == "it broke"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (errors.UsageError, 2), (errors.TopologyError, 2), (NotUp, 2),
        (errors.EnvironmentProblem, 4), (errors.MissingTool, 4), (errors.NoPermission, 4), (errors.LabBusy, 4),
        (errors.NetworkTaken, 4), (errors.HostUnreachable, 4), (errors.CommandFailed, 4), (ProvisionFailed, 4),
        (errors.Interrupted, 130),
    ],
)  # fmt: skip
def test_exit_codes_of_the_tree(kind: type[LabError], expected: int) -> None:
    """Usage is 2, this computer 4, Ctrl-C 130; and all are LabErrors."""
    assert issubclass(kind, LabError)
    assert expected == kind.exit_code


def test_the_drawn_tree_names_every_error() -> None:
    """The picture at the top of the module is the truth."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, LabError)]
    assert len(kinds) > 8
    assert [kind.__name__ for kind in kinds if kind.__name__ not in (errors.__doc__ or "")] == []
