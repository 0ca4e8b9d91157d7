"""Brings labs back whose member is lost, or whose machines are: elsewhere, from the last save.

A member counts as lost when it does not answer twice, some seconds apart; a lab whose site answers is left alone, and
so is one whose member answers and whose machines are all there. A lab that is being brought back bears a mark until it
is at its last save, so that an interrupted `lab class heal` goes on. The lost lab's machines cannot be removed while
their member is away: its project is left, and removed when the member is back.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from lab.classes.course import Course
from lab.classes.placement import place
from lab.classes.seats import Seat
from lab.classes.status import HEALING, ClassLook, LabLook
from lab.classes.up import move
from lab.errors import EnvironmentProblem
from lab.lxd.members import Member

APART_S = 5.0
"""Between two looks; a member that is busy for a moment is not lost."""

ELECTION_S = 90.0
"""A cluster that has lost its leader answers again when it has another one, which takes it ten to forty seconds."""


@dataclass(frozen=True)
class Lost:
    """What must be brought back.

    Attributes:
        moved: students whose member is lost.
        made: students whose member is there, and whose machines are not, or not yet at their last save.
        members: those of the cluster, as they were last seen.
    """

    moved: tuple[str, ...]
    made: tuple[str, ...]
    members: tuple[Member, ...]

    @property
    def students(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.moved, *self.made)


def find_lost(look: Callable[[], ClassLook], *, apart_s: float = APART_S, within_s: float = ELECTION_S) -> Lost:
    """Look, and where something seems lost look again some seconds later: what is lost both times.

    Args:
        look: at the class.
        apart_s: between the two.
        within_s: how long a cluster may take to answer that has lost its leader.

    Raises:
        EnvironmentProblem: the cluster does not say which members it has, so nothing can be concluded.
    """
    until = time.monotonic() + within_s
    seen = look()
    while seen.fault and time.monotonic() < until:
        time.sleep(apart_s)
        seen = look()
    first = _lost(seen)
    if not first.students:
        return first
    time.sleep(apart_s)
    second = _lost(look())
    return Lost(
        tuple(id for id in second.moved if id in first.moved),
        tuple(id for id in second.made if id in first.made), second.members,
    )  # fmt: skip


def new_seats(course: Course, lost: Lost) -> tuple[Course, Mapping[str, str], tuple[str, ...]]:
    """Give the labs of lost members another member each, as long as there is room; written down one by one.

    Returns:
        the course, the new member of each student, and the students for whom no member has room.

    Raises:
        EnvironmentProblem: it cannot be written down.
    """
    seated = {member.name: len(course.seats.on(member.name)) for member in lost.members}
    placed = place(lost.moved, lost.members, course.settings.need, course.settings.reserve, seated)
    members = {member.name: member for member in lost.members}
    for id, name in placed.where.items():
        begin(course, id)
        course = move(course, id, members[name])
    return course, placed.where, placed.left_over


def begin(course: Course, id: str) -> None:
    """Mark a lab as one that is being brought back."""
    course.home(id).make()
    course.home(id).write(HEALING, "")


def end(course: Course, id: str) -> None:
    """The lab is back."""
    (course.home(id).path / HEALING).unlink(missing_ok=True)


def abandoned(course: Course, projects: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Projects of earlier generations that are still on the cluster: student, project."""
    known = set(projects)
    found = []
    for id, seat in course.seated.items():
        for generation in range(seat.generation):
            name = course.project(id, _of_generation(seat, generation))
            if name in known:
                found.append((id, name))
    return tuple(found)


def _of_generation(seat: Seat, generation: int) -> Seat:
    return replace(seat, generation=generation)


def _lost(seen: ClassLook) -> Lost:
    if seen.fault:
        raise EnvironmentProblem(f"the cluster does not answer: {seen.fault}", "without it nothing can be brought back")
    return Lost(
        tuple(each.student for each in seen.labs if each.dead and not _answers(each)),
        tuple(
            each.student for each in seen.labs
            if not each.dead and (each.halfway or (each.is_absent and not _answers(each)))
        ),
        seen.members,
    )  # fmt: skip


def _answers(lab: LabLook) -> bool:
    return bool(lab.answered)
