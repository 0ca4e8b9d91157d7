"""Where a lab keeps what it must remember: the folder `.lab/` beside lab.toml, or `.lab-NAME/` of a named lab."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from lab.errors import EnvironmentProblem, LabBusy
from lab.host import SshTarget

FOLDER = ".lab"
_ID = re.compile(r"[0-9a-f]{8}")
EMULATED = 12.0
"""Node starts in 0.1 s in a container, and took 0.6 to 4 s under QEMU without KVM."""


@dataclass(frozen=True)
class State:
    """What is known about a lab that was brought up: enough to do without Vagrant.

    `driver` is how libvirt runs the guests: kvm, or qemu for emulation. `app` is what the backends run, `app_named`
    whether the user asked for it by name, `offline` whether the lab was brought up to do without internet.
    """

    provider: str = ""
    app: str = ""
    app_named: bool = False
    box: str = ""
    targets: tuple[SshTarget, ...] = field(default=())
    offline: bool = False
    driver: str = ""

    @property
    def patience(self) -> float:
        """By how much deadlines are longer than a container's: 1, or more where the guests are emulated."""
        return EMULATED if self.driver == "qemu" else 1.0


class Home:
    """The folder of one lab.

    Args:
        folder: where lab.toml is, or would be.
        name: tells it from other labs of the same folder; empty for the one that has no name.
    """

    def __init__(self, folder: Path, name: str = "") -> None:
        self.folder = folder.resolve()
        self.name = name
        self.path = self.folder / (f"{FOLDER}-{name}" if name else FOLDER)

    @property
    def id(self) -> str:
        """Eight characters that tell this lab's guests and bridge from every other lab's.

        They come from the folder's path and the lab's name, so they survive the loss of `.lab/`. Where the file `id`
        is in it they are what that says: a lab of a class is the same one wherever the class's folder is.
        """
        return self._given_id() or hashlib.sha256(str(self.path).encode()).hexdigest()[:8]

    def _given_id(self) -> str:
        try:
            given = (self.path / "id").read_text(encoding="utf-8", errors="replace").strip()
        except OSError:  # there is none, or it is somebody else's lab
            return ""
        if _ID.fullmatch(given):
            return given
        raise EnvironmentProblem(
            f"{self.path / 'id'}: {given[:40]!r} is no id of a lab: eight of 0 to 9 and a to f",
            "lab class up writes it",
        )

    @property
    def vagrant(self) -> Path:
        """The folder in which Vagrant is run."""
        return self.path / "vagrant"

    @property
    def keys(self) -> Path:
        """The lab's own key pair, and the host keys of its guests."""
        return self.path / "keys"

    @property
    def ssh_config(self) -> Path:
        """A file for `ssh -F`."""
        return self.path / "ssh_config"

    def log(self, name: str) -> Path:
        """The file that the output of a long tool goes to."""
        path = self.path / "logs" / f"{name}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def make(self) -> None:
        """Make the folder, readable by its owner only.

        Raises:
            EnvironmentProblem: it cannot be made.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as fault:
            raise EnvironmentProblem(f"{self.path}: cannot be made: {fault.strerror}") from None

    def state(self) -> State:
        """What was remembered; an empty state when nothing was.

        A damaged file is set aside as state.json.damaged: everything in it can be found out again.
        """
        path = self.path / "state.json"
        try:
            return _state_from(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return State()
        except (ValueError, TypeError, KeyError, AttributeError, OSError):
            path.rename(path.with_suffix(".json.damaged"))
            return State()

    def remember(self, **changes: object) -> State:
        """Change the remembered state, all or nothing."""
        state = replace(self.state(), **changes)  # type: ignore[arg-type]  # names are checked by replace
        self.write("state.json", json.dumps(asdict(state), indent=2) + "\n")
        return state

    def write(self, name: str, text: str, mode: int = 0o600) -> Path:
        """Write a file of the folder in one move, so that a reader sees the old one or the new one."""
        path = self.path / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_name(path.name + ".new")
        fresh.write_text(text, encoding="utf-8")
        fresh.chmod(mode)
        fresh.replace(path)
        return path

    @property
    def is_held(self) -> bool:
        """Whether a command is changing the lab right now."""
        try:
            with (self.path / "lock").open(encoding="utf-8") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    @contextmanager
    def lock(self, doing: str) -> Iterator[None]:
        """Hold the lab while it is changed; the kernel lets go of it when the process ends.

        Raises:
            LabBusy: another command holds it; the message names that command.
        """
        self.make()
        with locked(self.path / "lock", "this lab", doing):
            yield


@contextmanager
def locked(path: Path, what: str, doing: str) -> Iterator[None]:
    """Hold a lock file; the kernel lets go of it when the process ends.

    Args:
        path: the file; its folder is there.
        what: the thing that is held, as it begins a sentence.
        doing: the command that holds it, for whoever comes meanwhile.

    Raises:
        LabBusy: another command holds it; the message names that command.
    """
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "another command"
            raise LabBusy(f"{what} is busy: {holder}", "wait until it has ended, then try again") from None
        file.truncate(0)
        file.write(f"`{doing}`, process {os.getpid()}, since {datetime.now(UTC):%H:%M:%S} UTC")
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def _state_from(table: dict[str, object]) -> State:
    targets = tuple(SshTarget(**target) for target in table["targets"])  # type: ignore[attr-defined]
    offline, driver = bool(table.get("offline", False)), str(table.get("driver", ""))  # an earlier version says neither
    return State(
        str(table["provider"]), str(table["app"]), bool(table["app_named"]), str(table["box"]), targets, offline, driver
    )


def cache() -> Path:
    """The user's cache folder of the lab, shared by all labs: boxes, clones, dependencies."""
    root = os.environ.get("LAB_CACHE") or os.environ.get("XDG_CACHE_HOME")
    if os.environ.get("LAB_CACHE"):
        path = Path(str(root))
    else:
        path = Path(root) if root else Path.home() / (".cache" if sys.platform != "darwin" else "Library/Caches")
        path = path / "lab"
    path.mkdir(parents=True, exist_ok=True)
    return path
