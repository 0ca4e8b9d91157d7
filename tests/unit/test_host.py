"""The words of a host: quoting is the interface's, not the caller's care."""

from __future__ import annotations

import shlex
import socket
import subprocess
import sys

import pytest

from lab.errors import CommandFailed, HostUnreachable, Result
from lab.host import SshHost, quoted, shell_line
from tests.fakes import target

NASTY = ["it's", "$(touch /tmp/x)", "a;b", "*", "", "two words", "-n", "line\nbreak", "`id`", '"', "%s", "\\"]


@pytest.mark.parametrize("word", NASTY)
def test_an_argument_reaches_the_shell_as_one_word(word: str) -> None:
    """Whatever is in it: a real shell prints it back unchanged."""
    done = subprocess.run(["sh", "-c", quoted("printf '<%%s>' %s", word)], capture_output=True, text=True, check=True)
    assert done.stdout == f"<{word}>"


def test_several_arguments_keep_their_order() -> None:
    """Numbers and paths are arguments too."""
    assert quoted("a %s b %s", 5, "x y") == "a 5 b 'x y'"


def test_a_command_without_arguments_is_left_alone() -> None:
    """Its per cent signs are its own."""
    assert quoted("date +%Y-%m") == "date +%Y-%m"


@pytest.mark.parametrize(
    ("user", "root", "expected"),
    [
        ("", False, ["sh", "-c", "echo 'a b'"]),
        ("", True, ["sudo", "-n", "--", "sh", "-c", "echo 'a b'"]),
        ("stu dent", False, ["sudo", "-n", "-H", "-u", "stu dent", "--", "bash", "-lc", "echo 'a b'"]),
    ],
)
def test_who_runs_a_command(user: str, root: bool, expected: list[str]) -> None:
    """As the login user, as root, or as another user in a login environment; sudo never asks."""
    assert shlex.split(shell_line("echo 'a b'", user, root, {})) == expected


def test_variables_are_exported_before_the_command() -> None:
    """With their values quoted; a real shell sees them."""
    line = shell_line('printf %s "$ONE"', "", False, {"ONE": "it's $HOME"})
    assert subprocess.run(line, shell=True, capture_output=True, text=True, check=True).stdout == "it's $HOME"


def test_a_host_that_nobody_answers_for_is_unreachable() -> None:
    """The error names host, address and what to do next. Nothing listens on port 1 of this computer."""
    host = SshHost(target("voxy", "127.0.0.1", 1))
    with pytest.raises(HostUnreachable) as caught:
        host.run("true")
    assert "voxy: no SSH at 127.0.0.1:1" in str(caught.value)
    assert "lab status" in caught.value.mend


def test_waiting_for_a_host_names_the_wait() -> None:
    """With address and deadline."""
    with pytest.raises(HostUnreachable, match=r"ssh on voxy \(127\.0\.0\.1:1\): not there after 0 s"):
        SshHost(target("voxy", "127.0.0.1", 1)).wait_until_reachable(0.01)


def test_waiting_ends_when_nobody_boots_the_host() -> None:
    """When `give_up` says so, long before the deadline."""
    with pytest.raises(HostUnreachable, match="voxy: was not booted"):
        SshHost(target("voxy", "127.0.0.1", 1)).wait_until_reachable(600, give_up=lambda: True)


def test_a_closed_port_is_not_logged_in_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seventeen waiting hosts that try SSH twenty times a second take the processor that boots them."""
    tried: list[str] = []

    def run(self: SshHost, *words: object, **more: object) -> Result:
        tried.append(self.name)
        return Result("", 0, "", "")

    monkeypatch.setattr(SshHost, "run", run)
    with pytest.raises(HostUnreachable):
        SshHost(target("voxy", "127.0.0.1", 1)).wait_until_reachable(0.2)
    assert tried == []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        SshHost(target("zero", "127.0.0.1", listener.getsockname()[1])).wait_until_reachable(2)
    assert tried == ["zero"]


class _Answering(SshHost):
    """An SshHost whose connection always gives this result."""

    result = Result("", 0, "", "")

    def _exec(self, line: str, shown: str, timeout_s: float) -> Result:
        return Result(shown, self.result.code, self.result.stdout, self.result.stderr)


def test_a_failed_command_is_an_error_unless_told_otherwise() -> None:
    """The error carries the command as it was meant, not as it was wrapped."""
    host = _Answering(target())
    host.result = Result("", 3, "", "no such unit")
    assert host.run("systemctl start %s", "a b", root=True, check=False).code == 3
    with pytest.raises(CommandFailed) as caught:
        host.run("systemctl start %s", "a b", root=True)
    assert "voxy: `systemctl start 'a b'` ended with exit code 3" in str(caught.value)
    assert "  | no such unit" in str(caught.value)


AT_ONCE = """
import os, sys, threading
from lab.errors import LabError
from lab.host import SshHost
from tests.fakes import target

def broken():
    sys.setswitchinterval(1e-6)
    gate, found = threading.Barrier(4), []
    def use(number):
        host = SshHost(target(address="127.0.0.1", port=1))
        gate.wait()
        try:
            host.run("true") if number % 2 else host.put(b"", "/x")
        except LabError:
            pass
        except BaseException as fault:
            found.append(repr(fault))
    threads = [threading.Thread(target=use, args=(number,)) for number in range(4)]
    for each in threads: each.start()
    for each in threads: each.join()
    return found

for attempt in range(8):  # each in a process that has imported nothing of it yet
    child = os.fork()
    if child == 0:
        os._exit(len(broken()))
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), end=" ")
"""


def test_hosts_can_be_opened_by_several_threads_at_once() -> None:
    """Whether the first thing is a command or a file: fabric's modules are imported by one of them, whole."""
    done = subprocess.run([sys.executable, "-c", AT_ONCE], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split() == ["0"] * 8
