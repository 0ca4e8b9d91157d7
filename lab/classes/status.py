"""What all labs of a class are like right now: one question to the cluster for all, and one to each site.

It answers within seconds also when a member is dead: nothing waits for it longer than its deadline.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from lab.classes import archive
from lab.classes.course import PROBE_S, Course, cluster_of, listens
from lab.classes.deadline import Errand
from lab.classes.seats import Seat
from lab.errors import LabError
from lab.exercises import progress
from lab.exercises.exercise import load as load_exercise
from lab.home import Home
from lab.lxd.client import Lxd, LxdFailed
from lab.lxd.members import Member, members
from lab.parallel import workers
from lab.proof import ask_site
from lab.topology import Lab

ASK_S = 2.0
STATES_S = 4.0
"""A cluster that has not yet seen that a member is dead asks it for its machines."""
ANSWER_S = 9.0
"""For all that the cluster is asked; one that has just lost its leader says nothing for longer than that."""
ASKS = 6
"""So many requests a site gets at most, until each backend has answered one."""
AT_ONCE = 32
ABSENT, UNKNOWN = "absent", "unknown"
HEALING = "healing"
"""A file in the folder of a lab that is being brought back; it goes when the lab is at its last save."""


@dataclass(frozen=True)
class LabLook:
    """One student's lab.

    Attributes:
        student, name: the id, and the name for people.
        member: the computer that it is on.
        url: its site.
        hosts: host → running, stopped, absent or unknown, as the cluster says.
        answered: the backends that have answered through the site.
        wrong: what is wrong with it, in a few words; empty when nothing is.
        dead: whether its member is.
        halfway: whether it was made anew elsewhere, and not yet brought to its last save.
        saved: when it was last saved, ISO 8601 in UTC; empty for never.
        exercise: the one that was started last; empty for none.
        earned, possible: its points.
    """

    student: str
    name: str
    member: str
    url: str
    hosts: Mapping[str, str]
    answered: tuple[str, ...]
    wrong: str = ""
    dead: bool = False
    halfway: bool = False
    saved: str = ""
    exercise: str = ""
    earned: int = 0
    possible: int = 0

    @property
    def is_absent(self) -> bool:
        """Whether a machine of it is not there any more, though its member is."""
        return not self.dead and ABSENT in self.hosts.values()


@dataclass(frozen=True)
class ClassLook:
    """The whole class.

    Attributes:
        course: its name.
        labs: in the roster's order.
        members: those of the cluster; none when it does not answer.
        waiting: students without a lab.
        fault: why the cluster does not answer; empty when it does.
    """

    course: str
    labs: tuple[LabLook, ...]
    members: tuple[Member, ...]
    waiting: tuple[str, ...] = ()
    fault: str = ""

    @property
    def dead(self) -> tuple[Member, ...]:
        """The members that do not answer and have labs of this class."""
        used = {each.member for each in self.labs}
        return tuple(member for member in self.members if not member.online and member.name in used)

    @property
    def is_well(self) -> bool:
        """Whether nothing is down."""
        return not self.fault and not self.dead and not any(each.wrong for each in self.labs)


@dataclass(frozen=True)
class _Cluster:
    """What the cluster says: its members, and the state of each machine by project and name; None for no answer."""

    members: tuple[Member, ...] = ()
    states: Mapping[tuple[str, str], str] | None = None
    fault: str = ""


def look(course: Course) -> ClassLook:
    """Look at all labs at once."""
    with workers(AT_ONCE) as pool:
        asked = pool.submit(_cluster, course)
        sites = {id: pool.submit(_site, course.lab(id)) for id in course.seated}
        cluster = asked.result()
        labs = tuple(_lab(course, id, seat, cluster, sites[id]) for id, seat in course.seated.items())
    waiting = tuple(each.id for each in course.classroom.roster if each.id not in course.seated)
    return ClassLook(course.classroom.course, labs, cluster.members, waiting, cluster.fault)


def age(when: str) -> str:
    """How long ago something was, for people; a dash for never."""
    if not when:
        return "–"
    minutes = int((datetime.now(UTC) - datetime.fromisoformat(when)).total_seconds() // 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"


def states_of(lxd: Lxd) -> Mapping[tuple[str, str], str]:
    """The state of every machine, by project and name: running, stopped or unknown.

    Where the machines' members do not answer in time, the cluster's own book says at least which there are.

    Raises:
        LxdFailed: the cluster does not answer.
    """
    book = Errand(lambda: lxd.get("instances", within_s=STATES_S, all_projects="true"))
    try:
        found = lxd.get("instances", within_s=STATES_S, recursion=1, all_projects="true")
        return {(each["project"], each["name"]): _state(each) for each in found}
    except LxdFailed:
        return {_in_book(url): UNKNOWN for url in book.result(STATES_S)}


def _cluster(course: Course) -> _Cluster:
    """What the cluster says, and which members listen: of one that dies the cluster knows twenty seconds later."""
    until = time.monotonic() + ANSWER_S
    listening = _listening(course)
    lxd = Errand(lambda: cluster_of(course))
    known = Errand(lambda: members(lxd.result(ANSWER_S), course.settings.pool))
    states = Errand(lambda: states_of(lxd.result(ANSWER_S)))
    fault = ""
    found: tuple[Member, ...] = ()
    by_name: Mapping[tuple[str, str], str] | None = None
    try:
        found = known.result(until - time.monotonic())
        by_name = states.result(until - time.monotonic())
    except LabError as said:
        fault = said.message
    silent = {name for name, listens in listening.items() if not listens}
    named = {each.name for each in found}
    unnamed = [Member(name, "", name not in silent) for name in listening if name not in named]
    return _Cluster(tuple(_silenced(each, silent) for each in (*found, *unnamed)), by_name, fault)


def _silenced(member: Member, silent: set[str]) -> Member:
    if member.name not in silent:
        return member
    return replace(member, online=False, message=member.message or f"nobody listens within {PROBE_S:.0f} s")


def _listening(course: Course) -> Mapping[str, bool]:
    """Whether each member that has a lab listens; nothing where the cluster is asked through a socket."""
    settings = course.settings
    asked = course.seated.values() if settings.url.startswith("https:") else ()
    urls = {seat.member: settings.url_of(seat.address) for seat in asked if seat.address}
    with workers(max(len(urls), 1)) as pool:
        return dict(zip(urls, pool.map(listens, urls.values()), strict=True))


def _state(instance: Mapping[str, Any]) -> str:
    told = str(instance["status"]).lower()
    return told if told in ("running", "stopped") else UNKNOWN


def _in_book(url: str) -> tuple[str, str]:
    """Project and name in "/1.0/instances/akuma?project=lab-ayu"."""
    path, _, project = url.partition("?project=")
    return project or "default", path.rpartition("/")[2]


def _lab(course: Course, id: str, seat: Seat, cluster: _Cluster, site: Future[tuple[str, ...]]) -> LabLook:
    lab, home, project = course.lab(id), course.home(id), course.project(id, seat)
    states = cluster.states
    hosts = {
        host.name: UNKNOWN if states is None else states.get((project, host.name), ABSENT) for host in lab.hosts
    }  # fmt: skip
    online = {member.name: member.online for member in cluster.members}
    dead = not online.get(seat.member, True)
    answered = site.result()
    exercise, earned, possible = _progress(home)
    saved = archive.latest(course.saves(id))
    halfway = (home.path / HEALING).exists()
    wrong = _wrong(seat.member if dead else "", hosts, answered, lab, exercise)
    if halfway and not wrong:
        wrong = "not yet brought back to its last save"
    return LabLook(
        id, course.classroom.student(id).name, seat.member, lab.url, hosts, answered, wrong, dead, halfway,
        saved.when if saved else "", exercise, earned, possible,
    )  # fmt: skip


def _wrong(
    dead: str, hosts: Mapping[str, str], answered: tuple[str, ...], lab: Lab, exercise: str
) -> str:  # fmt: skip
    """In an exercise the site is the student's to mend."""
    if dead:
        return f"{dead} does not answer"
    if bad := [f"{name} is {state}" for name, state in hosts.items() if state in (ABSENT, "stopped")]:
        return ", ".join(bad)
    silent = [backend.name for backend in lab.backends if backend.name not in answered and not backend.backup]
    if exercise or not silent:
        return ""
    return f"the site does not answer through {' and '.join(silent)}" if answered else "the site does not answer"


def _site(lab: Lab) -> tuple[str, ...]:
    """The backends that answer through a lab's site."""
    wanted = {backend.name for backend in lab.backends if not backend.backup}
    answered: set[str] = set()
    for _ in range(ASKS):
        backend = ask_site(lab, ASK_S)
        if backend is None:
            break
        answered.add(backend)
        if wanted <= answered:
            break
    return tuple(sorted(answered - {""}))


def _progress(home: Home) -> tuple[str, int, int]:
    """The exercise that was started last, with the points earned and possible."""
    try:
        name = progress.active(home)
        exercise = load_exercise(name) if name else None
        attempt = progress.current(home, exercise.id) if exercise else None
    except LabError:
        return "", 0, 0
    if exercise is None:
        return "", 0, 0
    return exercise.id, attempt.earned if attempt else 0, exercise.about.points
