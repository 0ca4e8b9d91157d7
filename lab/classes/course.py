"""A class as its folder tells: the course, how it runs, who sits where; and the way to its cluster."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from lab import config
from lab.classes import seats as seats_book
from lab.classes import settings as settings_file
from lab.classes.rendering import LAB
from lab.classes.seats import Seat, Seats, lab_folder, project_name
from lab.classes.settings import HTTPS_PORT, TRUST, Settings
from lab.errors import UsageError
from lab.exercises.student import load_student
from lab.grading import classroom
from lab.grading.classroom import Classroom
from lab.home import Home
from lab.lxd.client import Lxd, connect
from lab.parallel import workers
from lab.topology import Engine, Lab

SAVES = "saves"
PROBE_S = 2.0


@dataclass(frozen=True)
class Course:
    """A class.

    Attributes:
        classroom: the course's secret and roster.
        settings: how it runs.
        seats: who sits where.
    """

    classroom: Classroom
    settings: Settings
    seats: Seats

    @property
    def folder(self) -> Path:
        """Where it is kept."""
        return self.classroom.folder

    @cached_property
    def members(self) -> Mapping[str, str]:
        """For each student with a seat the member that has the lab; in the roster's order."""
        return {id: seat.member for id, seat in self.seated.items()}

    @property
    def seated(self) -> Mapping[str, Seat]:
        """The seats, in the roster's order."""
        found = ((each.id, self.seats.of(each.id)) for each in self.classroom.roster)
        return {id: seat for id, seat in found if seat is not None}

    def with_seats(self, seats: Seats) -> Course:
        """The same with other seats."""
        return replace(self, seats=seats)

    def home(self, id: str) -> Home:
        """What a student's lab remembers."""
        return Home(lab_folder(self.folder, id))

    def lab(self, id: str) -> Lab:
        """A student's lab, with domain and port of the student's own."""
        folder = lab_folder(self.folder, id)
        return load_student(folder).own(config.load(folder / LAB))

    def project(self, id: str, seat: Seat) -> str:
        """The project of a student's machines."""
        return project_name(self.classroom.secret, id, seat.generation)

    def saves(self, id: str) -> Path:
        """Where a student's saves are."""
        return (self.folder / SAVES / id).resolve()


def load(folder: Path) -> Course:
    """The class of a folder.

    Raises:
        UsageError: there is none, or a file of it is damaged.
    """
    return Course(classroom.load(folder), settings_file.load(folder), seats_book.load(folder))


def load_up(folder: Path) -> Course:
    """The same, for what needs labs.

    Raises:
        UsageError: also when no lab is up.
    """
    found = load(folder)
    if not found.seated:
        raise UsageError(f"{folder}: no lab of this class is up", "`lab class up ROSTER` brings them up")
    return found


def cluster_of(course: Course) -> Lxd:
    """The class's cluster, by the address in engine.toml; by another member's where that one does not listen.

    All members of a cluster show the same certificate.

    Raises:
        LabError: none of them lets us in.
    """
    url = course.settings.url
    if not url.startswith("https:"):
        return connect(Engine(url=url), course.folder)
    urls = list(
        dict.fromkeys(
            [url, *(course.settings.url_of(seat.address) for seat in course.seats.seats.values() if seat.address)]
        )
    )
    with workers(len(urls)) as pool:
        listening = [each for each, is_open in zip(urls, pool.map(listens, urls), strict=True) if is_open]
    return connect(Engine(url=(listening or urls)[0], trust=TRUST), course.folder)


def listens(url: str) -> bool:
    """Whether somebody listens there, within two seconds."""
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "", parts.port or HTTPS_PORT), timeout=PROBE_S).close()
    except OSError:
        return False
    return True
