"""LXC's own commands: lxc-start and lxc-stop, under a second."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from lab import process
from lab.errors import CommandFailed, EnvironmentProblem
from lab.machines.protocol import State
from lab.machines.switch import states_from

SHUTDOWN_S = 20
_NOT_RUNNING = 2
"""lxc-stop's exit code where there is nothing to stop."""
_ROOTFS = re.compile(r"^\s*lxc\.rootfs\.path\s*=\s*(.*?)\s*$", re.MULTILINE)


class Lxc:
    """The containers of this computer."""

    def guests(self) -> Mapping[str, State]:
        """Every container; one that is only half started or frozen counts as running."""
        every = process.as_root("lxc-ls", "-1").stdout.split()
        return states_from(every, process.as_root("lxc-ls", "-1", "--active").stdout.split())

    def start(self, guest: str) -> None:
        """Start the container in the background."""
        process.as_root("lxc-start", "--name", guest, "--daemon")

    def shut_down(self, guest: str) -> None:
        """Let its init end it; after 20 s its processes are killed."""
        process.as_root("lxc-stop", "--name", guest, "--timeout", str(SHUTDOWN_S))

    def cut(self, guest: str) -> None:
        """Kill all its processes; nothing when it has just ended by itself."""
        done = process.as_root("lxc-stop", "--name", guest, "--kill", check=False)
        if done.code not in (0, _NOT_RUNNING):
            raise CommandFailed("this computer", done)

    def remove(self, guest: str) -> None:
        """Remove the container's folder."""
        process.as_root("lxc-destroy", "--name", guest, "--force")

    def renew(self, guest: str) -> None:
        """Give the container an empty layer over its box, and start it.

        The old layer is moved aside in one step, so a renewal that is interrupted leaves it whole, or none of it; the
        next one goes on from there. It is removed while the container boots.

        Raises:
            EnvironmentProblem: the container is not a layer over a box; nothing was touched.
        """
        layer = _layer_of(guest)
        aside = layer.with_name("aside")
        self.cut(guest)
        _despite_flags(aside, "rm", "-rf", aside)
        if process.as_root("test", "-d", layer, check=False).ok:
            _despite_flags(layer, "mv", "-T", layer, aside)
        process.as_root("mkdir", "-m", "755", layer)  # the mode of the guest's `/`
        self.start(guest)
        _despite_flags(aside, "rm", "-rf", aside)


def _layer_of(guest: str) -> Path:
    """The folder that holds all that was ever written in a container, as its configuration says.

    `lxc-info -c` is no help: it leaves the word `overlay` out. The last line counts, as for LXC.
    """
    folder = Path(process.run("lxc-config", "lxc.lxcpath").stdout.strip()) / guest
    path = (_ROOTFS.findall(process.as_root("cat", folder / "config").stdout) or ["nothing"])[-1]
    kind, _, rest = path.partition(":")
    layer = rest.rpartition(":")[2]
    if kind != "overlay" or not re.fullmatch(re.escape(f"{folder}/") + r"\w+", layer) or layer == f"{folder}/aside":
        raise EnvironmentProblem(
            f"{guest} cannot be made anew: its root is {path}, and not a layer over a box in {folder}",
            "`lab destroy` and `lab up` make it again",
        )
    return Path(layer)


def _despite_flags(path: Path, *argv: str | Path) -> None:
    """Run a command on a path as root, also where root of the guest has used `chattr +i` in it.

    Kernels before 5.15 put that flag on the layer's own file, where it holds for us as well.
    """
    if not process.as_root(*argv, check=False).ok:
        process.as_root("chattr", "-R", "-f", "-i", "-a", path, check=False)
        process.as_root(*argv)
