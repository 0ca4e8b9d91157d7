"""Gives each student of a class a seat: a member with room, a number that nobody else on the cluster has, a folder.

A seat is written down as soon as it is claimed, so an interrupted `lab class up` goes on from there, and one with a
longer roster adds who is new. Where not all fit, those who come first in the roster get a seat and the others are
named; nothing of theirs is made.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from itertools import chain, count

from lab.classes import seats as seats_book
from lab.classes.course import Course
from lab.classes.placement import Placement, place
from lab.classes.rendering import write_lab
from lab.classes.seats import Seat, Seats, free_numbers
from lab.errors import EnvironmentProblem, NetworkTaken, UsageError
from lab.lxd.members import Member

Claim = Callable[[Course, str, Seat], None]
"""Takes a seat's number on the cluster for a student; NetworkTaken when somebody else has it."""
TRIES = 50
"""So many numbers in a row that are somebody else's are no coincidence: the subnets are."""
_NOBODY = "the cluster has no member that can take a lab"


@dataclass(frozen=True)
class Plan:
    """What `up` would do.

    Attributes:
        course: as it is.
        members: of the cluster, as they are.
        placement: of the students who have no seat yet.
    """

    course: Course
    members: tuple[Member, ...]
    placement: Placement

    def on(self, member: str) -> tuple[str, ...]:
        """Whose labs a member has, or would get; in the roster's order."""
        there = {*self.course.seats.on(member), *(id for id, name in self.placement.where.items() if name == member)}
        return tuple(each.id for each in self.course.classroom.roster if each.id in there)

    @property
    def sentence(self) -> str:
        """How many fit, for people."""
        seated = len(self.course.seated)
        before = f"{seated} have a lab already; " if seated else ""
        asked = len(self.placement.where) + len(self.placement.left_over)
        return before + self.placement.sentence if asked else f"all {seated} have a lab"


def plan(course: Course, members: Sequence[Member]) -> Plan:
    """Place the students who have no seat; nothing is touched.

    Raises:
        EnvironmentProblem: no member is online.
    """
    if not any(member.online for member in members):
        said = "; ".join(f"{member.name}: {member.message}" for member in members if member.message)
        raise EnvironmentProblem(f"{_NOBODY}{': ' if said else ''}{said}", "`lab doctor` says more on a member")
    new = [each.id for each in course.classroom.roster if course.seats.of(each.id) is None]
    seated = {member.name: len(course.seats.on(member.name)) for member in members}
    placed = place(new, members, course.settings.need, course.settings.reserve, seated)
    return Plan(course, tuple(members), placed)


def take_seats(
    found: Plan, claim: Claim, *, others: Collection[int] = (), ours: Mapping[str, int] | None = None
) -> Course:  # fmt: skip
    """Give each student who was placed a seat, and write it down before the next one gets theirs.

    Args:
        found: from `plan`.
        claim: takes a number on the cluster.
        others: numbers that others are known to have.
        ours: student → number, as the cluster knows them from an `up` that was cut off.

    Raises:
        NetworkTaken: one number after the other is somebody else's.
        LabError: a claim failed for another reason; the seats so far are written down.
    """
    course = found.course
    addresses = {member.name: _address(member) for member in found.members}
    known = {id: number for id, number in (ours or {}).items() if course.seats.of(id) is None}
    numbers = free_numbers(course.seats.taken | set(others) | set(known.values()), course.settings.seats)
    for id, member in found.placement.where.items():
        first = [known[id]] if id in known else []
        seat = _claimed(course, id, Seat(0, member, addresses[member]), chain(first, numbers), claim)
        course = _with(course, course.seats.with_(id, seat))
    return course


def write_folders(course: Course, students: Sequence[str]) -> None:
    """Write the students' lab folders: topology, card, id."""
    for id in students:
        write_lab(course.classroom, course.settings, id, course.seats.seats[id])


def move(course: Course, id: str, member: Member) -> Course:
    """Give a student's lab another member, where it is made anew: the next generation of it.

    Raises:
        EnvironmentProblem: it cannot be written down.
    """
    seat = course.seats.seats[id]
    fresh = Seat(seat.number, member.name, _address(member), seat.generation + 1)
    course = _with(course, course.seats.with_(id, fresh))
    write_folders(course, [id])
    return course


def leave(course: Course, id: str) -> Course:
    """Take a student's seat out of the book; the folder stays, with what the student has reached."""
    return _with(course, course.seats.without(id))


def gone_from(course: Course, roster: Sequence[str]) -> tuple[str, ...]:
    """The students of the course who are not on a roster: nobody is removed because a line is."""
    return tuple(each.id for each in course.classroom.roster if each.id not in roster)


def _claimed(course: Course, id: str, wanted: Seat, numbers: Iterator[int], claim: Claim) -> Seat:
    for tries in count(1):
        seat = Seat(next(numbers), wanted.member, wanted.address)
        write_lab(course.classroom, course.settings, id, seat)
        try:
            claim(course, id, seat)
        except NetworkTaken:
            if tries == TRIES:
                raise
        else:
            return seat
    raise AssertionError("count() ends never")


def _with(course: Course, seats: Seats) -> Course:
    seats_book.save(course.folder, seats)
    return course.with_seats(seats)


def _address(member: Member) -> str:
    """Empty for a server that listens on its socket only; a member must be known by its IPv4 address.

    Raises:
        UsageError: it is known by a name.
    """
    try:
        return str(IPv4Address(member.address)) if member.address else ""
    except ValueError:
        raise UsageError(
            f"{member.name}: {member.address} is no IPv4 address",
            "give the member one: lxc config set cluster.https_address",
        ) from None
