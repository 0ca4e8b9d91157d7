"""The smallest class: two students on a cluster of one member. `make test-class` has more of both."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from lab import process
from lab.exercises.exercise import load as load_exercise
from lab.network import WALL_METRIC
from tests.classes.conftest import open_folder
from tests.classes.teacher import Teacher
from tests.cluster import Cluster

SUBNET, SUPERNET = "10.84.0.0/24", "10.92.0.0/14"
STUDENTS = ("ayu", "budi")
GHOST = "ghost-upstream"


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """One member; what the labs get their subnets from is not that of the other clusters."""
    with Cluster.make(open_folder(), members=1, subnet=SUBNET, supernet=SUPERNET) as made:
        yield made


def test_a_class_of_two(cluster: Cluster, tmp_path: Path) -> None:
    """Both serve; whose app is gone is named; who has solved an exercise has passed it, and the other has not."""
    teacher = Teacher.make(tmp_path, cluster, STUDENTS)
    told = teacher.asks("up", "roster.csv", "--engine", cluster.url, "--token", cluster.token("teacher"))
    assert [lab["code"] for lab in told["labs"]] == [0, 0]
    seen = teacher.asks("status")
    assert [(lab["answered"], lab["wrong"]) for lab in seen["labs"]] == [(["voxy", "zero"], "")] * 2

    teacher.on("budi", "voxy", "pm2 delete all")
    assert {lab["student"]: lab["wrong"] for lab in teacher.asks("status", expect=[1])["labs"]} == {
        "ayu": "", "budi": "the site does not answer through voxy",
    }  # fmt: skip

    teacher.asks("exercise", GHOST, "start")
    teacher.does("ayu", load_exercise(GHOST), load_exercise(GHOST).solution)
    marked = teacher.asks("exercise", GHOST, "check", expect=[1])
    assert {lab["student"]: lab["result"]["passed"] for lab in marked["labs"]} == {"ayu": True, "budi": False}

    teacher.asks("down", "--yes", "--all")
    assert cluster.query("m1", "GET", "/1.0/projects") == ["/1.0/projects/default"]
    assert cluster.routes == [str(cluster.supernet)], "the wall of the cluster's own"


def test_a_class_that_was_cut_off_leaves_no_wall() -> None:
    """Nobody takes its labs down any more, so what removes their cluster removes their routes."""
    cut_off = Cluster(open_folder(), 1, IPv4Network(SUBNET), IPv4Network(SUPERNET))
    process.run("ip", "route", "add", "unreachable", "10.92.0.32/27", "metric", WALL_METRIC)
    assert cut_off.leftovers() == ["route: 10.92.0.32/27 unreachable"]
    cut_off.remove()
    assert cut_off.leftovers() == []
