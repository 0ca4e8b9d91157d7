"""Seats of a class: who gets one, what is written down when, and what an interrupted or repeated `up` does."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.classes import bringing, heal, seats
from lab.classes import status as looking
from lab.classes.archive import Archived
from lab.classes.course import Course, load, load_up
from lab.classes.crowd import Outcome
from lab.classes.heal import Lost, abandoned, find_lost, new_seats
from lab.classes.seats import Seat
from lab.classes.status import ClassLook, LabLook
from lab.classes.up import Plan, gone_from, leave, plan, take_seats, write_folders
from lab.errors import EnvironmentProblem, NetworkTaken, UsageError
from lab.grading import classroom
from lab.grading.roster import Enrolled
from lab.lxd.members import Member

GIB = 1 << 30
NAMES = ("ayu", "budi", "citra")
ROSTER = tuple(Enrolled(id, id.title()) for id in NAMES)


def member(name: str, number: int, *, labs: float = 9, online: bool = True) -> Member:
    """A member with room for so many labs of 1.25 GiB."""
    free = int(labs * 1.25 * GIB) + GIB if online else 0
    return Member(name, f"10.88.0.{number}", online, free, free, 500 * GIB, "" if online else "offline: no heartbeat")


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """A class of three, without labs yet."""
    classroom.init(ROSTER, tmp_path / "class", "devops")
    return load(tmp_path / "class")


class Cluster:
    """Claims: who has which number."""

    def __init__(self, *others: int) -> None:
        self.others = set(others)
        self.claimed: list[tuple[str, int]] = []
        self.fails_for = ""

    def __call__(self, course: Course, id: str, seat: Seat) -> None:
        """Take a number."""
        if id == self.fails_for:
            raise KeyboardInterrupt
        if seat.number in self.others:
            raise NetworkTaken(f"{seat.network} is taken")
        self.claimed.append((id, seat.number))


def test_everybody_gets_a_seat_and_a_folder(course: Course) -> None:
    """In the book, and in lab.toml."""
    found = plan(course, [member("m1", 1), member("m2", 2)])
    assert found.sentence == "3 of 3 labs fit"
    seated = take_seats(found, Cluster())
    assert {id: (seat.number, seat.member) for id, seat in seated.seated.items()} == {
        "ayu": (0, "m1"), "budi": (1, "m2"), "citra": (2, "m1"),
    }  # fmt: skip
    assert load(course.folder).seats == seated.seats
    lab = seated.lab("budi")
    assert (lab.engine.member, lab.engine.address, str(lab.subnet)) == ("m2", "10.88.0.2", "10.96.0.32/27")
    assert seated.home("budi").id == seats.home_id(course.classroom.secret, "budi")


def test_a_number_of_somebody_else_is_passed_over(course: Course) -> None:
    """Known beforehand, or found when it is claimed."""
    cluster = Cluster(1)
    seated = take_seats(plan(course, [member("m1", 1)]), cluster, others=[0])
    assert [seat.number for seat in seated.seated.values()] == [2, 3, 4]
    assert str(seated.lab("ayu").subnet) == "10.96.0.64/27"


def test_numbers_that_are_all_taken_end_in_the_sentence_of_the_last(course: Course) -> None:
    """As where somebody's interface has the whole supernet."""
    with pytest.raises(NetworkTaken):
        take_seats(plan(course, [member("m1", 1)]), Cluster(*range(2000)))
    assert load(course.folder).seats.seats == {}


def test_an_interrupted_up_has_written_down_what_it_has_claimed_and_goes_on(course: Course) -> None:
    """Also a claim that was not written down: it is the student's own, and is taken up."""
    cluster = Cluster()
    cluster.fails_for = "citra"
    with pytest.raises(KeyboardInterrupt):
        take_seats(plan(course, [member("m1", 1)]), cluster)
    again = load(course.folder)
    assert list(again.seated) == ["ayu", "budi"]
    found = plan(again, [member("m1", 1)])
    assert found.sentence == "2 have a lab already; 1 of 1 labs fit"
    seated = take_seats(found, Cluster(), ours={"citra": 7, "ayu": 0}, others=[2])
    assert seated.seated["citra"].number == 7
    assert seated.seated["ayu"] == again.seated["ayu"]


def test_where_not_all_fit_the_first_do_and_the_others_are_named(course: Course) -> None:
    """Nothing of theirs is made."""
    found = plan(course, [member("m1", 1, labs=2)])
    assert found.placement.left_over == ("citra",)
    assert "2 of 3 labs fit" in found.sentence and "citra" in found.sentence
    seated = take_seats(found, Cluster())
    assert list(seated.seated) == ["ayu", "budi"]
    assert not seated.home("citra").folder.exists()


def test_without_a_member_that_is_online_nothing_is_placed(course: Course) -> None:
    """The sentence says what each member said."""
    with pytest.raises(EnvironmentProblem, match="m1: offline: no heartbeat"):
        plan(course, [member("m1", 1, online=False)])


def test_a_member_known_by_a_name_is_refused(course: Course) -> None:
    """Routes and ports need its address."""
    with pytest.raises(UsageError, match=r"m1: box\.school is no IPv4 address"):
        take_seats(plan(course, [Member("m1", "box.school", True, 99 * GIB, 99 * GIB, 99 * GIB)]), Cluster())


def test_a_longer_roster_adds_and_a_shorter_one_removes_nobody(course: Course) -> None:
    """Who is gone from it is named."""
    take_seats(plan(course, [member("m1", 1)]), Cluster())
    classroom.init([*ROSTER[1:], Enrolled("dewi")], course.folder)
    again = load(course.folder)
    found = plan(again, [member("m1", 1), member("m2", 2)])
    assert found.placement.where == {"dewi": "m2"}
    assert found.on("m1") == NAMES and found.on("m2") == ("dewi",)
    assert gone_from(again, ["budi", "citra", "dewi"]) == ("ayu",)
    assert list(leave(again, "ayu").seated) == ["budi", "citra"]


def test_only_what_is_not_up_is_brought_up(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lab that is up may be in an exercise; one without power is started; lost machines are `heal`'s."""
    seated = take_seats(plan(course, [member("m1", 1)]), Cluster())
    projects = [seated.project(id, seat) for id, seat in seated.seated.items()]
    states = {(project, host): "running" for project in projects for host in ("akuma", "voxy", "zero")}
    monkeypatch.setattr(bringing, "cluster_of", lambda course: None)
    monkeypatch.setattr(bringing, "states_of", lambda lxd: states)
    assert [each.words[0] for each in bringing.what_is_missing(seated)] == ["up", "up", "up"]
    bringing.note_up(seated, [Outcome("ayu", 0), Outcome("budi", 0), Outcome("citra", 4)])
    states[seated.project("budi", seated.seated["budi"]), "zero"] = "stopped"
    found = bringing.what_is_missing(seated)
    assert [(each.student, each.words[0]) for each in found] == [("budi", "start"), ("citra", "up")]
    del states[seated.project("ayu", seated.seated["ayu"]), "zero"]
    assert [each.student for each in bringing.what_is_missing(seated)] == ["budi", "citra"]


def test_only_labs_that_are_gone_leave_the_book(course: Course) -> None:
    """One that could not be removed keeps its seat, for another try."""
    seated = take_seats(plan(course, [member("m1", 1)]), Cluster())
    left = bringing.note_down(seated, [Outcome("ayu", 0), Outcome("budi", 4)])
    assert list(left.seated) == ["budi", "citra"] == list(load(course.folder).seated)
    assert left.home("ayu").folder.exists()


def test_a_class_without_labs_says_what_brings_them_up(course: Course) -> None:
    """Every command that needs labs."""
    with pytest.raises(UsageError, match="no lab of this class is up"):
        load_up(course.folder)


def look_of(course: Course, *, dead: tuple[str, ...] = (), **labs: LabLook) -> ClassLook:
    """A look at a class whose members m1 to m3 are alive unless said otherwise."""
    found = [labs.get(id) or one(course, id, dead=course.members[id] in dead) for id in course.seated]
    members = tuple(member(f"m{i}", i, online=f"m{i}" not in dead) for i in (1, 2, 3))
    return ClassLook("devops", tuple(found), members)


def one(
    course: Course, id: str, *, dead: bool = False, answers: bool | None = None, absent: bool = False,
    halfway: bool = False,
) -> LabLook:  # fmt: skip
    """One lab of a look."""
    hosts = {"akuma": "absent" if absent else "running"}
    answered = ("voxy",) if answers or (answers is None and not dead and not absent) else ()
    return LabLook(id, "", course.members[id], "", hosts, answered, dead=dead, halfway=halfway)


def test_only_what_is_lost_twice_is_lost(course: Course) -> None:
    """A member that comes back meanwhile, and a lab whose site answers, are left alone."""
    seated = take_seats(plan(course, [member("m1", 1), member("m2", 2), member("m3", 3)]), Cluster())
    looks = iter([look_of(seated, dead=("m1", "m2")), look_of(seated, dead=("m1",))])
    lost = find_lost(lambda: next(looks), apart_s=0)
    assert lost.students == ("ayu",)
    answering = look_of(seated, dead=("m1",), ayu=one(seated, "ayu", dead=True, answers=True))
    assert find_lost(lambda: answering, apart_s=0).students == ()


def test_lost_machines_and_a_half_healed_lab_are_made_again_where_they_are(course: Course) -> None:
    """Unless the machines are absent and the site answers, which is a misunderstanding."""
    seated = take_seats(plan(course, [member("m1", 1)]), Cluster())
    seen = look_of(
        seated, ayu=one(seated, "ayu", absent=True), budi=one(seated, "budi", halfway=True),
        citra=one(seated, "citra", absent=True, answers=True),
    )  # fmt: skip
    assert find_lost(lambda: seen, apart_s=0).made == ("ayu", "budi")
    assert find_lost(lambda: look_of(seated), apart_s=99).students == ()


def test_a_cluster_that_does_not_answer_is_no_ground_to_move_anybody(course: Course) -> None:
    """Nothing can be concluded from silence."""
    with pytest.raises(EnvironmentProblem, match="the cluster does not answer: gone"):
        find_lost(lambda: ClassLook("devops", (), (), fault="gone"), apart_s=0, within_s=0)


def test_a_cluster_that_elects_a_leader_is_waited_for(course: Course) -> None:
    """It says nothing meanwhile."""
    seated = take_seats(plan(course, [member("m1", 1)]), Cluster())
    silent = ClassLook("devops", (), (), fault="no answer")
    looks = iter([silent, silent, look_of(seated, dead=("m1",)), look_of(seated, dead=("m1",))])
    assert find_lost(lambda: next(looks), apart_s=0).moved == NAMES


def test_a_lost_lab_gets_another_member_and_the_next_generation(course: Course) -> None:
    """With its number, so with its addresses; marked until it is back."""
    seated = take_seats(plan(course, [member("m1", 1), member("m2", 2)]), Cluster())
    before = seated.seated["ayu"]
    alive = (member("m1", 1, online=False), member("m2", 2))
    moved, where, left = new_seats(seated, Lost(("ayu", "citra"), (), alive))
    seat = moved.seated["ayu"]
    assert where == {"ayu": "m2", "citra": "m2"} and left == ()
    assert (seat.number, seat.member, seat.address, seat.generation) == (before.number, "m2", "10.88.0.2", 1)
    assert moved.lab("ayu").engine.project.endswith("-g1") and moved.lab("ayu").engine.address == "10.88.0.2"
    assert (moved.home("ayu").path / looking.HEALING).exists()
    heal.end(moved, "ayu")
    assert not (moved.home("ayu").path / looking.HEALING).exists()
    assert load(course.folder).seats == moved.seats


def test_without_room_a_lost_lab_stays_where_it_is(course: Course) -> None:
    """And is named."""
    seated = take_seats(plan(course, [member("m1", 1)]), Cluster())
    _, where, left = new_seats(seated, Lost(NAMES, (), (member("m1", 1, online=False), member("m2", 2, labs=1))))
    assert where == {"ayu": "m2"} and left == ("budi", "citra")


def test_projects_of_earlier_generations_are_found(course: Course) -> None:
    """Those that are still there, and never the present one."""
    seated = take_seats(plan(course, [member("m1", 1)]), Cluster())
    seat = seated.seated["ayu"]
    old = seated.project("ayu", seat)
    moved = seated.with_seats(seated.seats.with_("ayu", Seat(seat.number, "m2", "10.88.0.2", 2)))
    present = moved.project("ayu", moved.seated["ayu"])
    assert abandoned(moved, [old, present, "default", "lab-x"]) == (("ayu", old),)
    assert abandoned(moved, [present]) == ()


def test_folders_can_be_written_again(course: Course) -> None:
    """After a change of settings, and after the loss of a folder."""
    seated = take_seats(plan(course, [member("m1", 1)]), Cluster())
    lab = seated.home("ayu").folder / "lab.toml"
    text = lab.read_text()
    lab.unlink()
    write_folders(seated, ["ayu"])
    assert lab.read_text() == text


def test_a_plan_names_those_who_would_come(course: Course) -> None:
    """In the roster's order."""
    found: Plan = plan(course, [member("m1", 1)])
    assert found.on("m1") == NAMES and found.on("m2") == ()


def test_a_record_tells_its_size() -> None:
    """Nothing saved is nothing."""
    assert Archived("a", "", ()).bytes == 0
