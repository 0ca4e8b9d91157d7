"""Which member a student's lab goes to: the one with the most room, so that members fill evenly.

A lab's machines stay together: they talk to each other over one bridge. What is placed stays where it is; students who
come later go into what room is left.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.lxd.members import Member

GIB = 1 << 30
RESERVE = GIB
"""Bytes of a member's memory that are its own: the system, LXD, and the pages of its disks."""


@dataclass(frozen=True)
class Need:
    """What one lab is counted for.

    Attributes:
        memory: bytes, of all its machines.
        disk: bytes, of all its machines.
    """

    memory: int
    disk: int


@dataclass(frozen=True)
class Placement:
    """Who goes where.

    Attributes:
        where: student → member's name.
        left_over: the students for whom no member has room, in their order.
    """

    where: Mapping[str, str]
    left_over: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """How many fit, for people."""
        asked = len(self.where) + len(self.left_over)
        names = ", ".join(self.left_over[:5]) + (" …" if len(self.left_over) > 5 else "")
        return f"{len(self.where)} of {asked} labs fit" + (f"; no member has room for {names}" if names else "")


def place(
    students: Sequence[str], members: Sequence[Member], need: Need, reserve: int = RESERVE,
    seated: Mapping[str, int] | None = None,
) -> Placement:  # fmt: skip
    """Give each student's lab a member.

    Each goes to the member that has the most memory left; among equals, to the first by name. A member has room for
    what is free now, and never for more labs than its whole memory holds, each at what it is counted for: labs that
    are up use less than they may.

    Args:
        students: in the order in which they get a place.
        members: as they are now; those that are offline get nothing.
        need: of one lab.
        reserve: bytes of memory that stay free on each member.
        seated: member's name → labs that are on it already; they count whole, asleep or not.

    Raises:
        ValueError: a student is named twice.
    """
    if len(set(students)) != len(students):
        raise ValueError("a student is named twice")
    disks = {member.name: member.disk_free for member in members}
    heap = [(-room(member, need, reserve, (seated or {}).get(member.name, 0)), member.name)
            for member in members if member.online]  # fmt: skip
    heapq.heapify(heap)
    where: dict[str, str] = {}
    for student in students:
        while heap and disks[heap[0][1]] < need.disk:  # it never has room again
            heapq.heappop(heap)
        if not heap or -heap[0][0] < need.memory:
            break
        left, name = heap[0]
        where[student] = name
        disks[name] -= need.disk
        heapq.heapreplace(heap, (left + need.memory, name))
    return Placement(where, tuple(students[len(where) :]))


def room(member: Member, need: Need, reserve: int = RESERVE, seated: int = 0) -> int:
    """Bytes of memory that a member has for more labs; below nought when it has less than its reserve."""
    return min(member.memory_free, member.memory_total - seated * need.memory) - reserve
