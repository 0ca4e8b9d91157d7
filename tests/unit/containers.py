"""A folder of containers on this disk, for tests of what is done to their layers."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import process
from lab.errors import CommandFailed, Result

GUEST = "lab-1-voxy"


class Containers:
    """A folder of containers on this disk: LXC's own commands are recorded, all others are run."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.folder = root / GUEST
        self.told: list[str] = []
        self.codes: dict[str, list[int]] = {}
        self.said = {
            "lxc-config lxc.lxcpath": f"{root}\n",
            "lxc-ls -1": f"{GUEST}\n",
            "lxc-ls -1 --active": f"{GUEST}\n",
            f"df --block-size=1 --output=avail {root}": "Avail\n99999999999\n",
        }
        told = self.told

        class Will:
            """What would be done at our end."""

            def __init__(self, *argv: str) -> None:
                self.command = " ".join(argv)
                told.append(f"will {self.command}")

            def execute(self) -> None:
                """It is done."""
                told.append(self.command)

        really = process.run

        def run(*argv: str | Path, check: bool = True, stdin: str = "", timeout_s: float = 120) -> Result:
            words = [str(word) for word in argv]
            name = words[0]
            self.told.append(" ".join(words).replace(f"{root}/", ""))
            code = self.codes[name].pop(0) if self.codes.get(name) else 0
            if code or name.startswith(("lxc-", "chattr", "sync", "df")):
                result = Result(name, code, self.said.get(" ".join(words), ""), "")
            else:
                result = really(*argv, check=check, stdin=stdin)
            if check and not result.ok:
                raise CommandFailed("this computer", result)
            return result

        monkeypatch.setattr(process, "run", run)
        monkeypatch.setattr(process, "as_root", run)
        monkeypatch.setattr(process, "Will", Will)

    def make(self, *lines: str) -> None:
        """A container with these lines in its configuration, and things in its folder."""
        (self.folder / "delta" / "etc").mkdir(parents=True)
        (self.folder / "delta" / "etc" / "mine").write_text("a student's")
        (self.root / "box").mkdir()
        (self.root / "box" / "of-the-box").touch()
        (self.folder / "config").write_text("".join(f"{line}\n" for line in lines))

    @property
    def overlay(self) -> str:
        """The line that the box's template writes."""
        return f"lxc.rootfs.path = overlay:{self.root}/box:{self.folder}/delta"

    def files(self) -> set[str]:
        """Everything in the folder of all containers."""
        return {str(path.relative_to(self.root)) for path in self.root.rglob("*")}


@pytest.fixture
def containers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Containers:
    """None yet."""
    root = tmp_path / "lxc"
    root.mkdir()
    return Containers(root, monkeypatch)
