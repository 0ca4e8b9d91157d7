"""Who a machine is, as one text that LXD keeps beside it: its /etc/hosts, resolver, host key, and who may log in.

A virtual machine is told its address, too, which a container's card has from LXD.
"""

from __future__ import annotations

import base64
import gzip
import io
import tarfile

from lab.home import Home

_SSH = "home/vagrant/.ssh"
VAGRANT = 1000
"""The account's number in our box, of which it is the only user."""


def identity_of(home: Home, host: str, card: str = "") -> str:
    """A gzipped tar in base64: the files that `keys.make_guest_files` has made for a host, each with owner and mode.

    The same files give the same text.

    Args:
        home: the lab's folder.
        host: whose files.
        card: how its card is set up, as systemd.network has it; empty where LXD does that.
    """
    guest = home.keys / "guests" / host
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        if card:
            _add(archive, "etc/systemd/network/10-card.network", card.encode(), 0o644)
        _add(archive, "etc/hosts", (guest / "hosts").read_bytes(), 0o644)
        _add(archive, "etc/resolv.conf", (guest / "resolv.conf").read_bytes(), 0o644)
        for name, mode in (("ssh_host_ed25519_key", 0o600), ("ssh_host_ed25519_key.pub", 0o644)):
            _add(archive, f"etc/ssh/{name}", (guest / name).read_bytes(), mode)
        folder = tarfile.TarInfo(_SSH)
        folder.type, folder.mode, folder.uid, folder.gid = tarfile.DIRTYPE, 0o700, VAGRANT, VAGRANT
        archive.addfile(folder)
        _add(archive, f"{_SSH}/authorized_keys", (guest / "authorized_keys").read_bytes(), 0o600, VAGRANT)
    return base64.b64encode(gzip.compress(packed.getvalue(), mtime=0)).decode()


def _add(archive: tarfile.TarFile, name: str, text: bytes, mode: int, owner: int = 0) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.uid, entry.gid = len(text), mode, owner, owner
    archive.addfile(entry, io.BytesIO(text))
