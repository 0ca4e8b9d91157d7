"""libvirt's daemon: started where nobody runs it, and stopped only by whoever started it, after the last guest."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import process
from lab.errors import CommandFailed, EnvironmentProblem, Result
from lab.machines import libvirtd as module


class Computer:
    """A computer in memory: which daemons run as which process, and what libvirt has."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark
        self.alive: dict[str, int] = {}
        self.told: list[str] = []
        self.domains = self.networks = ""

    def as_root(self, *argv: object, **more: object) -> Result:
        """The commands of root that matter here."""
        words = [str(word) for word in argv]
        match words:
            case [("virtlogd" | "libvirtd") as name, "--daemon"]:
                self.alive[name] = 100 + len(self.alive)
                self.told.append(f"start {name}")
            case ["cat", path]:
                pid = self.alive.get(Path(path).stem)
                return Result("", 0, f"{pid}\n" if pid else "", "")
            case ["tee", path]:
                Path(path).write_text(str(more["stdin"]))
            case ["kill", pid]:
                ended = next(each for each, number in self.alive.items() if str(number) == pid)
                del self.alive[ended]
                self.told.append(f"stop {ended}")
            case ["rm", "-f", path]:
                Path(path).unlink(missing_ok=True)
        return Result("", 0, "", "")

    def virsh(self, *words: str) -> str:
        """The domains, or the networks that are up."""
        return self.domains if words[0] == "list" else self.networks


@pytest.fixture
def computer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Computer:
    """One on which no systemd runs, and no daemon."""
    made = Computer(tmp_path / "mark")
    monkeypatch.setattr(module, "MARK", made.mark)
    monkeypatch.setattr(module, "SYSTEMD", tmp_path / "systemd")
    monkeypatch.setattr(process, "as_root", made.as_root)
    monkeypatch.setattr(module, "virsh", made.virsh)
    monkeypatch.setattr(module, "answers", lambda: "libvirtd" in made.alive)
    monkeypatch.setattr(module, "_is_alive", lambda name, pid: pid > 0 and made.alive.get(name) == pid)
    return made


def test_it_is_started_once_and_stopped_after_the_last_lab(computer: Computer) -> None:
    """The second lab finds it running; what was started is written down, and forgotten with its end."""
    assert module.ensure()
    assert not module.ensure()
    assert computer.told == ["start virtlogd", "start libvirtd"]
    assert computer.mark.read_text() == "virtlogd 100\nlibvirtd 101\n"
    module.release()
    module.release()
    assert computer.told[2:] == ["stop libvirtd", "stop virtlogd"]
    assert not computer.mark.exists()


@pytest.mark.parametrize("left", ["domains", "networks"])
def test_it_stays_while_anybody_needs_it(computer: Computer, left: str) -> None:
    """A domain without power is somebody's too; a network may be that of a lab that is just coming up."""
    module.ensure()
    setattr(computer, left, "somebodys\n")
    module.release()
    assert set(computer.alive) == {"virtlogd", "libvirtd"}


def test_the_daemon_of_this_computers_owner_is_left_alone(computer: Computer) -> None:
    """Whoever started it stops it."""
    computer.alive = {"virtlogd": 7, "libvirtd": 8}
    assert not module.ensure()
    module.release()
    assert computer.told == []


def test_a_daemon_that_died_is_started_again_and_still_ours(computer: Computer) -> None:
    """The one beside it lived on, and is stopped with it in the end."""
    module.ensure()
    del computer.alive["libvirtd"]
    assert module.ensure()
    assert computer.told[2:] == ["start libvirtd"]
    module.release()
    assert computer.alive == {}


def test_a_daemon_that_is_slow_is_waited_for(computer: Computer, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that takes guests over does not answer in time: it is neither started again nor called ours."""
    computer.alive = {"virtlogd": 7, "libvirtd": 8}
    late = iter([True, True, False])

    def answers() -> bool:
        if next(late):
            raise CommandFailed("this computer", Result("virsh", 124, "", ""))
        return True

    monkeypatch.setattr(module, "answers", answers)
    assert not module.ensure()
    assert (computer.told, computer.mark.exists(), next(late, None)) == ([], False, None)


def test_a_daemon_that_is_too_slow_to_tell_is_not_stopped(computer: Computer, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may have guests."""
    module.ensure()

    def answers() -> bool:
        raise CommandFailed("this computer", Result("virsh", 124, "", ""))

    monkeypatch.setattr(module, "answers", answers)
    with pytest.raises(CommandFailed):
        module.release()
    assert set(computer.alive) == {"virtlogd", "libvirtd"}


def test_it_is_asked_for_nothing_that_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """For its version it tries each emulator; for its address it does not."""
    asked: list[str] = []

    def run(*argv: object, **more: object) -> Result:
        asked.append(" ".join(map(str, argv)))
        return Result("", 0, "", "")

    monkeypatch.setattr(process, "run", run)
    assert module.answers()
    assert asked == ["virsh --connect qemu:///system uri"]


def test_a_process_that_has_got_the_number_meanwhile_is_not_stopped(computer: Computer) -> None:
    """After a reboot the numbers are other programs'."""
    computer.mark.write_text("virtlogd 1\nlibvirtd 2\nnonsense\n")
    module.release()
    assert computer.told == []


def test_where_systemd_runs_it_is_systemds(computer: Computer) -> None:
    """A daemon beside it would be nobody's to stop."""
    module.SYSTEMD.mkdir()
    with pytest.raises(EnvironmentProblem, match="libvirtd does not answer") as caught:
        module.ensure()
    assert caught.value.mend == "sudo systemctl start libvirtd, then try again"
    assert computer.told == []
