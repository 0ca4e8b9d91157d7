"""Saves of all machines: what is refused before anything is touched, and what a point of a lesson is."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Collection
from dataclasses import replace

import msgspec
import pytest

from lab import healing, save_points, saves
from lab.errors import EnvironmentProblem, HostUnreachable, Interrupted, LabError, UsageError
from lab.events import Note
from lab.exercises import progress
from lab.exercises.results import Attempt
from lab.exercises.staging import MARK
from lab.home import Home
from lab.ledger import Ledger
from lab.machines.protocol import State
from lab.topology import Lab
from tests.unit.playing import Playing, entry

EXERCISE = "hello-web"


class Lesson(Playing):
    """A lab whose machines do what they are told, and explode when they are told so."""

    def __init__(self, home: Home, patch: pytest.MonkeyPatch) -> None:
        super().__init__(home)
        home.remember(box="box-1")
        self.bombs: dict[str, BaseException | Callable[[], object]] = {}
        self.served: list[str] = []
        for verb in ("save", "restore", "prune"):
            patch.setattr(self.machines, verb, self._watched(verb, getattr(self.machines, verb)))
        self.apps = {"voxy": 200, "zero": 404}
        patch.setattr(saves, "require_answer", lambda lab, name, within_s: self.served.append(name))
        patch.setattr(saves, "status_of", lambda lab, name, timeout_s: self.apps.get(name))
        patch.setattr(healing, "require_serving", lambda lab, name, within_s: None)

    def _watched(self, verb: str, really: Callable[..., object]) -> Callable[..., object]:
        def act(word: str | Collection[str]) -> object:
            self.machines.told.append(verb)
            bomb = self.bombs.pop(verb, None)
            if isinstance(bomb, BaseException):
                raise bomb
            if bomb is not None:
                bomb()
            return really(word)

        return act

    @property
    def disk(self) -> dict[str, str]:
        """Of voxy."""
        return self.machines.disks["voxy"]

    @property
    def told(self) -> list[str]:
        """Which saves and restores the machines were told to do, and what they lost."""
        return [word for word in self.machines.told if word in ("save", "restore") or word.startswith("cut")]

    def kept(self) -> set[str]:
        """The ids that the machines keep."""
        return {id for ids in self.machines.saves().values() for id in ids}

    def in_exercise(self) -> Attempt:
        """The machines are in an attempt."""
        attempt = progress.begin(self.home, EXERCISE)
        progress.activate(self.home, EXERCISE)
        for host in self.hosts.values():
            host.script[f"cat {MARK}"] = json.dumps({"exercise": EXERCISE, "attempt": attempt.id, "since": 1.0})
        return attempt


@pytest.fixture
def lesson(home: Home, monkeypatch: pytest.MonkeyPatch) -> Lesson:
    """Running machines without a save."""
    return Lesson(home, monkeypatch)


def test_there_and_back_again(lesson: Lesson) -> None:
    """As often as one likes, in any order; all machines run afterwards and were waited for."""
    lesson.disk["/a"] = "1"
    saves.save(lesson.session, "one", note="the first")
    lesson.disk.update({"/a": "22", "/b": "3"})
    two = saves.save(lesson.session, "two")
    lesson.disk.clear()
    lesson.machines.power_off("zero")
    for name, expected in (("one", {"/a": "1"}), ("two", {"/a": "22", "/b": "3"}), ("one", {"/a": "1"})):
        assert saves.restore(lesson.session, name).name == name
        assert lesson.disk == expected
        assert set(lesson.machines.states().values()) == {State.RUNNING}
        assert sorted(lesson.served[-2:]) == ["voxy", "zero"]
        lesson.disk["/mine"] = "lost"
    assert (two.bytes, two.note, two.app, two.provider, two.box) == (3, "", "hello", "virtualbox", "box-1")
    assert [(each.save.name, each.save.note, each.missing) for each in saves.listed(lesson.session)] == [
        ("one", "the first", ()), ("two", "", ()),
    ]  # fmt: skip


def test_a_stopped_machine_stays_off_after_a_save(lesson: Lesson) -> None:
    """The others are waited for; a restore starts it."""
    lesson.machines.power_off("zero")
    saves.save(lesson.session, "one")
    assert lesson.machines.states()["zero"] is State.STOPPED
    assert lesson.served == ["voxy"]
    saves.restore(lesson.session, "one")
    assert lesson.machines.states()["zero"] is State.RUNNING


def test_only_what_answered_is_waited_for(lesson: Lesson) -> None:
    """A host that a student has locked, or an app that an exercise has broken, is no reason to wait or to fail."""
    lesson.hosts["akuma"].dead = True
    del lesson.apps["zero"]
    saves.save(lesson.session, "one")
    assert lesson.served == ["voxy"]
    lesson.apps["zero"] = 200
    saves.restore(lesson.session, "one")
    assert lesson.served == ["voxy", "voxy"]
    assert [host.waited for host in lesson.hosts.values()] == [[5], [5, 300, 300], [5, 300, 300]]


def test_a_host_that_does_not_come_back_is_named(lesson: Lesson) -> None:
    """By its wait; the machines are at the save."""
    saves.save(lesson.session, "one")
    lesson.hosts["voxy"].dead = True
    with pytest.raises(HostUnreachable, match="ssh on voxy"):
        saves.restore(lesson.session, "one")
    assert save_points.restoring(lesson.home) == ""


def test_a_taken_name_is_refused_unless_it_is_to_be_replaced(lesson: Lesson) -> None:
    """The old one is there until the new one is; then nothing of it is left."""
    lesson.disk["/a"] = "old"
    old = saves.save(lesson.session, "one").id
    lesson.disk["/a"] = "new"
    with pytest.raises(UsageError) as caught:
        saves.save(lesson.session, "one")
    assert str(caught.value) == "there is a save 'one' already\n  → take another name, or --replace"
    assert lesson.told == ["save"]
    lesson.bombs["save"] = EnvironmentProblem("no")
    with pytest.raises(EnvironmentProblem):
        saves.save(lesson.session, "one", replace=True)
    assert lesson.kept() == {old}
    assert save_points.load(lesson.home, "one").id == old
    new = saves.save(lesson.session, "one", replace=True)
    assert lesson.kept() == {new.id} != {old}
    lesson.disk.clear()
    saves.restore(lesson.session, "one")
    assert lesson.disk == {"/a": "new"}


def test_a_save_that_fails_is_none(lesson: Lesson, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when its record cannot be written: nothing is kept without a name."""

    def full(*words: object) -> None:
        raise EnvironmentProblem("the disk is full")

    monkeypatch.setattr(save_points, "write", full)
    with pytest.raises(EnvironmentProblem, match="full"):
        saves.save(lesson.session, "one")
    assert lesson.kept() == set()
    assert saves.listed(lesson.session) == ()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_save_is_finished(
    lesson: Lesson, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    """The signal waits, and the error says what is there."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    lesson.bombs["save"] = lambda: os.kill(os.getpid(), number)
    try:
        with pytest.raises(Interrupted, match="interrupted; the save one is whole"):
            saves.save(lesson.session, "one")
    finally:
        signal.signal(signal.SIGTERM, before)
    assert lesson.kept() == {save_points.load(lesson.home, "one").id}


def test_an_interrupted_restore_arrives(lesson: Lesson) -> None:
    """All machines are at the save, and so is what belongs to it; only the waiting is left out."""
    saves.save(lesson.session, "one")
    lesson.home.remember(app="other")
    lesson.bombs["restore"] = lambda: os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(Interrupted) as caught:
        saves.restore(lesson.session, "one")
    assert str(caught.value) == "interrupted; the machines are at one\n  → `lab start` waits until they serve"
    assert (lesson.home.state().app, save_points.restoring(lesson.home)) == ("hello", "")


def test_a_restore_that_fails_says_so_until_it_is_done(lesson: Lesson) -> None:
    """No save is made of machines at different points; restoring again goes on, removing the save ends it too."""
    saves.save(lesson.session, "one")
    lesson.home.remember(app="other")
    lesson.bombs["restore"] = EnvironmentProblem("voxy does not start")
    with pytest.raises(EnvironmentProblem) as caught:
        saves.restore(lesson.session, "one")
    assert "not all machines are at one, each is as it was or as it was saved: voxy does not" in str(caught.value)
    assert caught.value.mend == "`lab restore one` goes on"
    assert lesson.home.state().app == "other"
    with pytest.raises(EnvironmentProblem, match="a restore of one was cut off") as caught:
        saves.save(lesson.session, "two")
    assert caught.value.mend == "lab restore one"
    saves.restore(lesson.session, "one")
    saves.save(lesson.session, "two")
    save_points.begin_restoring(lesson.home, "one")
    saves.remove(lesson.session, "one")
    saves.save(lesson.session, "three")


@pytest.mark.parametrize("doing", ["save", "restore"])
def test_a_fault_in_force_is_refused(lesson: Lesson, doing: str) -> None:
    """With both ways out; nothing was touched, and nothing was healed silently."""
    if doing == "restore":
        saves.save(lesson.session, "one")
    told = list(lesson.machines.told)
    Ledger(lesson.home).write(entry())
    with pytest.raises(EnvironmentProblem) as caught:
        saves.save(lesson.session, "two") if doing == "save" else saves.restore(lesson.session, "one")
    assert str(caught.value) == f"still in force: cut_link voxy\n  → `lab heal` first, or `lab {doing} --heal`"
    assert lesson.machines.told == told
    assert len(Ledger(lesson.home).entries()) == 1


def test_a_fault_is_healed_before_a_save(lesson: Lesson) -> None:
    """When the user wants it, who is told."""
    Ledger(lesson.home).write(entry())
    saves.save(lesson.session, "one", heal=True)
    assert "undo e1" in lesson.commands("voxy")
    assert Ledger(lesson.home).entries() == ()
    assert Note("healed by this: cut_link voxy", loud=True) in lesson.heard.events


def test_a_fault_that_cannot_be_healed_prevents_the_save(lesson: Lesson) -> None:
    """And stays in the ledger."""
    Ledger(lesson.home).write(entry())
    lesson.hosts["voxy"].dead = True
    with pytest.raises(EnvironmentProblem, match="cut_link voxy"):
        saves.save(lesson.session, "one", heal=True)
    assert lesson.kept() == set()
    assert len(Ledger(lesson.home).entries()) == 1


def test_a_restore_undoes_a_fault_itself(lesson: Lesson) -> None:
    """It needs no command on a machine that may hang; the entry goes when the machines have answered, not before."""
    saves.save(lesson.session, "one")
    Ledger(lesson.home).write(entry())
    lesson.bombs["restore"] = EnvironmentProblem("no")
    with pytest.raises(EnvironmentProblem):
        saves.restore(lesson.session, "one", heal=True)
    assert len(Ledger(lesson.home).entries()) == 1
    saves.restore(lesson.session, "one", heal=True)
    assert Ledger(lesson.home).entries() == ()
    assert "undo e1" not in lesson.commands("voxy")


def test_the_app_is_that_of_the_point(lesson: Lesson) -> None:
    """The next `lab up` must not bring back another."""
    lesson.home.remember(app="hello", app_named=True)
    saves.save(lesson.session, "one")
    lesson.home.remember(app="dumbsound", app_named=False)
    saves.restore(lesson.session, "one")
    assert (lesson.home.state().app, lesson.home.state().app_named) == ("hello", True)


def test_the_exercise_is_that_of_the_point(lesson: Lesson) -> None:
    """What was reached stays; commands without a name mean the exercise that the machines are in."""
    saves.save(lesson.session, "before")
    attempt = lesson.in_exercise()
    made = saves.save(lesson.session, "within")
    assert (made.exercise, made.attempt) == (EXERCISE, attempt.id)
    later = progress.hinted(lesson.home, attempt, "key", 2)
    saves.restore(lesson.session, "before")
    assert progress.active(lesson.home) == ""
    restored = saves.restore(lesson.session, "within")
    assert progress.active(lesson.home) == EXERCISE
    assert progress.current(lesson.home, EXERCISE) == later
    assert saves.in_step(lesson.session, restored)


def test_an_attempt_that_was_given_up_for_a_new_one_does_not_come_back(lesson: Lesson) -> None:
    """Else the solution of one could be handed in as the work of another."""
    lesson.in_exercise()
    restored = saves.save(lesson.session, "within")
    second = progress.begin(lesson.home, EXERCISE)
    assert not saves.in_step(lesson.session, saves.restore(lesson.session, "within"))
    assert progress.current(lesson.home, EXERCISE) == second
    assert not saves.in_step(lesson.session, msgspec.structs.replace(restored, exercise="no-such"))


def test_machines_that_left_the_exercise_are_in_none(lesson: Lesson) -> None:
    """The mark on the machines counts, not what was started last."""
    lesson.in_exercise()
    for host in lesson.hosts.values():
        host.script.clear()
    assert saves.save(lesson.session, "one").exercise == ""


def test_a_host_that_is_absent_is_refused(lesson: Lesson) -> None:
    """Before anything is done."""
    saves.save(lesson.session, "one")
    lesson.machines._states["zero"] = State.ABSENT
    with pytest.raises(UsageError, match="zero does not exist yet"):
        saves.save(lesson.session, "two")
    with pytest.raises(UsageError, match="zero does not exist yet"):
        saves.restore(lesson.session, "one")
    assert lesson.told == ["save"]


def test_a_lab_that_has_changed_is_refused(lesson: Lesson) -> None:
    """With what is otherwise."""
    saves.save(lesson.session, "one")
    smaller = replace(lesson.session, lab=replace(Lab(), host=Lab().hosts[:2]))
    with pytest.raises(UsageError) as caught:
        saves.restore(smaller, "one")
    assert "one does not fit this lab any more: zero is in it and not in lab.toml" in str(caught.value)
    assert caught.value.mend == "put that back, or `lab saves --remove one`"
    lesson.home.remember(box="box-2")
    with pytest.raises(UsageError, match="the box was box-1 and is box-2"):
        saves.restore(lesson.session, "one")
    assert lesson.told == ["save"]


def test_a_host_that_was_made_again_has_lost_its_saves(lesson: Lesson, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list says so, and a restore touches nothing."""
    made = saves.save(lesson.session, "one")
    ids = frozenset({made.id})
    monkeypatch.setattr(lesson.machines, "saves", lambda: {"akuma": ids, "voxy": frozenset(), "zero": ids})
    assert [each.missing for each in saves.listed(lesson.session)] == [("voxy",)]
    with pytest.raises(UsageError) as caught:
        saves.restore(lesson.session, "one")
    assert str(caught.value) == "voxy was made again since one and has lost it\n  → lab saves --remove one"
    assert lesson.told == ["save"]


def test_machines_that_cannot_be_saved_are_not_touched(lesson: Lesson, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even healed."""

    def cannot() -> None:
        raise UsageError("cannot be saved")

    monkeypatch.setattr(lesson.machines, "saves", cannot)
    Ledger(lesson.home).write(entry())
    with pytest.raises(UsageError, match="cannot be saved"):
        saves.save(lesson.session, "one", heal=True)
    assert len(Ledger(lesson.home).entries()) == 1
    assert lesson.machines.told == []


def test_a_save_is_removed(lesson: Lesson) -> None:
    """With what the machines keep; the others stay."""
    saves.save(lesson.session, "one")
    two = saves.save(lesson.session, "two")
    saves.remove(lesson.session, "one")
    assert lesson.kept() == {two.id}
    with pytest.raises(UsageError, match="there is no save 'one'"):
        saves.remove(lesson.session, "one")


def test_a_damaged_record_loses_no_other_save(lesson: Lesson) -> None:
    """Nothing is pruned while one cannot be read; removing it mends that."""
    one = saves.save(lesson.session, "one")
    two = saves.save(lesson.session, "two")
    (lesson.home.path / "saves" / "one.json").write_text("{")
    with pytest.raises(EnvironmentProblem, match="is damaged"):
        saves.save(lesson.session, "three")
    with pytest.raises(EnvironmentProblem, match="is damaged"):
        saves.listed(lesson.session)
    assert lesson.kept() == {one.id, two.id}
    saves.remove(lesson.session, "one")
    assert lesson.kept() == {two.id}


def test_connections_are_closed_before_the_machines_are_put_back(lesson: Lesson) -> None:
    """They break with the power."""
    saves.save(lesson.session, "one")
    closed = {name: host.closed for name, host in lesson.hosts.items()}
    saves.restore(lesson.session, "one")
    assert all(host.closed > closed[name] for name, host in lesson.hosts.items())


def test_what_is_left_of_old_points_is_removed(lesson: Lesson) -> None:
    """After a restore too, for a lab that was cut off earlier."""
    saves.save(lesson.session, "one")
    lesson.machines.save("0badcafe")
    saves.restore(lesson.session, "one")
    assert lesson.kept() == {save_points.load(lesson.home, "one").id}


def test_a_failure_to_tidy_does_not_hide_the_cause(lesson: Lesson) -> None:
    """The first error is the one that is told."""
    lesson.bombs["save"] = EnvironmentProblem("the cause")
    lesson.bombs["prune"] = LabError("tidying")
    with pytest.raises(EnvironmentProblem, match="the cause"):
        saves.save(lesson.session, "one")
