"""The lab as data: its hosts, their addresses and what nginx is told about them.

One source for every name, address and port. The classes are frozen and validated when they are
made, so a `Lab` that exists is a lab that can be built.
"""

from __future__ import annotations

from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network
from itertools import combinations
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, PlainSerializer, StringConstraints, model_validator
from pydantic.dataclasses import dataclass

_STRICT = ConfigDict(extra="forbid")

Label = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$")]
"""One label of a DNS name, as every host name here is: lower case, digits, inner hyphens."""
Domain = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")]
Port = Annotated[int, Field(ge=1, le=65535)]
Address = Annotated[IPv4Address, PlainSerializer(str)]
Subnet = Annotated[IPv4Network, PlainSerializer(str)]
Seconds = Annotated[float, Field(gt=0, le=3600)]
Version = Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+){0,2}$")]
Method = Literal["round_robin", "least_conn", "ip_hash", "random"]
ProviderName = Literal["auto", "lxc", "lxd", "libvirt", "virtualbox", "existing"]
UserName = Annotated[str, StringConstraints(pattern=r"^([a-z_][a-z0-9_-]{0,31})?$")]
HostKey = Annotated[str, StringConstraints(
    pattern=r"^(SHA256:[A-Za-z0-9+/]{43}=?|(ssh|ecdsa|sk)-[a-z0-9@.-]+ [A-Za-z0-9+/]+=*( .*)?)?$"
)]  # fmt: skip
"""A host key as `ssh-keygen -l` prints its fingerprint, or as a line of its .pub file; empty for none."""
USUAL_KEY = "~/.ssh/id_ed25519"
EngineUrl = Annotated[str, StringConstraints(pattern=r"^(https://[^\s/@?#]+/?|/[^\s]+)?$")]
"""Where an LXD listens: empty for the socket of this computer, https://NAME:PORT, or the path of a socket."""
LxdName = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,62})?$")]
"""The name of a project, a pool or a member of a cluster; empty where the lab chooses."""
BridgeName = Annotated[str, StringConstraints(pattern=r"^([a-z][a-z0-9-]{1,14})?$")]
"""The name of a bridge: the kernel has 15 characters for it."""


class Role(StrEnum):
    """What a host does. A host may have both roles."""

    BALANCER = "balancer"
    BACKEND = "backend"


@dataclass(frozen=True, config=_STRICT)
class Host:
    """One machine of the lab. `weight` and `backup` are nginx's, for hosts that are a backend.

    `ssh_user`, `ssh_key`, `ssh_port` and `host_key` are for machines that are there already; empty is the lab's.
    """

    name: Label
    address: Address
    roles: Annotated[tuple[Role, ...], Field(min_length=1)]
    cpus: Annotated[int, Field(ge=1, le=64)] = 1
    memory_mb: Annotated[int, Field(ge=128, le=262144)] = 1024
    weight: Annotated[int, Field(ge=1, le=1000)] = 1
    backup: bool = False
    ssh_user: UserName = ""
    ssh_key: str = ""
    ssh_port: Port | None = None
    host_key: HostKey = ""

    def is_a(self, role: Role) -> bool:
        """Whether the host has this role."""
        return role in self.roles


@dataclass(frozen=True, config=_STRICT)
class Upstream:
    """How nginx balances. The defaults bound what a user feels when a backend dies.

    They come from measurements: with a connect timeout of 1 s and a read timeout of 5 s, a silent or
    hanging backend costs a request that long instead of nginx's 60 s; with a shared `zone` all workers
    learn of a failure at once (without one, four workers made 9 failed attempts instead of 2).
    """

    name: Label = "domain"
    method: Method = "round_robin"
    max_fails: Annotated[int, Field(ge=0, le=1000)] = 1
    fail_timeout_s: Annotated[int, Field(ge=1, le=3600)] = 10
    connect_timeout_s: Seconds = 1
    read_timeout_s: Seconds = 5
    next_upstream: Annotated[tuple[
        Literal["error", "timeout", "invalid_header", "http_500", "http_502", "http_503", "http_504",
                "http_403", "http_404", "http_429", "non_idempotent", "off"], ...
    ], Field(min_length=1)] = ("error", "timeout")  # fmt: skip
    tries: Annotated[int, Field(ge=0, le=100)] = 0
    zone_kb: Annotated[int, Field(ge=32, le=65536)] = 64
    keepalive: Annotated[int, Field(ge=0, le=10000)] = 0


@dataclass(frozen=True, config=_STRICT)
class App:
    """Which application the backends run, where it listens, how it is served, and as which user."""

    name: str = "dumbsound"
    mode: Literal["dev", "build"] = "dev"
    port: Port = 3000
    user: Label = "vagrant"


@dataclass(frozen=True, config=_STRICT)
class Box:
    """Where the guests come from: our own box, unless one is named for the provider.

    `public` is what VirtualBox takes where our box was neither built nor imported.
    """

    suite: Literal["bookworm"] = "bookworm"
    mirror: str = ""
    virtualbox: str = ""
    libvirt: str = ""
    public: str = "debian/bookworm64"


@dataclass(frozen=True, config=_STRICT)
class Versions:
    """Versions of what runs on the backends; pm2's is an npm range."""

    node: Version = "22"
    pm2: str = "^7.0.0"


@dataclass(frozen=True, config=_STRICT)
class Engine:
    """Which LXD the machines of the provider `lxd` are made on, and what each of them may take there.

    Attributes:
        url: where it listens; empty is the socket of this computer.
        project: its project for this lab's machines; empty is lab- and the lab's id.
        network: the bridge; empty is lab and the lab's id.
        member: the member of a cluster that all machines go to; empty is the only one, or the engine's choice.
        address: where that member is reached, when it is not this computer: the lab's subnet is routed through it.
        supernet: a network in which other labs are, so that this one's machines do not reach it.
        trust: the folder with client.crt, client.key and server.crt, seen from lab.toml's.
        pool: the storage pool.
        disk_gb: the size of each machine's disk.
        processes: how many processes each machine may have.
        cpu: how many processors each machine may use up.
        isolated: whether each machine has user ids that no other machine has; else LXD's own for all.
        fresh: whether a snapshot of each machine is taken before it runs for the first time. With it a machine is
            renewed without losing its saves; without it machines are made in less time.
        vm: whether the machines are virtual ones, each with a kernel of its own; else containers.
        ports: 0 for none, else the first of the ten ports of the member that lead to the machines: +0 is ssh of the
            balancer, +1 and on ssh of the others in the order of the file, +8 the site.
    """

    url: EngineUrl = ""
    project: LxdName = ""
    network: BridgeName = ""
    member: LxdName = ""
    address: Annotated[str, StringConstraints(pattern=r"^([0-9]{1,3}(\.[0-9]{1,3}){3})?$")] = ""
    supernet: Annotated[str, StringConstraints(pattern=r"^([0-9.]+/[0-9]{1,2})?$")] = ""
    trust: str = ""
    pool: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")] = "default"
    disk_gb: Annotated[int, Field(ge=1, le=1024)] = 3
    processes: Annotated[int, Field(ge=50, le=100000)] = 400
    cpu: Annotated[float, Field(ge=0.05, le=64)] = 1.0
    isolated: bool = False
    fresh: bool = True
    vm: bool = False
    ports: Annotated[int, Field(ge=0, le=65526)] = 0


_SSH_PORTS = 8
"""Of the ten ports of a lab; the two others are the site's and a spare."""


def _default_hosts() -> tuple[Host, ...]:
    def host(name: str, last: int, role: Role, memory_mb: int) -> Host:
        return Host(name=name, address=IPv4Address(f"192.168.56.{last}"), roles=(role,), memory_mb=memory_mb)

    return (
        host("akuma", 10, Role.BALANCER, 512),
        host("voxy", 11, Role.BACKEND, 2048),
        host("zero", 12, Role.BACKEND, 2048),
    )


@dataclass(frozen=True)
class Access:
    """How the owner of a machine that is there already gets into it: user, private key, port."""

    user: str
    key: str
    port: int


@dataclass(frozen=True, config=_STRICT)
class Lab:
    """A whole lab. Without arguments: akuma balancing over voxy and zero on 192.168.56.0/24.

    With `offline` nothing is fetched, and the guests have no way out.
    """

    name: Label = "lab"
    provider: ProviderName = "auto"
    subnet: Subnet = IPv4Network("192.168.56.0/24")
    domain: Domain = "akuma.xyz"
    lang: Literal["", "en", "id"] = ""
    ca_bundle: str = ""
    dns: tuple[Address, ...] = ()
    offline: bool = False
    ssh_user: UserName = ""
    ssh_key: str = ""
    ssh_port: Port | None = None
    host: tuple[Host, ...] = Field(default_factory=_default_hosts)
    upstream: Upstream = Field(default_factory=Upstream)
    app: App = Field(default_factory=App)
    box: Box = Field(default_factory=Box)
    engine: Engine = Field(default_factory=Engine)
    versions: Versions = Field(default_factory=Versions)

    @model_validator(mode="after")
    def _can_be_built(self) -> Self:
        for fault_of in (_fault_of_roles, _fault_of_access, _fault_of_addresses, _fault_of_upstream, _fault_of_engine):
            if fault := fault_of(self):
                raise ValueError(fault)
        return self

    @property
    def hosts(self) -> tuple[Host, ...]:
        """All machines, in the order of the file."""
        return self.host

    @property
    def balancer(self) -> Host:
        """The nginx host."""
        return next(host for host in self.host if host.is_a(Role.BALANCER))

    @property
    def backends(self) -> tuple[Host, ...]:
        """The members of the upstream, in the order of the file."""
        return tuple(host for host in self.host if host.is_a(Role.BACKEND))

    @property
    def gateway(self) -> IPv4Address:
        """The address of this computer on the lab's network: the subnet's first."""
        return self.subnet.network_address + 1

    @property
    def reach(self) -> IPv4Network:
        """The network that load may be sent to: the lab's own, or, where that is not ours, the balancer alone."""
        return IPv4Network(self.balancer.address) if self.provider == "existing" else self.subnet

    @property
    def url(self) -> str:
        """Where a browser finds the balanced site."""
        return f"http://{self.balancer.address}/"

    def access(self, host: Host) -> Access:
        """How to get into a machine that is there already: the host's own values, else the lab's."""
        return Access(
            host.ssh_user or self.ssh_user, host.ssh_key or self.ssh_key or USUAL_KEY,
            host.ssh_port or self.ssh_port or 22,
        )  # fmt: skip

    def __getitem__(self, name: str) -> Host:
        """The host of that name; KeyError when there is none."""
        for host in self.host:
            if host.name == name:
                return host
        raise KeyError(name)


def _fault_of_roles(lab: Lab) -> str | None:
    balancers = [host.name for host in lab.host if host.is_a(Role.BALANCER)]
    if not balancers:
        return 'host: no host is the balancer; give one of them roles = ["balancer"]'
    if len(balancers) > 1:
        return f"host: {' and '.join(balancers)} are both balancers; keep the role on one of them"
    if not lab.backends:
        return 'host: no host is a backend; give at least one of them roles = ["backend"]'
    return None


def _fault_of_access(lab: Lab) -> str | None:
    keys = ("ssh_user", "ssh_key", "ssh_port", "host_key")
    given = [key for one in (lab, *lab.host) for key in keys if getattr(one, key, None)]
    if given and lab.provider != "existing":
        return f'{given[0]}: is only for machines that are there already; write provider = "existing", or leave it out'
    if lab.provider != "existing":
        return None
    for host in lab.host:
        if not lab.access(host).user:
            return f"host: {host.name} has no ssh_user; name the user that you log in as, there or at the top for all"
    return None


def _fault_of_addresses(lab: Lab) -> str | None:
    for one, other in combinations(lab.host, 2):
        if one.name == other.name:
            return f"host: two hosts are called {one.name}; give each its own name"
        if one.address == other.address:
            return f"host: {one.name} and {other.name} both have {one.address}; give each its own address"
    if lab.provider == "existing":  # their network is not ours
        wrong = [f"{host.name}'s address {host.address}" for host in lab.host if _is_no_hosts(host.address)]
        return f"host: {wrong[0]} is no machine's; give the one that its neighbours reach" if wrong else None
    reserved = {lab.subnet.network_address, lab.subnet.broadcast_address, lab.gateway}
    for host in lab.host:
        if host.address not in lab.subnet:
            return f"host: {host.name}'s address {host.address} is outside the subnet {lab.subnet}; give it one inside"
        if host.address in reserved:
            return f"host: {host.name}'s address {host.address} is reserved; {lab.gateway} is this computer's"
    return None


def _is_no_hosts(address: IPv4Address) -> bool:
    return address.is_loopback or address.is_multicast or address.is_unspecified or address.is_reserved


def _fault_of_upstream(lab: Lab) -> str | None:
    if all(backend.backup for backend in lab.backends):
        return "host: every backend is a backup; set backup = false on at least one"
    if lab.upstream.method in ("ip_hash", "random") and any(backend.backup for backend in lab.backends):
        return f"upstream.method: nginx refuses backup servers with {lab.upstream.method}; use round_robin"
    if lab.app.user == "root":
        return "app.user: the app must not run as root; name another user"
    if lab.balancer.is_a(Role.BACKEND) and lab.app.port == 80:
        return f"app.port: {lab.balancer.name} is also the balancer, where nginx has port 80; choose another"
    return None


def _fault_of_engine(lab: Lab) -> str | None:
    engine = lab.engine
    if lab.provider not in ("auto", "lxd") and engine != Engine():
        return 'engine: is only for machines that LXD makes; write provider = "lxd", or leave the table out'
    if engine.url.startswith("https:") and not engine.trust:
        return "engine.trust: name the folder with client.crt, client.key and server.crt (lab engine join makes them)"
    if engine.address and _is_no_address(engine.address):
        return f"engine.address: {engine.address} is no address; write the one that the member is reached at"
    if engine.supernet and _is_no_network(engine.supernet):
        return f"engine.supernet: {engine.supernet} is no network; write one as 10.96.0.0/14"
    if 0 < engine.ports < 1024:
        return f"engine.ports: {engine.ports} is a port of the member's own services; begin at 1024 or later"
    if engine.ports and not engine.address:
        return "engine.address: ports need the address that the member has for others; write it"
    if engine.ports and len(lab.host) > _SSH_PORTS:
        return f"engine.ports: there are ports for {_SSH_PORTS} hosts, and the lab has {len(lab.host)}; set ports = 0"
    return None


def _is_no_network(text: str) -> bool:
    try:
        IPv4Network(text)
    except ValueError:
        return True
    return False


def _is_no_address(text: str) -> bool:
    try:
        return _is_no_hosts(IPv4Address(text))
    except ValueError:
        return True
