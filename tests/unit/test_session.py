"""An opened lab: what is remembered about its hosts, and what is said when there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import keys
from lab.errors import HostUnreachable
from lab.home import Home
from lab.machines.fake import FakeMachines
from lab.session import NotUp, Session, open_session
from lab.topology import Lab


def test_targets_are_written_for_every_later_command(home: Home) -> None:
    """In the memory, and for `ssh -F`."""
    machines = FakeMachines(Lab())
    targets = Session(Lab(), home, "lxc", machines).record_targets()
    assert home.state().targets == targets == machines.targets()
    assert home.state().provider == "lxc"
    assert home.ssh_config.read_text().count("Host ") == 3


def test_a_later_session_knows_the_hosts(home: Home) -> None:
    """One connection a host, opened when it is needed."""
    Session(Lab(), home, "lxc", FakeMachines(Lab())).record_targets()
    with open_session(Lab(), home) as session:
        assert session.host("voxy").target.address == "192.168.56.11"
        assert session.host("voxy") is session.host("voxy")


def test_a_host_that_was_never_up_is_unreachable(home: Home) -> None:
    """With the mend."""
    session = Session(Lab(), home, "lxc", FakeMachines(Lab()))
    with pytest.raises(HostUnreachable) as caught:
        session.host("voxy")
    assert str(caught.value) == "voxy: was not brought up yet\n  → lab up"


def test_a_lab_that_was_never_up_cannot_be_opened(home: Home) -> None:
    """The message names the folder."""
    with pytest.raises(NotUp, match="there is no lab in") as caught:
        open_session(Lab(), home)
    assert str(home.folder) in caught.value.message
    assert caught.value.mend == "lab up"


def test_a_lab_whose_folder_has_moved_knows_its_keys_again(tmp_path: Path) -> None:
    """What was written down names keys elsewhere; the keys have come along."""
    old, new = Home(tmp_path / "old"), tmp_path / "new"
    old.make()
    keys.make_guest_files(Lab(), old, "")
    old.write("id", "0a1b2c3d\n")
    old.remember(provider="lxd")
    open_session(Lab(), old).record_targets()
    old.folder.rename(new)
    home = Home(new)
    assert str(old.path) in home.state().targets[0].key
    open_session(Lab(), home)
    assert {target.key for target in home.state().targets} == {str(home.keys / "lab")}
    assert str(home.path) in home.ssh_config.read_text()
    assert str(old.path) not in home.ssh_config.read_text()
