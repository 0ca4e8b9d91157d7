"""Puts the machines into the starting state of an exercise, from whatever state they are in.

The hosts that the exercise names are made anew from their box, which takes a second, so that nothing that was done
to them before counts. Machines that were there already have no box: what is known to have been done to them is undone,
and what a box has is brought about again. Then come its stage, the application's repository and its own setup. Last of
all each host gets a mark that says which attempt it is in.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from lab import content
from lab.apps.profile import resolve
from lab.apps.source import Source, obtain
from lab.context import context_for
from lab.errors import CommandFailed, HostUnreachable
from lab.events import phase
from lab.exercises import own_computer
from lab.exercises.exercise import Exercise, Script
from lab.exercises.results import Artefact
from lab.exercises.student import Student
from lab.host import Host
from lab.ledger import Ledger
from lab.machines.capabilities import Capability
from lab.machines.protocol import Cleaner
from lab.offline import guarded
from lab.parallel import workers
from lab.power import refuse_absent
from lab.provisioning import provision
from lab.session import Session
from lab.steps import Step
from lab.topology import Role
from lab.up import ProvisionFailed

MARK = "/var/lib/lab/exercise.json"
REPOSITORY = "/srv/git/hello.git"
APP = "hello"
SCRIPT_S = 180


@dataclass(frozen=True)
class Repository:
    """The application can be cloned from a bare repository on the host."""

    bundle: Path
    branch: str
    user: str
    title: str = f"repository {REPOSITORY}"

    def is_met(self, host: Host) -> bool:
        """It is there."""
        return host.run("test -d %s", REPOSITORY, check=False).ok

    def apply(self, host: Host) -> None:
        """Clone it from the bundle, without an origin; it is the user's, for git clones only from one's own."""
        packed = "/var/tmp/lab-repository.bundle"
        host.put(self.bundle, packed)
        host.run(
            "git clone -q --bare -b %s %s %s && rm -f %s && git -C %s remote remove origin && chown -R %s: %s",
            self.branch, packed, REPOSITORY, packed, REPOSITORY, self.user, REPOSITORY, root=True,
        )  # fmt: skip


def stage(session: Session, exercise: Exercise, student: Student, attempt: str) -> None:
    """Bring the starting state about. Everything on the exercise's hosts is lost.

    Args:
        session: with the student's own lab.
        exercise: what is to be started.
        student: whose domain, port, token and fault it gets.
        attempt: the id that the hosts are marked with.

    Raises:
        UsageError: the lab lacks a host, or the machines cannot do what the exercise needs; nothing was touched.
        LabError: what failed; the next call begins from nothing again.
    """
    exercise.require_hosts(session.lab)
    exercise.require_capable(session.machines.capabilities)
    names = exercise.about.hosts
    refuse_absent(session, names)
    renew(session, names)
    with phase(session.listener, "stage", exercise.about.stage):
        _provision(session, exercise)
    with phase(session.listener, "setup", exercise.id):
        run_scripts(session, exercise, student, exercise.setup, root=True)
        mark = {"exercise": exercise.id, "attempt": attempt, "since": time.time()}
        for name in names:
            session.host(name).put(json.dumps(mark).encode(), MARK)


def renew(session: Session, names: tuple[str, ...]) -> None:
    """Make hosts anew from their box, and wait until they let us in; what was injected into them goes with them.

    Raises:
        LabError: what failed; doing it again begins from nothing.
    """
    with phase(session.listener, "machines anew", ", ".join(names)):
        _forget_faults(session, names)
        _renew(session, names)


def staged(session: Session, exercise: Exercise, attempt: str) -> float | None:
    """Since when the exercise's machines have been in this attempt, in Unix time; None when they are not.

    A host that lets nobody in says nothing; the others do.
    """
    since = None
    for name in exercise.about.hosts:
        try:
            found = json.loads(session.host(name).run("cat %s", MARK, check=False).stdout)
            if found["attempt"] != attempt:
                return None
            since = float(found["since"])
        except HostUnreachable:
            continue
        except (ValueError, KeyError, TypeError):
            return None
    return since


def run_scripts(
    session: Session, exercise: Exercise, student: Student, scripts: Iterable[Script], *, root: bool = False
) -> None:
    """Run an exercise's scripts, one after the other, each on its host.

    Raises:
        CommandFailed: one ended with another code than 0.
    """
    env = environment(session, exercise, student)
    for script in scripts:
        if script.host == own_computer.OWN_COMPUTER:
            own_computer.run(session, script.text)
            continue
        target = f"/tmp/lab-{exercise.id}.sh"
        host = session.host(script.host)
        host.put(script.text.encode(), target, mode="755")
        done = host.run(
            "cd && bash -euo pipefail %s; code=$?; sudo -n rm -f %s; exit $code", target, target,
            root=root, check=False, env=env, timeout_s=SCRIPT_S,
        )  # fmt: skip
        if not done.ok:
            raise CommandFailed(f"{exercise.id}, {script.host}", done, "mend the exercise's script")


def put_files(session: Session, exercise: Exercise, files: Iterable[Artefact]) -> tuple[str, ...]:
    """Put a student's files in place, and run the exercise's commands that make them known; what these complained of.

    A command's failure is the student's: the checks will show it.
    """
    for file in files:
        session.host(file.host).put(file.text.encode(), file.path, mode="644", owner="root:root")
    said = []
    for name, command in exercise.about.replay.items():
        try:
            done = session.host(name).run(command, root=True, check=False, timeout_s=SCRIPT_S)
        except HostUnreachable as fault:
            said.append(f"{name}: {fault.message}")
            continue
        if not done.ok:
            said.append(f"{name}: {(done.last_lines.splitlines() or [f'exit code {done.code}'])[-1]}")
    return tuple(said)


def environment(session: Session, exercise: Exercise, student: Student) -> dict[str, str]:
    """What the scripts get: DOMAIN, PORT, TOKEN, FAULT, and each host's address by its name in capitals."""
    return {name.upper(): value for name, value in exercise.values(session.lab, student).items()}


def _forget_faults(session: Session, names: tuple[str, ...]) -> None:
    """What was injected into a host goes with it."""
    ledger = Ledger(session.home)
    for entry in ledger.entries():
        if entry.host in names:
            ledger.remove(entry)


def _renew(session: Session, names: tuple[str, ...]) -> None:
    def anew(name: str) -> None:
        session.host(name).close()
        if isinstance(session.machines, Cleaner) and Capability.RENEW not in session.machines.capabilities:
            session.machines.clean(name)
        else:
            session.machines.renew(name)

    def reached(name: str) -> None:
        session.reachable_host(name, session.boot_s)

    with workers(len(names)) as pool:
        for done in [pool.submit(anew, name) for name in names]:
            done.result()
        session.record_targets()  # a virtual machine that was destroyed has another port and host key
        for done in [pool.submit(reached, name) for name in names]:
            done.result()


def _provision(session: Session, exercise: Exercise) -> None:
    """The hosts' states at the stage, and the repository."""
    source = obtain(resolve(APP))
    plan = {name: tuple(guarded(session.lab, _steps(session, exercise, source, name))) for name in exercise.about.hosts}
    reports = provision(plan, session.host, session.listener)
    failed = [report.error for report in reports if not report.ok]
    if failed:
        raise ProvisionFailed("\n".join(failed), "mend the cause, then start the exercise again")


def _steps(session: Session, exercise: Exercise, source: Source, name: str) -> Iterable[Step]:
    context = context_for(session.lab, source)
    host = session.lab[name]
    about = exercise.about
    whole = about.stage == "site" or (about.stage == "apps" and host.is_a(Role.BACKEND))
    roles = host.roles if about.stage == "site" else (Role.BACKEND,)
    if Capability.RENEW not in session.machines.capabilities:
        yield from content.load("provision").box_plan(context)
    if whole:
        yield from content.load("provision").plan(context, replace(host, roles=roles))
    else:
        yield from content.load("provision").base.every_host(context, host)
    if about.repository:
        yield Repository(source.bundle, source.branch, session.lab.app.user)
