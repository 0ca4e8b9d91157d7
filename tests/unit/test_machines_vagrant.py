"""Machines made by Vagrant: only what is absent or half made is made, the rest is switched."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO

import pytest

from lab import keys
from lab.errors import CommandFailed, EnvironmentProblem, UsageError
from lab.home import Home
from lab.machines import vagrant as module
from lab.machines.libvirt import LibvirtGone
from lab.machines.protocol import State
from lab.machines.switch import Switch
from lab.machines.vagrant import VagrantMachines
from lab.topology import Lab
from lab.vagrantfile import FINISHED
from tests.fakes import FakeKeeper, FakePowerTool, FakeRenewer, target

RUNNING, STOPPED, ABSENT = State.RUNNING, State.STOPPED, State.ABSENT
NAMES = ("akuma", "voxy", "zero")


class World:
    """Vagrant and a provider in memory: what Vagrant was told, and the guests that it makes."""

    def __init__(self, home: Home, tool: FakePowerTool) -> None:
        self.home = home
        self.tool = tool
        self.told: list[str] = []
        self.fault: Exception | None = None
        self.says = ""
        self.environment: dict[str, str] = {}

    def machines(self, provider: str = "virtualbox") -> VagrantMachines:
        """The machines of the default lab in this world."""
        return VagrantMachines(Lab(), self.home, provider, Switch(self.tool, "p-"))

    def module(self) -> ModuleType:
        """What `import vagrant` gives."""
        world = self

        class Vagrant:
            def __init__(self, root: str, out_cm: Any = None, err_cm: Any = None, env: Any = None) -> None:
                assert root == str(world.home.vagrant)
                self._out: Callable[[], AbstractContextManager[TextIO]] = out_cm
                world.environment = dict(env or {})

            def _do(self, line: str) -> None:
                world.told.append(line)
                with self._out() as log:
                    log.write(world.says)
                if world.fault:
                    raise world.fault

            def up(self, provider: str, vm_name: str | None = None) -> None:
                self._do(f"up {vm_name or 'all'} {provider}")
                for name in [vm_name] if vm_name else NAMES:
                    world.half_made(name)
                    (world.memory(name) / "virtualbox" / FINISHED).touch()

            def destroy(self, vm_name: str | None = None) -> None:
                self._do(f"destroy {vm_name}" if vm_name else "destroy")
                if vm_name:
                    del world.tool.held[f"p-{vm_name}"]
                    shutil.rmtree(world.memory(vm_name))
                    return
                world.tool.held = {name: state for name, state in world.tool.held.items() if name[:2] != "p-"}
                shutil.rmtree(world.memory(""))

            def conf(self, vm_name: str) -> dict[str, str]:
                return {"HostName": f"{vm_name}.test", "Port": "2222", "User": "vagrant"}

        found = ModuleType("vagrant")
        found.Vagrant = Vagrant  # type: ignore[attr-defined]
        found.make_file_cm = lambda name: partial(open, name, "a")  # type: ignore[attr-defined]
        return found

    def memory(self, name: str) -> Path:
        """Where Vagrant keeps what it knows of a guest."""
        return self.home.vagrant / ".vagrant" / "machines" / name

    def half_made(self, name: str) -> None:
        """A guest that Vagrant has begun, and not finished."""
        self.tool.held[f"p-{name}"] = RUNNING
        (self.memory(name) / "virtualbox").mkdir(parents=True, exist_ok=True)
        (self.memory(name) / "virtualbox" / "id").touch()
        (self.memory(name) / "virtualbox" / "action_provision").touch()


@pytest.fixture
def world(home: Home, monkeypatch: pytest.MonkeyPatch) -> World:
    """Nothing is made yet; a guest of somebody else runs."""
    made = World(home, FakePowerTool({"voxy": RUNNING}))
    monkeypatch.setitem(sys.modules, "vagrant", made.module())
    home.write("vagrant/Vagrantfile", "")
    return made


def test_an_empty_lab_is_made_at_once(world: World) -> None:
    """One call for all guests; the second time nothing."""
    assert world.machines().create() == NAMES
    assert world.told == ["up all virtualbox"]
    assert set(world.machines().states().values()) == {RUNNING}
    assert world.machines().create() == ()
    assert world.told == ["up all virtualbox"]
    assert world.environment["VAGRANT_CHECKPOINT_DISABLE"] == "1"


@pytest.mark.parametrize(
    ("system", "machine", "spawns"),
    [("Linux", "x86_64", True), ("Linux", "aarch64", False), ("Darwin", "x86_64", False)],
)
def test_vagrant_spawns_its_children_where_it_can(
    world: World, monkeypatch: pytest.MonkeyPatch, system: str, machine: str, spawns: bool
) -> None:
    """Its library refuses to on a kind of computer that it does not know."""
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    world.machines().create()
    assert (world.environment.get("CHILDPROCESS_POSIX_SPAWN") == "true") is spawns


def test_vagrant_keeps_no_log_unless_the_user_wants_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its loggers cost half of its time, and whoever looks for a fault needs them all the same."""
    world.machines().create()
    assert world.environment["VAGRANT_LOG"] == "off"
    monkeypatch.setenv("VAGRANT_LOG", "info")
    world.machines().destroy()
    assert world.environment["VAGRANT_LOG"] == "info"


def test_stopped_guests_are_only_switched_on(world: World) -> None:
    """Vagrant would take seconds for each."""
    world.machines().create()
    world.tool.held["p-voxy"] = STOPPED
    world.told.clear()
    assert world.machines().create() == ("voxy",)
    assert (world.told, world.tool.told) == ([], ["start p-voxy"])


@pytest.mark.parametrize("left", ["at both", "at the provider", "at Vagrant"])
def test_a_half_made_guest_counts_as_absent_and_is_made_again(world: World, left: str) -> None:
    """What an interrupt left is swept on both sides first; the finished guests stay."""
    world.machines().create()
    shutil.rmtree(world.memory("voxy"))
    world.half_made("voxy")
    if left == "at the provider":
        shutil.rmtree(world.memory("voxy"))
    if left == "at Vagrant":
        del world.tool.held["p-voxy"]
    trace = world.memory("voxy") / "virtualbox" / "trace"
    trace.parent.mkdir(parents=True, exist_ok=True)
    trace.touch()
    world.told.clear()
    assert world.machines().states()["voxy"] is ABSENT
    assert world.machines().create() == ("voxy",)
    assert world.tool.told == ([] if left == "at Vagrant" else ["cut p-voxy", "remove p-voxy"])
    assert world.told == ["up voxy virtualbox"]
    assert not trace.exists()
    assert set(world.machines().states().values()) == {RUNNING}


def test_a_guest_without_the_labs_key_is_not_finished(world: World) -> None:
    """Vagrant calls a virtual machine provisioned before it has begun: only our own mark, made after, counts."""
    world.half_made("voxy")
    folder = world.memory("voxy") / "virtualbox"
    assert sorted(path.name for path in folder.iterdir()) == ["action_provision", "id"]
    assert world.machines().states()["voxy"] is ABSENT
    (folder / FINISHED).touch()
    assert world.machines().states()["voxy"] is RUNNING


def test_a_container_has_the_labs_key_before_it_boots(world: World) -> None:
    """So Vagrant's own mark is enough for it."""
    world.half_made("voxy")
    (world.memory("voxy") / "virtualbox").rename(world.memory("voxy") / "lxc")
    assert world.machines("lxc").states()["voxy"] is RUNNING


def test_what_renewal_goes_back_to_is_kept_when_all_are_finished(world: World) -> None:
    """Each time, for an interrupt may have come before; the provider does it once."""
    world.tool = FakeKeeper(world.tool.held)
    world.machines().create()
    assert world.tool.told == ["keep p-akuma", "keep p-voxy", "keep p-zero"]


def test_libvirts_guests_are_removed_without_vagrant(world: World) -> None:
    """Vagrant knows one disk of each, and not what was kept of it."""
    world.machines().create()
    for name in NAMES:
        (world.memory(name) / "virtualbox").rename(world.memory(name) / "libvirt")
    world.told.clear()
    world.machines("libvirt").destroy()
    assert world.told == []
    assert world.tool.held == {"voxy": RUNNING}
    assert not world.memory("voxy").exists()


def test_libvirts_guests_are_where_their_network_put_them(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is asked; their host keys are pinned at first contact."""
    monkeypatch.setattr(module, "_scanned", lambda each: f"{each.address} ssh-ed25519 AAAA\n")
    found = world.machines("libvirt").targets()
    assert [each.address for each in found] == [str(host.address) for host in Lab().hosts]
    assert (world.home.path / "known_hosts").read_text().count("ssh-ed25519 AAAA") == 3
    assert world.told == []


def test_a_provider_that_died_says_so_itself(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one sentence, instead of the end of Vagrant's log."""
    world.fault = subprocess.CalledProcessError(1, ["vagrant", "up"])
    machines = world.machines()
    gone = LibvirtGone("libvirtd does not answer")

    def died(line: str) -> None:
        def guests() -> None:
            raise gone

        monkeypatch.setattr(world.tool, "guests", guests)
        raise subprocess.CalledProcessError(1, ["vagrant", "up"])

    monkeypatch.setattr(world, "told", Told(died))
    with pytest.raises(LibvirtGone):
        machines.create()


class Told(list[str]):
    """A record that does something when it is written."""

    def __init__(self, act: Callable[[str], None]) -> None:
        super().__init__()
        self.append = act  # type: ignore[method-assign]


def test_tidying_touches_nothing_that_is_finished(world: World) -> None:
    """Nor makes anything."""
    world.machines().create()
    world.machines().power_off("zero")
    world.tool.told.clear()
    world.machines().tidy()
    assert world.tool.told == []
    assert world.machines().states() == {"akuma": RUNNING, "voxy": RUNNING, "zero": STOPPED}


def test_a_guest_that_was_removed_by_hand_is_made_again(world: World) -> None:
    """Though the lab remembers it."""
    world.machines().create()
    del world.tool.held["p-zero"]
    assert world.machines().create() == ("zero",)
    assert world.told[-1] == "up zero virtualbox"


def test_a_failure_shows_the_end_of_vagrants_log(world: World) -> None:
    """Ten lines, the exit code, and where the rest is; nothing counts as made."""
    world.says = "\n".join(f"line {number}" for number in range(1, 31))
    world.fault = subprocess.CalledProcessError(9, ["vagrant", "up"])
    with pytest.raises(CommandFailed) as caught:
        world.machines().create()
    said = str(caught.value)
    assert "`vagrant up` ended with exit code 9" in said
    assert "| line 30" in said and "| line 21" in said and "| line 20\n" not in said
    assert caught.value.mend == f"the whole output is in {world.home.path / 'logs' / 'vagrant.log'}"
    assert set(world.machines().states().values()) == {ABSENT}


def test_a_vagrant_that_cannot_be_started_has_a_mend(world: World) -> None:
    """Not a traceback."""
    world.fault = RuntimeError("The Vagrant executable cannot be found")
    with pytest.raises(EnvironmentProblem, match="vagrant up: The Vagrant executable") as caught:
        world.machines().create()
    assert caught.value.mend == "lab doctor says what is missing"


def test_destroy_removes_all_and_only_ours(world: World) -> None:
    """Through Vagrant what Vagrant knows, through the provider the rest; twice is once."""
    world.machines().create()
    world.machines().destroy()
    assert world.told[-1] == "destroy"
    assert world.tool.held == {"voxy": RUNNING}
    world.told.clear()
    world.machines().destroy()
    assert world.told == []


def test_what_is_destroyed_is_not_shut_down_before(world: World) -> None:
    """It loses its power, all at once; Vagrant would wait for one after the other."""
    world.machines().create()
    world.tool.told.clear()
    world.machines().destroy()
    assert sorted(world.tool.told) == ["cut p-akuma", "cut p-voxy", "cut p-zero"]


@pytest.mark.parametrize("lost", ["Vagrantfile", ".vagrant", "both"])
def test_destroy_needs_nothing_of_vagrants(world: World, lost: str) -> None:
    """Guests are found by their names when everything else is lost."""
    world.machines().create()
    if lost != ".vagrant":
        (world.home.vagrant / "Vagrantfile").unlink()
    if lost != "Vagrantfile":
        shutil.rmtree(world.home.vagrant / ".vagrant")
    world.told.clear()
    world.machines().destroy()
    assert world.told == []
    assert world.tool.held == {"voxy": RUNNING}


def test_destroy_goes_on_when_vagrant_cannot(world: World) -> None:
    """A damaged Vagrantfile must not keep guests alive: the provider's tool removes them."""
    world.machines().create()
    world.fault = subprocess.CalledProcessError(1, ["vagrant", "destroy"])
    with suppress(CommandFailed):
        world.machines().destroy()
    assert world.tool.held == {"voxy": RUNNING}


def test_power_goes_through_the_switch(world: World) -> None:
    """A name that the lab does not have is a KeyError."""
    world.machines().create()
    world.machines().power_off("voxy", graceful=False)
    world.machines().power_on("voxy")
    assert world.tool.told == ["cut p-voxy", "start p-voxy"]
    with pytest.raises(KeyError):
        world.machines().power_off("nobody")
    with pytest.raises(KeyError):
        world.machines().power_on("nobody")


def test_a_guest_is_renewed_by_its_provider_where_that_can(home: Home, world: World) -> None:
    """Vagrant is not called, and what is known of its keys stays."""
    world.tool = FakeRenewer(world.tool.held)
    world.machines().create()
    remembered = tuple(target(name) for name in NAMES)
    home.remember(targets=remembered)
    world.told.clear()
    world.machines().power_off("voxy", graceful=False)
    world.machines().renew("voxy")
    assert (world.told, world.tool.told) == ([], ["cut p-voxy", "renew p-voxy"])
    assert set(world.machines().states().values()) == {RUNNING}
    assert home.state().targets == remembered


def test_elsewhere_vagrant_destroys_it_and_makes_it_again(home: Home, world: World) -> None:
    """Only that guest; its host key and port are asked for again."""
    world.machines().create()
    home.remember(targets=tuple(target(name) for name in NAMES))
    world.told.clear()
    world.machines().renew("voxy")
    assert world.told == ["destroy voxy", "up voxy virtualbox"]
    assert set(world.machines().states().values()) == {RUNNING}
    assert home.state().targets == ()


def test_a_guest_that_is_not_there_is_not_renewed(world: World) -> None:
    """Nor one that Vagrant never finished; a name that the lab does not have is a KeyError."""
    world.half_made("zero")
    for name in ("voxy", "zero"):
        with pytest.raises(UsageError, match=f"{name} does not exist yet") as caught:
            world.machines().renew(name)
        assert caught.value.mend == "lab up makes what is missing"
    with pytest.raises(KeyError):
        world.machines().renew("nobody")
    assert world.told == []


def test_vagrant_is_asked_for_targets_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Host keys are pinned at first contact; afterwards the remembered targets are enough."""
    monkeypatch.setattr(module, "_scanned", lambda each: f"[{each.address}]:{each.port} ssh-ed25519 AAAA\n")
    first = world.machines().targets()
    assert [(each.name, each.address, each.port) for each in first][1] == ("voxy", "voxy.test", 2222)
    assert (world.home.path / "known_hosts").read_text().count("ssh-ed25519 AAAA") == 3
    remembered = tuple(target(name) for name in NAMES)
    world.home.remember(targets=remembered)
    assert world.machines().targets() == remembered


def test_a_guest_that_is_made_again_is_asked_for_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has a new host key, and perhaps a new port: what was remembered of it would lock us out."""
    monkeypatch.setattr(module, "_scanned", lambda each: f"{each.address} ssh-ed25519 NEW\n")
    world.machines().create()
    world.home.remember(targets=tuple(target(name) for name in NAMES))
    del world.tool.held["p-voxy"]
    world.machines().create()
    assert world.machines().targets()[1].address == "voxy.test"


def test_containers_are_reached_with_keys_that_we_made(world: World) -> None:
    """Nobody is asked."""
    keys.make_guest_files(Lab(), world.home, "")
    assert [each.address for each in world.machines("lxc").targets()] == [str(host.address) for host in Lab().hosts]
    assert world.told == []
