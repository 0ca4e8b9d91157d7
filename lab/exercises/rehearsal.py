"""Tries an exercise on real machines, as rustlings tries its own: `lab exercise test`.

The starting state fails exactly the checks that it says, the solution passes all of them, twice; each mistake is
caught by the check and the message that it names; a reset is the same as a start; where the exercise names files, the
solution's are enough on clean machines; other students' domain, port, token and fault work like the practice's.
Nothing of it touches the progress of whoever runs it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from time import monotonic
from uuid import uuid4

from lab.errors import LabError
from lab.exercises.exercise import Exercise, Mistake
from lab.exercises.lint import lint
from lab.exercises.marking import artefacts, mark
from lab.exercises.progress import now
from lab.exercises.results import Artefact, Attempt, Marked, Status
from lab.exercises.staging import put_files, run_scripts, stage
from lab.exercises.student import PRACTICE, Student
from lab.parallel import workers
from lab.session import Session

NAMES = ("ayu", "budi", "citra", "dewi", "eka", "fajar", "gita", "hadi", "indah", "joko", "kartika", "lukman")
AT_LEAST = 2
"""So many students besides the practice; more where an exercise has faults that these do not have."""

_STATE = r"""
find /etc /var/www /srv /usr/local/bin /home -xdev -type f -not -path '*/node_modules/*' -not -path '*/.pm2/*' \
    -not -path '*/.git/*' -not -path '/srv/git/*' -not -path /etc/machine-id -print0 | sort -z | xargs -0 sha256sum
find /etc /home /var/www -xdev -type l -printf '%p -> %l\n' | sort
find /etc /home /var/www -xdev -printf '%m %u:%g %p\n' | grep -v -e /.pm2/ -e /.git/ | sort
ss -Hltn | awk '{print $4}' | sort
systemctl list-units --plain --no-legend --state=running 'nginx*' 'pm2*' | awk '{print $1, $4}'
systemctl list-unit-files --no-legend --state=enabled | awk '{print $1}'
dpkg-query -W -f '${Package} ${Version} ${Status}\n'
nft list ruleset
"""
"""What makes two states of a host the same for a student."""


@dataclass(frozen=True)
class Finding:
    """One thing that was tried.

    Attributes:
        exercise: whose.
        what: as "the solution passes, twice".
        ok: whether it was as it shall be.
        seen: what was otherwise; empty when it was.
        seconds: how long it took.
    """

    exercise: str
    what: str
    ok: bool
    seen: str
    seconds: float


def rehearse(session: Session, exercise: Exercise) -> Iterator[Finding]:
    """Try an exercise in full. The caller holds the lab's lock; the machines are left in its starting state."""
    faults = lint(exercise, session.lab)
    yield Finding(exercise.id, "its files fit together", not faults, "\n".join(faults), 0.0)
    if faults:
        return
    rehearsal = _Rehearsal(session, exercise, PRACTICE)
    yield rehearsal.begin()
    state = rehearsal.state()
    yield _tried(exercise, "solution passes, twice", partial(rehearsal.solution, full=True))
    files = artefacts(session, exercise)
    solved = True
    for mistake in sorted(exercise.mistakes, key=lambda each: each.caught.after):  # "solution" before "start"
        yield _tried(exercise, rehearsal.mistake_title(mistake), partial(rehearsal.mistake, mistake, solved=solved))
        solved = False
    yield rehearsal.same_again(state)
    if exercise.about.artefacts:
        yield rehearsal.replayed(files)
    for student in students(exercise):
        own = replace(session, lab=student.own(session.lab))
        other = _Rehearsal(own, exercise, student)
        whose = f"{student.id}'s "
        yield _tried(exercise, f"{whose}start", partial(other.begin, whose))
        yield _tried(exercise, f"{whose}solution passes, twice", partial(other.solution, whose))


def _tried(exercise: Exercise, what: str, act: Callable[[], Finding]) -> Finding:
    """What came of it; a script that fails is a finding too, and what comes after it is tried."""
    clock = monotonic()
    try:
        return act()
    except LabError as fault:
        return Finding(exercise.id, what, False, str(fault), monotonic() - clock)


def students(exercise: Exercise) -> tuple[Student, ...]:
    """Students besides the practice, so that each of the exercise's faults is somebody's."""
    faults = exercise.about.faults
    everybody = [Student(name, course="rehearsal", key=sha256(name.encode()).hexdigest()) for name in NAMES]
    missing = set(faults[1:])
    chosen: list[Student] = []
    for student in everybody:
        fault = student.choice(exercise.id, faults)
        if fault in missing:
            missing.remove(fault)
            chosen.append(student)
    others = [student for student in everybody if student not in chosen]
    return tuple(chosen + others[: max(0, AT_LEAST - len(chosen))])


def _attempt() -> Attempt:
    return Attempt("rehearsal", 1, uuid4().hex, now())


@dataclass
class _Rehearsal:
    """An exercise tried by one student."""

    session: Session
    exercise: Exercise
    student: Student
    attempt: Attempt = field(default_factory=_attempt)

    def stage(self) -> None:
        """Into the starting state, in an attempt of its own."""
        self.attempt = _attempt()
        stage(self.session, self.exercise, self.student, self.attempt.id)

    def mark(self, full: bool = False) -> Marked:
        """Run the checks."""
        return mark(self.session, self.exercise, self.student, self.attempt, full=full)

    def begin(self, whose: str = "") -> Finding:
        """The starting state fails what it says it fails."""
        clock = monotonic()
        self.stage()
        marked = self.mark()
        failed = {check.id for check in marked.checks if check.status is Status.FAIL}
        errors = {check.id for check in marked.checks if check.status is Status.ERROR}
        right = failed == set(self.exercise.about.fails) and not errors
        return self._found(f"{whose}start fails {', '.join(self.exercise.about.fails)}", right, marked, clock)

    def solution(self, whose: str = "", *, full: bool = False) -> Finding:
        """The solution passes everything, twice with the same result."""
        clock = monotonic()
        run_scripts(self.session, self.exercise, self.student, self.exercise.solution)
        first, second = self.mark(full), self.mark()
        same = all(
            one.status is other.status or other.key == "needs-full"
            for one, other in zip(first.checks, second.checks, strict=True)
        )
        worse = first if not first.passed else second
        return self._found(f"{whose}solution passes, twice", first.passed and second.passed and same, worse, clock)

    def mistake(self, mistake: Mistake, *, solved: bool) -> Finding:
        """The mistake is caught by the check that it names, with the message that it names.

        `solved` tells that the machines have the solution already.
        """
        clock = monotonic()
        caught = mistake.caught
        if not (solved and caught.after == "solution"):
            self.stage()
            if caught.after == "solution":
                run_scripts(self.session, self.exercise, self.student, self.exercise.solution)
        run_scripts(self.session, self.exercise, self.student, mistake.scripts)
        marked = self.mark()
        found = next(check for check in marked.checks if check.id == caught.fails)
        errors = any(check.status is Status.ERROR for check in marked.checks)
        right = found.status is Status.FAIL and found.key == caught.message and not errors
        return self._found(self.mistake_title(mistake), right, marked, clock)

    @staticmethod
    def mistake_title(mistake: Mistake) -> str:
        """As it is shown."""
        return f"mistake {mistake.name} fails {mistake.caught.fails} with {mistake.caught.message}"

    def same_again(self, state: dict[str, str]) -> Finding:
        """After all that, the starting state is the same as the first."""
        clock = monotonic()
        self.stage()
        again = self.state()
        other = [
            f"{host}: {line}" for host in state
            for line in sorted(set(state[host].splitlines()) ^ set(again[host].splitlines()))[:5]
        ]  # fmt: skip
        seconds = monotonic() - clock
        return Finding(self.exercise.id, "reset is the same as start", not other, "\n".join(other), seconds)

    def replayed(self, files: tuple[Artefact, ...]) -> Finding:
        """The solution's files, put into the starting state, are enough."""
        clock = monotonic()
        said = put_files(self.session, self.exercise, files)
        marked = self.mark()
        found = self._found("the solution's files pass on clean machines", marked.passed and not said, marked, clock)
        return replace(found, seen="\n".join([found.seen, *said]).strip())

    def state(self) -> dict[str, str]:
        """What can be told apart of each host."""
        hosts = self.exercise.about.hosts

        def one(name: str) -> str:
            return self.session.host(name).run(_STATE.strip(), root=True, check=False).stdout

        with workers(len(hosts)) as pool:
            return dict(zip(hosts, pool.map(one, hosts), strict=True))

    def _found(self, what: str, right: bool, marked: Marked, clock: float) -> Finding:
        seen = "" if right else "\n".join(
            f"{check.id}: {check.status} {check.key} {check.values or ''}".rstrip() for check in marked.checks
        )  # fmt: skip
        return Finding(self.exercise.id, what, right, seen, monotonic() - clock)
