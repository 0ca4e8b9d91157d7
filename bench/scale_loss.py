"""Plays the loss of a member over many seeds, with the product's own placement: how many it takes, and what falls.

A class comes one by one. At a moment of it the largest member is gone; its labs are placed on the others, among those
that come later. Members are as schools have them: of 64, 128 or 256 GiB, at random.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from lab.classes.placement import GIB, RESERVE, Need, place, room
from lab.lxd.members import Member

MEMORIES = (64, 128, 256)
"""GiB of a member; each is as likely."""
SEEDS = 1000


@dataclass(frozen=True)
class Loss:
    """One seed.

    Attributes:
        members: how many there were.
        up: labs that were up when it was lost.
        fallen: labs of it, which had to be made anew.
        left_over: labs for which there was no room in the end.
    """

    members: int
    up: int
    fallen: int
    left_over: int


@dataclass(frozen=True)
class Losses:
    """All seeds of one size of class."""

    labs: int
    seeds: tuple[Loss, ...]

    @property
    def members(self) -> int:
        """So many were enough in every seed."""
        return max(loss.members for loss in self.seeds)

    @property
    def usual_members(self) -> float:
        """So many were enough in half of the seeds."""
        return median(loss.members for loss in self.seeds)

    @property
    def fallen(self) -> int:
        """The most labs that one loss cost."""
        return max(loss.fallen for loss in self.seeds)

    @property
    def usual_fallen(self) -> float:
        """So many labs, or fewer, were lost in half of the seeds."""
        return median(loss.fallen for loss in self.seeds)

    @property
    def left_over(self) -> int:
        """The most labs for which there was no room in the end."""
        return max(loss.left_over for loss in self.seeds)

    @property
    def fitted(self) -> float:
        """In which part of the seeds all labs found room."""
        return sum(not loss.left_over for loss in self.seeds) / len(self.seeds)


def losses(labs: int, need: Need, seeds: int = SEEDS, most: int = 0, *, spare: bool = True) -> Losses:
    """Play a class of so many labs.

    Args:
        labs: of the class.
        need: of one lab.
        seeds: how often; the first is 0.
        most: labs that a member can have for another reason than memory; 0 for no such reason.
        spare: whether there are so many members that the largest can be lost, or only so many that all labs fit.
    """
    return Losses(labs, tuple(_played(labs, need, random.Random(seed), most, spare) for seed in range(seeds)))


def enough(labs: int, need: Need, draw: random.Random, most: int = 0, spare: bool = True) -> tuple[Member, ...]:
    """As many members, each of a size at random, as all labs need; with `spare`, as they need without the largest."""
    members: list[Member] = []
    rooms: list[int] = []
    while sum(rooms) - (max(rooms, default=0) if spare else 0) < labs:
        memory = draw.choice(MEMORIES) * GIB
        if most:
            memory = min(memory, most * need.memory + RESERVE)
        members.append(Member(f"m{len(members):03}", "", True, memory, memory, labs * need.disk))
        rooms.append(max(room(members[-1], need), 0) // need.memory)
        if not rooms[0]:
            raise ValueError("a member has no room for a single lab")
    return tuple(members)


def lose(students: Sequence[str], members: Sequence[Member], need: Need, up: int) -> Loss:
    """Place the first `up` students, lose the largest member, place its labs and the students who are left."""
    before = place(students[:up], members, need)
    gone = max(members, key=lambda member: (member.memory_total, member.name)).name
    fallen = [student for student, member in before.where.items() if member == gone]
    labs = Counter(before.where.values())
    after = [
        replace(
            member,
            online=member.name != gone,
            memory_free=member.memory_free - labs[member.name] * need.memory,
            disk_free=member.disk_free - labs[member.name] * need.disk,
        )
        for member in members
    ]
    later = place([*before.left_over, *fallen, *students[up:]], after, need, seated=labs)
    return Loss(len(members), up, len(fallen), len(later.left_over))


def _played(labs: int, need: Need, draw: random.Random, most: int, spare: bool) -> Loss:
    members = enough(labs, need, draw, most, spare)
    students = [f"s{number:04}" for number in range(labs)]
    draw.shuffle(students)
    return lose(students, members, need, draw.randint(1, labs))
