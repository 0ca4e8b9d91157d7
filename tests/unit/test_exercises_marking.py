"""The checks run once: four results, each with its reason; what is our fault costs no points and is no pass."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lab.errors import EnvironmentProblem, Result, UsageError
from lab.exercises import exercise as exercise_module
from lab.exercises import marking
from lab.exercises.exercise import Exercise
from lab.exercises.marking import artefacts, mark
from lab.exercises.results import ARTEFACT_BYTES, Marked
from lab.exercises.student import PRACTICE
from lab.home import Home
from lab.machines.protocol import State
from lab.verdict import Outcome
from tests.unit.classroom import CHECKS, MINE, SINCE, Desk, about, made

PASS, FAIL, SKIP, ERROR = "PASS", "FAIL", "SKIP", "ERROR"
HOSTS = about(hosts='["akuma", "voxy"]')


@pytest.fixture
def exercise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Exercise:
    """On akuma and voxy, as one that ships."""
    mine = made(tmp_path, changes={**MINE, "exercise.toml": HOSTS})
    monkeypatch.setattr(exercise_module, "_folders", lambda: [mine.folder])
    return mine


@pytest.fixture
def desk(home: Home) -> Desk:
    """A lab at nothing yet."""
    return Desk(home)


def _run(desk: Desk, exercise: Exercise, **options: Any) -> Marked:
    return mark(desk.session, exercise, PRACTICE, desk.at(exercise), **options)


def _seen(marked: Marked) -> list[tuple[str, str, str]]:
    return [(each.id, str(each.status), each.key) for each in marked.checks]


def test_all_is_well(desk: Desk, exercise: Exercise) -> None:
    """In the order of the exercise; what disturbs the machines is skipped, and says so."""
    run = _run(desk, exercise)
    assert _seen(run) == [
        ("reachable", PASS, ""), ("works", PASS, ""), ("lasts", PASS, ""), ("survives", SKIP, "needs-full"),
    ]  # fmt: skip
    assert (run.exercise, run.version, run.full, run.passed, run.earned, run.possible) == (
        "mine",
        1,
        False,
        True,
        8,
        10,
    )
    assert "survives" not in desk.commands("akuma")


def test_in_full(desk: Desk, exercise: Exercise) -> None:
    """Everything runs."""
    run = _run(desk, exercise, full=True)
    assert _seen(run)[-1] == ("survives", PASS, "") and (run.full, run.earned) == (True, 10)


def test_what_is_wrong(desk: Desk, exercise: Exercise) -> None:
    """Its message by key, the values with the student's own, the evidence; what needs it is skipped and says why."""
    desk.said["works"] = "wrong"
    run = _run(desk, exercise, full=True)
    assert _seen(run)[1:] == [("works", FAIL, "no-token"), ("lasts", SKIP, "needs"), ("survives", PASS, "")]
    _, works, lasts, _ = run.checks
    assert (works.values["status"], works.values["token"]) == ("500", PRACTICE.token("mine"))
    assert (works.evidence, works.earned, lasts.values) == ("works was asked", 0, {"needs": "works"})
    assert "lasts" not in desk.commands("akuma")
    assert (run.earned, run.possible, run.passed) == (2, 10, False)


def test_a_check_that_breaks_is_our_fault(desk: Desk, exercise: Exercise) -> None:
    """ERROR, with what happened; never FAIL, never a pass, no points lost; what needs it is skipped."""
    desk.said["works"] = "bug"
    run = _run(desk, exercise)
    assert _seen(run)[1:] == [("works", ERROR, "error"), ("lasts", SKIP, "needs"), ("survives", SKIP, "needs-full")]
    assert run.checks[1].values == {"error": "ZeroDivisionError: by nought"}
    assert (run.earned, run.possible, run.passed) == (0, 5, False)


@pytest.mark.parametrize(
    "line",
    ["raise KeyError('x')", "raise AssertionError('x')", "raise OSError(5, 'x')", "raise TimeoutError('x')",
     "assert scene is None", "int('x')", "scene['luna']", "raise StopIteration", "scene.no_such_thing()",
     "open('/no/such')", "raise RecursionError", "from lab.errors import UsageError; raise UsageError('x')"],
)  # fmt: skip
def test_any_other_exception_is_an_error(desk: Desk, tmp_path: Path, line: str) -> None:
    """Whatever it is; the checks after it run."""
    text = CHECKS.replace('look(scene, "works")', line)
    run = _run(desk, made(tmp_path, changes={**MINE, "checks.py": text}), full=True)
    assert [each.status for each in run.checks] == [PASS, ERROR, SKIP, PASS]
    assert (run.earned, run.possible) == (2, 5)


def test_ctrl_c_is_no_fault_of_the_check(desk: Desk, tmp_path: Path) -> None:
    """It ends the command."""
    text = CHECKS.replace('look(scene, "works")', "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        _run(desk, made(tmp_path, changes={**MINE, "checks.py": text}))


def test_a_machine_that_lets_nobody_in(desk: Desk, exercise: Exercise) -> None:
    """Is the one thing that is wrong; nothing else is looked at, and nobody is told to start anew."""
    attempt = desk.at(exercise)
    desk.shut("voxy")
    run = mark(desk.session, exercise, PRACTICE, attempt, full=True)
    assert _seen(run) == [
        ("reachable", FAIL, "unreachable"), ("works", SKIP, "needs"), ("lasts", SKIP, "needs"),
        ("survives", SKIP, "needs"),
    ]  # fmt: skip
    assert run.checks[0].values == {"host": "voxy", "error": "the SSH connection broke"}
    assert run.checks[1].values == {"needs": "reachable"}
    assert (run.earned, run.possible, run.passed) == (0, 10, False)


def test_all_machines_off(desk: Desk, exercise: Exercise) -> None:
    """The same; which attempt they are in cannot be known."""
    attempt = desk.at(exercise)
    desk.shut("akuma", "voxy", "zero")
    assert _seen(mark(desk.session, exercise, PRACTICE, attempt))[0] == ("reachable", FAIL, "unreachable")


@pytest.mark.parametrize("state", [State.STOPPED, State.ABSENT])
def test_a_machine_without_power(desk: Desk, exercise: Exercise, state: State) -> None:
    """Is told as such at once; nobody tries to log in to it."""
    attempt = desk.at(exercise)
    desk.machines._states["voxy"] = state
    run = mark(desk.session, exercise, PRACTICE, attempt)
    assert run.checks[0].values == {"host": "voxy", "error": f"voxy is {state}"}
    assert desk.commands("voxy") == [] and {each.status for each in run.checks[1:]} == {SKIP}


def test_a_machine_that_hangs_is_not_reachable(desk: Desk, exercise: Exercise) -> None:
    """It lets us in, and nothing comes back: the same for the student as one that is off."""
    attempt = desk.at(exercise)
    desk.hosts["voxy"].script = {"true": Result("true", 124, "", "not finished after 5 s")}
    assert _seen(mark(desk.session, exercise, PRACTICE, attempt))[0] == ("reachable", FAIL, "unreachable")


def test_machines_at_another_exercise(desk: Desk, exercise: Exercise) -> None:
    """Are not marked: what was found would be of something else. The mend begins it."""
    attempt = desk.at(exercise)
    desk.at(exercise, number=2)
    with pytest.raises(UsageError) as caught:
        mark(desk.session, exercise, PRACTICE, attempt)
    assert str(caught.value) == "the machines are not at mine\n  → lab exercise start mine"
    assert "works" not in desk.commands("akuma")


def test_what_a_check_is_given(desk: Desk, exercise: Exercise, monkeypatch: pytest.MonkeyPatch) -> None:
    """The student's own values, since when the machines are at it, scenarios, and a reboot until all is up."""
    _, check, _ = exercise.checks
    scenes: list[Any] = []
    object.__setattr__(check, "run", scenes.append)  # it is frozen
    _run(desk, exercise)
    (scene,) = scenes
    assert (scene.token, scene.fault, scene.since) == (PRACTICE.token("mine"), "", SINCE)
    monkeypatch.setattr("lab.runner.run", lambda name, *words: SimpleNamespace(verdict=f"{name} held"))
    assert scene.run_scenario("kill-voxy") == "kill-voxy held"

    def cannot(name: str, *words: object) -> None:
        raise EnvironmentProblem("the app on voxy: silent")

    monkeypatch.setattr("lab.runner.run", cannot)
    verdict = scene.run_scenario("kill-voxy")
    assert (verdict.outcome, verdict.reasons) == (Outcome.INCONCLUSIVE, ("the app on voxy: silent",))
    said = iter(["starting\n", "degraded\n"])
    desk.hosts["voxy"].script["is-system-running"] = lambda _: next(said)
    scene.reboot("voxy")
    assert desk.machines.told == ["shut down voxy", "on voxy"]
    assert desk.hosts["voxy"].closed == 1 and desk.hosts["voxy"].waited == [marking.REBOOT_S]
    assert next(said, None) is None


FILES = about() + '[artefacts]\nakuma = ["/etc/nginx/*.conf", "/etc/hosts"]\nvoxy = ["/srv/*"]\n'


@pytest.fixture
def handed_in(tmp_path: Path) -> Exercise:
    """An exercise with files that are the student's work."""
    return made(tmp_path, changes={**MINE, "exercise.toml": FILES})


def _holds(desk: Desk, host: str, listed: str) -> None:
    desk.hosts[host].script |= {"stat -c": listed, "cat ": lambda command: f"text of {command[4:]}"}


def test_the_students_files(desk: Desk, handed_in: Exercise) -> None:
    """By host, as root, each with its path and text; one of more than 64 KiB is left out."""
    most = ARTEFACT_BYTES
    _holds(desk, "akuma", f"5 /etc/nginx/a b.conf\n{most} /etc/nginx/b.conf\n{most + 1} /etc/nginx/c.conf\n")
    found = artefacts(desk.session, handed_in)
    assert [(each.host, each.path) for each in found] == [
        ("akuma", "/etc/nginx/a b.conf"),
        ("akuma", "/etc/nginx/b.conf"),
    ]
    assert found[0].text == "text of '/etc/nginx/a b.conf'"
    assert all(ran.root for ran in desk.hosts["akuma"].ran) and len(desk.commands("voxy")) == 1


def test_no_more_than_forty_files(desk: Desk, handed_in: Exercise) -> None:
    """Whoever makes a thousand hands in the first."""
    _holds(desk, "voxy", "".join(f"1 /srv/{n}\n" for n in range(1000)))
    assert [each.path for each in artefacts(desk.session, handed_in)] == [f"/srv/{n}" for n in range(40)]


def test_what_is_no_text_is_left_out(desk: Desk, handed_in: Exercise) -> None:
    """It could not be put back as it was."""
    _holds(desk, "voxy", "1 /srv/a\n")
    desk.hosts["voxy"].script["cat "] = "\ufffd\ufffd"
    assert artefacts(desk.session, handed_in) == ()
