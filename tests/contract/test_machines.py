"""What every `Machines` keeps: the fake in memory, guests of LXC and LXD that really boot, machines of others."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import up
from lab.apps.profile import resolve
from lab.apps.source import obtain
from lab.config import load
from lab.destroy import destroy
from lab.errors import HostUnreachable, UsageError
from lab.events import silent
from lab.home import EMULATED
from lab.host import SshHost
from lab.machines import Capability, Machines, State, host_keys
from lab.machines.capabilities import CannotBeDone
from lab.machines.choose import machines_for
from lab.machines.existing import ExistingMachines
from lab.machines.fake import FakeMachines
from lab.machines.protocol import Cleaner
from lab.session import Session
from lab.topology import Lab
from lab.waiting import wait_for
from tests.emulated import how_vms_run
from tests.lxd import Daemon, daemon
from tests.realm import Realm
from tests.strangers import Strangers

RUNNING = {"akuma": State.RUNNING, "voxy": State.RUNNING, "zero": State.RUNNING}
REACHABLE_S = 600 if "LAB_VM" in os.environ else 20
PATIENCE = EMULATED if "LAB_VM" in os.environ else 1.0
ABSENT = dict.fromkeys(RUNNING, State.ABSENT)


NEEDS_VM = pytest.mark.skipif("LAB_VM" not in os.environ, reason="make test-vm")
REAL = ["lxc", *(pytest.param(kind, marks=NEEDS_VM) for kind in ("libvirt", "lxd-vm"))]


@pytest.fixture(params=["fake", "lxd", *REAL, "existing"])
def machines(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machines]:
    """The machines of a lab of three, none of them made, or adopted, yet."""
    if request.param == "fake":
        yield FakeMachines(Lab())
        return
    if request.param == "existing":
        yield from _existing(tmp_path)
        return
    if request.param in ("lxd", "lxd-vm"):
        yield from _at_lxd(request.getfixturevalue("own_lxd"), tmp_path, vm=request.param == "lxd-vm")
        return
    realm = Realm.make(tmp_path / "lab", 59 if request.param == "lxc" else 72)
    lab = load(realm.folder / "lab.toml")
    realm.home.make()
    real = machines_for(lab, realm.home, request.param)
    try:
        up.prepare(Session(lab, realm.home, request.param, real), obtain(resolve("hello")))
        yield machines_for(lab, realm.home, request.param)  # it is known by now whether they are emulated
    finally:
        destroy(lab, realm.home, silent)
        assert realm.leftovers() == []


@pytest.fixture(scope="module")
def own_lxd() -> Iterator[Daemon]:
    """An LXD that all tests of this module share: its image is made once."""
    with daemon(vms="LAB_VM" in os.environ) as made:
        yield made
        assert made.leftovers() == []


def _at_lxd(lxd: Daemon, folder: Path, *, vm: bool) -> Iterator[Machines]:
    realm = Realm.make(folder / "lab", 63, f'[engine]\nurl = "{lxd.socket}"\nvm = {str(vm).lower()}').small()
    lab = load(realm.folder / "lab.toml")
    realm.home.make()
    realm.home.remember(driver=how_vms_run() if vm else "")
    made = machines_for(lab, realm.home, "lxd")
    try:
        up.prepare(Session(lab, realm.home, "lxd", made), obtain(resolve("hello")))
        yield made
    finally:
        destroy(lab, realm.home, silent)
        assert realm.leftovers() == []
        assert lxd.leftovers() == []


class Owned(ExistingMachines):
    """Machines whose owner is at hand."""

    owner: Strangers

    def give_power(self, name: str) -> None:
        """What the lab cannot do."""
        self.owner.turn_on(name)
        wait_for(f"{name} on", lambda: self.states()[name] is State.RUNNING, within_s=60)


def _existing(folder: Path) -> Iterator[Machines]:
    strangers = Strangers.make(folder / "machines", 74)
    try:
        realm = strangers.realm()
        lab = load(realm.folder / "lab.toml")
        realm.home.make()
        realm.home.remember(provider="existing")
        host_keys.pin(lab, realm.home, host_keys.strangers(lab, realm.home))
        made = Owned(lab, realm.home)
        made.owner = strangers
        yield made
        destroy(lab, realm.home, silent)
    finally:
        strangers.remove()


def _power_on(machines: Machines, name: str) -> None:
    """Give a stopped host its power; where that is its owner's, the lab refuses before, and agrees afterwards."""
    if isinstance(machines, Owned):
        with pytest.raises(CannotBeDone, match=f"{name} is off: the lab cannot give a machine its power back"):
            machines.power_on(name)
        machines.give_power(name)
    machines.power_on(name)


def test_life_of_machines(machines: Machines) -> None:
    """Absent, made, off, on, gone; doing a thing twice is doing it once."""
    assert machines.states() == ABSENT
    machines.destroy()

    assert set(machines.create()) == set(RUNNING)
    assert machines.states() == RUNNING
    assert machines.create() == ()
    assert [target.name for target in machines.targets()] == list(RUNNING)

    machines.power_off("voxy", graceful=False)
    machines.power_off("voxy")
    assert machines.states() == {**RUNNING, "voxy": State.STOPPED}
    _power_on(machines, "voxy")
    machines.power_on("voxy")
    assert machines.states() == RUNNING

    machines.power_off("zero")
    if isinstance(machines, Owned):
        with pytest.raises(HostUnreachable, match=r"zero: .* does not let ubuntu in"):
            machines.create()
        machines.give_power("zero")
        assert machines.create() == ()
    else:
        assert machines.create() == ("zero",)
    assert machines.states() == RUNNING

    with pytest.raises(KeyError):
        machines.power_off("nobody")

    machines.destroy()
    machines.destroy()
    assert machines.states() == ABSENT


class Inside:
    """What is in a guest: over SSH with the host key that the lab pinned, or in the fake's memory."""

    def __init__(self, machines: Machines, name: str) -> None:
        self._disk = machines.disks[name] if isinstance(machines, FakeMachines) else None
        self._target = next(target for target in machines.targets() if target.name == name)

    def run(self, command: str) -> str:
        """What a command prints on the real one, as soon as it lets us in; the fake has no commands."""
        if self._disk is not None:
            return ""
        with SshHost(self._target, PATIENCE) as host:
            host.wait_until_reachable(REACHABLE_S)
            return host.run(command, root=True).stdout

    def write(self, path: str) -> None:
        """Put a file there."""
        self.run(f"echo mine > {path}")
        if self._disk is not None:
            self._disk[path] = "mine"

    def has(self, path: str) -> bool:
        """Whether it is there."""
        if self._disk is not None:
            return path in self._disk
        return self.run(f"test -e {path} && echo yes || true") == "yes\n"


def test_renewal(machines: Machines) -> None:
    """From every state, and after any damage, a guest is what its box is, runs, and is reached with the same key.

    A machine that has no box is refused, and cleaned of what is known instead.
    """
    if Capability.RENEW not in machines.capabilities:
        _cleaning(machines)
        return
    with pytest.raises(UsageError, match="voxy does not exist yet"):
        machines.renew("voxy")
    assert machines.states() == ABSENT
    machines.create()
    with pytest.raises(KeyError):
        machines.renew("nobody")
    targets = machines.targets()
    voxy, zero = Inside(machines, "voxy"), Inside(machines, "zero")
    zero.write("/etc/mine")

    for stop in (None, "shut down", "cut"):
        voxy.write("/etc/mine")
        assert voxy.has("/etc/mine")
        if stop:
            machines.power_off("voxy", graceful=stop == "shut down")
        machines.renew("voxy")
        assert machines.states() == RUNNING
        assert not voxy.has("/etc/mine")

    voxy.write("/etc/mine")
    voxy.run("chattr +i /etc/hosts /; rm -rf /home/vagrant/.ssh /etc/ssh /usr/bin/sudo; systemctl mask ssh; true")
    machines.renew("voxy")
    machines.renew("voxy")
    assert not voxy.has("/etc/mine")
    assert zero.has("/etc/mine")
    assert machines.states() == RUNNING
    assert machines.targets() == targets


def _cleaning(machines: Machines) -> None:
    assert isinstance(machines, Cleaner)
    with pytest.raises(CannotBeDone, match="voxy: the lab cannot make a machine anew from its box"):
        machines.renew("voxy")
    with pytest.raises(CannotBeDone, match="voxy is not a host of the lab yet"):
        machines.clean("voxy")
    machines.create()
    targets = machines.targets()
    voxy = Inside(machines, "voxy")
    mess = [f"{place}/mine.service" for place in ("/etc/nginx", "/home/vagrant", "/srv/git", "/var/www")]
    mess.append("/etc/systemd/system/mine.service")
    voxy.run("mkdir -p /etc/nginx /srv/git /var/www; cp /bin/sleep /usr/local/bin/node; echo mine >> /etc/hosts")
    for path in mess:
        voxy.run(f"echo '# pm2 of vagrant' > {path}")
    voxy.run("systemd-run --quiet --unit=lab-mine sleep 600; systemd-run --quiet --unit=theirs node 600")
    voxy.run("chattr +i /etc/hosts; true")
    for _ in range(2):
        machines.clean("voxy")
        assert not any(voxy.has(path) for path in mess)
        assert voxy.run("systemctl is-active lab-mine theirs; grep -c mine /etc/hosts; true").split() == [
            "inactive", "inactive", "0"
        ]  # fmt: skip
        assert voxy.run("cat /home/ubuntu/precious") == "the owner's own\n"
    assert machines.targets() == targets


CHANGE = """
rm -r /usr/share/perl5 /etc/cron.daily; mkdir /etc/cron.daily; echo new > /etc/cron.daily/only
echo changed >> /etc/nsswitch.conf; rm -f /etc/passwd-; chmod 600 /etc/fstab
mkdir -p /srv/site; echo a > /srv/site/a; ln /srv/site/a /srv/site/b; ln -s a /srv/site/c; mkfifo /srv/site/d
chown -R vagrant:www-data /srv/site; chmod 2751 /srv/site; chmod 4755 /srv/site/a; touch -d @1000000000 /srv/site/a
chgrp vagrant / && chmod 1755 /
"""
"""Everything that a layer must be able to say: deleted, made anew, changed, and who may do what.

Everybody may still read `/`: where not, systemd-networkd does not start, and a virtual machine has no network.
"""

LOOK = """
sha256sum /etc/nsswitch.conf; ls -d /usr/share/perl5 /etc/passwd- /srv/site /srv/later 2>&1; ls -A /etc/cron.daily
stat -c '%A %U:%G %N' / /etc/fstab /srv/site 2>&1; stat -c '%A %U:%G %N %h %Y' /srv/site/a /srv/site/c /srv/site/d 2>&1
cat /srv/site/a 2>&1; test /srv/site/a -ef /srv/site/b && echo the same || true
"""


def test_saves(machines: Machines) -> None:
    """Any point can be gone back to, in any order, from any state; also after a renewal, and all hosts together."""
    if Capability.SAVE not in machines.capabilities:
        for verb in (machines.saves, lambda: machines.save("c1ea0000"), lambda: machines.restore("c1ea0000")):
            with pytest.raises(CannotBeDone, match="the lab cannot keep a machine's disk and put it back"):
                verb()
        machines.prune([])
        return
    assert machines.saves() == dict.fromkeys(RUNNING, frozenset())
    machines.prune([])
    machines.create()
    voxy, zero = Inside(machines, "voxy"), Inside(machines, "zero")
    targets = machines.targets()

    def points() -> tuple[str, bool, bool]:
        """What voxy looks like, and whether it and zero have a file that they have at some points."""
        return voxy.run(LOOK), voxy.has("/etc/mine"), zero.has("/etc/mine")

    def back_to(id: str, expected: tuple[str, bool, bool]) -> None:
        machines.restore(id)
        assert machines.states() == RUNNING
        assert points() == expected

    clean = points()
    machines.save("c1ea0000")
    assert machines.states() == RUNNING
    voxy.run(CHANGE)
    voxy.write("/etc/mine")
    machines.power_off("akuma")
    changed = points()
    assert machines.save("c4a00000") >= 0
    assert machines.states() == {**RUNNING, "akuma": State.STOPPED}
    assert machines.saves() == dict.fromkeys(RUNNING, frozenset({"c1ea0000", "c4a00000"}))
    zero.write("/etc/mine")

    back_to("c1ea0000", clean)
    back_to("c4a00000", changed)
    machines.prune(["c1ea0000", "c4a00000"])
    voxy.run("rm -r /srv/site; mkdir -p /srv/later /usr/share/perl5; echo again > /etc/nsswitch.conf")
    zero.write("/etc/mine")
    later = points()
    machines.save("1a7e0000")
    back_to("c4a00000", changed)
    back_to("1a7e0000", later)

    machines.renew("voxy")
    assert not voxy.has("/etc/mine")
    machines.power_off("zero", graceful=False)
    back_to("1a7e0000", later)
    machines.prune(["1a7e0000", "c1ea0000"])
    assert machines.saves() == dict.fromkeys(RUNNING, frozenset({"1a7e0000", "c1ea0000"}))
    assert points() == later
    back_to("c1ea0000", clean)
    machines.prune([])
    assert machines.saves() == dict.fromkeys(RUNNING, frozenset())
    assert points() == clean
    assert machines.targets() == targets
    machines.destroy()
    assert machines.saves() == dict.fromkeys(RUNNING, frozenset())
