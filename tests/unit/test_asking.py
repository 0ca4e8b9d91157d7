"""Many states asked at once: the same answers as one by one, and none that is guessed."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.asking import foreseen
from lab.errors import Result
from lab.events import silent
from lab.provisioning import provision
from lab.steps import Step, command, file, line, packages
from tests.fakes import FakeHost, LocalHost


@pytest.fixture
def steps(tmp_path: Path) -> list[Step]:
    """Some that are met and some that are not, with what could disturb the answers."""
    there = tmp_path / "there's one"
    there.write_text("a line without an end")
    return [
        command("met, with words", "false", unless="echo --lab-answer-9--; printf 'no end'; true"),
        command("not met", "false", unless="echo no >&2; exit 3"),
        command("reads its input", "false", unless="test -z \"$(cat)\""),
        command("sees its variable", "false", unless='test "$COLOUR" = "it\'s blue"', env={"COLOUR": "it's blue"}),
        line(str(there), "a line without an end", after=""),
        line(str(there), "another", after=""),
        packages("no-such-package-here"),
    ]  # fmt: skip


def test_asked_at_once_is_as_asked_alone(steps: list[Step]) -> None:
    """Whatever an answer says, reads or prints."""
    host = LocalHost()
    assert foreseen(steps, host) == {place: step.is_met(host) for place, step in enumerate(steps)}
    assert list(foreseen(steps, host).values()) == [True, False, True, True, True, False, False]


def test_it_is_one_round_trip(steps: list[Step]) -> None:
    """As root, for the user that logs in may read less."""
    host = FakeHost()
    foreseen(steps, host)
    assert [each.root for each in host.ran] == [True]


def test_a_state_of_another_user_is_asked_as_that_user() -> None:
    """In a login environment, as alone."""
    host = FakeHost()
    asked = [command("a", "false", unless="id", user="vagrant"), command("b", "false", unless="id")]
    foreseen(asked, host)
    first, second = host.ran[0].command.splitlines()
    assert first.startswith("sudo -n -H -u vagrant -- bash -lc id 2>/dev/null </dev/null; printf ")
    assert second.startswith("sh -c id 2>/dev/null </dev/null; printf ")


@pytest.mark.parametrize("said", ["", "\n--lab-answer-0--\n", Result("", 1, "", "sudo: a password is required")])
def test_answers_that_do_not_match_foresee_nothing(steps: list[Step], said: str | Result) -> None:
    """Each step is asked by itself then."""
    assert foreseen(steps, FakeHost(script={"lab-answer": said})) == {}


def test_a_step_of_another_kind_is_asked_alone(steps: list[Step]) -> None:
    """A step needs no question: is_met is enough."""

    class Own:
        title = "own"

        def is_met(self, host: object) -> bool:
            return True

    assert set(foreseen([Own(), *steps], LocalHost())) == set(range(1, len(steps) + 1))


def test_after_a_change_nothing_is_foreseen_any_more(tmp_path: Path) -> None:
    """The second step's state is brought about by the first; the third is undone by it."""
    one, two = tmp_path / "one", tmp_path / "two"
    two.write_text("")
    plan = [
        command("met", "false", unless="true"),
        command("one", f"touch {one} && rm {two}", unless=f"test -e {one}"),
        command("one is there", "exit 9", unless=f"test -e {one}"),
        command("two", f"touch {two}", unless=f"test -e {two}"),
    ]
    (report,) = provision({"voxy": plan}, LocalHost, silent)
    assert (report.ok, report.changed) == (True, 2)
    assert two.exists()


def test_a_second_provision_is_one_question_a_host(tmp_path: Path) -> None:
    """Where nothing is to be changed, nothing else is run."""
    script = "".join("text\n--lab-answer-0--\n" for _ in range(3))
    host = FakeHost(script={"lab-answer": script})
    plan = [command(name, "false", unless="true") for name in ("a", "b", "c")]
    (report,) = provision({"voxy": plan}, lambda name: host, silent)
    assert (report.ok, report.changed, len(host.ran)) == (True, 0, 1)


def test_a_file_is_asked_for_its_digest(tmp_path: Path) -> None:
    """Content that differs is a difference, also in one question with others."""
    path = tmp_path / "file"
    path.write_text("old\n")
    assert foreseen([file(str(path), "new\n"), command("x", "x", unless="true")], LocalHost()) == {0: False, 1: True}
