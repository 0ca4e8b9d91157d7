"""A class of six on three members, as a teacher types it: up, an exercise, a member's death, heal, grades, down."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from lab import process
from lab.errors import HELD, INCONCLUSIVE
from lab.exercises.exercise import load as load_exercise
from tests.classes.teacher import Teacher
from tests.cluster import Cluster

STUDENTS = ("ayu", "budi", "citra", "dewi", "eka", "fajar")
GHOST = "ghost-upstream"
SAY_S = 15
"""So long may `lab class status` take when a member has just died."""


@pytest.fixture(scope="module")
def teacher(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Teacher:
    """Of a class of six."""
    return Teacher.make(tmp_path_factory.mktemp("teacher"), cluster, STUDENTS)


@pytest.fixture(scope="module")
def up(teacher: Teacher, cluster: Cluster) -> Teacher:
    """The class of six is up."""
    told = teacher.asks("up", teacher.roster(*STUDENTS), "--engine", cluster.url, "--token", cluster.token("teacher"))
    assert [lab["code"] for lab in told["labs"]] == [0] * 6
    return teacher


def test_a_dry_run_touches_nothing(teacher: Teacher, cluster: Cluster) -> None:
    """Neither the folder nor the cluster; and it says what it would need."""
    before = sorted(path.name for path in (teacher.folder / "class").iterdir())
    teacher.types("up", "roster.csv", "--dry-run", "--engine", cluster.url, expect=[4])  # nobody trusts us yet
    assert sorted(path.name for path in (teacher.folder / "class").iterdir()) == before


def test_everybody_has_a_lab_that_answers(up: Teacher, cluster: Cluster) -> None:
    """Two on each member; and again nothing is done."""
    seen = up.asks("status")
    assert [lab["student"] for lab in seen["labs"]] == list(STUDENTS)
    assert all(lab["answered"] == ["voxy", "zero"] and not lab["wrong"] for lab in seen["labs"])
    assert sorted(lab["member"] for lab in seen["labs"]) == ["m1", "m1", "m2", "m2", "m3", "m3"]
    assert up.asks("up", "roster.csv")["labs"] == []
    project = up.course.project("ayu", up.course.seats.seats["ayu"])
    snapshots = cluster.query(cluster.names[0], "GET", f"/1.0/instances/voxy/snapshots?project={project}")
    assert snapshots == [], "a class's machines are made without one, which is the quicker way"


def test_an_exercise_is_right_for_those_who_solved_it_and_wrong_for_the_others(up: Teacher) -> None:
    """Three solve it, three make a known mistake; the grades say which."""
    up.asks("exercise", GHOST, "start")
    exercise = load_exercise(GHOST)
    for id in STUDENTS[:3]:
        up.does(id, exercise, exercise.solution)
    for id, mistake in zip(STUDENTS[3:], exercise.mistakes, strict=True):
        before = exercise.solution if mistake.caught.after == "solution" else ()
        up.does(id, exercise, (*before, *mistake.scripts))
    told = up.asks("exercise", GHOST, "check", "--full", expect=[1])
    passed = {lab["student"]: lab["result"]["passed"] for lab in told["labs"]}
    assert passed == {id: id in STUDENTS[:3] for id in STUDENTS} and told["unsaved"] == []
    book = up.asks("grade")
    earned = {each["grade"]["student"]: each["earned"] for each in book["students"]}
    assert [earned[id] for id in STUDENTS[:3]] == [10] * 3
    assert all(earned[id] < 10 for id in STUDENTS[3:])


def test_a_restored_lab_is_as_it_was_saved(up: Teacher) -> None:
    """What was changed is as before, and what was removed stays away."""
    up.on("ayu", "akuma", "echo mine > ~/mine.txt; sudo rm /etc/motd")
    up.asks("save", "half-way", "--student", "ayu")
    up.on("ayu", "akuma", "rm ~/mine.txt; sudo touch /etc/motd; sudo rm -rf /etc/nginx/akuma")
    up.asks("restore", "half-way", "--student", "ayu", "--yes")
    assert up.on("ayu", "akuma", "cat ~/mine.txt; ls /etc/motd /etc/nginx/akuma 2>&1 || true").startswith("mine\n")
    assert "cannot access '/etc/motd'" in up.on("ayu", "akuma", "ls /etc/motd 2>&1 || true")
    assert up.asks("exercise", GHOST, "check", "--student", "ayu", "--no-save")["labs"][0]["result"]["passed"]


def test_a_scenario_runs_in_the_labs_of_the_named(up: Teacher) -> None:
    """It is held where the exercise was solved, and proves nothing where voxy is asked by nobody."""

    def runs() -> dict[str, int]:
        return {id: len(list((up.course.home(id).path / "runs").glob("*"))) for id in STUDENTS}

    before = runs()
    told = up.asks("scenario", "kill-voxy", "--student", "ayu", "--student", "fajar", expect=[INCONCLUSIVE])
    outcomes = [(lab["student"], lab["code"], lab["result"]["outcome"]) for lab in told]
    assert outcomes == [("ayu", HELD, "HELD"), ("fajar", INCONCLUSIVE, "INCONCLUSIVE")]
    assert [id for id, count in runs().items() if count > before[id]] == ["ayu", "fajar"]


def test_a_dead_members_labs_come_back_with_what_was_saved(up: Teacher, cluster: Cluster) -> None:
    """Status says it within 15 s; the others are left alone; when it is back, what it still had is removed."""
    dead = up.course.members["ayu"]
    theirs = [id for id, member in up.course.members.items() if member == dead]
    cluster.kill(dead)
    began = time.monotonic()
    seen = up.asks("status", expect=[1])
    assert time.monotonic() - began < SAY_S
    assert seen["dead"] == [dead]
    assert [lab["student"] for lab in seen["labs"] if lab["dead"]] == theirs
    others = {id: member for id, member in up.course.members.items() if id not in theirs}
    healed = up.asks("heal")
    assert sorted(healed["back"]) == sorted(theirs) and dead not in healed["members"].values()
    assert {id: up.course.members[id] for id in others} == others
    assert up.on("ayu", "akuma", "cat ~/mine.txt") == "mine\n"
    assert up.asks("exercise", GHOST, "check", "--student", "ayu", "--no-save")["labs"][0]["result"]["passed"]
    cluster.start(dead)
    cluster.wait_online()
    again = up.asks("heal")
    assert again["back"] == [] and len(again["removed"]) == len(theirs)


def test_a_longer_roster_adds_and_one_lab_can_be_taken_down(up: Teacher) -> None:
    """Nobody else's is touched."""
    told = up.asks("up", up.roster(*STUDENTS[1:], "gita"))
    assert [lab["student"] for lab in told["labs"]] == ["gita"] and set(up.course.seated) == {*STUDENTS, "gita"}
    up.asks("down", "--student", "gita", "--yes")
    assert set(up.course.seated) == set(STUDENTS)


def test_another_certificate_than_the_pinned_one_is_refused(up: Teacher, tmp_path: Path) -> None:
    """In a sentence, and nothing is sent."""
    pinned = up.folder / "class" / "engine" / "server.crt"
    right = pinned.read_text()
    process.run(
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=other", "-days", "2",
        "-keyout", tmp_path / "key", "-out", pinned,
    )  # fmt: skip
    try:
        seen = up.asks("status", expect=[1])
        assert "another certificate" in seen["fault"]
    finally:
        pinned.write_text(right)


def test_down_leaves_nothing(up: Teacher, cluster: Cluster) -> None:
    """No project, no network, no image, no route; cards, saves and what was reached stay."""
    up.asks("down", "--yes", "--all")
    member = cluster.names[0]
    assert cluster.query(member, "GET", "/1.0/projects") == ["/1.0/projects/default"]
    assert [each for each in cluster.query(member, "GET", "/1.0/networks") if "labn" in each] == []
    assert cluster.query(member, "GET", "/1.0/network-acls") == []
    assert cluster.query(member, "GET", "/1.0/images") == []
    assert cluster.routes == [str(cluster.supernet)], "the wall of the cluster's own"
    assert (up.folder / "class" / "saves" / "ayu" / "half-way" / "save.json").exists()
    assert up.asks("grade")["students"]
