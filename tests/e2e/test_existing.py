"""Machines that Vagrant did not make, with the user `ubuntu` and their owner's key: adopted, used, left as found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import config
from lab.exercises import exercise as exercises
from lab.exercises.staging import run_scripts
from lab.exercises.student import PRACTICE
from lab.session import open_session
from lab.waiting import wait_for
from tests.realm import Realm
from tests.strangers import Strangers

LISTEN = "use IO::Socket::INET; my $s = IO::Socket::INET->new(Listen => 1, LocalPort => shift); sleep"
_LOOK = r"""
find /etc /home /root /usr/local /srv /var/www /var/spool/cron -xdev \( -type f -o -type l \) -printf '%p %l %s\n' \
    2> /dev/null | grep -v -e ^/etc/ssl/certs -e -[[:space:]] -e ^/etc/ld.so.cache | sort
cut -d: -f1,6 /etc/passwd
cat /etc/hosts /etc/environment
ss -Hltn | awk '{print $4}' | sort
systemctl list-unit-files --no-legend --state=enabled
nft list tables 2> /dev/null
ls -d /etc/lab-host /var/lib/lab 2> /dev/null
true
"""
"""What the owner would notice if it were otherwise."""


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Strangers]:
    """Three machines of somebody's; taken away at the end, with proof."""
    made = Strangers.make(tmp_path_factory.mktemp("owner") / "machines", 73)
    try:
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="module")
def as_found(strangers: Strangers) -> dict[str, set[str]]:
    """What they were like before the lab came."""
    return {name: set(strangers.inside(name, _LOOK).splitlines()) for name in ("akuma", "voxy", "zero")}


def _refused(realm: Realm, *words: str) -> str:
    """What `lab up` says when it refuses."""
    done = realm.lab("up", "--app", "hello", *words)
    assert done.returncode == 4, done.stdout + done.stderr
    return done.stderr[done.stderr.index("lab: ") :]


def test_unseen_keys_are_refused(strangers: Strangers) -> None:
    """Without a terminal and without consent; the command that gives it is in the sentence."""
    said = _refused(strangers.realm())
    assert "akuma's host key is not known yet; 192.168.73.10 shows ssh-ed25519 SHA256:" in said
    assert "lab up --accept-host-keys" in said


def test_machines_that_will_not_do_are_named_and_untouched(strangers: Strangers, as_found: dict[str, set[str]]) -> None:
    """A web server on port 80, something on the app's port, another system: all in one answer, nothing changed."""
    for name, port in (("akuma", 80), ("voxy", 3000)):
        strangers.inside(name, f"systemd-run --quiet --unit=theirs perl -e '{LISTEN}' {port}")
    strangers.inside("zero", "cp -P /etc/os-release /root/aside; rm /etc/os-release; echo ID=fedora > /etc/os-release")
    try:
        said = _refused(strangers.realm(), "--accept-host-keys")
    finally:
        for name in ("akuma", "voxy"):
            strangers.inside(name, "systemctl stop theirs")
        strangers.inside("zero", "rm /etc/os-release; mv /root/aside /etc/os-release")
    assert "akuma (192.168.73.10) has something that is not the lab's on port 80: perl (pid " in said
    assert "voxy (192.168.73.11) has something that is not the lab's on port 3000: perl (pid " in said
    assert "zero (192.168.73.12) runs an unknown system, and the lab needs Debian" in said
    assert "nothing was changed on any of them" in said

    strangers.inside("zero", "mv /etc/sudoers.d/ubuntu /root/aside")
    try:
        said = _refused(strangers.realm())
    finally:
        strangers.inside("zero", "mv /root/aside /etc/sudoers.d/ubuntu")
    assert "zero (192.168.73.12) does not give ubuntu root by sudo without a password; on it: echo" in said
    assert as_found == {name: set(strangers.inside(name, _LOOK).splitlines()) for name in as_found}


def test_a_changed_host_key_is_refused(strangers: Strangers) -> None:
    """The key was pinned by the test before; who shows another is not talked to."""
    aside = "mkdir /root/aside && mv /etc/ssh/ssh_host_* /root/aside"
    strangers.inside("voxy", f"{aside} && ssh-keygen -A && systemctl restart ssh")
    try:
        said = _refused(strangers.realm(), "--accept-host-keys")
    finally:
        strangers.inside("voxy", "mv /root/aside/* /etc/ssh/ && rmdir /root/aside && systemctl restart ssh")
    assert "voxy at 192.168.73.11:22 shows another host key than the pinned one: ssh-ed25519 SHA256:" in said
    assert "ssh-keygen -f" in said


def test_up_and_failover(strangers: Strangers) -> None:
    """Provisioned as any other lab; what needs the power switch is refused before anything, the rest runs."""
    realm = strangers.realm()
    done = realm.lab("up", "--provider", "existing", "--app", "hello", timeout_s=600)
    assert done.returncode == 0, done.stderr
    assert set(realm.ask(20)) == {"voxy", "zero"}
    assert realm.json("status")["provider"] == "existing"
    assert {host["state"] for host in realm.status().values()} == {"running"}
    assert realm.json("provision")["hosts"][0]["changed"] == 0
    assert realm.ssh("voxy", "id -un; cat /home/ubuntu/precious 2> /dev/null || sudo cat /home/ubuntu/precious") == (
        "vagrant\nthe owner's own"
    )

    refused = realm.lab("scenario", "kill-voxy")
    assert refused.returncode == 2
    assert "kill-voxy: the lab cannot give a machine its power back" in refused.stderr
    assert "lab scenario cut-voxy" in refused.stderr
    assert not (realm.home.path / "runs").exists()
    runs = {each["name"]: each["runs_here"] for each in realm.json("scenario")}
    assert (runs["kill-voxy"], runs["stop-app-voxy"]) == (False, True)

    for _ in range(2):  # a busy computer may send late, and then nothing is concluded
        done = realm.lab("scenario", "stop-app-voxy", "--rate", "50", "--duration", "2")
        if done.returncode != 3:
            break
    assert done.returncode == 0, done.stdout + done.stderr


def test_another_lab_is_refused(strangers: Strangers, tmp_path: Path) -> None:
    """The mark names the lab that has them, and its folder."""
    theirs = strangers.realm()
    other = Realm(tmp_path, 73)
    (tmp_path / "lab.toml").write_text((theirs.folder / "lab.toml").read_text())
    said = _refused(other, "--accept-host-keys")
    assert f"akuma (192.168.73.10) belongs to another lab, {theirs.home.id} in {theirs.folder}" in said
    assert set(theirs.ask()) == {"voxy", "zero"}


def test_power_is_the_owners(strangers: Strangers) -> None:
    """Off is possible, and said aloud; on is the owner's; a reboot comes back by itself."""
    realm = strangers.realm()
    assert realm.lab("reboot", "voxy").returncode == 0
    done = realm.lab("halt", "zero")
    assert done.returncode == 0
    assert "only you can switch zero on again" in done.stderr
    assert realm.status()["zero"]["state"] == "stopped"
    refused = realm.lab("start", "zero")
    assert (refused.returncode, "switch zero on yourself" in refused.stderr) == (2, True)
    strangers.turn_on("zero")
    wait_for("zero, switched on by its owner", lambda: realm.status()["zero"]["state"] == "running", within_s=60)
    assert realm.lab("start", "zero").returncode == 0
    assert set(realm.ask(20)) == {"voxy", "zero"}


def test_an_exercise(strangers: Strangers) -> None:
    """Begins on a host that was used, whatever was done to it; its solution passes; what needs power is refused."""
    realm = strangers.realm()
    realm.ssh("akuma", "sudo rm -rf /etc/nginx /usr/sbin/nginx; echo mine > mine; (crontab -l; true) 2> /dev/null")
    done = realm.lab("exercise", "start", "include-dir")
    assert done.returncode == 0, done.stderr
    assert realm.ssh("akuma", "ls; curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1/") == "200"
    exercise, lab = exercises.load("include-dir"), config.load(realm.folder / "lab.toml")
    with open_session(lab, realm.home) as session:
        run_scripts(session, exercise, PRACTICE, exercise.solution)
    checked = realm.json("exercise", "check", "include-dir")
    assert checked["passed"], checked

    refused = realm.lab("exercise", "start", "kill-voxy")
    assert (refused.returncode, "exercise kill-voxy: the lab cannot give" in refused.stderr) == (2, True)


def test_destroy_leaves_them_as_they_were(strangers: Strangers, as_found: dict[str, set[str]]) -> None:
    """Account, site, app, tools and mark are gone, the owner's own lines are back; packages stay, and it says so."""
    realm = strangers.realm()
    done = realm.lab("destroy", "--yes")
    assert done.returncode == 0, done.stderr
    assert "packages stay" in done.stderr
    for name, before in as_found.items():
        now = set(strangers.inside(name, _LOOK).splitlines())
        assert before == now, sorted(before ^ now)
