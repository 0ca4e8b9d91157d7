"""The host keys of machines that are there already: shown once, pinned, and from then on demanded."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lab import process
from lab.errors import EnvironmentProblem, HostUnreachable
from lab.home import Home
from lab.parallel import workers
from lab.topology import Host, Lab

FILE = "known_hosts"
SCAN_S = 5
_KINDS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")
"""The best first: one key a host is pinned, so that the next connection asks for that one."""


class HostKeyUnknown(EnvironmentProblem):
    """Nobody has said yet that a host's key is the right one."""


@dataclass(frozen=True)
class HostKey:
    """A key that a host has shown, or that was pinned: as in a line of known_hosts."""

    host: str
    place: str
    kind: str
    key: str

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` prints it."""
        return _fingerprint(self.key)

    @property
    def line(self) -> str:
        """For known_hosts."""
        return f"{self.place} {self.kind} {self.key}\n"


def strangers(lab: Lab, home: Home) -> tuple[HostKey, ...]:
    """The keys that hosts show now and that neither lab.toml nor an earlier `lab up` vouches for; pins nothing.

    Raises:
        HostUnreachable: a host shows no key.
    """
    held = _pinned(lab, home)
    unknown = [host for host in lab.hosts if not host.host_key and host.name not in held]
    with workers(len(unknown)) as pool:
        return tuple(pool.map(lambda host: _shown(lab, host), unknown))


def pin(lab: Lab, home: Home, keys: Iterable[HostKey]) -> None:
    """Write keys down as the right ones, each in place of an earlier one of its host."""
    held = _pinned(lab, home) | {key.host: key for key in keys}
    home.write(FILE, "".join(held[host.name].line for host in lab.hosts if host.name in held))


def settle(lab: Lab, home: Home) -> str:
    """Pin what lab.toml vouches for, and refuse what nobody does; the path of the file with all keys.

    Raises:
        HostKeyUnknown: a host's key has to be accepted first, or is not the one in lab.toml; nothing was touched.
        HostUnreachable: a host shows no key.
    """
    held = _pinned(lab, home)
    vouched = [host for host in lab.hosts if host.host_key]
    renewed = [host for host in vouched if host.name not in held or not _is_same(held[host.name], host.host_key)]
    pin(lab, home, [_vouched(lab, host) for host in renewed])
    for key in strangers(lab, home):
        raise HostKeyUnknown(
            f"{key.host}'s host key is not known yet; {key.place} shows {key.kind} {key.fingerprint}",
            f'lab up --accept-host-keys takes it, or write host_key = "{key.fingerprint}" for {key.host} in lab.toml',
        )
    return str(home.path / FILE)


def _vouched(lab: Lab, host: Host) -> HostKey:
    shown = _shown(lab, host, host.host_key.split()[0] if " " in host.host_key else "", host.host_key)
    if not _is_same(shown, host.host_key):
        raise HostKeyUnknown(
            f"{host.name} shows the host key {shown.fingerprint}, and lab.toml says {_told(host.host_key)}",
            "do not go on before you know why; host_key in lab.toml is what is believed",
        )
    return shown


def _shown(lab: Lab, host: Host, kind: str = "", wanted: str = "") -> HostKey:
    """The best key that the host shows; the wanted one where it has that among others."""
    port = lab.access(host).port
    found = process.run("ssh-keyscan", "-T", str(SCAN_S), "-p", str(port), str(host.address), check=False)
    keys = [_read(host.name, line) for line in found.stdout.splitlines() if not line.startswith("#")]
    offered = sorted((key for key in keys if key.kind in _KINDS), key=lambda key: _KINDS.index(key.kind))
    if not offered:
        raise HostUnreachable(
            f"{host.name}: nothing at {host.address}, port {port}, shows an SSH host key",
            f"switch {host.name} on, install openssh-server there, or mend its address and ssh_port in lab.toml",
        )
    alike = [key for key in offered if wanted and _is_same(key, wanted)] or [key for key in offered if key.kind == kind]
    return (alike or offered)[0]


def _pinned(lab: Lab, home: Home) -> dict[str, HostKey]:
    """Host name → its pinned key."""
    path = home.path / FILE
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    places = {_place(lab, host): host.name for host in lab.hosts}
    found: dict[str, Any] = {line.split()[0]: line for line in lines if len(line.split()) >= 3}
    return {name: _read(name, found[place]) for place, name in places.items() if place in found}


def _place(lab: Lab, host: Host) -> str:
    """How known_hosts calls the host: with its port where that is not 22."""
    port = lab.access(host).port
    return str(host.address) if port == 22 else f"[{host.address}]:{port}"


def _read(name: str, line: str) -> HostKey:
    place, kind, key, *_ = line.split()
    return HostKey(name, place, kind, key)


def _is_same(key: HostKey, told: str) -> bool:
    return key.fingerprint == _told(told)


def _told(text: str) -> str:
    """The fingerprint of what lab.toml says: a fingerprint, or a public key."""
    return text.rstrip("=") if text.startswith("SHA256:") else _fingerprint(text.split()[1])


def _fingerprint(key: str) -> str:
    try:
        digest = hashlib.sha256(base64.b64decode(key)).digest()
    except (ValueError, binascii.Error):
        return "unreadable"
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")
