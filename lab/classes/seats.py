"""The seats of a class: which number, member and generation each student's lab has; the file seats.json.

Everything else of a seat follows from its number and from the student's id: subnet, network, ports, project, home. So
another computer with the class folder finds every lab.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address
from pathlib import Path

import msgspec

from lab.errors import EnvironmentProblem, UsageError
from lab.grading.classroom import keep_private
from lab.home import locked

FILE = "seats.json"
BEFORE = "seats.json.before"
"""The file as it was before the last change."""
LOCK = "lock"
LABS = "labs"
_MOST = 100_000


@dataclass(frozen=True)
class Seat:
    """Where a student's lab is.

    Attributes:
        number: from 0; subnet, network and ports follow from it.
        member: the cluster's name of the computer that its machines are on.
        address: the member's IPv4 address; empty where the only member is this computer.
        generation: how often the lab was made anew because its member was lost.
    """

    number: int
    member: str
    address: str = ""
    generation: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.number < _MOST:
            raise ValueError(f"{self.number} is no seat's number")
        if self.generation < 0:
            raise ValueError(f"{self.generation} is no generation")
        if self.address:
            IPv4Address(self.address)

    @property
    def network(self) -> str:
        """The name of its network; to make it is to claim the number."""
        return f"labn{self.number:05d}"


@dataclass(frozen=True)
class Seats:
    """All seats of a class."""

    seats: Mapping[str, Seat] = field(default_factory=dict)

    def __post_init__(self) -> None:
        holders: dict[int, str] = {}
        for id, seat in self.seats.items():
            if holders.setdefault(seat.number, id) != id:
                raise ValueError(f"{holders[seat.number]} and {id} both have seat {seat.number}")

    @property
    def taken(self) -> frozenset[int]:
        """The numbers that are given away."""
        return frozenset(seat.number for seat in self.seats.values())

    def of(self, id: str) -> Seat | None:
        """A student's seat; None while there is none."""
        return self.seats.get(id)

    def on(self, member: str) -> tuple[str, ...]:
        """Whose labs a member has."""
        return tuple(id for id, seat in self.seats.items() if seat.member == member)

    def with_(self, id: str, seat: Seat) -> Seats:
        """These, and one more or one changed.

        Raises:
            ValueError: another student has its number.
        """
        return replace(self, seats={**self.seats, id: seat})

    def without(self, id: str) -> Seats:
        """These but one; the same when it is not there."""
        return replace(self, seats={other: seat for other, seat in self.seats.items() if other != id})


def load(folder: Path) -> Seats:
    """The seats of a class; none when nothing was up yet.

    Raises:
        UsageError: the file is damaged. It is never replaced: labs would be lost from the books.
    """
    path = folder / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Seats)
    except FileNotFoundError:
        return Seats()
    except (OSError, ValueError) as fault:
        said = " ".join(str(fault).split())
        raise UsageError(
            f"{path}: cannot be used: {said}",
            f"put {folder / BEFORE}, which is one change older, or your backup in its place",
        ) from None


def save(folder: Path, seats: Seats) -> None:
    """Write seats.json in one move, and keep what was there before it as seats.json.before.

    Raises:
        EnvironmentProblem: it cannot be written.
    """
    path = folder / FILE
    text = msgspec.json.format(msgspec.json.encode(seats)).decode() + "\n"
    try:
        before = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        before = ""
    except (OSError, UnicodeDecodeError) as fault:
        raise EnvironmentProblem(f"{path}: cannot be read: {fault}") from None
    if before and before != text:
        keep_private(folder / BEFORE, before)
    if before != text:
        keep_private(path, text)


def free_numbers(taken: Collection[int], seats: int) -> Iterator[int]:
    """The numbers that are left, the lowest first.

    Args:
        taken: those that this class or another one on the cluster has.
        seats: how many there are; from `Settings.seats`.

    Raises:
        UsageError: asked for one more than there are.
    """
    yield from (number for number in range(seats) if number not in taken)
    raise UsageError(f"all {seats} seats are taken", "give engine.toml larger subnets, or lower ports_from")


@contextmanager
def lock(folder: Path, doing: str) -> Iterator[None]:
    """Hold a class while it is changed.

    Raises:
        LabBusy: another command holds it; the message names that command.
        EnvironmentProblem: the folder is not there, or not ours to write.
    """
    try:
        with locked(folder / LOCK, f"the class in {folder}", doing):
            yield
    except (FileNotFoundError, PermissionError) as fault:
        if fault.filename != str(folder / LOCK):
            raise
        raise EnvironmentProblem(f"{fault.filename}: cannot be written: {fault.strerror}") from None


def home_id(secret: str, id: str) -> str:
    """The eight characters by which a student's lab is known to its machines; the same on every computer."""
    return hmac.new(bytes.fromhex(secret), id.encode(), hashlib.sha256).hexdigest()[:8]


def project_name(secret: str, id: str, generation: int = 0) -> str:
    """The project of a student's lab: readable, and another one for each id, class and generation."""
    slug = re.sub(r"[^a-z0-9]+", "-", id.casefold())[:20].strip("-") or "x"
    return f"lab-{slug}-{home_id(secret, id)}" + (f"-g{generation}" if generation else "")


def fingerprint(secret: str) -> str:
    """By what a class knows its networks on a cluster, without telling the secret."""
    return hashlib.sha256(bytes.fromhex(secret)).hexdigest()[:16]


def check_distinct(secret: str, ids: Iterable[str]) -> None:
    """That no two students' labs are known by the same characters.

    Raises:
        UsageError: two are; once in a thousand classes of 3,000.
    """
    known: dict[str, str] = {}
    for id in ids:
        if (other := known.setdefault(home_id(secret, id), id)) != id:
            raise UsageError(f"the labs of {other!r} and {id!r} cannot be told apart", f"give {id!r} another id")


def lab_folder(folder: Path, id: str) -> Path:
    """Where a student's lab.toml lies, with what the lab remembers."""
    return folder / LABS / id
