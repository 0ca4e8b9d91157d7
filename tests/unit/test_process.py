"""Programs on this computer: what they are given, what comes back, and what fails."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lab import process
from lab.errors import CommandFailed, MissingTool, NoPermission
from lab.waiting import wait_for


def _program(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def user(monkeypatch: pytest.MonkeyPatch) -> None:
    """We are not root."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)


def test_a_result_holds_code_and_both_outputs() -> None:
    """And the command, quoted so that it can be copied."""
    result = process.run("sh", "-c", "echo out; echo err >&2; exit 3", check=False)
    assert (result.code, result.stdout, result.stderr, result.ok) == (3, "out\n", "err\n", False)
    assert result.command.endswith("-c 'echo out; echo err >&2; exit 3'")


def test_arguments_reach_the_program_as_they_are() -> None:
    """No shell is involved."""
    assert process.run("printf", "<%s>", "$HOME; it's", "*").stdout == "<$HOME; it's><*>"


def test_another_exit_code_than_0_is_an_error() -> None:
    """With what the program said."""
    with pytest.raises(CommandFailed, match=r"this computer: .* ended with exit code 3") as caught:
        process.run("sh", "-c", "echo why >&2; exit 3")
    assert "  | why" in str(caught.value)


def test_a_missing_program_is_named() -> None:
    """With the command that says how to install it."""
    with pytest.raises(MissingTool) as caught:
        process.run("no-such-tool", "x")
    assert str(caught.value) == "`no-such-tool` is not installed\n  → lab doctor says how to install it"


def test_a_program_that_takes_too_long_is_ended() -> None:
    """Also without `check`: it has no exit code of its own."""
    with pytest.raises(CommandFailed) as caught:
        process.run(sys.executable, "-c", "import signal; signal.pause()", timeout_s=0.2, check=False)
    assert caught.value.result.code == 124
    assert "not finished after 0 s" in str(caught.value)


def test_variables_are_added_to_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program has both."""
    monkeypatch.setenv("OURS", "1")
    assert process.run("sh", "-c", "echo $OURS $ADDED", env={"ADDED": "2"}).stdout == "1 2\n"


def test_standard_input_is_the_text_and_never_the_terminal() -> None:
    """Without a text it is empty, so that nothing waits for a key."""
    assert process.run("cat", stdin="a\nb").stdout == "a\nb"
    assert process.run("cat").stdout == ""


def test_a_program_runs_in_its_folder(tmp_path: Path) -> None:
    """When one is named."""
    assert process.run("pwd", "-P", cwd=tmp_path).stdout.strip() == str(tmp_path.resolve())


def test_output_that_is_no_utf_8_is_no_crash() -> None:
    """The bytes are replaced."""
    assert process.run("printf", r"a\377b").stdout == "a\ufffdb"


def test_programs_of_root_are_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A user's PATH lacks /usr/sbin on Debian."""
    tool = _program(tmp_path / "sbin", "mkthing", "true")
    monkeypatch.setenv("PATH", "/usr/bin")
    monkeypatch.setattr(process, "SBIN", str(tool.parent))
    assert process.find("mkthing") == str(tool)
    assert process.find("no-such-tool") is None


def test_root_needs_no_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command is the same."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert process.privileged(["ip", Path("/x")]) == ["ip", "/x"]


def test_a_user_goes_through_sudo(user: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It gets the command and its input; what looks like an option stays an argument."""
    _program(tmp_path / "bin", "sudo", 'echo "sudo:$*"; cat')
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    assert process.as_root("tee", "-a", "/x", stdin="text").stdout == "sudo:-- tee -a /x\ntext"


def test_without_root_and_sudo_there_is_a_mend(user: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The error names the program that needs root."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(process, "SBIN", str(tmp_path))
    with pytest.raises(NoPermission, match="`ip` needs root") as caught:
        process.as_root("ip", "link")
    assert "install sudo" in caught.value.mend


def test_a_will_is_executed_once(tmp_path: Path) -> None:
    """When it is told to, and not before."""
    trace = tmp_path / "trace"
    will = process.Will("sh", "-c", f"echo done >> {trace}")
    assert not trace.exists()
    will.execute()
    will.execute()
    assert trace.read_text() == "done\n"


def test_a_will_that_fails_is_told() -> None:
    """With what it said."""
    with pytest.raises(CommandFailed, match=r"`sh -c 'echo why; exit 3'` ended with exit code 3") as caught:
        process.Will("sh", "-c", "echo why; exit 3").execute()
    assert "  | why" in str(caught.value)


def test_a_will_that_does_not_end_is_not_waited_for() -> None:
    """For longer than it may take."""
    will = process.Will("sleep", "30")
    with pytest.raises(CommandFailed) as caught:
        will.execute(timeout_s=0.1)
    assert caught.value.result.code == 124
    assert "not finished after 0 s" in str(caught.value)
    will._heir.kill()
    will._heir.communicate()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGHUP])
def test_a_will_is_executed_when_its_maker_is_killed(tmp_path: Path, number: signal.Signals) -> None:
    """With all its group, as a terminal does it: the heir is not of that group."""
    trace = tmp_path / "trace"
    code = (
        "import signal; from lab import process; will = process.Will('touch', 'trace'); "
        "print('ready', flush=True); signal.pause()"
    )
    maker = subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        start_new_session=True, env={**os.environ, "PYTHONPATH": str(Path(process.__file__).parents[1])},
    )  # fmt: skip
    assert maker.stdout and maker.stdout.readline() == b"ready\n"
    assert not trace.exists()
    os.killpg(maker.pid, number)
    maker.communicate(timeout=30)
    wait_for("what the heir does", trace.exists, within_s=10)


def test_a_will_that_nobody_waits_to_run_is_no_will(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when sudo refuses: what needs it must not begin."""
    monkeypatch.setattr(process, "privileged", lambda argv: ["sh", "-c", "echo no >&2; exit 1"])
    with pytest.raises(CommandFailed, match="`true` ended with exit code 1") as caught:
        process.Will("true")
    assert "  | no" in str(caught.value)
    monkeypatch.setattr(process, "privileged", lambda argv: ["true"])
    with pytest.raises(CommandFailed, match="nobody waits to run it"):
        process.Will("true")
