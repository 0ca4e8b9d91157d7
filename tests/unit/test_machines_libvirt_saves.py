"""Saves of virtual machines: the images that their disks stand on. virsh and qemu-img are fakes over real files."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lab import process
from lab.errors import CommandFailed, HostUnreachable, Result, UsageError
from lab.machines import images, libvirt
from lab.machines.images import Images
from lab.machines.libvirt import Libvirt

A, B, C = "aaaaaaaa", "bbbbbbbb", "cccccccc"
DISK = "<disk device='disk'><source file='{0}'/>{1}<target dev='vda'/></disk>"
REMEMBERED = "<backingStore type='file'><source file='/elsewhere.img'/></backingStore>"


class Computer:
    """Domains, and images that are files of JSON: what is under them, and what was written in them."""

    def __init__(self, patch: pytest.MonkeyPatch, store: Path) -> None:
        self.store = store
        self.running = {"p-akuma", "p-voxy"}
        self.domains = dict.fromkeys(("p-akuma", "p-voxy", "p-zero"), REMEMBERED)
        self.told: list[str] = []
        self.fails: Callable[[str], bool] = lambda line: False
        self.deaf = ""
        for name in self.domains:
            self._write(self.first(name), None, [])
            self._write(self.layer(name), self.first(name), [])
        patch.setattr(process, "run", self._run)
        patch.setattr(process, "as_root", self._run)
        patch.setattr(libvirt, "STORE", store)

    def first(self, guest: str) -> Path:
        """The disk at the bottom."""
        return self.store / f"{guest}.img"

    def layer(self, guest: str) -> Path:
        """The disk on top."""
        return self.store / f"{guest}.layer.img"

    def write(self, guest: str, what: str) -> None:
        """As the guest does: in the file that is there."""
        held = json.loads(self.layer(guest).read_text())
        self._write(self.layer(guest), held["under"], [*held["wrote"], what])

    def read(self, guest: str) -> list[str]:
        """What the guest finds on its disk; for that, libvirt must not remember what its layer stood on."""
        paths = self._chain(self.layer(guest))
        if "under" in paths[1].name:
            assert self.domains[guest] == "", "libvirt would start it on what it remembers"
        return [what for path in reversed(paths) for what in json.loads(path.read_text())["wrote"]]

    def names(self, guest: str) -> list[str]:
        """Its files in the store."""
        return sorted(path.name.removeprefix(guest) for path in self.store.glob(f"{guest}.*"))

    def _write(self, path: Path, under: Path | str | None, wrote: list[str]) -> None:
        path.write_text(json.dumps({"under": str(under) if under else None, "wrote": wrote}))

    def _chain(self, path: Path) -> list[Path]:
        under = json.loads(path.read_text())["under"]
        return [path, *(self._chain(Path(under)) if under else [])]

    def _run(self, *argv: object, **more: object) -> Result:
        words = [str(word) for word in argv]
        words = words[3:] if words[0] == "virsh" else words
        line = " ".join(words)
        if self.fails(line):
            raise CommandFailed("this computer", Result(line, 1, "", ""))
        return Result(line, 0, self._answer(words), "")

    def _answer(self, words: list[str]) -> str:
        match words:
            case ["list", "--all"]:
                states = {True: "1 %s running", False: "- %s shut off"}
                return "\n".join(["Id Name", "---", *(states[name in self.running] % name for name in self.domains)])
            case ["domblklist", guest]:
                return f" Target Source\n----\n vda {self.layer(guest)}\n"
            case ["dumpxml", "--inactive", guest]:
                disk = DISK.format(self.layer(guest), self.domains[guest])
                return f"<domain><name>{guest}</name><devices>{disk}</devices></domain>"
            case ["snapshot-list", *_] | ["sync", *_]:
                return ""
            case ["qemu-img", "info", "--force-share", "--backing-chain", "--output=json", top]:
                return json.dumps([{"filename": str(path)} for path in self._chain(Path(top))])
        self.told.append(" ".join(words).replace(f"{self.store}/", ""))
        self._change(words)
        return ""

    def _change(self, words: list[str]) -> None:
        match words:
            case ["shutdown" | "destroy", guest]:
                if guest != self.deaf:
                    self.running.remove(guest)
            case ["start", guest]:
                assert guest not in self.running
                self.running.add(guest)
            case ["define", file]:
                text = Path(file).read_text()
                guest = text.partition("<name>")[2].partition("<")[0]
                self.domains[guest] = REMEMBERED if "backingStore" in text else ""
            case ["ln", old, new]:
                os.link(old, new)
            case ["qemu-img", "create", *_, "-b", under, fresh]:
                assert Path(under).exists()
                self._write(Path(fresh), under, [])
            case ["chmod", mode, path]:
                Path(path).chmod(int(mode, 8))
            case ["mv", "-T", old, new]:
                assert new.removesuffix(".layer.img").rpartition("/")[2] not in self.running
                os.replace(old, new)
            case ["touch", path]:
                Path(path).touch()
            case ["rm", "-f", path]:
                Path(path).unlink(missing_ok=True)
            case _:
                raise AssertionError(words)


@pytest.fixture
def computer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Computer:
    """Two domains that run, and one that is off."""
    return Computer(monkeypatch, tmp_path)


def test_a_save_keeps_the_layers_of_all_while_all_are_off(computer: Computer) -> None:
    """So it is one point of time; those that ran are booted again, and find what they wrote."""
    computer.write("p-voxy", "one")
    assert Libvirt().save(computer.domains, A) == 0
    told = [line.split()[0] for line in computer.told]
    assert (sorted(computer.told[:2]), told[-2:]) == (["shutdown p-akuma", "shutdown p-voxy"], ["start", "start"])
    assert computer.running == {"p-akuma", "p-voxy"}
    for guest in computer.domains:
        assert Libvirt().saves(guest) == {A}
        assert computer.read(guest) == (["one"] if guest == "p-voxy" else [])


def test_any_point_can_be_gone_back_to(computer: Computer) -> None:
    """In any order, also after a renewal; what was written since is gone, and what was saved is never written."""
    for id, what in ((A, "one"), (B, "two")):
        computer.write("p-voxy", what)
        Libvirt().save(["p-voxy"], id)
    computer.write("p-voxy", "lost")
    Libvirt().restore("p-voxy", A)
    assert computer.read("p-voxy") == ["one"]
    computer.write("p-voxy", "other")
    Libvirt().save(["p-voxy"], C)
    Libvirt().renew("p-voxy")
    assert computer.read("p-voxy") == []
    for id, expected in ((B, ["one", "two"]), (C, ["one", "other"]), (A, ["one"])):
        computer.write("p-voxy", "lost")
        Libvirt().restore("p-voxy", id)
        assert computer.read("p-voxy") == expected


@pytest.mark.parametrize(("guest", "expected"), [("p-voxy", ["destroy p-voxy"]), ("p-zero", [])])
def test_a_restore_takes_the_power_and_boots(computer: Computer, guest: str, expected: list[str]) -> None:
    """From either state."""
    Libvirt().save([guest], A)
    computer.told.clear()
    Libvirt().restore(guest, A)
    assert [line for line in computer.told if guest in line.split()] == [*expected, f"start {guest}"]


def test_nobody_else_may_read_a_disk(computer: Computer) -> None:
    """The host keys are on it."""
    Libvirt().save(["p-zero"], A)
    Libvirt().renew("p-zero")
    assert computer.layer("p-zero").stat().st_mode & 0o777 == 0o600


def test_libvirt_is_told_once_to_look_for_itself(computer: Computer) -> None:
    """What it remembers of the disk's ground is of the time before the first save."""
    Libvirt().save(["p-zero"], A)
    Libvirt().save(["p-zero"], B)
    assert [line.split()[0] for line in computer.told].count("define") == 1


def test_after_a_save_that_fails_the_guests_run_on(computer: Computer) -> None:
    """Each that ran, with all it wrote; what the others kept is pruned."""
    computer.write("p-voxy", "one")
    computer.fails = lambda line: line.startswith("qemu-img create") and "p-voxy" in line
    with pytest.raises(CommandFailed):
        Libvirt().save(computer.domains, A)
    assert computer.running == {"p-akuma", "p-voxy"}
    computer.write("p-voxy", "two")
    for guest in computer.domains:
        Libvirt().prune(guest, [])
        assert Libvirt().saves(guest) == frozenset()
    assert computer.names("p-voxy") == [".img", ".layer.img"]
    assert computer.read("p-voxy") == ["one", "two"]


@pytest.mark.parametrize("step", ["ln ", "qemu-img create", "mv ", "touch "])
def test_a_save_that_is_cut_off_anywhere_loses_nothing(computer: Computer, step: str) -> None:
    """There is none, and the next one works."""
    computer.write("p-zero", "one")
    computer.fails = lambda line: line.startswith(step)
    with pytest.raises(CommandFailed):
        Libvirt().save(["p-zero"], A)
    computer.fails = lambda line: False
    assert Libvirt().saves("p-zero") == frozenset()
    assert computer.read("p-zero") == ["one"]
    Libvirt().save(["p-zero"], B)
    Libvirt().prune("p-zero", [B])
    Libvirt().restore("p-zero", B)
    assert Libvirt().saves("p-zero") == {B}
    assert computer.read("p-zero") == ["one"]


def test_a_guest_that_does_not_shut_down_prevents_the_save(computer: Computer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its power is not taken unasked; the others run on."""
    monkeypatch.setattr(libvirt, "SHUTDOWN_S", 0)
    computer.deaf = "p-voxy"
    with pytest.raises(HostUnreachable, match="power off of p-voxy"):
        Libvirt().save(computer.domains, A)
    assert computer.running == {"p-akuma", "p-voxy"}
    assert computer.names("p-zero") == [".img", ".layer.img"]


def test_what_is_stood_on_stays(computer: Computer) -> None:
    """A save that is removed goes from the list at once, and from the disk when nothing stands on it any more."""
    for id in (A, B, C):
        computer.write("p-zero", id)
        Libvirt().save(["p-zero"], id)
    Libvirt().restore("p-zero", A)
    Libvirt().prune("p-zero", [B])
    assert Libvirt().saves("p-zero") == {B}
    assert computer.names("p-zero") == [f".{A}.under.img", f".{B}.save", f".{B}.under.img", ".img", ".layer.img"]
    assert computer.read("p-zero") == [A]
    Libvirt().restore("p-zero", B)
    assert computer.read("p-zero") == [A, B]
    Libvirt().renew("p-zero")
    Libvirt().prune("p-zero", [])
    assert computer.names("p-zero") == [".img", ".layer.img"]


def test_nothing_is_removed_while_it_is_not_known_what_is_stood_on(computer: Computer) -> None:
    """An image that cannot be read is no reason to find the others unused."""
    Libvirt().save(["p-zero"], A)
    computer.fails = lambda line: line.startswith("qemu-img info")
    with pytest.raises(CommandFailed):
        Libvirt().prune("p-zero", [])
    assert f".{A}.under.img" in computer.names("p-zero")


def test_a_guest_that_stands_on_too_many_is_not_even_shut_down(
    computer: Computer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the way out; after going back there is room again."""
    monkeypatch.setattr(images, "MOST", 2)
    for id in (A, B):
        Libvirt().save(["p-voxy"], id)
    computer.told.clear()
    with pytest.raises(UsageError, match="p-voxy stands on 2 saves"):
        Libvirt().save(["p-akuma", "p-voxy"], C)
    assert computer.told == []
    Libvirt().restore("p-voxy", A)
    Libvirt().save(["p-voxy"], C)


def test_only_files_of_ours_are_saves(computer: Computer) -> None:
    """A host whose name begins alike has its own; a machine that is gone has none."""
    for name in ("p-voxy.mine.save", "p-voxy-two.aaaaaaaa.save", "p-voxy.mine.under.img"):
        (computer.store / name).touch()
    assert Libvirt().saves("p-voxy") == frozenset()
    Libvirt().prune("p-voxy", [])
    assert ".mine.under.img" in computer.names("p-voxy")
    assert Libvirt().saves("p-gone") == frozenset()
    Libvirt().prune("p-gone", [])


def test_images_are_named_after_the_guest() -> None:
    """Whose name has no dot, so that each file says whose it is."""
    found = Images(Path("/pool"), "lab-1-voxy")
    paths = (found.first, found.layer, found.under(A), found.mark(A))
    assert {path.name.partition(".")[0] for path in paths} == {"lab-1-voxy"}
