"""A class whose machines are virtual ones, on a cluster of which one member only can start some."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lab.classes import settings as settings_file
from lab.classes.seats import lab_folder
from lab.classes.settings import Memory
from lab.home import Home
from tests.classes.conftest import open_folder
from tests.classes.teacher import Teacher
from tests.cluster import Cluster
from tests.emulated import how_vms_run

pytestmark = pytest.mark.timeout(3600)
STUDENT = "ayu"


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """Two members; where this computer cannot start virtual machines, m2 emulates them, and m1 has none."""
    with Cluster.make(open_folder(), members=2, subnet="10.85.0.0/24", supernet="10.92.0.0/14", vms=("m2",)) as made:
        yield made


def test_a_student_gets_virtual_machines_where_there_are_some(cluster: Cluster, tmp_path: Path) -> None:
    """Up on that member, reached through its ports, saved, and gone again."""
    teacher = Teacher.make(tmp_path / "teacher", cluster, [STUDENT])
    room = teacher.folder / "class"
    small = replace(settings_file.load(room), vm=True, disk_gb=2, memory_mb=Memory(balancer=384, backend=512))
    settings_file.save(room, small)
    home = Home(lab_folder(room, STUDENT))
    home.make()
    home.remember(driver=how_vms_run())  # LXD itself never emulates, so the lab does not know

    told = teacher.asks("up", "roster.csv", "--engine", cluster.url, "--token", cluster.token("teacher"))
    assert [(lab["student"], lab["code"]) for lab in told["labs"]] == [(STUDENT, 0)]
    if how_vms_run() == "qemu":
        assert teacher.course.members == {STUDENT: "m2"}
    project = teacher.course.project(STUDENT, teacher.course.seats.seats[STUDENT])
    made = cluster.query("m1", "GET", f"/1.0/instances?recursion=1&project={project}")
    assert [each["type"] for each in made] == ["virtual-machine"] * 3

    (lab,) = teacher.asks("status")["labs"]
    assert (lab["answered"], lab["wrong"]) == (["voxy", "zero"], "")
    teacher.on(STUDENT, "voxy", "echo mine > ~/mine")
    teacher.asks("save", "now")
    teacher.on(STUDENT, "voxy", "rm ~/mine")
    teacher.asks("restore", "now", "--student", STUDENT, "--yes")
    assert teacher.on(STUDENT, "voxy", "cat ~/mine") == "mine\n"
    teacher.asks("down", "--all", "--yes")
    assert cluster.routes == [str(cluster.supernet)]  # its own wall
