"""Whether what a hand-in says can be: its lengths, names, paths and sums. A function a part, each gives one sentence.

Everything here was written by somebody else. An empty sentence means that nothing is wrong with that part.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

from lab.exercises.exercise import Exercise
from lab.exercises.results import ARTEFACT_BYTES, ARTEFACTS, Artefact, CheckResult, Marked, Status
from lab.grading.grade import EVIDENCE, FORMAT, VALUE, Grade, Graded
from lab.grading.hostile import is_plain, plain

CHECKS = 100
VALUES = 60
LINE = 200
PATH = 255
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_CHECK = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,79}")
_PROOF = re.compile(r"(?:[0-9a-f]{64})?")


def fault_of(grade: Grade, exercises: Iterable[Exercise]) -> str:
    """What is wrong with a grade, in one sentence; empty when nothing is."""
    shipped = {exercise.id: exercise for exercise in exercises}
    if fault := _fault_of_head(grade):
        return fault
    seen: set[str] = set()
    for graded in grade.exercises:
        if graded.id not in shipped:
            return f"there is no exercise {plain(graded.id, 60)!r} in this lab; use the version that it was made with"
        if graded.id in seen:
            return f"{graded.id} is in it twice"
        seen.add(graded.id)
        if fault := _fault_of_exercise(graded, shipped[graded.id]):
            return f"{graded.id}: {fault}"
    return ""


def _fault_of_head(grade: Grade) -> str:
    if grade.format != FORMAT:
        return f"is of the format {plain(grade.format, 40)!r}; this lab reads {FORMAT}"
    if not _ID.fullmatch(grade.student):
        return f"{plain(grade.student, 60)!r} is no student's id"
    for what, text in (("name", grade.name), ("course", grade.course), ("version of the lab", grade.lab_version)):
        if len(text) > LINE or not is_plain(text):
            return f"the {what} is longer than {LINE} characters, or has a character that does not show"
    if not _is_time(grade.made_at):
        return "made_at is no time in UTC, as 2026-05-01T08:00:00+00:00"
    return "" if _PROOF.fullmatch(grade.proof) else "the proof is not 64 hexadecimal digits"


def _fault_of_exercise(graded: Graded, exercise: Exercise) -> str:
    if not (0 <= graded.version <= 10**6 and 0 <= graded.attempt <= 10**6 and 0 <= graded.hints <= 10**6):
        return "its version, attempt or number of hints is no sensible number"
    if any(len(text) > LINE or not is_plain(text) for text in (graded.title.en, graded.title.id)):
        return "its title is too long, or has a character that does not show"
    if graded.at and not _is_time(graded.at):
        return "the time of its checks is no time in UTC"
    return (
        next(filter(None, map(_fault_of_check, graded.checks)), "")
        or _fault_of_checks(graded)
        or _fault_of_points(graded, exercise)
        or _fault_of_artefacts(graded.artefacts, exercise)
    )


def _fault_of_checks(graded: Graded) -> str:
    if len(graded.checks) > CHECKS:
        return f"it has more than {CHECKS} checks"
    twice = len({check.id for check in graded.checks}) < len(graded.checks)
    return "a check is in it twice" if twice else ""


def _fault_of_check(check: CheckResult) -> str:
    name = plain(check.id, 80)
    if not _CHECK.fullmatch(check.id):
        return f"{name!r} is no name of a check"
    if not 0 <= check.points <= 1000:
        return f"{name}: {check.points} is no number of points"
    if not 0 <= check.seconds <= 10**6:
        return f"{name}: {check.seconds:g} is no number of seconds"
    if len(check.key) > LINE or not is_plain(check.key):
        return f"{name}: its message's key is too long, or has a character that does not show"
    if len(check.evidence) > EVIDENCE or not is_plain(check.evidence, lines=True):
        return f"{name}: its evidence is longer than {EVIDENCE} characters, or has a character that does not show"
    if len(check.values) > VALUES:
        return f"{name}: it has more than {VALUES} values"
    for key, value in check.values.items():
        if len(key) > LINE or len(value) > VALUE or not is_plain(key) or not is_plain(value, lines=True):
            return f"{name}: a value is longer than {VALUE} characters, or has a character that does not show"
    return ""


def _fault_of_points(graded: Graded, exercise: Exercise) -> str:
    """The sums must agree with the checks, and with the exercise when it is the same version."""
    counts = graded.state in ("started", "passed")
    run = Marked(graded.id, graded.version, graded.at, graded.full, graded.checks)
    earned = run.earned if counts else 0
    if graded.earned != earned:
        return f"it claims {graded.earned} points, and its checks give {earned}"
    if (graded.state == "passed") != (counts and run.passed):
        return f"it is called {graded.state!r}, and its checks say otherwise"
    if not 0 <= graded.earned <= graded.possible <= 1000:
        return f"{graded.earned} of {graded.possible} points cannot be"
    if graded.version != exercise.about.version or graded.state == "outdated":
        return ""
    broken = sum(check.points for check in graded.checks if check.status is Status.ERROR)
    if graded.checks and sum(check.points for check in graded.checks) != exercise.about.points:
        return f"its checks are not worth the {exercise.about.points} points of the exercise"
    if graded.possible != exercise.about.points - broken:
        return f"{graded.possible} possible points are not the exercise's"
    return ""


def _fault_of_artefacts(artefacts: tuple[Artefact, ...], exercise: Exercise) -> str:
    if len(artefacts) > ARTEFACTS:
        return f"it has more than {ARTEFACTS} files"
    if len({(each.host, each.path) for each in artefacts}) < len(artefacts):
        return "a file is in it twice"
    for each in artefacts:
        if fault := fault_of_artefact(each, exercise):
            return fault
    return ""


def fault_of_artefact(artefact: Artefact, exercise: Exercise) -> str:
    """Why a file must not be put on a machine; empty when it may."""
    host, path = artefact.host, artefact.path
    if host not in exercise.about.artefacts or host not in exercise.about.hosts:
        return f"no file of this exercise belongs on {plain(host, 60)!r}"
    if len(path) > PATH or not is_plain(path):
        return f"the path {plain(path, 60)!r} is too long, or has a character that does not show"
    if not path.startswith("/") or path.startswith("//") or posixpath.normpath(path) != path or ".." in path.split("/"):
        return f"the path {plain(path, 100)!r} is not absolute and plain"
    if not any(matches(path, pattern) for pattern in exercise.about.artefacts[host]):
        return f"the file {plain(path, 100)!r} is none that this exercise asks for on {host}"
    size = len(artefact.text.encode())
    return f"the file {path} has {size} bytes; {ARTEFACT_BYTES} are the most" if size > ARTEFACT_BYTES else ""


def matches(path: str, pattern: str) -> bool:
    """Whether a path is as a pattern says; no wildcard stands for a slash."""
    parts, wanted = path.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(map(fnmatchcase, parts, wanted))


def _is_time(text: str) -> bool:
    try:
        found = datetime.fromisoformat(text) if len(text) <= 40 and text.isascii() else None
    except ValueError:
        return False
    return found is not None and found.utcoffset() == timedelta() and found > datetime(2000, 1, 1, tzinfo=UTC)
