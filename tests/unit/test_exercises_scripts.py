"""An exercise's scripts on their hosts, and the mark that tells which attempt a host is in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lab.errors import CommandFailed, Result
from lab.exercises.exercise import Exercise, Script
from lab.exercises.results import Artefact
from lab.exercises.staging import MARK, SCRIPT_S, put_files, run_scripts, staged
from lab.exercises.student import PRACTICE, Student
from lab.home import Home
from tests.unit.classroom import MINE, SINCE, Desk, about, made

ANA = Student("ana", key="ab" * 32)
SCRIPT = (Script("voxy", "echo $TOKEN\n"),)


@pytest.fixture
def exercise(tmp_path: Path) -> Exercise:
    """On three hosts, with a fault."""
    changed = about(hosts='["akuma", "voxy", "zero"]', faults='["amber", "blue"]')
    return made(tmp_path, changes={**MINE, "exercise.toml": changed})


@pytest.fixture
def lab(home: Home) -> Desk:
    """Ana's own."""
    made = Desk(home)
    made.session.lab = ANA.own(made.lab)
    return made


@pytest.mark.parametrize("root", [True, False])
def test_a_script_is_put_run_and_taken_away(lab: Desk, exercise: Exercise, root: bool) -> None:
    """By bash, which ends at the first fault; as root or as who logs in; within three minutes."""
    run_scripts(lab.session, exercise, ANA, SCRIPT, root=root)
    voxy = lab.hosts["voxy"]
    assert voxy.files == {"/tmp/lab-mine.sh": b"echo $TOKEN\n"} and voxy.modes["/tmp/lab-mine.sh"][0] == "755"
    (ran,) = voxy.ran
    assert ran.command == (
        "cd && bash -euo pipefail /tmp/lab-mine.sh; code=$?; sudo -n rm -f /tmp/lab-mine.sh; exit $code"
    )
    assert (ran.root, ran.timeout_s) == (root, SCRIPT_S)


def test_what_a_script_is_told(lab: Desk, exercise: Exercise) -> None:
    """The student's own values and the hosts' addresses, in capitals."""
    run_scripts(lab.session, exercise, ANA, SCRIPT)
    own = lab.session.lab
    assert lab.hosts["voxy"].ran[0].env == {
        "DOMAIN": own.domain, "PORT": str(own.app.port), "TOKEN": ANA.token("mine"),
        "FAULT": ANA.choice("mine", ("amber", "blue")),
        "AKUMA": "192.168.56.10", "VOXY": "192.168.56.11", "ZERO": "192.168.56.12",
    }  # fmt: skip
    assert own.domain != "akuma.xyz" and own.app.port != 3000


def test_scripts_run_one_after_the_other(lab: Desk, exercise: Exercise) -> None:
    """Also what is done on the student's own computer between two of them."""
    when: list[list[str]] = []
    lab.hosts["akuma"].script["bash"] = lambda _: str(when.append(list(lab.machines.told)))  # type: ignore[func-returns-value]  # it is remembered
    scripts = (Script("akuma", "true"), Script("lab", "lab halt --force zero\n"), Script("akuma", "true"))
    run_scripts(lab.session, exercise, ANA, scripts)
    assert when == [[], ["cut zero"]]


def test_a_script_that_fails_names_exercise_and_host(lab: Desk, exercise: Exercise) -> None:
    """With what it said last; those after it are not run."""
    lab.hosts["voxy"].script["bash"] = Result("bash", 7, "", "nginx: not found")
    with pytest.raises(CommandFailed) as caught:
        run_scripts(lab.session, exercise, ANA, (*SCRIPT, Script("zero", "true")))
    said = str(caught.value)
    assert said.startswith("mine, voxy: ") and "ended with exit code 7" in said
    assert "| nginx: not found" in said and "→ mend the exercise's script" in said
    assert lab.hosts["zero"].ran == []


def test_files_are_put_in_place_and_made_known(lab: Desk, exercise: Exercise) -> None:
    """Root's, and then the exercise's command by host, as root; what it complains of is the student's, in a line."""
    files = (Artefact("akuma", "/etc/nginx/a.conf", "a"), Artefact("zero", "/srv/b", "b"))
    replayed = replace(exercise, about=replace(exercise.about, replay={"akuma": "nginx -t", "zero": "true"}))
    lab.hosts["akuma"].script["nginx -t"] = Result("nginx -t", 1, "", "nginx: [emerg] a\nnginx: test failed\n")
    assert put_files(lab.session, replayed, files) == ("akuma: nginx: test failed",)
    assert lab.hosts["akuma"].files == {"/etc/nginx/a.conf": b"a"} and lab.hosts["zero"].files == {"/srv/b": b"b"}
    assert lab.hosts["akuma"].modes["/etc/nginx/a.conf"] == ("644", "root:root")
    assert [(ran.command, ran.root) for ran in lab.hosts["zero"].ran] == [("true", True)]


def test_a_command_that_says_nothing_or_never_ran(lab: Desk, exercise: Exercise) -> None:
    """Is told by its exit code, or by why the host could not be asked; the other hosts get theirs."""
    commands = {"akuma": "false", "voxy": "true", "zero": "true"}
    replayed = replace(exercise, about=replace(exercise.about, replay=commands))
    lab.hosts["akuma"].script["false"] = 3
    lab.shut("voxy")
    assert put_files(lab.session, replayed, ()) == ("akuma: exit code 3", "voxy: the SSH connection broke")
    assert lab.commands("zero") == ["true"]


def test_machines_in_the_attempt(lab: Desk, exercise: Exercise) -> None:
    """Since when they are; of another attempt, or after `lab up`, they are not."""
    assert staged(lab.session, exercise, "a1") is None
    lab.stage(lab.session, exercise, None, "a1")
    assert staged(lab.session, exercise, "a1") == SINCE
    assert staged(lab.session, exercise, "a2") is None


def test_a_host_that_lets_nobody_in_says_nothing(lab: Desk, exercise: Exercise) -> None:
    """The others do; when nobody does, it is not known."""
    lab.stage(lab.session, exercise, None, "a1")
    lab.shut("akuma")
    assert staged(lab.session, exercise, "a1") == SINCE
    lab.shut("voxy", "zero")
    assert staged(lab.session, exercise, "a1") is None


def test_all_hosts_are_in_it_or_none(lab: Desk, exercise: Exercise) -> None:
    """An exercise of voxy alone made voxy anew: the work of this one is gone, though akuma still bears its mark."""
    lab.stage(lab.session, exercise, None, "a1")
    del lab.hosts["voxy"].files[MARK]
    assert staged(lab.session, exercise, "a1") is None


@pytest.mark.parametrize(
    "mark", [b"", b"{", b"[]", b"{}", b'{"attempt": "a1"}', b'{"attempt": "a1", "since": null}', b"3", b'"a1"', b"\xff"]
)
def test_a_damaged_mark_is_none(lab: Desk, exercise: Exercise, mark: bytes) -> None:
    """A student is root on the host; what they wrote there breaks nothing."""
    for host in lab.hosts.values():
        host.files[MARK] = mark
        host.script[f"cat {MARK}"] = mark.decode(errors="replace")
    assert staged(lab.session, exercise, "a1") is None


def test_the_mark_is_for_everybody_to_read(lab: Desk, exercise: Exercise) -> None:
    """It is asked for by who logs in."""
    lab.stage(lab.session, exercise, None, "a1")
    staged(lab.session, exercise, "a1")
    assert [ran.root for ran in lab.hosts["akuma"].ran] == [False]


def test_practice_is_told_the_labs_own(home: Home, exercise: Exercise) -> None:
    """Domain and port as in the topology."""
    lab = Desk(home)
    run_scripts(lab.session, exercise, PRACTICE, SCRIPT)
    env = lab.hosts["voxy"].ran[0].env
    assert (env["DOMAIN"], env["PORT"], env["FAULT"]) == ("akuma.xyz", "3000", "amber")
