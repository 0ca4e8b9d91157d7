"""What a student does: begin, check, ask, give up; and that each is written down, so that nothing is lost or found."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import EnvironmentProblem, UsageError
from lab.exercises import doing, progress
from lab.exercises import exercise as exercise_module
from lab.exercises.doing import attempt_at, begin, check, following, give_up, hint, state, unfinished
from lab.exercises.exercise import Exercise
from lab.exercises.results import Attempt, Status
from lab.exercises.student import PRACTICE
from lab.home import Home
from tests.unit.classroom import MINE, Desk, about, made, marked, shipped

PASS, FAIL, SKIP, ERROR = Status.PASS, Status.FAIL, Status.SKIP, Status.ERROR


class Working(Desk):
    """A lab on which staging and scripts are only remembered."""

    def __init__(self, home: Home, patch: pytest.MonkeyPatch) -> None:
        super().__init__(home)
        self.staged: list[str] = []
        self.bomb: Exception | None = None

        def stage(session: object, exercise: Exercise, student: object, attempt: str) -> None:
            self.staged.append(attempt)
            if self.bomb:
                raise self.bomb
            self.stage(self.session, exercise, student, attempt)

        patch.setattr(doing, "stage", stage)
        patch.setattr(doing, "run_scripts", lambda *words: self.staged.append(f"solution of {words[1].id}"))


@pytest.fixture
def desk(home: Home, monkeypatch: pytest.MonkeyPatch) -> Working:
    """Nothing was started."""
    return Working(home, monkeypatch)


@pytest.fixture
def exercise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Exercise:
    """Mine, as one that ships, with a file that is the student's work."""
    mine = made(tmp_path, changes={**MINE, "exercise.toml": about() + '[artefacts]\nakuma = ["/etc/hosts"]\n'})
    monkeypatch.setattr(exercise_module, "_folders", lambda: [mine.folder])
    return mine


def _begun(desk: Working, exercise: Exercise, **options: bool) -> Attempt:
    return begin(desk.session, exercise, PRACTICE, **options)[0]


def test_a_start(desk: Working, exercise: Exercise) -> None:
    """A first attempt; the machines are in it, and it is the one that is meant from now on."""
    attempt, kept = begin(desk.session, exercise, PRACTICE)
    assert (attempt.number, kept, desk.staged) == (1, False, [attempt.id])
    assert (progress.active(desk.home), state(desk.home, "mine")) == ("mine", "started")
    assert attempt == attempt_at(desk.home, exercise)


def test_a_second_start_keeps_the_work(desk: Working, exercise: Exercise) -> None:
    """Nothing is staged; the exercise is the one that is meant again."""
    first = _begun(desk, exercise)
    progress.activate(desk.home, "other")
    assert begin(desk.session, exercise, PRACTICE) == (first, True)
    assert (len(desk.staged), progress.active(desk.home)) == (1, "mine")


def test_a_start_after_the_machines_are_gone(desk: Working, exercise: Exercise) -> None:
    """They are put into the same attempt again: what was reached counts on."""
    first = progress.record(desk.home, _begun(desk, exercise), marked(PASS, FAIL), ())
    desk.hosts["akuma"].files.clear()
    assert begin(desk.session, exercise, PRACTICE) == (first, False)
    assert desk.staged == [first.id, first.id]


def test_a_reset(desk: Working, exercise: Exercise) -> None:
    """A new attempt from the starting state, though the machines are in the old one; its result is gone."""
    first = progress.record(desk.home, _begun(desk, exercise), marked(PASS, PASS), ())
    second, kept = begin(desk.session, exercise, PRACTICE, anew=True)
    assert (second.number, kept, second.earned) == (2, False, 0) and second.id != first.id
    assert (desk.staged, state(desk.home, "mine")) == ([first.id, second.id], "started")


def test_a_start_once_more(desk: Working, exercise: Exercise) -> None:
    """Whoever is locked out gets new machines, and stays in the attempt with what it has reached."""
    first, _ = begin(desk.session, exercise, PRACTICE)
    progress.record(desk.home, first, marked(PASS, FAIL), ())
    again, kept = begin(desk.session, exercise, PRACTICE, again=True)
    assert (again.number, again.earned, kept, desk.staged) == (1, 5, False, [first.id, first.id])


def test_what_a_start_leaves_behind(desk: Working, exercise: Exercise, tmp_path: Path) -> None:
    """An exercise with points still to be earned, unless it is the same one, or was given up."""
    other = made(tmp_path, "other")
    assert unfinished(desk.home, other) is None
    attempt, _ = begin(desk.session, exercise, PRACTICE)
    assert unfinished(desk.home, exercise) is None
    progress.activate(desk.home, exercise.id)
    assert unfinished(desk.home, other) == attempt
    part = progress.record(desk.home, attempt, marked(PASS, PASS), ())
    assert unfinished(desk.home, other) == part
    progress.record(desk.home, part, marked(PASS, PASS, PASS, full=True), ())
    assert unfinished(desk.home, other) is None
    progress.give_up(desk.home, progress.begin(desk.home, exercise.id))
    assert unfinished(desk.home, other) is None


def test_a_start_that_fails_can_be_done_again(desk: Working, exercise: Exercise) -> None:
    """It is the same attempt."""
    desk.bomb = EnvironmentProblem("no room")
    with pytest.raises(EnvironmentProblem):
        begin(desk.session, exercise, PRACTICE)
    desk.bomb = None
    attempt, kept = begin(desk.session, exercise, PRACTICE)
    assert (attempt.number, kept, desk.staged) == (1, False, [attempt.id, attempt.id])


def test_a_damaged_attempt_can_be_reset(desk: Working, exercise: Exercise) -> None:
    """As the sentence says; a start does not quietly throw it away."""
    desk.home.write("exercises/practice/mine/1.json", "{")
    with pytest.raises(EnvironmentProblem, match="lab exercise reset"):
        begin(desk.session, exercise, PRACTICE)
    assert desk.staged == [] and _begun(desk, exercise, anew=True).number == 2


def test_what_was_never_started_cannot_be_checked(desk: Working, exercise: Exercise) -> None:
    """Nor given up; the mend begins it."""
    for act in (check, give_up):
        with pytest.raises(UsageError, match="mine was not started yet\n  → lab exercise start mine"):
            act(desk.session, exercise, PRACTICE)
    assert desk.staged == []


def test_a_check_is_written_down(desk: Working, exercise: Exercise) -> None:
    """With the student's files at that moment."""
    _begun(desk, exercise)
    desk.hosts["akuma"].script |= {"stat -c": "3 /etc/hosts\n", "cat /etc/hosts": "a b"}
    run, attempt = check(desk.session, exercise, PRACTICE)
    assert run.earned == 8 and attempt.best == run and attempt == attempt_at(desk.home, exercise)
    assert [(each.path, each.text) for each in attempt.artefacts] == [("/etc/hosts", "a b")]
    assert state(desk.home, "mine") == "passed"


def test_a_worse_check_keeps_the_better(desk: Working, exercise: Exercise) -> None:
    """What was found is told all the same."""
    _begun(desk, exercise)
    best, _ = check(desk.session, exercise, PRACTICE)
    desk.said["works"] = "wrong"
    run, attempt = check(desk.session, exercise, PRACTICE)
    assert (run.earned, attempt.best, state(desk.home, "mine")) == (0, best, "passed")


def test_machines_that_are_off_keep_the_files(desk: Working, exercise: Exercise) -> None:
    """They cannot be read, and are not lost for it."""
    _begun(desk, exercise)
    desk.said["works"] = "wrong"
    desk.hosts["akuma"].script |= {"stat -c": "3 /etc/hosts\n", "cat /etc/hosts": "a b"}
    _, before = check(desk.session, exercise, PRACTICE)
    desk.shut("akuma")
    run, attempt = check(desk.session, exercise, PRACTICE)
    assert run.checks[0].key == "unreachable" and attempt.artefacts == before.artefacts != ()


def test_hints_escalate_and_are_remembered(desk: Working, exercise: Exercise) -> None:
    """A nudge, the place, nearly the command, and then that again; also in a command of its own."""
    _begun(desk, exercise)
    run, tiers = marked(FAIL, SKIP), []
    for _ in range(5):
        given = hint(desk.home, attempt_at(desk.home, exercise), run)
        assert given is not None and given.result.id == "works"
        tiers.append(given.tier)
    assert tiers == [1, 2, 3, 3, 3]
    assert attempt_at(desk.home, exercise).hints == {"no-token": 3}
    assert attempt_at(desk.home, exercise).tier("no-token") == 3


def test_a_hint_is_for_the_first_thing_that_is_wrong(desk: Working, exercise: Exercise) -> None:
    """What is our fault needs none, and each message begins with its nudge; a new attempt begins anew."""
    attempt = _begun(desk, exercise)
    given = hint(desk.home, attempt, marked(ERROR, FAIL))
    assert given is not None and (given.result.id, given.tier) == ("lasts", 1)
    assert hint(desk.home, attempt, marked(PASS, PASS)) is None
    assert _begun(desk, exercise, anew=True).hints == {}


def test_giving_up(desk: Working, exercise: Exercise) -> None:
    """The attempt earns nothing before the solution is seen; it goes onto the machines from the starting state."""
    attempt = progress.record(desk.home, _begun(desk, exercise), marked(PASS, FAIL), ())
    give_up(desk.session, exercise, PRACTICE)
    assert desk.staged[1:] == [attempt.id, "solution of mine"]
    _, after = check(desk.session, exercise, PRACTICE)
    assert (after.state, after.earned, state(desk.home, "mine")) == ("gave-up", 0, "gave-up")


def test_a_solution_that_fails_was_given_up_for_all_the_same(desk: Working, exercise: Exercise) -> None:
    """It may have been seen."""
    _begun(desk, exercise)
    desk.bomb = EnvironmentProblem("no room")
    with pytest.raises(EnvironmentProblem):
        give_up(desk.session, exercise, PRACTICE)
    assert state(desk.home, "mine") == "gave-up"


def test_which_comes_next(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first that was not passed, after the one that is named; given up is not passed; in the end none."""
    shipped(tmp_path, monkeypatch, "one", "two", "three")
    assert (following(home), following(home, "one"), following(home, "three")) == ("one", "two", "")
    for name in ("one", "two"):
        progress.record(home, progress.begin(home, name), marked(PASS, PASS, name=name), ())
    assert (following(home), following(home, "one")) == ("three", "three")
    progress.give_up(home, progress.begin(home, "two"))
    assert (following(home), following(home, "one"), following(home, "mine")) == ("two", "two", "two")
    assert state(home, "three") == "open"
