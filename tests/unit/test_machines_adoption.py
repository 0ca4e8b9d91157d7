"""A machine that is there already: what is seen, what speaks against it, and what is done in which order."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from lab import config
from lab.errors import CommandFailed, EnvironmentProblem, Result
from lab.machines import adoption
from lab.machines.adoption import KEPT_MB, Listener, Look, Mark, fault_of, look
from tests.fakes import FakeHost

LAB = config.parse({"provider": "existing", "ssh_user": "ubuntu"})
OURS = Mark("0123abcd", "/home/teacher/course", "voxy", True)
FINE = Look("Ubuntu 24.04 LTS", True, True, True, "voxy", ("127.0.0.1", "192.168.56.11"), None, False, "", (), 1)
SHOWN = """system=Debian GNU/Linux 12 (bookworm)
family=debian
apt=yes
systemd=yes
hostname=voxy
addresses=127.0.0.1 192.168.56.11 
account=yes
node=v22.20.0
root=yes
listens=80 users:(("apache2",pid=712,fd=4),("apache2",pid=9,fd=4))
listens=3000
kept=3
"""  # noqa: W291


def _seen(shown: str) -> Look:
    return look(FakeHost(script={"/etc/os-release": shown}), LAB, ("dumbsound",))


def test_what_is_seen() -> None:
    """Every line of the script is understood; a listener that hides its name is one too."""
    assert _seen(SHOWN) == Look(
        "Debian GNU/Linux 12 (bookworm)", True, True, True, "voxy", ("127.0.0.1", "192.168.56.11"), None, True,
        "22.20.0", (Listener(80, "apache2 (pid 712)"), Listener(3000, "a program that hides its name")), 3,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("family", "apt", "expected"),
    [("debian", True, True), ("ubuntu debian", True, True), ("raspbian debian", True, True), ("debian", False, False),
     ("fedora", True, False), ("alpine", False, False), ("", True, False)],
)  # fmt: skip
def test_debian_is_a_family_with_apt(family: str, apt: bool, expected: bool) -> None:
    """A name alone is not enough, nor is a program."""
    assert _seen(f"family={family}\n" + "apt=yes\n" * apt).debian is expected


def test_a_mark_is_read_and_a_broken_one_is_a_sentence() -> None:
    """With the file and the host in it."""
    told = json.dumps({"lab": OURS.lab, "folder": OURS.folder, "host": OURS.host, "account": OURS.account})
    assert _seen(f"mark={told}\n").mark == OURS
    for broken in ("{", '{"lab": 1}', "[]"):
        with pytest.raises(EnvironmentProblem, match="voxy: /etc/lab-host is there, but it is no mark of a lab"):
            _seen(f"mark={broken}\n")


STRANGE = {
    "another system": (replace(FINE, debian=False, system="Fedora 41"), "runs Fedora 41, and the lab needs Debian"),
    "no sudo": (replace(FINE, root=False), "does not give ubuntu root by sudo without a password; on it: echo"),
    "no systemd": (replace(FINE, systemd=False), "is not run by systemd"),
    "another lab": (replace(FINE, mark=replace(OURS, lab="ffff0000")), "belongs to another lab, ffff0000 in /home"),
    "another name": (replace(FINE, name="raspberrypi"), "calls itself raspberrypi; sudo hostnamectl set-hostname voxy"),
    "another address": (replace(FINE, addresses=("10.0.0.7",)), "has no interface with that address, but 10.0.0.7"),
    "the app's port": (
        replace(FINE, listeners=(Listener(80, "x"), Listener(3000, "grafana (pid 7)"))),
        "has something that is not the lab's on port 3000: grafana (pid 7); end it there first",
    ),
    "the account": (replace(FINE, account=True), 'has an account vagrant that is not the lab\'s; write'),
    "its own node": (replace(FINE, node="18.20.4"), "has Node 18.20.4 in /usr/local, which the lab would replace"),
    "a site": (replace(FINE, kept_mb=KEPT_MB + 1), "has 101 MB in /etc/nginx, "),
}  # fmt: skip


@pytest.mark.parametrize(("found", "sentence"), STRANGE.values(), ids=STRANGE.keys())
def test_what_speaks_against_a_machine(found: Look, sentence: str) -> None:
    """One sentence, which names the host and its address."""
    assert fault_of(found, LAB["voxy"], LAB, OURS.lab).startswith(f"voxy (192.168.56.11) {sentence}")


def test_nothing_speaks_against_a_plain_one() -> None:
    """Nor against one with the Node that the lab would bring, nor one whose account is its owner's."""
    for found in (FINE, replace(FINE, node="22.20.0"), replace(FINE, listeners=(Listener(80, "apache2"),))):
        assert fault_of(found, LAB["voxy"], LAB, OURS.lab) == ""
    vagrants = config.parse({"provider": "existing", "ssh_user": "vagrant"})
    assert fault_of(replace(FINE, account=True), vagrants["voxy"], vagrants, OURS.lab) == ""


def test_the_balancer_needs_port_80() -> None:
    """And not the app's."""
    akuma = replace(FINE, name="akuma", addresses=("192.168.56.10",))
    taken = replace(akuma, listeners=(Listener(80, "caddy (pid 3)"), Listener(3000, "x")))
    assert "on port 80: caddy (pid 3)" in fault_of(taken, LAB["akuma"], LAB, OURS.lab)
    assert fault_of(replace(akuma, listeners=(Listener(3000, "x"),)), LAB["akuma"], LAB, OURS.lab) == ""


def test_what_is_the_labs_own_is_recognised() -> None:
    """After an earlier `up` nginx has port 80, and the account and Node are there."""
    mine = replace(FINE, mark=OURS, account=True, node="20.1.0", kept_mb=999, listeners=(Listener(3000, "node"),))
    assert fault_of(mine, LAB["voxy"], LAB, OURS.lab) == ""


def test_the_mark_comes_before_anything_else() -> None:
    """So that a machine whose adoption was interrupted is recognised; the key goes in, and whose the account is."""
    host = FakeHost()
    adoption.adopt(host, OURS, "ssh-ed25519 AAAA lab-0123abcd\n", ("dumbsound",))
    assert json.loads(host.files["/etc/lab-host"]) == {
        "lab": "0123abcd", "folder": "/home/teacher/course", "host": "voxy", "account": True,
    }  # fmt: skip
    (ran,) = host.ran
    assert ran.root
    assert (ran.env["PUBLIC_KEY"], ran.env["OURS"]) == ("ssh-ed25519 AAAA lab-0123abcd", "yes")
    assert {"hello", "dumbsound", ".pm2"} <= set(ran.env["AT_HOME"].split())
    assert {"/etc/nginx", "/etc/hosts"} <= set(ran.env["PLACES"].split())


def test_without_its_record_nothing_is_undone() -> None:
    """What was there before is not known then; another failure is the command's own."""
    with pytest.raises(EnvironmentProblem, match="what was there before the lab is not known any more"):
        adoption.undo(FakeHost(script={"test -e $before/done": 3}), OURS, (), release=True)
    with pytest.raises(CommandFailed):
        adoption.undo(FakeHost(script={"test -e $before/done": 1}), OURS, (), release=False)


@pytest.mark.parametrize("release", [True, False])
def test_only_a_release_takes_everything(release: bool) -> None:
    """The script is told by a variable that is empty otherwise."""
    host = FakeHost(script={"": Result("", 0, "", "")})
    adoption.undo(host, replace(OURS, account=False), (), release=release)
    assert (host.ran[0].env["RELEASE"], host.ran[0].env["OURS"]) == ("yes" if release else "", "")


@pytest.mark.parametrize("name", ["look.sh", "adopt.sh", "undo.sh"])
def test_the_scripts_are_plain_sh(name: str) -> None:
    """They run with whatever /bin/sh a machine has."""
    script = Path(adoption.__file__).parent / name
    assert subprocess.run(["sh", "-n", str(script)], capture_output=True, check=False).stderr == b""
