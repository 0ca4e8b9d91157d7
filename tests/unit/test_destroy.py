"""Destroy: guests, network and memory are gone; records stay; damage does not stop it."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path

import pytest

from lab import destroy as module
from lab import registry
from lab.destroy import destroy
from lab.errors import EnvironmentProblem
from lab.events import Note, silent
from lab.home import Home
from lab.machines import libvirtd, pool
from lab.machines.capabilities import NOTHING
from lab.machines.fake import FakeMachines
from lab.machines.protocol import State
from lab.registry import Entry
from lab.topology import Lab
from tests.fakes import Heard


class World:
    """What was removed: providers whose guests were, and whether the network was."""

    def __init__(self) -> None:
        self.machines = FakeMachines(Lab())
        self.machines.create()
        self.asked: list[str] = []
        self.networks = 0
        self.subnets: list[str] = []
        self.done: list[str] = []


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """The default lab, running in memory."""
    made = World()

    def machines_for(lab: Lab, home: Home, provider: str) -> FakeMachines:
        made.asked.append(provider)
        return made.machines

    class FakeNetwork:
        def remove(self, subnet: IPv4Network) -> None:
            made.networks += 1
            made.subnets.append(str(subnet))
            made.done.append("network")

    def network_of(provider: str, lab: Lab, home: Home) -> FakeNetwork | None:
        return FakeNetwork() if provider in ("lxc", "libvirt") else None

    monkeypatch.setattr(module, "machines_for", machines_for)
    monkeypatch.setattr(module, "network_of", network_of)
    monkeypatch.setattr(libvirtd, "ensure", lambda: made.done.append("ensure"))
    monkeypatch.setattr(pool, "clear", lambda: made.done.append("clear"))
    monkeypatch.setattr(libvirtd, "release", lambda: made.done.append("release"))
    return made


def _left(home: Home) -> list[str]:
    return sorted(path.name for path in home.path.iterdir()) if home.path.exists() else []


def test_all_is_removed_but_records(world: World, home: Home) -> None:
    """Guests, network, keys and memory go; runs, logs and the lock that we hold stay. Twice is once."""
    home.remember(provider="lxc")
    for name in ("keys/lab", "vagrant/Vagrantfile", "runs/1/journal.jsonl", "logs/vagrant.log"):
        home.write(name, "")
    with home.lock("lab destroy"):
        destroy(Lab(), home, silent)
        destroy(Lab(), home, silent)
    assert set(world.machines.states().values()) == {State.ABSENT}
    assert _left(home) == ["lock", "logs", "runs"]
    assert world.networks == 2


def test_virtual_machines_have_no_network_of_ours(world: World, home: Home) -> None:
    """Only the guests are removed."""
    home.remember(provider="virtualbox")
    destroy(Lab(), home, silent)
    assert (world.asked, world.networks) == (["virtualbox"], 0)


def test_machines_of_others_stay_and_that_is_said(world: World, home: Home) -> None:
    """Also when the memory is lost: the files of those that were adopted tell."""
    world.machines.capabilities = NOTHING
    heard = Heard()
    home.write("adopted/voxy", "")
    destroy(Lab(), home, heard)
    assert (world.asked, world.networks, _left(home)) == (["existing"], 0, [])
    assert any(isinstance(event, Note) and "the machines stay" in event.text for event in heard.events)


def test_of_libvirt_nothing_stays(world: World, home: Home) -> None:
    """Its daemon is asked back to remove guests, network and images, and goes last."""
    home.remember(provider="libvirt")
    destroy(Lab(), home, silent)
    assert world.done == ["ensure", "network", "clear", "release"]
    assert set(world.machines.states().values()) == {State.ABSENT}


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"provider": "lxc"}'])
def test_a_damaged_memory_does_not_stop_it(world: World, home: Home, damage: str) -> None:
    """Containers are looked for by their names."""
    (home.path / "state.json").write_text(damage)
    destroy(Lab(), home, silent)
    assert world.asked == ["lxc"]
    assert set(world.machines.states().values()) == {State.ABSENT}
    assert _left(home) == []


def test_without_a_memory_vagrants_traces_name_the_provider(world: World, home: Home) -> None:
    """Also when there are two."""
    for provider in ("virtualbox", "libvirt"):
        home.write(f"vagrant/.vagrant/machines/voxy/{provider}/id", "1")
    (home.vagrant / ".vagrant" / "machines" / "zero" / "lxc").mkdir(parents=True)
    destroy(Lab(), home, silent)
    assert world.asked == ["libvirt", "virtualbox"]


def test_a_lost_folder_does_not_stop_it(world: World, tmp_path: Path) -> None:
    """The guests bear the lab's id, which comes from the path."""
    destroy(Lab(), Home(tmp_path / "lost"), silent)
    assert set(world.machines.states().values()) == {State.ABSENT}


def test_what_cannot_be_removed_keeps_the_memory(world: World, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a second destroy knows what the first did not do."""
    home.remember(provider="lxc")

    def fails() -> None:
        raise EnvironmentProblem("no")

    monkeypatch.setattr(world.machines, "destroy", fails)
    with pytest.raises(EnvironmentProblem):
        destroy(Lab(), home, silent)
    assert home.state().provider == "lxc"


def test_the_subnet_is_the_one_that_it_was_brought_up_on(world: World, home: Home) -> None:
    """Whatever lab.toml says by now; and the list of labs forgets it."""
    home.remember(provider="lxc")
    registry.write(Entry(home.id, "", str(home.folder), "lxc", "192.168.80.0/24"))
    destroy(Lab(), home, silent)
    assert world.subnets == ["192.168.80.0/24"]
    assert registry.entries() == ()


@pytest.mark.parametrize(("listed", "asked"), [("libvirt", "libvirt"), ("", "lxc")])
def test_a_folder_without_a_memory_is_known_to_the_list_of_labs(
    world: World, home: Home, listed: str, asked: str
) -> None:  # fmt: skip
    """Whoever has removed `.lab/` by hand still gets rid of the machines."""
    registry.write(Entry(home.id, folder=str(home.folder), provider=listed))
    destroy(Lab(), home, silent)
    assert world.asked == [asked]
