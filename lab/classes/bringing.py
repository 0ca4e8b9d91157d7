"""The steps of `lab class up` and `down` around the labs' own commands: cluster, seats, image; and what is noted.

Each step asks first what is there, so that an interrupted command goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lab.classes import claims, heal
from lab.classes import seats as seats_book
from lab.classes import settings as settings_file
from lab.classes.course import Course, cluster_of, load
from lab.classes.crowd import Errand, Outcome
from lab.classes.settings import FILE, TRUST, Settings
from lab.classes.status import ABSENT, states_of
from lab.classes.up import Plan, leave, plan, take_seats, write_folders
from lab.errors import UsageError
from lab.events import Listener, Note, phase
from lab.grading import classroom
from lab.grading.classroom import CLASS, Classroom
from lab.grading.roster import Enrolled
from lab.lxd.client import Lxd
from lab.lxd.members import members
from lab.lxd.trust import join

UP = "class-up"
"""A file in a lab's folder: the project in which `lab class up` has brought it up."""


def foresee(roster: Sequence[Enrolled], folder: Path, url: str | None, app: str | None) -> Plan:
    """Who would go where. Nothing is written, neither here nor on the cluster.

    Raises:
        LabError: the class folder is damaged, or the cluster does not let us in.
    """
    there = (folder / CLASS).exists()
    room = classroom.load(folder) if there else Classroom(folder, folder.resolve().name, "00" * 32, ())
    new = tuple(each for each in roster if not room.has(each.id))
    room = replace(room, roster=room.roster + new)
    settings = settings_file.load(folder) if (folder / FILE).exists() else Settings()
    course = Course(room, _changed(settings, url, app), seats_book.load(folder))
    lxd = cluster_of(course)
    return plan(course, members(lxd, course.settings.pool, vms=course.settings.vm))


def prepare(roster: Sequence[Enrolled], folder: Path, url: str | None, token: str, app: str | None) -> None:
    """Make the class, or add who is new; write its settings; have the cluster trust us.

    Raises:
        LabError: what cannot be written, or the cluster does not take the token.
    """
    made, _ = classroom.init(roster, folder)
    seats_book.check_distinct(made.secret, [each.id for each in made.roster])
    with seats_book.lock(folder, "lab class up"):
        before = settings_file.load(folder)
        wanted = _changed(before, url, app)
        if token:
            told = join(token, (folder / TRUST).resolve())
            wanted = _changed(wanted, url or told.url, None)
        if wanted.url != before.url and seats_book.load(folder).seats:
            raise UsageError(
                f"{folder}: has labs on {before.url or 'this computer'}, and {wanted.url} was asked for",
                "`lab class down` first, or name another --folder",
            )
        if wanted != before:
            settings_file.save(folder, wanted)


def seat(folder: Path, listener: Listener) -> tuple[Plan, Course]:
    """Give everybody who fits a seat, write the folders, and have the cluster know the image; under the class's lock.

    Raises:
        LabError: the cluster does not answer, or cannot take a network or the image.
    """
    course = load(folder)
    lxd = cluster_of(course)
    with phase(listener, "seats", lxd.place):
        found = plan(course, members(lxd, course.settings.pool, vms=course.settings.vm))
        listener(Note(found.sentence, loud=bool(found.placement.left_over)))
        taken = claims.taken(lxd, course)
        course = take_seats(found, claims.claim, others=taken.others, ours=taken.ours)
        write_folders(course, tuple(course.seated))
    if course.seated:
        claims.publish(lxd, course, next(iter(course.seated)), listener)
    return found, course


def what_is_missing(course: Course) -> tuple[Errand, ...]:
    """What each lab needs that is not up: `lab up`, or `lab start` where only the power is off.

    A lab that has come up is not brought up again: its student may be in the middle of an exercise. One whose machines
    are lost is left to `lab class heal`, which knows its saves.
    """
    states = states_of(cluster_of(course))
    found = []
    for id, seat in course.seated.items():
        project, home = course.project(id, seat), course.home(id)
        hosts = [states.get((project, host.name), ABSENT) for host in course.lab(id).hosts]
        if not _is_up(course, id, project):
            found.append(Errand(id, home.folder, ("up", "--json")))
        elif "stopped" in hosts:
            found.append(Errand(id, home.folder, ("start",)))
    return tuple(found)


def note_up(course: Course, outcomes: Sequence[Outcome]) -> None:
    """Remember which labs have come up."""
    for each in outcomes:
        if each.ok:
            project = course.project(each.student, course.seats.seats[each.student])
            course.home(each.student).write(UP, project + "\n")


def note_down(course: Course, outcomes: Sequence[Outcome]) -> Course:
    """Take the seats of the labs that are gone out of the book."""
    for each in outcomes:
        if each.ok:
            course = leave(course, each.student)
    return course


def clear(course: Course) -> tuple[str, ...]:
    """Remove image and wall from the cluster, when no lab is left there; what was removed."""
    return claims.clear(cluster_of(course))


def remove_abandoned(course: Course) -> tuple[str, ...]:
    """Remove what lost members still have of labs that were brought back elsewhere, once they are back; the projects.

    Raises:
        LabError: the cluster does not answer.
    """
    lxd = cluster_of(course)
    left = heal.abandoned(course, _projects(lxd))
    return tuple(project for _, project in left if claims.remove_project(lxd, project))


def _is_up(course: Course, id: str, project: str) -> bool:
    try:
        return (course.home(id).path / UP).read_text(encoding="utf-8").strip() == project
    except OSError:
        return False


def _projects(lxd: Lxd) -> tuple[str, ...]:
    return tuple(str(path).rpartition("/")[2] for path in lxd.get("projects"))


def _changed(settings: Settings, url: str | None, app: str | None) -> Settings:
    changes = {key: value for key, value in (("url", url), ("app", app)) if value is not None}
    if not changes:
        return settings
    text = settings_file.text_of(replace(settings, **changes))  # type: ignore[arg-type]  # both are texts
    return settings_file.parse(text, "the command line")
