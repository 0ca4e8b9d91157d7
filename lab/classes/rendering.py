"""Writes the folder of a student's lab: lab.toml, the student's card, and the id that it has on every computer."""

from __future__ import annotations

from pathlib import Path

from lab.classes import seats
from lab.classes.seats import Seat, lab_folder
from lab.classes.settings import ROLES, TRUST, Settings, host_addresses
from lab.exercises.student import FILE as STUDENT
from lab.grading.classroom import Classroom, keep_private, quoted
from lab.home import FOLDER

LAB = "lab.toml"
_NOTE = "# Written by `lab class`, and written again by it: change engine.toml of the class instead.\n"


def toml_of(course: Classroom, settings: Settings, id: str, seat: Seat) -> str:
    """lab.toml of a seat.

    Domain and port are left to the student's card, which lies beside it.

    Raises:
        UsageError: the roster has no such student.
        ValueError: there is no seat of that number.
    """
    subnet = settings.subnet(seat.number)
    language = course.enrolled(id).language
    engine = {
        "url": settings.url_of(seat.address),
        "project": seats.project_name(course.secret, id, seat.generation),
        "network": seat.network,
        "member": seat.member,
        "address": seat.address,
        "trust": f"../../{TRUST}" if settings.url.startswith("https:") else "",
        "pool": settings.pool,
        "supernet": str(settings.subnets),
    }
    numbers = {
        "disk_gb": settings.disk_gb,
        "processes": settings.processes,
        "cpu": settings.cpu,
        "ports": settings.ports(seat.number) if seat.address else 0,
        "fresh": "false",  # a class's saves are at the teacher's
        "vm": str(settings.vm).lower(),
    }
    lines = [_NOTE + 'provider = "lxd"', f'subnet = "{subnet}"', *([f'lang = "{language}"'] if language else [])]
    lines += ["", "[engine]", *(f"{key} = {quoted(value)}" for key, value in engine.items())]
    lines += [f"{key} = {value}" for key, value in numbers.items()]
    for (name, role, _), address in zip(ROLES, host_addresses(subnet), strict=True):
        lines += ["", "[[host]]", f'name = "{name}"', f'address = "{address}"', f'roles = ["{role}"]']
        lines += [f"memory_mb = {settings.memory_of(role)}"]
    return "\n".join([*lines, "", "[app]", f"name = {quoted(settings.app)}", ""])


def write_lab(course: Classroom, settings: Settings, id: str, seat: Seat) -> Path:
    """Write a student's lab folder; what the lab itself remembers in it stays. Returns the folder.

    Raises:
        UsageError: the roster has no such student.
        EnvironmentProblem: it cannot be written.
    """
    folder = lab_folder(course.folder, id)
    keep_private(folder / LAB, toml_of(course, settings, id, seat))
    keep_private(folder / STUDENT, course.card_text(id))
    keep_private(folder / FOLDER / "id", seats.home_id(course.secret, id) + "\n")
    return folder
