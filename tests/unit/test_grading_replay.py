"""A student's files on clean machines: what is done there, in which order, and what is concluded."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from lab.errors import HostUnreachable, UsageError
from lab.exercises import marking, staging
from lab.exercises.exercise import Exercise
from lab.exercises.results import Artefact, Attempt, Marked, Status
from lab.exercises.student import PRACTICE, Student
from lab.grading.classroom import Classroom
from lab.grading.grade import Grade
from lab.grading.replay import Outcome, Replayed, exit_code, hindered, owner, replay, replayable
from lab.grading.roster import Enrolled
from lab.home import Home
from lab.session import Session
from tests.unit.playing import Playing
from tests.unit.test_grading_grade import PASSED, SECRET, SITE, ana_grade, attempt, exercises, run, student

__all__ = ["exercises"]


class Stage:
    """The lab with staging and marking replaced; each call is noted."""

    def __init__(self, home: Home, patch: pytest.MonkeyPatch) -> None:
        self.playing = Playing(home)
        self.calls: list[str] = []
        self.students: list[Student] = []
        self.domains: list[str] = []
        self.marks = run(Status.PASS, Status.PASS)
        self.ids: list[str] = []

        def stage(session: Session, exercise: Exercise, who: Student, attempt: str) -> None:
            self.calls.append(f"stage {exercise.id}")
            self.students.append(who)
            self.domains.append(session.lab.domain)
            self.ids.append(attempt)
            assert not self.playing.hosts["akuma"].files

        def mark(session: Session, exercise: Exercise, who: Student, present: Attempt, **more: Any) -> Marked:
            self.calls.append(f"mark {exercise.id} full={more['full']}")
            self.ids.append(present.id)
            return self.marks

        patch.setattr(staging, "stage", stage)
        patch.setattr(marking, "mark", mark)

    def run(self, grade: Grade, exercises: tuple[Exercise, ...], classroom: Classroom | None = None) -> Replayed:
        """Replay `first` alone."""
        (found,) = replay(self.playing.session, grade, classroom, exercises)
        return found


@pytest.fixture
def stage(home: Home, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """The lab."""
    return Stage(home, monkeypatch)


@pytest.fixture
def course(home: Home) -> Classroom:
    """Ana alone."""
    return Classroom(home.folder, "devops", SECRET, (Enrolled("ana", "Ana Putri"),))


def test_the_files_are_put_on_a_clean_machine_and_marked(
    stage: Stage, exercises: tuple[Exercise, ...], course: Classroom
) -> None:
    """Staged anew with the student's own values, the file for root, the command as root, the teacher's checks."""
    found = stage.run(ana_grade(exercises), exercises, course)
    assert stage.calls == ["stage first", "mark first full=False"]
    assert stage.students == [student()] and stage.domains == [student().own(stage.playing.lab).domain]
    assert stage.ids[0] == stage.ids[1]
    akuma = stage.playing.hosts["akuma"]
    assert akuma.files == {SITE: b"server { listen 80; }\n"} and akuma.modes == {SITE: ("644", "root:root")}
    assert [(each.command, each.root) for each in akuma.ran] == [("nginx -t && systemctl restart nginx", True)]
    assert (found.outcome, found.claimed, found.measured, found.differing) == (Outcome.AGREES, 10, 10, ())
    assert stage.playing.session.lab.domain == "akuma.xyz"


def test_points_that_the_files_do_not_earn_differ(stage: Stage, exercises: tuple[Exercise, ...]) -> None:
    """With the checks that say so."""
    stage.marks = run(Status.PASS, Status.FAIL)
    found = stage.run(ana_grade(exercises, who=PRACTICE), exercises)
    assert (found.outcome, found.measured, found.differing) == (Outcome.DIFFERS, 6, ("survives",))
    assert stage.domains == ["akuma.xyz"]


def test_more_points_than_claimed_differ_too(stage: Stage, exercises: tuple[Exercise, ...]) -> None:
    """Something is not as the hand-in says."""
    made = ana_grade(exercises, attempt(run(Status.FAIL, Status.SKIP)), PRACTICE)
    found = stage.run(made, exercises)
    assert (found.outcome, found.claimed, found.measured) == (Outcome.DIFFERS, 0, 10)


def test_a_check_that_broke_here_is_no_lie_of_the_student(stage: Stage, exercises: tuple[Exercise, ...]) -> None:
    """It may explain the difference; where it cannot, the difference stands."""
    stage.marks = run(Status.PASS, Status.ERROR)
    assert stage.run(ana_grade(exercises, who=PRACTICE), exercises).outcome is Outcome.UNCLEAR
    stage.playing.hosts["akuma"].files.clear()
    stage.marks = run(Status.FAIL, Status.ERROR)
    assert stage.run(ana_grade(exercises, who=PRACTICE), exercises).outcome is Outcome.DIFFERS


def test_a_command_that_fails_is_told_and_the_checks_decide(stage: Stage, exercises: tuple[Exercise, ...]) -> None:
    """nginx does not take every file that a student hands in."""
    from lab.errors import Result

    stage.playing.hosts["akuma"].script["nginx -t"] = Result("nginx -t", 1, "", "emerg: unknown \x1b[31mdirective")
    stage.marks = run(Status.FAIL, Status.SKIP)
    found = stage.run(ana_grade(exercises, who=PRACTICE), exercises)
    assert found.why == "akuma: emerg: unknown \ufffd[31mdirective" and found.outcome is Outcome.DIFFERS


def test_machines_that_cannot_be_staged_end_it(
    stage: Stage, exercises: tuple[Exercise, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """That is this computer's trouble, no student's."""

    def broken(*args: object) -> None:
        raise HostUnreachable("akuma: does not answer")

    monkeypatch.setattr(staging, "stage", broken)
    with pytest.raises(HostUnreachable):
        stage.run(ana_grade(exercises, who=PRACTICE), exercises)


@pytest.mark.parametrize(
    ("best", "why"),
    [
        (attempt(run(Status.PASS, Status.PASS, version=1)), "another version"),
        (attempt(run(Status.PASS, Status.PASS), gave_up=True), "the solution was looked at"),
        (attempt(None), "no file was handed in"),
    ],
)
def test_what_cannot_be_replayed(best: Attempt, why: str, stage: Stage, exercises: tuple[Exercise, ...]) -> None:
    """Is said, and no machine is touched for it."""
    found = stage.run(ana_grade(exercises, best, PRACTICE), exercises)
    assert found.outcome is Outcome.NOT_REPLAYABLE and why in found.why and found.measured is None
    assert stage.calls == [] and replayable(ana_grade(exercises, best, PRACTICE), exercises) == ()


def test_an_exercise_that_is_not_done_in_files(stage: Stage, exercises: tuple[Exercise, ...]) -> None:
    """Cannot be replayed; one that was never begun is not mentioned; both can be asked for by name."""
    made = ana_grade(exercises, who=PRACTICE)
    second = msgspec.structs.replace(made.exercises[1], state="started")
    both = msgspec.structs.replace(made, exercises=(made.exercises[0], second))
    assert [each.why for each in hindered(both, exercises)] == ["the exercise is not done in files"]
    assert replayable(both, exercises, ["second"]) == () and hindered(both, exercises, ["first"]) == ()
    assert [each.exercise for each in replay(stage.playing.session, both, None, exercises)] == ["first", "second"]
    with pytest.raises(UsageError, match="has no exercise 'third'"):
        replayable(both, exercises, ["third"])


@pytest.mark.parametrize(
    "bad",
    [
        Artefact("akuma", "/etc/nginx/akuma/../../cron.d/x", ""), Artefact("akuma", "/etc/passwd", ""),
        Artefact("voxy", SITE, ""), Artefact("akuma", SITE, "x" * 70_000),
    ],
)  # fmt: skip
def test_a_bad_file_is_looked_at_again_before_it_is_put(
    bad: Artefact, stage: Stage, exercises: tuple[Exercise, ...]
) -> None:
    """Also when somebody calls this with a grade that no reader has seen."""
    made = ana_grade(exercises, msgspec.structs.replace(PASSED, artefacts=(bad,)), PRACTICE)
    assert stage.run(made, exercises).outcome is Outcome.NOT_REPLAYABLE
    assert stage.calls == [] and not any(host.files for host in stage.playing.hosts.values())


def test_whose_hand_in_it_is(exercises: tuple[Exercise, ...], course: Classroom) -> None:
    """The card is derived from the class's secret; without the class only practice can be replayed."""
    assert owner(ana_grade(exercises), course) == student()
    assert owner(ana_grade(exercises, who=PRACTICE), None) == PRACTICE
    with pytest.raises(UsageError, match=r"course 'devops'.*\n.*--class FOLDER"):
        owner(ana_grade(exercises), None)
    with pytest.raises(UsageError, match="no student 'budi'"):
        owner(ana_grade(exercises, who=student("budi")), course)


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ([Outcome.AGREES], 0), ([Outcome.AGREES, Outcome.NOT_REPLAYABLE], 0), ([Outcome.AGREES, Outcome.DIFFERS], 1),
        ([Outcome.UNCLEAR, Outcome.DIFFERS], 1), ([Outcome.AGREES, Outcome.UNCLEAR], 3), ([Outcome.NOT_REPLAYABLE], 3),
        ([], 3),
    ],
)  # fmt: skip
def test_what_was_not_measured_does_not_agree(outcomes: list[Outcome], code: int) -> None:
    """A difference beats doubt, and doubt beats agreement."""
    assert exit_code([Replayed("x", outcome, 0, 0, 10) for outcome in outcomes]) == code
