"""How a class runs on its cluster: the file engine.toml of its folder, with a reason beside each key."""

from __future__ import annotations

import tomllib
from dataclasses import field
from ipaddress import IPv4Network
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

import msgspec
from pydantic import ConfigDict, Field, StringConstraints, model_validator
from pydantic.dataclasses import dataclass

from lab.classes.placement import Need
from lab.config import validated
from lab.errors import TopologyError
from lab.grading.classroom import keep_private
from lab.lxd.kind import VM_DISK_GB
from lab.topology import EngineUrl, Label, Port, Subnet

FILE = "engine.toml"
TRUST = "engine"
"""The folder beside it with client.crt, client.key and server.crt."""
PREFIX = 27
"""A seat's subnet has 32 addresses: the gateway, three machines, and room for an exercise that adds some."""
PORTS = 10
"""A seat has so many ports of its member: an SSH port for each machine, and the site at SITE."""
SITE = 8
ROLES = (("akuma", "balancer", 10), ("voxy", "backend", 11), ("zero", "backend", 12))
"""The machines of a seat: name, role, and which address of the seat's subnet is theirs."""
TAKEN = tuple(IPv4Network(text) for text in ("192.168.56.0/21", "10.56.0.0/16"))
"""Where the labs are that no class made."""
HTTPS_PORT = 8443
_MB, _GB = 1 << 20, 1 << 30
_STRICT = ConfigDict(extra="forbid")
_Memory = Annotated[int, Field(ge=128, le=262144)]
_Plain = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]


@dataclass(frozen=True, config=_STRICT)
class Memory:
    """What each machine may use, by its role; MiB."""

    balancer: _Memory = 256
    backend: _Memory = 512


@dataclass(frozen=True, config=_STRICT)
class Settings:
    """engine.toml.

    Attributes:
        url: where the cluster answers: "https://10.0.0.1:8443" or a socket's path; empty is LXD here.
        pool: the storage pool that the machines lie in, on every member.
        subnets: cut into a subnet for each seat.
        ports_from: the first port of seat 0 on its member; each seat has ten.
        memory_mb: what each machine may use.
        disk_gb: of each machine.
        processes: how many each machine may have at once.
        cpu: how many processors each machine may keep busy.
        vm: whether the machines are virtual ones, on members that can start them; else containers.
        reserve_mb: memory of each member that no lab gets.
        overcommit: how many times over a member's memory and disk may be promised; what machines may use is a limit,
            and most use less.
        app: what the backends run.
        save_minutes: how often `lab class save --every` saves every lab into the class folder; 0 never.
    """

    url: EngineUrl = ""
    pool: _Plain = "default"
    subnets: Subnet = IPv4Network("10.96.0.0/14")
    ports_from: Port = 20000
    memory_mb: Memory = field(default_factory=Memory)
    disk_gb: Annotated[int, Field(ge=1, le=1024)] = 3
    processes: Annotated[int, Field(ge=100, le=32768)] = 400
    cpu: Annotated[float, Field(ge=0.1, le=64)] = 1.0
    vm: bool = False
    reserve_mb: Annotated[int, Field(ge=0, le=1048576)] = 1024
    overcommit: Annotated[float, Field(ge=1, le=100)] = 1.0
    app: Label = "hello"
    save_minutes: Annotated[int, Field(ge=0, le=1440)] = 5

    @model_validator(mode="after")
    def _has_seats(self) -> Self:
        if self.subnets.prefixlen > PREFIX:
            raise ValueError(f"subnets: {self.subnets} has no room for a seat; give it /{PREFIX} or more")
        for other in TAKEN:
            if self.subnets.overlaps(other):
                raise ValueError(f"subnets: {self.subnets} overlaps {other}, where labs without a class are; move it")
        if not self.subnets.is_private:
            raise ValueError(f"subnets: {self.subnets} belongs to somebody on the internet; take a private one")
        if self.ports_from < 1024:
            raise ValueError(f"ports_from: {self.ports_from} is among the ports of services; begin at 1024 or above")
        if self.vm and self.disk_gb < VM_DISK_GB:
            raise ValueError(f"disk_gb: a virtual machine cannot do with {self.disk_gb}; write {VM_DISK_GB} or more")
        if not self.seats:
            raise ValueError(f"ports_from: {self.ports_from} leaves no ten ports for a seat; begin lower")
        return self

    @property
    def seats(self) -> int:
        """How many seats there are numbers for: by subnets, and by ports."""
        return min(1 << (PREFIX - self.subnets.prefixlen), (65536 - self.ports_from) // PORTS)

    @property
    def need(self) -> Need:
        """What a member must have for a lab: all that it may use, or less where more is promised than there is."""
        memory = sum(self.memory_of(role) for _, role, _ in ROLES) * _MB
        return Need(int(memory / self.overcommit), int(len(ROLES) * self.disk_gb * _GB / self.overcommit))

    @property
    def reserve(self) -> int:
        """Bytes of each member's memory that no lab gets."""
        return self.reserve_mb * _MB

    def memory_of(self, role: str) -> int:
        """What a machine of a role may use; MiB."""
        return self.memory_mb.balancer if role == "balancer" else self.memory_mb.backend

    def subnet(self, number: int) -> IPv4Network:
        """The subnet of a seat.

        Raises:
            ValueError: there is no seat of that number.
        """
        if not 0 <= number < self.seats:
            raise ValueError(f"there is no seat {number}; there are {self.seats}")
        first = int(self.subnets.network_address) + (number << (32 - PREFIX))
        return IPv4Network((first, PREFIX))

    def url_of(self, address: str) -> str:
        """Where the member at an address answers; the cluster's own URL where that is a socket, or it has no address.

        Every member answers for the whole cluster, with the same certificate, on the same port.
        """
        if not self.url.startswith("https:") or not address:
            return self.url
        return f"https://{address}:{urlsplit(self.url).port or HTTPS_PORT}"

    def ports(self, number: int) -> int:
        """The first of a seat's ports on its member."""
        return self.ports_from + PORTS * number


@dataclass(frozen=True, config=_STRICT)
class _File:
    engine: Settings = field(default_factory=Settings)


def load(folder: Path) -> Settings:
    """The settings of a class; the file is written, with the defaults, when there is none.

    Raises:
        TopologyError: the file cannot be used; a line for each fault.
        EnvironmentProblem: it cannot be written.
    """
    path = folder / FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        save(folder, Settings())
        return Settings()
    except (OSError, UnicodeDecodeError) as fault:
        raise TopologyError(f"{path}: cannot be read: {fault}") from None
    return parse(text, str(path))


def parse(text: str, name: str = FILE) -> Settings:
    """The settings that the text of a file has; `name` is the file that errors name.

    Raises:
        TopologyError: it is not TOML, or a value will not do.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise TopologyError(f"{name}: is not TOML: {fault}", "mend the place that it names") from None
    return validated(_File, table, name, {"engine": Settings, "memory_mb": Memory}).engine


def save(folder: Path, settings: Settings) -> None:
    """Write engine.toml, whole and with its comments.

    Raises:
        EnvironmentProblem: it cannot be written.
    """
    keep_private(folder / FILE, text_of(settings))


def text_of(settings: Settings) -> str:
    """engine.toml as it is written."""
    lines = [
        "# How this class runs, from the next `lab class up` on. Change subnets and ports only while no lab is up.",
        "[engine]",
    ]
    for name, reason in _REASONS:
        value = getattr(settings, name)
        lines.append(f"{name} = {_value(value)}".ljust(36) + f"# {reason}")
    roles = (f"{name} = {getattr(settings.memory_mb, name)}".ljust(36) + f"# {reason}" for name, reason in _MEMORY)
    return "\n".join([*lines, "", "[engine.memory_mb]", *roles, ""])


def _value(value: object) -> str:
    """A number or a text; JSON writes these as TOML does."""
    return msgspec.json.encode(str(value) if isinstance(value, IPv4Network) else value).decode()


_REASONS = (
    ("url", 'the cluster, as "https://10.0.0.1:8443"; "" is the socket of this computer'),
    ("pool", "the storage pool of the machines, on every member"),
    ("subnets", "cut into a /27 for each student; nothing else in your network may use it"),
    ("ports_from", "the first port of the first student; each has ten on their member"),
    ("disk_gb", "of each machine"),
    ("processes", "how many each machine may have at once"),
    ("cpu", "how many processors each machine may keep busy"),
    ("vm", "true: virtual machines, each with a kernel of its own, where members can; false: containers"),
    ("reserve_mb", "memory of each member that no lab gets"),
    ("overcommit", "1: every machine can use all it may at once; 4: a quarter of them can, and four times as many fit"),
    ("app", "what the backends run"),
    ("save_minutes", "how often `lab class save --every` saves every lab into this folder; 0 is never"),
)
_MEMORY = (("balancer", "what akuma may use"), ("backend", "what voxy and zero may use, each"))


def host_addresses(subnet: IPv4Network) -> tuple[str, ...]:
    """The addresses of a seat's machines, in the order of ROLES."""
    return tuple(str(subnet[last]) for _, _, last in ROLES)
