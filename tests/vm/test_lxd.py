"""Three virtual machines that LXD makes: what they are, their power, a point of a lesson, and what a fault does."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.emulated import how_vms_run
from tests.lxd import Daemon, daemon
from tests.realm import Realm
from tests.vm.promises import LONG_S, must_be_balanced, must_come_out_as_on_lxc, must_survive_a_power_cut

pytestmark = pytest.mark.timeout(3600)
SUBNET = 68
UP_S = 1800
NAMES = ("akuma", "voxy", "zero")


@pytest.fixture(scope="module")
def lxd() -> Iterator[Daemon]:
    """An LXD of these tests' own, which must be empty afterwards."""
    with daemon(vms=True) as made:
        yield made
        assert made.leftovers() == []


@pytest.fixture(scope="module")
def realm(lxd: Daemon, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Realm]:
    """A lab with the app `hello`, up on it."""
    made = Realm.make(tmp_path_factory.mktemp("vm"), SUBNET, f'[engine]\nurl = "{lxd.socket}"').small()
    made.home.make()
    made.home.remember(driver=how_vms_run())  # LXD itself never emulates, so the lab does not know
    try:
        done = made.lab("up", "--provider", "lxd", "--vm", "--app", "hello", timeout_s=UP_S)
        assert done.returncode == 0, done.stdout + done.stderr
        yield made
    finally:
        made.remove()


def test_they_are_what_was_asked_for(realm: Realm, lxd: Daemon) -> None:
    """Virtual machines to LXD, with a kernel and a disk of their own, under the lab's names, keys and addresses."""
    must_be_balanced(realm)
    made = lxd.lxd().get("instances", recursion=1, project=f"lab-{realm.home.id}")
    assert {each["name"]: each["type"] for each in made} == dict.fromkeys(NAMES, "virtual-machine")
    for name in NAMES:
        told = realm.ssh(name, "hostname; uname -r; df --output=size -BM / | tail -1; ip -o -4 address show eth0")
        lines = told.splitlines()
        assert (lines[0], lines[1] != os.uname().release) == (name, True)
        assert 2700 < int(lines[2].strip(" M")) < 3072
        assert f"192.168.{SUBNET}." in lines[3]
        assert realm.ssh(name, "cat ~/.ssh/authorized_keys") == (realm.home.keys / "lab.pub").read_text().strip()
        assert realm.ssh(name, "systemctl is-system-running --wait") == "running"


def test_up_again_changes_nothing(realm: Realm) -> None:
    """They stay virtual without being asked for again."""
    report = realm.json("up")
    assert (report["provider"], report["booted"]) == ("lxd", [])
    assert sum(host["changed"] for host in report["hosts"]) == 0


def test_power(realm: Realm) -> None:
    """By LXD's own switch."""
    must_survive_a_power_cut(realm)


@pytest.mark.parametrize("name", ["kill-voxy", "slow-voxy"])
def test_a_scenario_comes_out_as_on_lxc(realm: Realm, name: str) -> None:
    """Power taken by LXD's switch, and packets held back by netem in the machine's own kernel."""
    must_come_out_as_on_lxc(realm, name)


def test_a_lesson_goes_back(realm: Realm) -> None:
    """Shut down, kept, changed, and put back; all serve as they did."""
    realm.ssh("zero", "echo one > ~/mine")
    done = realm.lab("save", "whole", timeout_s=LONG_S)
    assert done.returncode == 0, done.stderr
    realm.ssh("zero", "echo two > ~/mine; pm2 delete all; pm2 save --force")
    done = realm.lab("restore", "whole", timeout_s=LONG_S)
    assert done.returncode == 0, done.stderr
    assert realm.ssh("zero", "cat ~/mine") == "one"
    must_be_balanced(realm)
