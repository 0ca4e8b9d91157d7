"""The folder of a student's lab as the class writes it."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from lab import config
from lab.classes.rendering import toml_of, write_lab
from lab.classes.seats import Seat, home_id, project_name
from lab.classes.settings import Settings
from lab.errors import UsageError
from lab.exercises.student import load_student
from lab.grading import classroom
from lab.grading.classroom import Classroom
from lab.grading.roster import Enrolled

SEAT = Seat(42, "m1", "10.88.0.1")


@pytest.fixture
def course(tmp_path: Path) -> Classroom:
    """Two students, one of whom has a language."""
    roster = (Enrolled("ayu", 'Ayu "A" \\', language="id"), Enrolled("budi", "Budi"))
    return classroom.init(roster, tmp_path / "class", "devops")[0]


def test_the_whole_of_a_lab_toml(course: Classroom) -> None:
    """Everything that the contract of the engine asks for, on the seat's subnet."""
    found = tomllib.loads(toml_of(course, Settings(), "ayu", SEAT))
    engine = found.pop("engine")
    assert engine == {
        "url": "", "project": project_name(course.secret, "ayu"), "network": "labn00042", "member": "m1",
        "address": "10.88.0.1", "trust": "", "pool": "default", "disk_gb": 3, "processes": 400, "cpu": 1.0,
        "ports": 20420, "supernet": "10.96.0.0/14", "fresh": False, "vm": False,
    }  # fmt: skip
    hosts = found.pop("host")
    assert [(host["name"], host["address"], host["roles"], host["memory_mb"]) for host in hosts] == [
        ("akuma", "10.96.5.74", ["balancer"], 256),
        ("voxy", "10.96.5.75", ["backend"], 512),
        ("zero", "10.96.5.76", ["backend"], 512),
    ]
    assert found == {"provider": "lxd", "subnet": "10.96.5.64/27", "lang": "id", "app": {"name": "hello"}}


def test_a_lab_is_asked_for_at_its_own_member(course: Classroom) -> None:
    """So that another member's death does not keep it from being used; a socket stays what it is."""

    def url(cluster: str, seat: Seat) -> str:
        text = toml_of(course, replace(Settings(), url=cluster), "ayu", seat)
        return str(tomllib.loads(text)["engine"]["url"])

    assert url("https://10.88.0.9:9443", SEAT) == "https://10.88.0.1:9443"
    assert url("https://school.example", SEAT) == "https://10.88.0.1:8443"
    assert url("https://school.example", Seat(0, "m1")) == "https://school.example"
    assert url("/run/unix.socket", SEAT) == "/run/unix.socket"


def test_the_lab_can_be_loaded(course: Classroom) -> None:
    """It is a lab as any other, with the student's own domain and port from the card."""
    folder = write_lab(course, Settings(), "ayu", SEAT)
    lab = load_student(folder).own(config.load(folder / "lab.toml"))
    assert lab.provider == "lxd" and lab.engine.ports == 20420 and lab.url == "http://10.96.5.74/"
    assert (lab.domain, lab.app.port) != ("akuma.xyz", 3000) and lab.lang == "id"
    config.parse_text(toml_of(course, replace(Settings(), url="https://10.0.0.1:8443"), "budi", Seat(0, "m1")))
    config.parse_text(toml_of(course, replace(Settings(), url="/run/unix.socket"), "budi", Seat(4552, "m1")))


def test_a_remote_cluster_and_a_new_generation(course: Classroom) -> None:
    """The certificates lie in the class folder, beside the labs; nothing absolute is written; no language is none."""
    remote = replace(Settings(), url="https://10.0.0.1:8443")
    found = tomllib.loads(toml_of(course, remote, "budi", replace(SEAT, generation=3)))
    assert found["engine"]["trust"] == "../../engine" and found["engine"]["project"].endswith("-g3")
    assert "lang" not in found and str(course.folder) not in toml_of(course, remote, "budi", SEAT)


def test_the_folder_is_the_students_lab(course: Classroom) -> None:
    """The card is the student's, the id is the class's, all is private, and what the lab remembers stays."""
    folder = write_lab(course, Settings(), "ayu", SEAT)
    (folder / ".lab" / "state.json").write_text("{}")
    assert write_lab(course, Settings(), "ayu", replace(SEAT, member="m2")) == folder == course.folder / "labs" / "ayu"
    assert tomllib.loads((folder / "lab.toml").read_text())["engine"]["member"] == "m2"
    assert load_student(folder) == course.student("ayu")
    assert (folder / ".lab" / "id").read_text().strip() == home_id(course.secret, "ayu")
    assert (folder / ".lab" / "state.json").exists()
    assert {(folder / name).stat().st_mode & 0o777 for name in ("lab.toml", "student.toml", ".lab/id")} == {0o600}


def test_nobody_elses_lab_is_written(course: Classroom) -> None:
    """A student who is not on the roster, and a seat that there is not."""
    with pytest.raises(UsageError, match="has no student 'zoe'"):
        write_lab(course, Settings(), "zoe", SEAT)
    with pytest.raises(ValueError, match="there is no seat"):
        write_lab(course, Settings(), "ayu", Seat(9999, "m1"))
    assert not (course.folder / "labs").exists()
