"""Two teachers bring up their classes on one cluster at the same moment, each from a folder of their own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.classes.teacher import Teacher
from tests.cluster import Cluster

STUDENTS = ("ayu", "budi")


def test_two_classes_at_once_share_nothing(cluster: Cluster, tmp_path: Path) -> None:
    """Students of the same names get seats of their own; what one teacher takes down is nothing of the other's."""
    teachers = [Teacher.make(tmp_path / name, cluster, STUDENTS) for name in ("mornings", "evenings")]
    tokens = [cluster.token(teacher.folder.name) for teacher in teachers]

    def up(teacher: Teacher, token: str) -> Any:
        return teacher.asks("up", "roster.csv", "--engine", cluster.url, "--token", token)

    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(up, teachers, tokens))
    assert [[lab["code"] for lab in each["labs"]] for each in told] == [[0, 0], [0, 0]]
    seats = [seat for teacher in teachers for seat in teacher.course.seats.seats.values()]
    assert len({seat.number for seat in seats}) == 4
    labs = [
        (teacher.course.project(id, seat), id) for teacher in teachers for id, seat in teacher.course.seated.items()
    ]
    assert len({project for project, _ in labs}) == 4

    morning, evening = teachers
    morning.asks("down", "--yes")
    seen = evening.asks("status")["labs"]
    assert [(lab["answered"], lab["wrong"]) for lab in seen] == [(["voxy", "zero"], "")] * 2
    morning_again = morning.asks("status", expect=[0, 1])["labs"]
    assert morning_again == []
    evening.asks("down", "--yes", "--all")
    assert cluster.query(cluster.names[0], "GET", "/1.0/projects") == ["/1.0/projects/default"]
