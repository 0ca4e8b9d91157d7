"""Who a machine is, as one text that LXD keeps beside it: its /etc/hosts, resolver, host key, and who may log in."""

from __future__ import annotations

import base64
import gzip
import io
import tarfile
from pathlib import Path

from lab.home import Home

_SSH = "home/vagrant/.ssh"
VAGRANT = 1000
"""The account's number in our box, of which it is the only user."""


def identity_of(home: Home, host: str) -> str:
    """A gzipped tar in base64: the files that `keys.make_guest_files` has made for a host, each with owner and mode.

    The same files give the same text.
    """
    guest = home.keys / "guests" / host
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        _add(archive, "etc/hosts", guest / "hosts", 0o644)
        _add(archive, "etc/resolv.conf", guest / "resolv.conf", 0o644)
        _add(archive, "etc/ssh/ssh_host_ed25519_key", guest / "ssh_host_ed25519_key", 0o600)
        _add(archive, "etc/ssh/ssh_host_ed25519_key.pub", guest / "ssh_host_ed25519_key.pub", 0o644)
        folder = tarfile.TarInfo(_SSH)
        folder.type, folder.mode, folder.uid, folder.gid = tarfile.DIRTYPE, 0o700, VAGRANT, VAGRANT
        archive.addfile(folder)
        _add(archive, f"{_SSH}/authorized_keys", guest / "authorized_keys", 0o600, VAGRANT)
    return base64.b64encode(gzip.compress(packed.getvalue(), mtime=0)).decode()


def _add(archive: tarfile.TarFile, name: str, file: Path, mode: int, owner: int = 0) -> None:
    text = file.read_bytes()
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.uid, entry.gid = len(text), mode, owner, owner
    archive.addfile(entry, io.BytesIO(text))
