"""What a class takes on its cluster and gives back: numbers, the image, and projects of labs that are elsewhere now.

A number is taken by making the network of that number: a cluster has each name once, and beside it stands whose it is.
So two classes on one cluster, of whatever teachers, never have the same subnet or ports.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from lab.classes.course import Course
from lab.classes.seats import Seat, home_id
from lab.context import context_for
from lab.events import Listener
from lab.lxd import golden
from lab.lxd.client import Lxd, LxdFailed
from lab.lxd.image import obtain_image
from lab.lxd.network import LxdNetwork
from lab.lxd.projects import OWNER
from lab.up import source_for

_NETWORK = re.compile(r"labn([0-9]{5})")
_IMAGE = "lab-lxd-"
_PROJECT = "lab-"


@dataclass(frozen=True)
class Taken:
    """Numbers that are taken on a cluster.

    Attributes:
        ours: student → number, of the class's own students; an `up` that was cut off may not have written it down.
        others: those of everybody else.
    """

    ours: Mapping[str, int]
    others: frozenset[int]


def taken(lxd: Lxd, course: Course) -> Taken:
    """The numbers that are taken, with one question."""
    ids = {home_id(course.classroom.secret, each.id): each.id for each in course.classroom.roster}
    ours, others = {}, set()
    for network in lxd.get("networks", recursion=1):
        match = _NETWORK.fullmatch(network["name"])
        if match is None or network["status"] == "Pending":
            continue
        owner = ids.get(network["config"].get(OWNER, ""))
        if owner is None:
            others.add(int(match[1]))
        else:
            ours[owner] = int(match[1])
    return Taken(ours, frozenset(others))


def claim(course: Course, id: str, seat: Seat) -> None:
    """Take a seat's number for a student whose folder is written.

    Raises:
        NetworkTaken: it is somebody else's.
    """
    LxdNetwork(course.lab(id), course.home(id)).ensure()


def publish(lxd: Lxd, course: Course, id: str, listener: Listener) -> None:
    """Have the cluster know the image once, before many labs ask for it; `id` is any student with a seat.

    Raises:
        LabError: the image cannot be built or taken.
    """
    lab, home = course.lab(id), course.home(id)
    home.make()
    obtain_image(lxd, context_for(lab, source_for(lab, home, listener)), home, listener)


def remove_project(lxd: Lxd, project: str) -> bool:
    """Remove a project with its machines; whether all of it is gone. Where a member is away, it is not."""
    try:
        for each in lxd.get("instances", recursion=1, project=project):
            if each["status"] != "Stopped":
                with suppress(LxdFailed):  # it may have stopped meanwhile
                    lxd.put(f"instances/{each['name']}/state", {"action": "stop", "force": True}, project=project)
            lxd.delete(f"instances/{each['name']}", project=project)
        lxd.delete(f"projects/{project}")
    except LxdFailed:
        return False
    return True


def clear(lxd: Lxd) -> tuple[str, ...]:
    """Remove our images, and the machines that labs were copies of, when no lab is on the cluster any more.

    Returns:
        the aliases that are gone.
    """
    if any(str(path).rpartition("/")[2].startswith(_PROJECT) for path in lxd.get("projects")):
        return ()
    gone = []
    for each in lxd.get("instances", recursion=1, project=golden.PROJECT):
        if each["name"].startswith(_IMAGE):
            lxd.delete(f"instances/{each['name']}", project=golden.PROJECT)
    for alias in lxd.get("images/aliases", recursion=1):
        if alias["name"].startswith(_IMAGE):
            lxd.delete(f"images/{alias['target']}")
            gone.append(str(alias["name"]))
    return tuple(gone)
