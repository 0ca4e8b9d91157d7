"""Points of a lesson on real guests: in an exercise, with faults, cut off in the middle, and at the lab's end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from lab import config, healing
from lab.exercises.exercise import load
from lab.exercises.staging import run_scripts
from lab.exercises.student import PRACTICE
from lab.faults import cut_link
from lab.ledger import Ledger
from lab.quantities import seconds
from lab.session import open_session
from lab.waiting import wait_for
from tests.realm import Realm, wait_for_line

EXERCISE = "hello-web"


@pytest.fixture(autouse=True)
def no_saves(realm: Realm) -> Iterator[None]:
    """After each test there is no save; the machines were left at a point where the site is whole."""
    yield
    realm.lab("heal")
    for each in realm.json("saves"):
        realm.lab("saves", "--remove", each["name"])
    assert realm.json("saves") == []


def checks(realm: Realm) -> tuple[int, set[str]]:
    """Exit code of the exercise's checks, and what they say."""
    done = realm.lab("exercise", "check", EXERCISE, "--json")
    return done.returncode, {check["status"] for check in json.loads(done.stdout)["checks"]}


def traces(realm: Realm) -> str:
    """What a fault leaves on voxy: a table of nftables, units of systemd."""
    return realm.ssh("voxy", "sudo nft list tables; systemctl list-units --all --plain --no-legend 'lab-*'")


def balanced(realm: Realm) -> None:
    """Wait until both answer through akuma."""
    wait_for("answers from both", lambda: realm.ask(4).keys() >= {"voxy", "zero"}, within_s=20)


def test_a_lesson_goes_back_and_on(realm: Realm) -> None:
    """The site is balanced at each point as it was there, and `lab provision` agrees."""
    made = realm.json("save", "whole", "--note", "site is up")
    assert (made["name"], made["hosts"], made["app"]) == ("whole", ["akuma", "voxy", "zero"], "hello")
    assert made["bytes"] > 0
    realm.ssh("akuma", "sudo rm -r /etc/nginx/akuma && sudo systemctl disable --now nginx")
    realm.ssh("voxy", "pm2 delete all && pm2 save --force; rm -rf ~/hello")
    assert realm.lab("save", "broken").returncode == 0
    for name, serves in (("whole", True), ("broken", False), ("whole", True)):
        assert realm.lab("restore", name).returncode == 0
        assert (realm.status()["voxy"]["app"] == "serving") is serves
    balanced(realm)
    assert [host["changed"] for host in realm.json("provision")["hosts"]] == [0, 0, 0]
    assert [(each["name"], each["missing"]) for each in realm.json("saves")] == [("whole", []), ("broken", [])]


def test_a_save_interrupts_nobody(realm: Realm) -> None:
    """Guests stand still and go on: what ran before runs afterwards, in the same boot."""
    services = "systemctl show --property=MainPID ssh nginx pm2-vagrant; ps -C node -o pid=,lstart= || true"
    before = {host: realm.ssh(host, services) for host in ("akuma", "voxy", "zero")}
    assert realm.lab("save", "one").returncode == 0
    assert {host: realm.ssh(host, services) for host in before} == before


def test_the_middle_of_an_exercise(classroom: Realm) -> None:
    """The machines come back into it, solved or not; a pass is not taken back, and a new start is not undone."""
    lab, exercise = config.load(classroom.folder / "lab.toml"), load(EXERCISE)
    names = [each["name"] for each in classroom.json("saves")]
    assert classroom.lab("exercise", "reset", EXERCISE).returncode == 0
    try:
        assert classroom.json("save", "begun")["exercise"] == EXERCISE
        with open_session(lab, classroom.home) as session:
            run_scripts(session, exercise, PRACTICE, exercise.solution)
        assert checks(classroom) == (0, {"PASS"})
        assert classroom.lab("save", "solved").returncode == 0
        assert classroom.json("restore", "begun")["counts"] is True
        assert checks(classroom)[0] == 1
        assert [each["state"] for each in classroom.json("exercise", "list") if each["id"] == EXERCISE] == ["passed"]
        assert classroom.json("restore", "solved")["counts"] is True
        assert checks(classroom) == (0, {"PASS"})
        assert classroom.lab("exercise", "reset", EXERCISE).returncode == 0
        assert checks(classroom)[0] == 1
        done = classroom.lab("restore", "solved")
        assert (done.returncode, "does not count" in done.stderr) == (0, True)
        assert "the machines are not at hello-web" in classroom.lab("exercise", "check", EXERCISE).stderr
    finally:
        for name in ("begun", "solved"):
            classroom.lab("saves", "--remove", name)
    assert [each["name"] for each in classroom.json("saves")] == names


def test_a_fault_in_force(realm: Realm) -> None:
    """Neither saved nor restored silently; a restore undoes it, in the guest and in the ledger."""
    lab, ledger = config.load(realm.folder / "lab.toml"), Ledger(realm.home)
    assert realm.lab("save", "whole").returncode == 0
    fault = cut_link("voxy", lasting=seconds(60)).bound_to(lab)
    with open_session(lab, realm.home) as session:
        healing.inject(session, fault, healing.write_down(fault, ledger, "by-hand"))
    assert "lab-" in traces(realm)
    for words in (("save", "cut"), ("restore", "whole")):
        done = realm.lab(*words)
        assert done.returncode == 4
        assert f"still in force: cut_link voxy\n  → `lab heal` first, or `lab {words[0]} --heal`" in done.stderr
    assert "lab-" in traces(realm)
    assert realm.lab("restore", "whole", "--heal").returncode == 0
    assert realm.json("status")["faults"] == []
    assert realm.status()["voxy"]["app"] == "serving"
    assert traces(realm) == ""


@pytest.mark.parametrize("line", ["save: ", "restore: "])
def test_a_kill_in_the_middle(realm: Realm, line: str) -> None:
    """After kill -9 of the whole group no guest stays frozen, there is no half save, and a restore goes on."""
    assert realm.lab("save", "whole").returncode == 0
    before = _ids(realm)
    realm.ssh("zero", "sudo touch /etc/mine")
    running = realm.start("save", "half") if line == "save: " else realm.start("restore", "whole")
    wait_for_line(running, line)
    if line == "save: ":
        wait_for("a copy that has begun", lambda: len(_ids(realm)) > len(before), within_s=10, every_s=0.002)
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate(timeout=30)
    assert [each["name"] for each in realm.json("saves")] == ["whole"]
    if line == "save: ":
        wait_for("guests that are not frozen", lambda: "FROZEN" not in _states(realm), within_s=10)
        assert realm.ssh("zero", "ls /etc/mine") == "/etc/mine"
    else:
        assert "a restore of whole was cut off" in realm.lab("save", "more").stderr
    assert realm.lab("restore", "whole").returncode == 0
    assert realm.lab("ssh", "zero", "--", "ls /etc/mine").returncode == 2
    assert _ids(realm) == before


def _ids(realm: Realm) -> list[str]:
    """The folders of zero's saves, and of what it stands on besides."""
    folder = f"/var/lib/lxc/lab-{realm.home.id}-zero/saves"
    return subprocess.run(["ls", folder], capture_output=True, text=True, check=True).stdout.split()


def _states(realm: Realm) -> str:
    """What LXC says of this lab's guests."""
    filtered = f"--filter=lab-{realm.home.id}-"
    return subprocess.run(["lxc-ls", "--fancy", filtered], capture_output=True, text=True, check=True).stdout
