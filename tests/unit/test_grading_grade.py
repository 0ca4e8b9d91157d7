"""What attempts come to; and the small course that all tests of grades use."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.exercises.exercise import Exercise, load
from lab.exercises.results import Artefact, Attempt, CheckResult, Marked, Status
from lab.exercises.student import Student, student_key
from lab.grading.grade import EVIDENCE, FORMAT, VALUE, Grade, grade, graded
from lab.grading.signing import HandIn, hand_in
from lab.home import Home

NOW = "2026-05-01T08:00:00+00:00"
SITE = "/etc/nginx/akuma/my.reverse-proxy.conf"
SECRET = "5e" * 32
CHECKS = '''"""Checks."""

from lab import Scene, Wrong, check


@check(points=6)
def answers(scene: Scene) -> None:
    """A web server on akuma answers."""
    if not scene["akuma"].sh("answers").ok:
        raise Wrong("silent", error="refused")


@check(points=4, after=[answers])
def survives(scene: Scene) -> None:
    """It survives a reboot."""
'''
ABOUT = """
version = 2
title = {{ en = "The {name}", id = "Yang {name}" }}
points = 10
minutes = 5
hosts = ["akuma"]
fails = ["answers"]
{more}
"""
FILES = """
[artefacts]
akuma = ["/etc/nginx/akuma/*", "/etc/nginx/nginx.conf"]
[replay]
akuma = "nginx -t && systemctl restart nginx"
"""
SAYINGS = """
[wrong.silent]
expected = "{expected}"
actual = "{error}"
hints = ["a", "b", "c"]
"""
IN_INDONESIAN = '[checks]\nanswers = "Server web menjawab."\nsurvives = "Bertahan."\n'


@pytest.fixture
def exercises(tmp_path: Path) -> tuple[Exercise, ...]:
    """`first`, which is done in files of akuma, and `second`, which is not."""
    made = []
    for number, name in enumerate(("first", "second"), 1):
        folder = tmp_path / "exercises" / f"0{number}-{name}"
        folder.mkdir(parents=True)
        (folder / "exercise.toml").write_text(ABOUT.format(name=name, more=FILES if name == "first" else ""))
        (folder / "checks.py").write_text(CHECKS)
        (folder / "messages.en.toml").write_text(SAYINGS.replace("{expected}", "an answer"))
        (folder / "messages.id.toml").write_text(SAYINGS.replace("{expected}", "sebuah jawaban") + IN_INDONESIAN)
        made.append(load(str(folder)))
    return tuple(made)


def run(*statuses: Status, exercise: str = "first", version: int = 2, full: bool = False) -> Marked:
    """A run of the two checks; a FAIL says `silent`."""
    keys = {Status.FAIL: "silent", Status.SKIP: "needs-full", Status.ERROR: "error", Status.PASS: ""}
    values = {"error": "refused"}
    checks = tuple(
        CheckResult(id, status, points, keys[status], values if status in (Status.FAIL, Status.ERROR) else {})
        for (id, points), status in zip((("answers", 6), ("survives", 4)), statuses, strict=True)
    )
    return Marked(exercise, version, NOW, full, checks)


def attempt(best: Marked | None, **more: object) -> Attempt:
    """A second attempt at `first`, with one file."""
    files = (Artefact("akuma", SITE, "server { listen 80; }\n"),) if best else ()
    return Attempt("first", 2, "ab12", NOW, {"silent": 2}, best=best, artefacts=files, **more)  # type: ignore[arg-type]


PASSED = attempt(run(Status.PASS, Status.PASS))


def student(id: str = "ana", name: str = "Ana Putri") -> Student:
    """A student of the course `devops`."""
    return Student(id, name, "devops", student_key(SECRET, "devops", id))


def ana_grade(exercises: tuple[Exercise, ...], best: Attempt = PASSED, who: Student | None = None) -> Grade:
    """A student's grade with one attempt."""
    return grade(who or student(), exercises, {"first": best}, NOW)


def handed(
    folder: Path, exercises: tuple[Exercise, ...], who: Student | None = None, made: Grade | None = None,
    key_of: str = "",
) -> Path:  # fmt: skip
    """A student's hand-in in a folder, signed with their own key or with the one of another's home."""
    who = who or student()
    home = Home(folder.parent / f"home-{key_of or who.id}")
    home.folder.mkdir(exist_ok=True)
    folder.mkdir(exist_ok=True)
    path = folder / f"grade-{who.id}.json"
    path.write_bytes(hand_in(home, made or ana_grade(exercises, who=who), who))
    return path


def test_what_was_never_started_is_open_and_counts(exercises: tuple[Exercise, ...]) -> None:
    """Its points are possible, none is earned, and every exercise that ships is in the grade."""
    made = grade(student(), exercises, {}, NOW)
    assert [each.state for each in made.exercises] == ["open", "open"]
    assert (made.earned, made.possible) == (0, 20)
    assert (made.format, made.student, made.course) == (FORMAT, "ana", "devops")


def test_a_passed_attempt_earns_its_points(exercises: tuple[Exercise, ...]) -> None:
    """With its number, its hints, its checks and its files."""
    found = graded(exercises[0], PASSED)
    assert (found.state, found.earned, found.possible) == ("passed", 10, 10)
    assert (found.attempt, found.hints, found.at, len(found.checks)) == (2, 2, NOW, 2)
    assert found.artefacts[0].path == SITE


def test_a_check_that_broke_by_our_fault_costs_nothing(exercises: tuple[Exercise, ...]) -> None:
    """Its points can neither be earned nor lost; and it is no pass."""
    found = graded(exercises[0], attempt(run(Status.PASS, Status.ERROR)))
    assert (found.state, found.earned, found.possible) == ("started", 6, 6)


def test_who_looked_at_the_solution_first_earns_nothing(exercises: tuple[Exercise, ...]) -> None:
    """Also when everything passes then."""
    found = graded(exercises[0], attempt(run(Status.PASS, Status.PASS), gave_up=True))
    assert (found.state, found.earned, found.possible) == ("gave-up", 0, 10)
    assert graded(exercises[0], attempt(None, gave_up=True)).state == "gave-up"


def test_a_run_of_another_version_counts_nothing_until_it_is_checked_again(exercises: tuple[Exercise, ...]) -> None:
    """Other checks than today's have seen it: not measured is not passed."""
    found = graded(exercises[0], attempt(run(Status.PASS, Status.PASS, version=1)))
    assert (found.state, found.earned, found.possible, found.version) == ("outdated", 0, 10, 2)


def test_an_attempt_without_a_run_is_started(exercises: tuple[Exercise, ...]) -> None:
    """With nothing earned."""
    found = graded(exercises[0], attempt(None))
    assert (found.state, found.earned, found.checks) == ("started", 0, ())


def test_long_and_odd_evidence_is_made_fit(exercises: tuple[Exercise, ...]) -> None:
    """A page of 64 KiB with an escape sequence in it must not make the teacher refuse the file."""
    odd = CheckResult("answers", Status.FAIL, 6, "silent", {"error": "\x1b[2J" * 500}, "é\x00\n" * 9000)
    found = graded(exercises[0], attempt(Marked("first", 2, NOW, False, (odd,)))).checks[0]
    assert len(found.evidence) == EVIDENCE and len(found.values["error"]) == VALUE
    assert "\x1b" not in found.values["error"] and "\x00" not in found.evidence and "\n" in found.evidence


def test_a_hand_in_has_three_parts(tmp_path: Path, exercises: tuple[Exercise, ...]) -> None:
    """The grade, the public key and the signature; the private key is its owner's alone."""
    import msgspec

    path = handed(tmp_path / "in", exercises)
    found = msgspec.json.decode(path.read_bytes(), type=HandIn)
    assert found.public_key.startswith("ssh-ed25519 ") and "SSH SIGNATURE" in found.signature
    key = tmp_path / "home-ana" / ".lab" / "student" / "key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert b"PRIVATE" not in path.read_bytes() and student().key.encode() not in path.read_bytes()
