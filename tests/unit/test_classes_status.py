"""A look at a whole class: what each lab is like, who is dead, and that nobody is waited for too long."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lab.classes import status
from lab.classes.course import Course, load
from lab.classes.deadline import Errand
from lab.classes.status import age, look, states_of
from lab.classes.up import plan, take_seats
from lab.cli import main
from lab.errors import HostUnreachable, UsageError
from lab.lxd.client import LxdFailed
from lab.lxd.members import Member
from tests.unit.test_classes_up import NAMES, ROSTER, Cluster, course, member

__all__ = ["course"]
HOSTS = ("akuma", "voxy", "zero")


class Lxd:
    """A cluster's answers: the instances by member; `silent` does not answer."""

    place = "https://10.88.0.1:8443"

    def __init__(self, instances: list[dict[str, str]], *, silent: bool = False, no_states: bool = False) -> None:
        self.instances = instances
        self.silent = silent
        self.no_states = no_states

    def get(self, path: str, *, within_s: float = 0, recursion: int = 0, **query: str) -> Any:
        """The instances."""
        if self.silent or (recursion and self.no_states):
            raise LxdFailed(self.place, f"GET {path}", 0, "no answer")
        if recursion:
            return self.instances
        return [f"/1.0/instances/{each['name']}?project={each['project']}" for each in self.instances]


@pytest.fixture
def seated(course: Course) -> Course:
    """Three students, on m1, m2 and m1."""
    return take_seats(plan(course, [member("m1", 1), member("m2", 2)]), Cluster())


def instances(course: Course, **states: str) -> list[dict[str, str]]:
    """All machines of a class, running unless a student's are said to be otherwise."""
    return [
        {"project": course.project(id, seat), "name": host, "status": states.get(id, "Running")}
        for id, seat in course.seated.items() for host in HOSTS if states.get(id) != "absent"
    ]  # fmt: skip


@pytest.fixture
def world(seated: Course, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What is outside: the cluster, its members, which of them listen, whose site answers."""
    found: dict[str, Any] = {
        "lxd": Lxd(instances(seated)), "members": (member("m1", 1), member("m2", 2)), "silent": set(),
        "sites": {str(seated.lab(id).balancer.address): ["voxy", "zero"] for id in NAMES},
    }  # fmt: skip

    def ask(lab: Any, timeout_s: float) -> str | None:
        names = found["sites"][str(lab.balancer.address)]
        names.append(names.pop(0)) if names else None
        return names[0] if names else None

    def members(lxd: Lxd, pool: str) -> tuple[Member, ...]:
        lxd.get("cluster/members")
        there: tuple[Member, ...] = found["members"]
        return there

    def listening(course: Course) -> Mapping[str, bool]:
        return {name: name not in found["silent"] for name in course.members.values()}

    monkeypatch.setattr(status, "cluster_of", lambda course: found["lxd"])
    monkeypatch.setattr(status, "members", members)
    monkeypatch.setattr(status, "_listening", listening)
    monkeypatch.setattr(status, "ask_site", ask)
    return found


def test_a_class_that_is_well(seated: Course, world: dict[str, Any]) -> None:
    """Each site answers through both backends."""
    seen = look(seated)
    assert seen.is_well and not seen.dead and not seen.waiting
    assert [(each.student, each.member, each.answered) for each in seen.labs] == [
        (id, seated.members[id], ("voxy", "zero")) for id in NAMES
    ]  # fmt: skip
    assert seen.labs[0].hosts == dict.fromkeys(HOSTS, "running")


def test_each_thing_that_is_wrong_is_said(seated: Course, world: dict[str, Any]) -> None:
    """Machines that are off or gone, and sites that answer in part or not at all."""
    world["lxd"] = Lxd(instances(seated, ayu="Stopped", budi="absent"))
    world["sites"][str(seated.lab("citra").balancer.address)] = ["zero"]
    seen = look(seated)
    assert [each.wrong for each in seen.labs] == [
        "akuma is stopped, voxy is stopped, zero is stopped", "akuma is absent, voxy is absent, zero is absent",
        "the site does not answer through voxy",
    ]  # fmt: skip
    assert [each.is_absent for each in seen.labs] == [False, True, False] and not seen.is_well
    world["lxd"] = Lxd(instances(seated))
    world["sites"][str(seated.lab("citra").balancer.address)] = []
    assert look(seated).labs[2].wrong == "the site does not answer"


def test_a_silent_site_is_the_students_own_matter_in_an_exercise(seated: Course, world: dict[str, Any]) -> None:
    """It may be the very task; the points are told."""
    home = seated.home("ayu")
    from lab.exercises import progress

    progress.begin(home, "ghost-upstream")
    progress.activate(home, "ghost-upstream")
    world["sites"][str(seated.lab("ayu").balancer.address)] = []
    ayu = look(seated).labs[0]
    assert (ayu.wrong, ayu.exercise, ayu.earned, ayu.possible) == ("", "ghost-upstream", 0, 10)


def test_a_member_that_does_not_listen_is_dead_before_the_cluster_knows(seated: Course, world: dict[str, Any]) -> None:
    """With its labs, which are not called absent."""
    world["silent"] = {"m1"}
    world["lxd"].no_states = True
    seen = look(seated)
    assert [each.name for each in seen.dead] == ["m1"]
    assert [each.dead for each in seen.labs] == [True, False, True]
    assert seen.labs[0].wrong == "m1 does not answer" and seen.labs[1].wrong == ""
    assert seen.labs[1].hosts == dict.fromkeys(HOSTS, "unknown")


def test_a_cluster_that_says_nothing_still_has_dead_members(seated: Course, world: dict[str, Any]) -> None:
    """It elects a leader; no lab is called absent meanwhile."""
    world["lxd"].silent = True
    world["silent"] = {"m2"}
    seen = look(seated)
    assert "no answer" in seen.fault and [each.name for each in seen.dead] == ["m2"]
    assert not any(each.is_absent for each in seen.labs) and not seen.is_well


def test_a_half_healed_lab_is_not_well(seated: Course, world: dict[str, Any]) -> None:
    """Until it is at its last save."""
    seated.home("ayu").write(status.HEALING, "")
    assert look(seated).labs[0].wrong == "not yet brought back to its last save"


def test_states_come_from_the_book_where_members_do_not_answer() -> None:
    """Which machines there are is known without asking anybody."""
    there = [{"project": "lab-a", "name": "akuma", "status": "Error"}]
    assert states_of(Lxd(there)) == {("lab-a", "akuma"): "unknown"}  # type: ignore[arg-type]  # a fake
    assert states_of(Lxd(there, no_states=True)) == {("lab-a", "akuma"): "unknown"}  # type: ignore[arg-type]  # a fake


def test_an_age_is_for_people() -> None:
    """A dash for never."""
    assert age("") == "–"
    assert age("2020-01-01T00:00:00+00:00").endswith(" h")


def test_what_never_answers_is_not_waited_for() -> None:
    """The call goes on in the background, and does not keep the process."""
    held = threading.Event()
    began = time.monotonic()
    errand = Errand(held.wait)
    with pytest.raises(HostUnreachable, match="no answer within 0 s"):
        errand.result(0.1)
    assert time.monotonic() - began < 10
    held.set()
    assert errand.result(10) is True

    def fails() -> None:
        raise UsageError("no")

    with pytest.raises(UsageError):
        Errand(fails).result(10)


def lab(*words: str) -> int:
    """The exit code of a command."""
    with pytest.raises(SystemExit) as left:
        main(words)
    return int(left.value.code or 0)


def test_the_command_ends_with_1_and_names_the_way_out(
    seated: Course, world: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """A dead member, its labs, and `lab class heal`."""
    folder = str(seated.folder)
    assert lab("class", "status", "--folder", folder) == 0
    world["silent"] = {"m1"}
    assert lab("class", "status", "--folder", folder) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "m1 does not answer" in said and "it has ayu, citra" in said and "`lab class heal` brings them back" in said


def test_commands_for_labs_refuse_strangers_in_a_sentence(seated: Course, capsys: pytest.CaptureFixture[str]) -> None:
    """Each of them."""
    folder = ("--folder", str(seated.folder))
    for words in (
        ("save", "--student", "ayo"), ("restore", "--student", "ayo", "--yes"), ("down", "--student", "ayo", "--yes"),
        ("exercise", "ghost-upstream", "--student", "ayo"), ("ssh", "ayo", "voxy"),
        ("scenario", "kill-voxy", "--student", "ayo"),
    ):  # fmt: skip
        assert lab("class", *words, *folder) == 2
        assert "the class has no student 'ayo'\n  → did you mean 'ayu'?" in capsys.readouterr().err


def test_grades_need_no_machine(seated: Course, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was reached is in the labs' folders; a lab that cannot be read stops no other."""
    from lab.exercises import progress

    progress.begin(seated.home("ayu"), "ghost-upstream")
    (seated.home("budi").folder / "lab.toml").write_text("provider = 7")
    table = tmp_path / "grades.csv"
    assert lab("class", "grade", "--folder", str(seated.folder), "--csv", str(table)) == 0
    rows = table.read_text().splitlines()
    assert rows[1].startswith("ayu,Ayu,devops") and rows[2].startswith("citra,") and rows[3].startswith("budi,Budi")
    assert "the hand-ins of those above are as they were before" in capsys.readouterr().err
    assert len(load(seated.folder).classroom.roster) == len(ROSTER)
