"""The command line for machines that are there already: host keys are asked for once, nothing is rendered."""

from __future__ import annotations

import io
import sys
from contextlib import suppress
from pathlib import Path

import click
import pytest

from lab import config
from lab.cli import main
from lab.cli.up import _meet
from lab.home import Home
from lab.machines import host_keys
from lab.machines.host_keys import HostKey
from lab.topology import Lab

LAB = config.parse({"provider": "existing", "ssh_user": "ubuntu"})
KEY = HostKey("voxy", "192.168.56.11", "ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5AAAA")


@pytest.fixture
def pinned(monkeypatch: pytest.MonkeyPatch) -> list[HostKey]:
    """What was pinned; voxy alone is a stranger."""
    found: list[HostKey] = []
    monkeypatch.setattr(host_keys, "strangers", lambda lab, home: (KEY,))
    monkeypatch.setattr(host_keys, "pin", lambda lab, home, keys: found.extend(keys))
    return found


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        """It is one."""
        return True


@pytest.mark.parametrize(("answer", "expected"), [("y\n", [KEY]), ("n\n", []), ("\n", [])])
def test_at_a_terminal_it_asks(
    home: Home, pinned: list[HostKey], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    answer: str, expected: list[HostKey],
) -> None:  # fmt: skip
    """Showing the fingerprint, and what will be put on the machines; anything but yes pins nothing."""
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    with suppress(click.Abort):
        _meet(LAB, home, accepted=False)
    said = capsys.readouterr()
    assert KEY.fingerprint in said.err and "an account vagrant with sudo" in said.err
    assert pinned == expected


def test_without_a_terminal_consent_is_an_option(
    home: Home, pinned: list[HostKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it nothing is pinned, and `up` refuses later."""
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    _meet(LAB, home, accepted=False)
    assert pinned == []
    _meet(LAB, home, accepted=True)
    assert pinned == [KEY]


def test_nobody_is_asked_twice(home: Home, pinned: list[HostKey], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all keys are known there is no question."""
    monkeypatch.setattr(host_keys, "strangers", lambda lab, home: ())
    monkeypatch.setattr(sys, "stdin", Terminal(""))
    _meet(LAB, home, accepted=False)
    assert pinned == []


def test_there_is_no_vagrantfile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the sentence says what can be rendered."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lab.toml").write_text('provider = "existing"\nssh_user = "ubuntu"\n')
    with pytest.raises(SystemExit) as left:
        main(["render", "vagrantfile"])
    assert left.value.code == 2
    assert "machines that you have need no Vagrantfile" in capsys.readouterr().err


def test_the_default_lab_asks_for_no_keys() -> None:
    """Only machines of others have any to be asked for."""
    assert not any(host.host_key or host.ssh_user for host in Lab().hosts)
