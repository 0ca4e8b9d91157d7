"""A room without internet: packed where there is some, installed and brought up where there is no route at all.

The tests build on each other: the room is the same, from the bare computer to the solved exercise.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.realm import CHECKOUT, LAB, Realm
from tests.room import Room, room

SUBNET = 75
URL = f"http://192.168.{SUBNET}.10/"
NOBODY = {"computer": 0, "guests": 0}


def _states(report: str) -> set[str]:
    return {check["status"] for check in json.loads(report)["checks"]}


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A pack with hello, as a teacher with internet writes it."""
    teacher = Realm.make(tmp_path_factory.mktemp("teacher"), SUBNET)
    try:
        done = teacher.lab("pack", "room.lab", "--app", "hello", timeout_s=600)
        assert done.returncode == 0, done.stderr
        yield teacher.folder / "room.lab"
    finally:
        teacher.remove()


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """A computer with Vagrant, tar and Python, and nothing else."""
    with room(tmp_path_factory.mktemp("room")) as made:
        yield made


def test_the_kernel_counts_who_wants_out(student: Room, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The detector, shown red: one packet for an address that nobody has, in a room of its own."""
    with room(tmp_path_factory.mktemp("red")) as other:
        assert other.who_wanted_out() == NOBODY
        other.tried("curl", "-s", "--max-time", "5", f"http://192.168.{SUBNET + 1}.2/")
        assert other.who_wanted_out() == {"computer": 1, "guests": 0}
    assert student.who_wanted_out() == NOBODY


def test_without_a_pack_nothing_is_touched(student: Room) -> None:
    """The sentence names what is missing, and no guest, bridge or route was made."""
    lines = [f'[[host]]\nname = "{name}"\naddress = "192.168.{SUBNET}.{last}"\nroles = ["{role}"]\n'
             for name, last, role in (("akuma", 10, "balancer"), ("voxy", 11, "backend"))]  # fmt: skip
    (student.folder / "lab.toml").write_text(f'subnet = "192.168.{SUBNET}.0/24"\n' + "".join(lines))
    for app, said in (("dumbsound", "the app dumbsound is not on this computer"), ("hello", "a box for akuma, voxy")):
        done = student.tried(
            *LAB, "up", "--offline", "--app", app, "--provider", "lxc", env={"PYTHONPATH": str(CHECKOUT)}
        )
        assert done.returncode == 4
        assert said in done.stderr and "lab unpack FILE" in done.stderr
    assert student.leftovers() == []
    assert student.who_wanted_out() == NOBODY
    (student.folder / "lab.toml").unlink()


def test_half_a_pack_is_refused(pack: Path, student: Room) -> None:
    """As a stick that was pulled out leaves it."""
    half = student.folder / "half.lab"
    half.write_bytes(pack.read_bytes()[: 2**24])
    done = student.tried(*LAB, "unpack", half, env={"PYTHONPATH": str(CHECKOUT)})
    assert done.returncode == 4
    assert f"half.lab: is only a part of the pack: {2**24} of {pack.stat().st_size} bytes" in done.stderr
    assert not [name for name in ("boxes", "made", "packed") if (student.home / ".cache" / "lab" / name).exists()]
    half.unlink()


def test_a_computer_without_lab_installs_it_from_the_pack(pack: Path, student: Room) -> None:
    """tar and sh; the pack is unpacked at once, no wheel stays behind, and a second time changes nothing."""
    scratch = student.home / "scratch"
    scratch.mkdir()
    student.run("tar", "-xf", pack, "install.sh")
    said = student.run("sh", "install.sh", pack, env={"TMPDIR": str(scratch)})
    assert "is whole" in said and "lab.toml is the pack's" in said
    assert list(scratch.iterdir()) == []
    again = student.json("unpack", str(pack))
    assert (again["installed"], again["lab_toml"]) == ([], "there")
    assert student.who_wanted_out() == NOBODY


def test_the_lab_comes_up_and_balances(student: Room) -> None:
    """Three guests, both backends, and nobody asked for anything outside."""
    report = student.json("up", "--offline")
    assert (report["app"], sorted(report["booted"])) == ("hello", ["akuma", "voxy", "zero"])
    assert student.ask(URL).keys() == {"voxy", "zero"}
    assert [host["changed"] for host in student.json("provision")["hosts"]] == [0, 0, 0]
    assert student.who_wanted_out() == NOBODY


def test_what_would_be_fetched_is_named_first(student: Room) -> None:
    """Another Node than the box has: refused, and the site serves on."""
    text = (student.folder / "lab.toml").read_text()
    (student.folder / "lab.toml").write_text(f'{text}\n[versions]\nnode = "20"\n')
    try:
        done = student.tried(student.lab, "up")
        assert done.returncode == 4
        assert "it lacks node 20 on voxy, node 20 on zero" in done.stderr
    finally:
        (student.folder / "lab.toml").write_text(text)
    assert student.ask(URL).keys() == {"voxy", "zero"}
    assert student.who_wanted_out() == NOBODY


def test_the_first_exercise_is_solved(student: Room) -> None:
    """nginx is installed by hand, with apt, from the packages that are in the box."""
    student.run(student.lab, "exercise", "start", "hello-web")
    before = student.tried(student.lab, "exercise", "check", "hello-web", "--json")
    assert before.returncode == 1, before.stderr
    assert "FAIL" in _states(before.stdout)
    student.run(student.lab, "exercise", "solve", "--give-up", "hello-web")
    after = student.tried(student.lab, "exercise", "check", "hello-web", "--json")
    assert _states(after.stdout) == {"PASS"}, after.stdout
    assert student.who_wanted_out() == NOBODY


def test_a_guests_way_out_is_shut(student: Room) -> None:
    """What somebody tries there fails at once; the kernel's counter shows red."""
    said = student.run(
        student.lab, "ssh", "voxy", "--", f"curl -s -m 5 http://192.168.{SUBNET + 1}.2/; echo $?"
    ).strip()
    assert said == "7"
    assert student.who_wanted_out() == {"computer": 0, "guests": 1}
