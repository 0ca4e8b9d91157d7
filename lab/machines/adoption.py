"""What is looked at and done on a machine that is there already, so that it can be a host of the lab.

Looking changes nothing. Adopting writes a mark, records what was there before, and makes the lab's own account. Undoing
brings back what was recorded and takes away what the lab, its students and its exercises are known to leave: it is no
new machine, but one that an exercise can begin on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from lab.errors import CommandFailed, EnvironmentProblem
from lab.host import Host
from lab.keys import LOGIN
from lab.topology import Host as Machine
from lab.topology import Lab, Role

MARK = "/etc/lab-host"
RECORD = "/var/lib/lab/before"
KEPT_MB = 100
"""As much of what the lab will change is copied before; a machine with more holds somebody's site."""
UNDO_S = 300
_HERE = Path(__file__).parent
_PLACES = (
    "/etc/nginx", "/etc/hosts", "/etc/environment", "/etc/profile.d/lab.sh", "/etc/apt/apt.conf.d/90lab-proxy",
    "/etc/nftables.conf", "/usr/local/share/ca-certificates/lab.crt", "/var/www", "/var/log/nginx", "/srv/git",
    "/root/.pm2",
)  # fmt: skip
"""What provisioning and exercises change or make. Copied before, and put back or taken away afterwards."""
_AT_HOME = (".pm2", ".npm", "hello", "answers.txt", "prediction.txt", "incident.txt")
"""The same in the home of an account that is not of our making, besides the app's own folder."""
_TOOLS = (
    *(f"/usr/local/bin/{name}" for name in
      ("node", "npm", "npx", "corepack", "pm2", "pm2-dev", "pm2-docker", "pm2-runtime", "sirv")),
    "/usr/local/lib/node_modules",
    *(f"/usr/local/lib/node_modules/{name}" for name in ("corepack", "npm", "pm2", "sirv-cli")), "/root/.npm",
)  # fmt: skip
"""What takes long to install: it stays between exercises, and goes with the lab where it came with it."""


@dataclass(frozen=True)
class Mark:
    """What /etc/lab-host says: which lab has adopted the machine, from which folder, and whose the account is.

    Attributes:
        lab: the lab's id.
        folder: where its lab.toml is, on the computer that adopted it.
        host: what that lab calls the machine.
        account: whether the account `vagrant` is of the lab's making.
    """

    lab: str
    folder: str
    host: str
    account: bool


@dataclass(frozen=True)
class Listener:
    """What listens on a port: its program and process id as `ss` tells them."""

    port: int
    program: str


@dataclass(frozen=True)
class Look:
    """A machine as it was found.

    Attributes:
        system: its name for itself, as "Debian GNU/Linux 12 (bookworm)".
        debian: whether that is Debian or of its family, with apt.
        root: whether sudo asks for no password.
        systemd: whether systemd runs it.
        name: its own host name.
        addresses: of its interfaces.
        mark: by whom it was adopted; None for nobody.
        account: whether there is an account of the lab's name.
        node: the version of a Node in /usr/local; empty for none.
        listeners: of the ports that the lab needs.
        kept_mb: the size of what would have to be copied before.
    """

    system: str
    debian: bool
    root: bool
    systemd: bool
    name: str
    addresses: tuple[str, ...]
    mark: Mark | None
    account: bool
    node: str
    listeners: tuple[Listener, ...]
    kept_mb: int


def look(host: Host, lab: Lab, apps: tuple[str, ...]) -> Look:
    """See what a machine is like; changes nothing. It is logged in to as its owner does.

    Raises:
        HostUnreachable: it lets nobody in.
        EnvironmentProblem: its mark cannot be read.
    """
    ports = f"80 {lab.app.port}"
    shown = host.run(_script("look.sh"), check=False, env={"PORTS": ports, "LOGIN": LOGIN, **_places(apps)}).stdout
    told: dict[str, list[str]] = {}
    for line in shown.splitlines():
        key, _, value = line.partition("=")
        told.setdefault(key, []).append(value.strip())

    def first(key: str) -> str:
        return told.get(key, [""])[0]

    family = set(first("family").split())
    return Look(
        first("system") or "an unknown system", bool(family & {"debian", "ubuntu", "raspbian"}) and "apt" in told,
        "root" in told, "systemd" in told, first("hostname"), tuple(first("addresses").split()),
        _mark(host.name, "\n".join(told.get("mark", []))), "account" in told, first("node").lstrip("v"),
        tuple(_listener(value) for value in told.get("listens", [])), int(first("kept") or 0),
    )  # fmt: skip


def fault_of(found: Look, machine: Machine, lab: Lab, lab_id: str) -> str:
    """Why a machine cannot be a host of this lab, with the mend; empty when it can."""
    first = next(_faults(found, machine, lab, lab_id), "")
    return first and f"{machine.name} ({machine.address}) {first}"


def _faults(found: Look, machine: Machine, lab: Lab, lab_id: str) -> Iterator[str]:
    user = lab.access(machine).user
    if not found.debian:
        yield f"runs {found.system}, and the lab needs Debian, Ubuntu or one of their family, with apt"
    if not found.root:
        allow = f"echo '{user} ALL=(ALL) NOPASSWD: ALL' | sudo tee /etc/sudoers.d/{user}"
        yield f"does not give {user} root by sudo without a password; on it: {allow}"
    if not found.systemd:
        yield "is not run by systemd, which the lab needs; take another machine"
    if found.mark and found.mark.lab != lab_id:
        theirs = f"{found.mark.lab} in {found.mark.folder}"
        yield f"belongs to another lab, {theirs}; lab destroy there, or, when that is no more, sudo rm {MARK} on it"
    if found.name != machine.name:
        rename = f"sudo hostnamectl set-hostname {machine.name}"
        yield f"calls itself {found.name}; {rename} on it, or name it so in lab.toml"
    if str(machine.address) not in found.addresses:
        has = ", ".join(found.addresses)
        yield f"has no interface with that address, but {has}; give the one of these that its neighbours reach"
    if found.mark is None:
        yield from _faults_of_strangers(found, machine, lab)


def _faults_of_strangers(found: Look, machine: Machine, lab: Lab) -> Iterator[str]:
    """What is looked at before a machine is adopted; afterwards it is the lab's own doing."""
    for each in found.listeners:
        if each.port in _needed_ports(machine, lab):
            yield f"has something that is not the lab's on port {each.port}: {each.program}; end it there first"
    if found.account and lab.access(machine).user != LOGIN:
        yield f'has an account {LOGIN} that is not the lab\'s; write ssh_user = "{LOGIN}", or remove it'
    if found.node and not f"{found.node}.".startswith(f"{lab.versions.node}."):
        yield f"has Node {found.node} in /usr/local, which the lab would replace; set versions.node to that in lab.toml"
    if found.kept_mb > KEPT_MB:
        places = ", ".join(_PLACES)
        yield f"has {found.kept_mb} MB in {places}, which the lab would change; take one without a site of its own"


def adopt(host: Host, mark: Mark, public_key: str, apps: tuple[str, ...]) -> None:
    """Make a machine a host of the lab; harmless when it is one.

    Raises:
        CommandFailed: what failed; doing it again goes on.
    """
    host.put((json.dumps(asdict(mark)) + "\n").encode(), MARK)
    env = {"PUBLIC_KEY": public_key.strip(), **_account(mark), **_places(apps)}
    host.run(_script("adopt.sh"), root=True, env=env)


def undo(host: Host, mark: Mark, apps: tuple[str, ...], *, release: bool) -> None:
    """Bring a machine back to what was recorded; with `release` the lab's account, tools and mark go as well.

    Raises:
        EnvironmentProblem: the record is gone, so nothing was touched.
        CommandFailed: something could not be undone; doing it again goes on.
    """
    env = {"RELEASE": "yes" if release else "", **_account(mark), **_places(apps)}
    done = host.run(_script("undo.sh"), root=True, check=False, timeout_s=UNDO_S, env=env)
    if done.code == 3:
        raise EnvironmentProblem(
            f"{host.name}: what was there before the lab is not known any more: {RECORD} is gone; nothing was touched",
            f"set {host.name} up anew, or clean it by hand and sudo rm {MARK}",
        )
    if not done.ok:
        raise CommandFailed(host.name, done)


def _needed_ports(machine: Machine, lab: Lab) -> set[int]:
    needed = {80} if machine.is_a(Role.BALANCER) else set()
    return needed | ({lab.app.port} if machine.is_a(Role.BACKEND) else set())


def _mark(name: str, text: str) -> Mark | None:
    try:
        return Mark(**json.loads(text)) if text.strip() else None
    except (ValueError, TypeError):
        raise EnvironmentProblem(
            f"{name}: {MARK} is there, but it is no mark of a lab", f"see what it is; sudo rm {MARK} on {name}"
        ) from None


def _listener(line: str) -> Listener:
    """As `80 users:(("apache2",pid=12,fd=4))`, in the words of ss."""
    port, _, users = line.partition(" ")
    words = users.partition("((")[2].split(",")
    program = words[0].strip('"') if words[0] else "a program that hides its name"
    pid = next((word for word in words if word.startswith("pid=")), "")
    return Listener(int(port), f"{program} ({pid.replace('=', ' ')})" if pid else program)


def _account(mark: Mark) -> dict[str, str]:
    return {"LOGIN": LOGIN, "OURS": "yes" if mark.account else ""}


def _places(apps: tuple[str, ...]) -> dict[str, str]:
    """The lists for the scripts: words without blanks in them, those at home with a home of their own."""
    at_home = dict.fromkeys((*_AT_HOME, *apps))
    return {"PLACES": " ".join(_PLACES), "AT_HOME": " ".join(at_home), "TOOLS": " ".join(_TOOLS)}


def _script(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")
