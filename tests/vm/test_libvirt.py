"""Three guests of our own box at libvirt: what they are, their power, and a daemon that dies."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from lab.machines import libvirtd
from lab.machines.kvm import PROBE, PROBE_DEVICES, PROBE_EXIT, kvm_works
from lab.machines.vagrant import MEMORY
from lab.vagrantfile import FINISHED
from tests.realm import Realm
from tests.vm.promises import must_be_balanced, must_survive_a_power_cut

pytestmark = pytest.mark.timeout(2400)
LONG_S = 900


def test_the_site_is_balanced_over_both(realm: Realm) -> None:
    """By guests with a kernel of their own, on disks that have grown, under the names that the lab gives them."""
    must_be_balanced(realm)
    for name in ("akuma", "voxy", "zero"):
        told = realm.ssh(name, "hostname; uname -r; df --output=size -BG / | tail -1; ip -o -4 address show eth0")
        lines = told.splitlines()
        assert lines[0] == name
        assert lines[1] != os.uname().release
        assert int(lines[2].strip(" G")) >= 9
        assert f"192.168.{realm.subnet}." in lines[3]


def test_a_busy_computer_does_not_hang_it(realm: Realm) -> None:
    """Each kernel booted without the trial of the timer that an emulator fails, and boots again after a panic."""
    for name in ("akuma", "voxy", "zero"):
        words = realm.ssh(name, "cat /proc/cmdline").split()
        assert {"no_timer_check", "panic=10"} <= set(words)


def test_nobody_knows_the_key(realm: Realm) -> None:
    """The one that everybody has was good for the first contact only; each host has a host key of its own."""
    keys = {realm.ssh(name, "cat ~/.ssh/authorized_keys") for name in ("akuma", "voxy", "zero")}
    assert keys == {(realm.home.keys / "lab.pub").read_text().strip()}
    known = (realm.home.path / "known_hosts").read_text().splitlines()
    assert len({line.split()[2] for line in known if "ed25519" in line}) == 3


def test_the_user_is_told_how_it_runs(realm: Realm) -> None:
    """Emulation is said in one line, and remembered for the deadlines."""
    assert realm.home.state().driver == ("kvm" if kvm_works() else "qemu")


def test_it_is_listed(realm: Realm) -> None:
    """With its hosts that run."""
    (listed,) = [each for each in realm.json("list") if each["id"] == realm.home.id]
    assert (listed["provider"], listed["running"], listed["hosts"]) == ("libvirt", 3, 3)


def test_up_again_changes_nothing(realm: Realm) -> None:
    """Twice is once."""
    report = realm.json("up")
    assert (report["booted"], sum(host["changed"] for host in report["hosts"])) == ([], 0)


def test_power(realm: Realm) -> None:
    """Cut and given back; and an orderly reboot."""
    must_survive_a_power_cut(realm)
    done = realm.lab("reboot", "zero", timeout_s=LONG_S)
    assert done.returncode == 0, done.stderr
    must_be_balanced(realm)
    assert {host["state"] for host in realm.status().values()} == {"running"}


def test_a_daemon_that_dies_is_one_sentence_and_up_goes_on(realm: Realm) -> None:
    """The guests go on serving meanwhile, and none of them is made again."""
    ours = libvirtd._ours()
    if "libvirtd" not in ours:
        pytest.skip("libvirtd is this computer's own, and stays alone")
    os.kill(ours["libvirtd"], signal.SIGKILL)
    done = realm.lab("status")
    assert done.returncode == 4
    assert done.stderr.strip().splitlines() == [
        "lab: libvirtd does not answer; the guests that were running go on",
        "  → lab up starts it, and goes on from there",
    ]
    must_be_balanced(realm)
    report = realm.json("up")
    assert report["booted"] == []
    assert {host["state"] for host in realm.status().values()} == {"running"}


def test_a_guest_that_was_interrupted_is_made_again(realm: Realm) -> None:
    """Booted, and not yet with the lab's key: it counts as absent, and `lab up` makes it, and only it."""
    (realm.home.vagrant / MEMORY / "zero" / "libvirt" / FINISHED).unlink()
    assert realm.status()["zero"]["state"] == "absent"
    done = realm.lab("up", timeout_s=LONG_S)
    assert done.returncode == 0, done.stderr
    must_be_balanced(realm)
    assert realm.ssh("zero", "cat ~/.ssh/authorized_keys") == (realm.home.keys / "lab.pub").read_text().strip()


def test_the_probe_of_kvm_ends_by_itself(tmp_path: Path) -> None:
    """Emulated by QEMU, where KVM may not run it: a probe that cannot say yes would never find KVM working."""
    firmware = tmp_path / "probe.bin"
    firmware.write_bytes(PROBE)
    argv = ["qemu-system-x86_64", "-accel", "tcg", *PROBE_DEVICES, "-bios", str(firmware)]
    assert (len(PROBE), subprocess.run(argv, timeout=30, check=False).returncode) == (0x10000, PROBE_EXIT)
