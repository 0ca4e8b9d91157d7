"""A guest of a few programs of this computer's own: an image of 4 MB that starts in no time, without a download."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path

from lab import process
from tests.cluster import Cluster

ALIAS = "tiny"
PROGRAMS = ("sh", "sleep", "cat", "id", "timeout", "ls")
_INIT = """#!/bin/sh
trap 'exit 0' PWR TERM
while :; do sleep 1 & wait $!; done
"""
_METADATA = """architecture: {architecture}
creation_date: 1
properties: {{description: a few programs}}
"""


def publish(cluster: Cluster, folder: Path) -> None:
    """Make the image in the folder, and give it to the cluster under its alias."""
    root = _root(folder / "root")
    (folder / "metadata.yaml").write_text(_METADATA.format(architecture=process.run("uname", "-m").stdout.strip()))
    with tarfile.open(folder / "meta.tar", "w") as meta, tarfile.open(folder / "root.tar", "w") as tar:
        meta.add(folder / "metadata.yaml", "metadata.yaml")
        tar.add(root, ".")
    cluster.lxc("m1", "image", "import", folder / "meta.tar", folder / "root.tar", "--alias", ALIAS)


def start(cluster: Cluster, name: str, member: str) -> None:
    """Run a guest of the image on a member, in the default project and in no network."""
    cluster.query("m1", "POST", f"/1.0/instances?target={member}", {
        "name": name, "type": "container", "source": {"type": "image", "alias": ALIAS},
        "config": {"security.idmap.isolated": "true"},
        "devices": {"root": {"type": "disk", "path": "/", "pool": "default"}},
    })  # fmt: skip
    cluster.query("m1", "PUT", f"/1.0/instances/{name}/state", {"action": "start", "timeout": 30})


def _root(root: Path) -> Path:
    """The programs and what they load, where this computer has them."""
    for folder in ("dev", "etc", "proc", "sys", "run", "tmp", "usr/bin", "usr/sbin", "usr/lib", "usr/lib64"):
        (root / folder).mkdir(parents=True)
    for link in ("bin", "sbin", "lib", "lib64"):
        (root / link).symlink_to(f"usr/{link}")
    for program in PROGRAMS:
        path = shutil.which(program)
        assert path, program
        loaded = (word for word in process.run("ldd", path).stdout.split() if word.startswith("/"))
        for file in (path, *loaded):
            to = root / "usr" / file.removeprefix("/usr").lstrip("/")
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, to)
    init = root / "usr/sbin/init"
    init.write_text(_INIT)
    init.chmod(0o755)
    return root
