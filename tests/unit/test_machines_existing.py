"""Machines that are there already, with hosts that only remember: nothing is changed before all were looked at."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lab import config
from lab.errors import EnvironmentProblem, HostUnreachable, Result
from lab.home import Home
from lab.host import SshTarget
from lab.machines import adoption, existing, host_keys
from lab.machines.adoption import Look, Mark
from lab.machines.capabilities import CannotBeDone
from lab.machines.existing import ExistingMachines, Refused, in_use
from lab.machines.protocol import State
from tests.fakes import FakeHost
from tests.unit.test_machines_adoption import FINE

NAMES = ("akuma", "voxy", "zero")


class World:
    """Three machines: how each looks, whether it answers, and what was done to which, in order."""

    def __init__(self, home: Home, key: Path) -> None:
        self.home = home
        self.lab = config.parse({"provider": "existing", "ssh_user": "ubuntu", "ssh_key": str(key)})
        self.machines = ExistingMachines(self.lab, home)
        self.looks = {
            host.name: replace(FINE, name=host.name, addresses=(str(host.address),)) for host in self.lab.hosts
        }
        self.on = set(NAMES)
        self.done: list[str] = []
        self.doors: list[SshTarget] = []

    def mark(self, name: str) -> Mark:
        """As this lab writes it."""
        return Mark(self.home.id, str(self.home.folder), name, True)


@pytest.fixture
def world(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """All well, none adopted."""
    key = tmp_path / "owner"
    key.write_text("")
    made = World(home, key)

    class Door(FakeHost):
        def __init__(self, target: SshTarget) -> None:
            super().__init__(target.name)
            made.doors.append(target)

        def run(self, *words: Any, **more: Any) -> Result:
            if self.name not in made.on:
                raise HostUnreachable(f"{self.name}: no SSH at {made.lab[self.name].address}:22: timed out")
            return super().run(*words, **more)

        def __enter__(self) -> Door:
            return self

        def __exit__(self, *fault: object) -> None:
            pass

    def look(host: FakeHost, *rest: object) -> Look:
        return made.looks[host.name]

    def adopt(host: FakeHost, mark: Mark, *rest: object) -> None:
        made.done.append(f"adopt {host.name}")
        made.looks[host.name] = replace(made.looks[host.name], mark=mark)

    def undo(host: FakeHost, mark: Mark, apps: object, *, release: bool) -> None:
        made.done.append(f"{'release' if release else 'clean'} {host.name}")
        if release:
            made.looks[host.name] = replace(made.looks[host.name], mark=None)

    monkeypatch.setattr(existing, "SshHost", Door)
    monkeypatch.setattr(host_keys, "settle", lambda lab, home: made.done.append("host keys"))
    for name, stand_in in (("look", look), ("adopt", adopt), ("undo", undo)):
        monkeypatch.setattr(adoption, name, stand_in)
    monkeypatch.setattr(ExistingMachines, "_greets", lambda self, host: host.name in made.on)
    return made


def test_adopting_is_done_once(world: World) -> None:
    """With the host keys before the first login; a second time changes nothing, and says so."""
    assert world.machines.states() == dict.fromkeys(NAMES, State.ABSENT)
    assert world.machines.create() == NAMES
    assert world.done[0] == "host keys"
    assert sorted(world.done[1:]) == ["adopt akuma", "adopt voxy", "adopt zero"]
    assert world.machines.states() == dict.fromkeys(NAMES, State.RUNNING)
    world.done.clear()
    assert world.machines.create() == ()
    assert world.done == ["host keys"]
    assert in_use(world.home) == ("existing",)


def test_a_machine_that_was_set_up_anew_is_adopted_again(world: World) -> None:
    """It has lost its mark, whatever is remembered here."""
    world.machines.create()
    world.looks["voxy"] = replace(world.looks["voxy"], mark=None)
    assert world.machines.create() == ("voxy",)
    assert world.machines.create() == ()


def test_one_bad_machine_stops_all(world: World) -> None:
    """Every fault is named at once, and nothing was changed on any."""
    world.looks["akuma"] = replace(world.looks["akuma"], debian=False, system="Fedora 41")
    world.looks["zero"] = replace(world.looks["zero"], root=False)
    with pytest.raises(Refused) as caught:
        world.machines.create()
    assert [line.partition(" ")[0] for line in caught.value.message.splitlines()] == ["akuma", "zero"]
    assert world.done == ["host keys"]
    assert world.machines.states() == dict.fromkeys(NAMES, State.ABSENT)


def test_who_lets_nobody_in_is_named_with_all_that_was_tried(world: World, tmp_path: Path) -> None:
    """Host, address, user, key, and the ssh command that has to work."""
    world.on.remove("voxy")
    with pytest.raises(HostUnreachable) as caught:
        world.machines.create()
    key = tmp_path / "owner"
    said = f"voxy: 192.168.56.11, port 22, does not let ubuntu in with {key}: timed out"
    assert caught.value.message == said
    assert f"ssh -i {key} -p 22 ubuntu@192.168.56.11" in caught.value.mend
    assert world.done == ["host keys"]


def test_a_missing_key_is_a_sentence(world: World, tmp_path: Path) -> None:
    """Before anybody is asked."""
    (tmp_path / "owner").unlink()
    with pytest.raises(HostUnreachable, match="there is no key"):
        world.machines.create()
    assert world.doors == []


def test_destroying_takes_back_what_is_the_labs(world: World) -> None:
    """A machine that lost its mark is left alone; twice is once."""
    world.machines.create()
    world.looks["voxy"] = replace(world.looks["voxy"], mark=None)
    world.done.clear()
    world.machines.destroy()
    world.machines.destroy()
    assert sorted(world.done) == ["release akuma", "release zero"]
    assert world.machines.states() == dict.fromkeys(NAMES, State.ABSENT)
    assert in_use(world.home) == ()


def test_who_does_not_answer_keeps_what_was_put_there(world: World) -> None:
    """The others are done, and it is named; once it answers it is done too."""
    world.machines.create()
    world.on.remove("zero")
    with pytest.raises(HostUnreachable, match="zero: no answer, so what the lab has put there stays"):
        world.machines.destroy()
    assert world.machines.states() == {"akuma": State.ABSENT, "voxy": State.ABSENT, "zero": State.STOPPED}
    world.on.add("zero")
    world.machines.destroy()
    assert "release zero" in world.done


def test_power_is_the_owners(world: World) -> None:
    """On is on; off is refused, with whose hand is needed; renewing always is."""
    world.machines.create()
    world.machines.power_on("voxy")
    world.on.remove("voxy")
    with pytest.raises(CannotBeDone) as caught:
        world.machines.power_on("voxy")
    assert "voxy is off: the lab cannot give a machine its power back" in caught.value.message
    assert caught.value.mend == "switch voxy on yourself, then go on"
    with pytest.raises(CannotBeDone, match="zero: the lab cannot make a machine anew"):
        world.machines.renew("zero")
    for act in (world.machines.power_on, world.machines.power_off, world.machines.renew, world.machines.clean):
        with pytest.raises(KeyError):
            act("nobody")


def test_cleaning_is_for_the_labs_own(world: World) -> None:
    """Undone, and adopted again; never a machine that does not bear the lab's mark."""
    with pytest.raises(CannotBeDone, match="voxy is not a host of the lab yet"):
        world.machines.clean("voxy")
    world.machines.create()
    world.done.clear()
    world.machines.clean("voxy")
    assert world.done == ["clean voxy", "adopt voxy"]
    world.looks["voxy"] = replace(world.looks["voxy"], mark=replace(world.mark("voxy"), lab="ffff0000"))
    with pytest.raises(EnvironmentProblem, match="voxy does not bear this lab's mark any more"):
        world.machines.clean("voxy")


def test_the_owner_adopts_and_the_lab_works(world: World) -> None:
    """The owner's user and key are used for adopting; afterwards the lab has an account and a key of its own."""
    world.machines.create()
    assert {target.user for target in world.doors} == {"ubuntu"}
    voxy = world.machines.targets()[1]
    assert (voxy.user, voxy.address, voxy.key) == ("vagrant", "192.168.56.11", str(world.home.keys / "lab"))


@pytest.mark.parametrize(("user", "ours"), [("ubuntu", True), ("vagrant", False)])
def test_whose_the_account_is(world: World, user: str, ours: bool) -> None:
    """An owner who logs in as `vagrant` keeps that account when the lab goes."""
    lab = config.parse({"provider": "existing", "ssh_user": user, "ssh_key": world.lab.ssh_key})
    ExistingMachines(lab, world.home).create()
    mark = world.looks["voxy"].mark
    assert mark and mark.account is ours
