"""The lab's own SSH key pair, the host keys of its guests, and the files that name them.

No key is shared with any other lab, and host keys are known before the first connection.
"""

from __future__ import annotations

from pathlib import Path

from lab import content, process
from lab.home import Home
from lab.host import SshTarget
from lab.topology import Host, Lab

LOGIN = "vagrant"
"""The account that the lab and its students log in as, on every host, whoever has made it."""


def make_lab_key(home: Home) -> Path:
    """The lab's key pair, made when it is missing; the path of the private key."""
    return _key_pair(home.keys / "lab", f"lab-{home.id}")


def make_guest_files(lab: Lab, home: Home, resolv_conf: str) -> None:
    """What identity.sh copies into each guest: its name, its host key, who may log in."""
    authorized = make_lab_key(home).with_suffix(".pub").read_text(encoding="utf-8")
    for host in lab.hosts:
        write_guest_files(lab, host, home, authorized, resolv_conf)


def write_guest_files(lab: Lab, host: Host, home: Home, authorized: str, resolv_conf: str) -> None:
    """The files of one guest."""
    folder = Path("keys") / "guests" / host.name
    (home.path / folder).mkdir(parents=True, exist_ok=True, mode=0o700)
    _key_pair(home.path / folder / "ssh_host_ed25519_key", host.name)
    home.write(str(folder / "hostname"), host.name + "\n", 0o644)
    home.write(str(folder / "hosts"), content.render("provision/templates/hosts.j2", lab=lab, host=host), 0o644)
    home.write(str(folder / "resolv.conf"), resolv_conf, 0o644)
    home.write(str(folder / "authorized_keys"), authorized)


def lxc_targets(lab: Lab, home: Home) -> tuple[SshTarget, ...]:
    """How to reach guests whose keys we made: everything is known without asking Vagrant."""
    known = []
    for host in lab.hosts:
        public = home.keys / "guests" / host.name / "ssh_host_ed25519_key.pub"
        kind, key, *_ = public.read_text(encoding="utf-8").split()
        known.append(f"{host.address} {kind} {key}")
    path = home.write("known_hosts", "\n".join(known) + "\n")
    return tuple(
        SshTarget(host.name, str(host.address), 22, LOGIN, str(home.keys / "lab"), str(path)) for host in lab.hosts
    )


def ssh_config(targets: tuple[SshTarget, ...]) -> str:
    """The text of a file for `ssh -F`, an entry a host."""
    return "\n".join(
        f"Host {target.name}\n"
        f"  HostName {target.address}\n"
        f"  Port {target.port}\n"
        f"  User {target.user}\n"
        f'  IdentityFile "{target.key}"\n'
        f"  IdentitiesOnly yes\n"
        f'  UserKnownHostsFile "{target.known_hosts}"\n'
        f"  StrictHostKeyChecking yes\n"
        f"  LogLevel ERROR\n"
        for target in targets
    )


def _key_pair(path: Path, comment: str) -> Path:
    if not (path.exists() and path.with_suffix(".pub").exists()):
        path.unlink(missing_ok=True)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        process.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path)
    return path
