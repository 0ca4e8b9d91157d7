"""Runs the checks of an exercise against the machines, and says what each found.

A check that ends in anything but a return or `Wrong` is our fault: ERROR, which costs no points and is no pass.
"""

from __future__ import annotations

from time import monotonic

from lab import power
from lab.errors import CommandFailed, EnvironmentProblem, HostUnreachable, UsageError
from lab.exercises.checks import Check, Wrong
from lab.exercises.exercise import Exercise
from lab.exercises.messages import REACHABLE
from lab.exercises.progress import now
from lab.exercises.results import (
    ARTEFACT_BYTES,
    ARTEFACTS,
    ERROR,
    NEEDS,
    NEEDS_FULL,
    Artefact,
    Attempt,
    CheckResult,
    Marked,
    Status,
)
from lab.exercises.scene import Scene
from lab.exercises.staging import staged
from lab.exercises.student import Student
from lab.machines.protocol import State
from lab.session import Session
from lab.verdict import Evidence, Verdict
from lab.waiting import wait_for

REBOOT_S = 120


def mark(
    session: Session, exercise: Exercise, student: Student, attempt: Attempt, *, full: bool = False
) -> Marked:  # fmt: skip
    """Run the checks, each after those that it depends on.

    Args:
        session: with the student's own lab.
        exercise: whose checks.
        student: whose token and fault they look for.
        attempt: the machines must be in it.
        full: whether to run the disruptive ones too.

    Raises:
        UsageError: the machines are not in this attempt.
    """
    results: dict[str, CheckResult] = {}

    def take(result: CheckResult) -> bool:
        results[result.id] = result
        return result.status is Status.PASS

    is_open = take(_reachable(session, exercise))
    since = staged(session, exercise, attempt.id) if is_open else None
    if since is None and is_open:
        raise UsageError(f"the machines are not at {exercise.id}", f"lab exercise start {exercise.called}")
    scene = _scene(session, exercise, student, since or 0.0)
    values = exercise.values(session.lab, student)
    for check in exercise.checks:
        needs = (REACHABLE, *check.after)
        missing = next((id for id in needs if results[id].status is not Status.PASS), "")
        if missing:
            take(CheckResult(check.id, Status.SKIP, check.points, NEEDS, {"needs": missing}))
        elif check.full and not full:
            take(CheckResult(check.id, Status.SKIP, check.points, NEEDS_FULL))
        else:
            take(_run(check, scene, values))
    return Marked(exercise.id, exercise.about.version, now(), full, tuple(results.values()))


def artefacts(session: Session, exercise: Exercise) -> tuple[Artefact, ...]:
    """The student's files, as the exercise names them: at most 40; no links, nothing but text of at most 64 KiB.

    Raises:
        HostUnreachable: a host lets nobody in.
    """
    found = []
    for name, patterns in exercise.about.artefacts.items():
        host = session.host(name)
        words = " ".join(patterns)
        listed = host.run(
            f'for f in {words}; do test -f "$f" && test ! -L "$f" && stat -c \'%s %n\' "$f"; done; true', root=True
        ).stdout.splitlines()[:ARTEFACTS]
        for line in listed:
            size, _, path = line.partition(" ")
            if size.isdigit() and int(size) <= ARTEFACT_BYTES:
                read = host.run("cat %s", path, root=True, check=False)
                if read.ok and "\ufffd" not in read.stdout:  # a name with a line in it is none that we can read
                    found.append(Artefact(name, path, read.stdout))
    return tuple(found)


def _reachable(session: Session, exercise: Exercise) -> CheckResult:
    began = monotonic()
    states = session.machines.states()
    for name in exercise.about.hosts:
        try:
            if states[name] is not State.RUNNING:
                raise HostUnreachable(f"{name} is {states[name]}")
            session.host(name).run("true", timeout_s=5)
        except (HostUnreachable, CommandFailed) as fault:  # it is off, or hangs
            values = {"host": name, "error": fault.message}
            return CheckResult(REACHABLE, Status.FAIL, 0, "unreachable", values, seconds=monotonic() - began)
    return CheckResult(REACHABLE, Status.PASS, 0, seconds=monotonic() - began)


def _run(check: Check, scene: Scene, values: dict[str, str]) -> CheckResult:
    began = monotonic()
    try:
        check.run(scene)
    except Wrong as wrong:
        told = values | wrong.values
        return CheckResult(
            check.id, Status.FAIL, check.points, wrong.key, told, wrong.evidence, seconds=monotonic() - began
        )
    except Exception as fault:
        told = {"error": f"{type(fault).__name__}: {fault}"}
        return CheckResult(check.id, Status.ERROR, check.points, ERROR, told, seconds=monotonic() - began)
    return CheckResult(check.id, Status.PASS, check.points, seconds=monotonic() - began)


def _scene(session: Session, exercise: Exercise, student: Student, since: float) -> Scene:
    def scenario(name: str) -> Verdict:
        from lab import scenario as scenarios
        from lab.runner import Options, run

        wanted = scenarios.playable(scenarios.load(name), session.machines.capabilities)
        try:
            return run(name, wanted, session, Options()).verdict
        except EnvironmentProblem as fault:  # as a backend that does not serve: nothing can be concluded
            return Verdict(name, (Evidence(fault.message, None, "", 0, None, "", gate=True),))

    def reboot(name: str) -> None:
        power.restart(session, name)
        session.reachable_host(name, REBOOT_S)
        wait_for(
            f"the services of {name}", lambda: _settled(session, name), within_s=REBOOT_S, every_s=0.2,
        )  # fmt: skip

    return Scene(
        session.lab, session.host, token=student.token(exercise.id),
        fault=student.choice(exercise.id, exercise.about.faults), since=since, scenarios=scenario, reboots=reboot,
    )  # fmt: skip


def _settled(session: Session, name: str) -> bool:
    said = session.host(name).run("systemctl is-system-running", check=False).stdout.strip()
    return said in ("running", "degraded")
