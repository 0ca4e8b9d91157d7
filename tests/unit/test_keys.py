"""Keys: every lab has its own, hosts are known before the first connection. Uses the real ssh-keygen."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest

from lab import keys
from lab.home import Home
from lab.topology import Lab
from tests.fakes import target


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def made(home: Home) -> Home:
    """A home with the files of all guests."""
    keys.make_guest_files(Lab(), home, "nameserver 9.9.9.9\n")
    return home


def test_the_lab_has_one_key_pair_of_its_own(home: Home) -> None:
    """Made once, readable by its owner only, named after the lab."""
    path = keys.make_lab_key(home)
    before = path.read_bytes()
    assert keys.make_lab_key(home).read_bytes() == before
    assert _mode(path) == 0o600
    assert path.with_suffix(".pub").read_text().split()[2] == f"lab-{home.id}"


def test_two_labs_have_different_keys(tmp_path: Path) -> None:
    """So that one lab's owner cannot log in to the other's hosts."""
    public = [
        keys.make_lab_key(Home(tmp_path / name)).with_suffix(".pub").read_text().split()[1] for name in ("a", "b")
    ]
    assert public[0] != public[1]


def test_a_lost_public_key_is_made_again(home: Home) -> None:
    """ssh-keygen writes the private half first; an interrupt in between must not break every later `up`."""
    path = keys.make_lab_key(home)
    path.with_suffix(".pub").unlink()
    keys.make_guest_files(Lab(), home, "")
    assert (home.keys / "guests" / "voxy" / "authorized_keys").read_text().startswith("ssh-ed25519 ")


def test_each_guest_gets_its_identity(made: Home) -> None:
    """Name, neighbours, resolver, who may log in; and a host key that no other guest has."""
    folder = made.keys / "guests" / "voxy"
    assert (folder / "hostname").read_text() == "voxy\n"
    assert (folder / "resolv.conf").read_text() == "nameserver 9.9.9.9\n"
    assert (folder / "authorized_keys").read_text() == (made.keys / "lab.pub").read_text()
    hosts = (folder / "hosts").read_text().splitlines()
    assert {"127.0.1.1 voxy", "192.168.56.10 akuma", "192.168.56.12 zero", "192.168.56.10 akuma.xyz"} <= set(hosts)
    public = {path.read_text().split()[1] for path in made.keys.glob("guests/*/ssh_host_ed25519_key.pub")}
    assert len(public) == 3


def test_files_with_secrets_are_for_their_owner_only(made: Home) -> None:
    """The private keys, and the folders that they are in."""
    assert {_mode(path) for path in made.keys.glob("guests/*/ssh_host_ed25519_key")} == {0o600}
    assert _mode(made.keys / "lab") == 0o600
    assert _mode(made.path) == 0o700


def test_hosts_are_known_before_the_first_connection(made: Home) -> None:
    """known_hosts holds each address with that guest's own key."""
    targets = keys.lxc_targets(Lab(), made)
    known = dict(line.split(" ", 1) for line in Path(targets[0].known_hosts).read_text().splitlines())
    for host in Lab().hosts:
        public = (made.keys / "guests" / host.name / "ssh_host_ed25519_key.pub").read_text().split()
        assert known[str(host.address)] == " ".join(public[:2])
    expected = [("akuma", "192.168.56.10", 22, "vagrant"), ("voxy", "192.168.56.11", 22, "vagrant")]
    assert expected == [(each.name, each.address, each.port, each.user) for each in targets][:2]
    assert {each.key for each in targets} == {str(made.keys / "lab")}


def test_ssh_understands_the_configuration(tmp_path: Path) -> None:
    """The real ssh reads what `lab ssh` gives it, with a space in the path, and checks host keys."""
    path = tmp_path / "config"
    path.write_text(keys.ssh_config((target("akuma", "10.0.0.1"), target("voxy", "10.0.0.2", 2200))))
    shown = subprocess.run(["ssh", "-G", "-F", str(path), "voxy"], capture_output=True, text=True, check=True).stdout
    found = dict(line.split(" ", 1) for line in shown.splitlines() if " " in line)
    expected = {
        "hostname": "10.0.0.2", "port": "2200", "user": "vagrant", "identityfile": "/nonexistent/key",
        "identitiesonly": "yes", "userknownhostsfile": "/nonexistent/known_hosts",
    }  # fmt: skip
    assert expected == {name: found[name] for name in expected}
    assert found["stricthostkeychecking"] in ("true", "yes")


def test_the_configuration_as_text() -> None:
    """An entry a host, with paths quoted."""
    assert keys.ssh_config((target(),)) == (
        "Host voxy\n"
        "  HostName 192.168.56.11\n"
        "  Port 22\n"
        "  User vagrant\n"
        '  IdentityFile "/nonexistent/key"\n'
        "  IdentitiesOnly yes\n"
        '  UserKnownHostsFile "/nonexistent/known_hosts"\n'
        "  StrictHostKeyChecking yes\n"
        "  LogLevel ERROR\n"
    )
