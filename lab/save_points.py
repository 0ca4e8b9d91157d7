"""The records of saves: what each point of a lesson is called, and what belongs to it. `.lab/saves/NAME.json`.

A save is there when its record is; what the machines keep without one is left over from an interrupted save.
"""

from __future__ import annotations

import difflib
from uuid import uuid4

import msgspec
from pydantic import TypeAdapter, ValidationError

from lab.errors import EnvironmentProblem, UsageError
from lab.home import Home
from lab.topology import Lab, Label

FOLDER = "saves"
_RESTORING = "restoring"


class Place(msgspec.Struct, frozen=True):
    """A host as it was when it was saved."""

    name: str
    address: str
    roles: tuple[str, ...]


class Save(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One save.

    Attributes:
        name: the user's.
        id: what the machines know it under; eight hexadecimal digits.
        when: ISO 8601 in UTC.
        bytes: what it took on the disk when it was made.
        hosts: where it was made.
        provider, box: who made these machines, and from what.
        app, app_named, port: what the backends ran, and where it listened.
        reachable, serving: the hosts that let us in, and the backends whose app answered; a restore waits for these.
        exercise, attempt: the exercise that the machines were in, and the id of that attempt; empty for none.
        note: the user's.
    """

    name: str
    id: str
    when: str
    bytes: int
    hosts: tuple[Place, ...]
    provider: str
    box: str
    app: str
    app_named: bool
    port: int
    reachable: tuple[str, ...] = ()
    serving: tuple[str, ...] = ()
    exercise: str = ""
    attempt: str = ""
    note: str = ""


def new_id() -> str:
    """An id that no save has."""
    return uuid4().hex[:8]


def valid_name(name: str) -> str:
    """The name, if it can be one.

    Raises:
        UsageError: it cannot.
    """
    try:
        return TypeAdapter(Label).validate_python(name)
    except ValidationError:
        raise UsageError(
            f"{name!r} cannot be the name of a save", "use lower case letters, digits and inner hyphens, at most 32"
        ) from None


def names(home: Home) -> tuple[str, ...]:
    """The names of all saves, by the alphabet."""
    return tuple(sorted(path.stem for path in (home.path / FOLDER).glob("*.json")))


def every(home: Home) -> tuple[Save, ...]:
    """All saves, the oldest first.

    Raises:
        EnvironmentProblem: a record is damaged.
    """
    return tuple(sorted((load(home, name) for name in names(home)), key=lambda save: save.when))


def load(home: Home, name: str) -> Save:
    """A save by its name.

    Raises:
        UsageError: there is none.
        EnvironmentProblem: its record is damaged.
    """
    refuse_unknown(home, name)
    path = home.path / FOLDER / f"{name}.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=Save)
    except (OSError, ValueError) as fault:  # msgspec's errors, and text that is no UTF-8
        raise EnvironmentProblem(f"{path}: is damaged: {fault}", f"`lab saves --remove {name}` removes it") from None


def refuse_unknown(home: Home, name: str) -> None:
    """Raise unless there is a save of that name, with the one that was meant."""
    known = names(home)
    if name in known:
        return
    close = difflib.get_close_matches(name, known, n=1)
    there = f"there are: {', '.join(known)}" if known else "`lab save NAME` makes one"
    raise UsageError(f"there is no save {name!r}", f"did you mean {close[0]}?" if close else there)


def write(home: Home, save: Save) -> None:
    """Write a record; it replaces the one of the same name in one move."""
    text = msgspec.json.format(msgspec.json.encode(save), indent=2).decode()
    home.write(f"{FOLDER}/{save.name}.json", text + "\n")


def remove(home: Home, name: str) -> None:
    """Take a record out."""
    (home.path / FOLDER / f"{name}.json").unlink(missing_ok=True)


def places(lab: Lab) -> tuple[Place, ...]:
    """The hosts of a lab, as a record has them."""
    return tuple(Place(host.name, str(host.address), tuple(role.value for role in host.roles)) for host in lab.hosts)


def difference(save: Save, lab: Lab, provider: str, box: str) -> str:
    """What has become otherwise since a save was made, so that it does not fit any more; empty for nothing."""
    if save.provider != provider:
        return f"the machines were {save.provider}'s and are {provider}'s"
    before, now = {place.name: place for place in save.hosts}, {place.name: place for place in places(lab)}
    if gone := [name for name in before if name not in now]:
        return f"{', '.join(gone)} is in it and not in lab.toml"
    if new := [name for name in now if name not in before]:
        return f"{', '.join(new)} is in lab.toml and not in it"
    if moved := [name for name in now if before[name] != now[name]]:
        return f"{', '.join(moved)} has another address or other roles in lab.toml"
    if save.port != lab.app.port:
        return f"the app's port was {save.port} and is {lab.app.port}"
    return f"the box was {save.box} and is {box}" if save.box != box else ""


def begin_restoring(home: Home, name: str) -> None:
    """Write down that the machines are on their way to a save."""
    home.write(f"{FOLDER}/{_RESTORING}", name + "\n")


def restoring(home: Home) -> str:
    """The save that the machines were on their way to when a restore was cut off; empty for none."""
    try:
        return (home.path / FOLDER / _RESTORING).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""


def end_restoring(home: Home) -> None:
    """They have arrived, or do not go there any more."""
    (home.path / FOLDER / _RESTORING).unlink(missing_ok=True)
