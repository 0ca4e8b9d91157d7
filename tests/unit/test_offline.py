"""A lab without internet: what it lacks is said before anything is touched, and no step fetches."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from lab import config
from lab.apps.steps import Cloned, Made
from lab.boxes import store
from lab.boxes.recipe import Recipe
from lab.errors import HostUnreachable
from lab.home import Home
from lab.host import Host
from lab.machines.protocol import State
from lab.offline import Covers, NeedsNetwork, box_for, covers_of, guarded, read_covers, refuse_offline
from lab.steps import Step, command, file, needs_network, packages
from lab.topology import Lab
from tests.fakes import FakeHost

OFFLINE = config.parse({"offline": True})
NGINX = packages("nginx")
FETCH = command("pm2", "npm install --global pm2", unless="test -x /usr/local/bin/pm2", network=True)
LOCAL = command("user", "useradd x", unless="id x")
CLONE = Cloned("app", "https://x/app.git", "a" * 40, "main", Path("/cache/a.bundle"), "/home/vagrant/app", "vagrant")
RECIPE = Recipe("bookworm", "", (), (NGINX, file("/etc/a", "one"), CLONE))
PACKED = "lab-lxc-0123456789ab"


def _session(home: Home, hosts: dict[str, FakeHost] | None = None, provider: str = "lxc") -> Any:
    """A lab whose hosts are absent, but for those that are given."""
    running = hosts or {}
    states = {name: State.RUNNING if name in running else State.ABSENT for name in ("akuma", "voxy")}
    machines = SimpleNamespace(states=lambda: states)
    return SimpleNamespace(home=home, provider=provider, machines=machines, host=running.__getitem__)


def _box(name: str) -> None:
    store.box_file(name).parent.mkdir(parents=True, exist_ok=True)
    store.box_file(name).touch()


def _record(cache: Path, covers: Covers) -> None:
    _box(covers.name)
    path = cache / "packed" / "boxes" / f"{covers.name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.encode(covers))


def test_without_any_box_the_hosts_are_named(home: Home) -> None:
    """One sentence with what is missing, and how a pack brings it."""
    with pytest.raises(NeedsNetwork) as caught:
        box_for(_session(home), RECIPE, {"akuma": [NGINX], "voxy": [LOCAL]})
    expected = "without internet the lab cannot be brought up; it lacks a box for akuma, voxy (provider lxc)"
    assert caught.value.message == expected
    assert "lab unpack FILE" in caught.value.mend and "lab pack" in caught.value.mend


def test_the_recipes_own_box_will_do(home: Home) -> None:
    """What was brought about in it need not be fetched."""
    _box(RECIPE.name)
    assert box_for(_session(home), RECIPE, {"akuma": [NGINX, LOCAL], "voxy": []}) == RECIPE.name


def test_a_packed_box_will_do_though_its_recipe_is_another(home: Home, own_cache: Path) -> None:
    """As the certificates of the computer that built it are others; the one that lacks least is taken."""
    _record(own_cache, Covers("lab-lxc-aaaaaaaaaaaa", "lxc", ()))
    _record(own_cache, Covers(PACKED, "lxc", (repr(NGINX), repr(FETCH))))
    assert box_for(_session(home), RECIPE, {"akuma": [NGINX], "voxy": [FETCH]}) == PACKED


def test_a_step_that_no_box_has_is_named_with_its_hosts(home: Home) -> None:
    """The detector: a step that fetches and that nobody has brought about."""
    _box(RECIPE.name)
    with pytest.raises(NeedsNetwork, match=rf"it lacks pm2 \(for akuma, voxy; not in {RECIPE.name}\)"):
        box_for(_session(home), RECIPE, {"akuma": [NGINX, FETCH], "voxy": [FETCH]})


@pytest.mark.parametrize(
    "spoilt", [Covers(PACKED, "libvirt", (repr(NGINX),)), Covers("lab-lxc-bbbbbbbbbbbb", "lxc", (repr(NGINX),))]
)
def test_a_box_of_another_provider_or_without_its_file_is_none(home: Home, own_cache: Path, spoilt: Covers) -> None:
    """Nor is one whose record was damaged."""
    _record(own_cache, spoilt)
    if spoilt.provider == "lxc":
        store.box_file(spoilt.name).unlink()
    (own_cache / "packed" / "boxes" / "lab-lxc-cccccccccccc.json").write_text("{")
    with pytest.raises(NeedsNetwork, match="a box for akuma, voxy"):
        box_for(_session(home), RECIPE, {"akuma": [NGINX], "voxy": []})


def test_running_hosts_are_asked(home: Home) -> None:
    """They keep their box; what one lacks is said, and that it can be made anew."""
    home.remember(box="lab-lxc-dddddddddddd")
    akuma = FakeHost("akuma", {"dpkg-query": "install ok installed\n"})
    voxy = FakeHost("voxy", {"test -x": 1})
    plan: dict[str, list[Step]] = {"akuma": [NGINX], "voxy": [FETCH, LOCAL]}
    with pytest.raises(NeedsNetwork, match="it lacks pm2 on voxy") as caught:
        box_for(_session(home, {"akuma": akuma, "voxy": voxy}), RECIPE, plan)
    assert "lab destroy" in caught.value.mend
    voxy.script.clear()
    assert box_for(_session(home, {"akuma": akuma, "voxy": voxy}), RECIPE, plan) == "lab-lxc-dddddddddddd"


def test_a_host_that_does_not_answer_is_left_to_provisioning(home: Home) -> None:
    """It says so then, by name."""

    class Silent(FakeHost):
        def run(self, command: str, *args: object, **options: Any) -> Any:
            raise HostUnreachable("voxy: no SSH")

    session = _session(home, {"akuma": Silent("akuma"), "voxy": Silent("voxy")})
    assert box_for(session, RECIPE, {"akuma": [NGINX], "voxy": [FETCH]}) == ""


def test_what_a_box_has_is_known_by_its_steps() -> None:
    """Without the clones, which name files of the computer that built it; and read as it was written."""
    covers = covers_of(RECIPE, "lxc")
    assert covers.steps == (repr(NGINX), repr(RECIPE.steps[1]))
    assert read_covers(msgspec.json.encode(covers)) == covers
    with pytest.raises(ValueError):
        read_covers(b'{"name": 5}')


def test_no_step_fetches() -> None:
    """Where a check before has missed it; what fetches nothing, or is met, is as ever."""
    wrapped = {step.title: step for step in guarded(OFFLINE, [NGINX, FETCH, LOCAL])}
    host = FakeHost("voxy", {"id x": 1})
    assert wrapped["pm2"].is_met(host)
    with pytest.raises(NeedsNetwork, match="voxy: pm2 would be fetched, and the lab is without internet"):
        wrapped["pm2"].apply(host)
    wrapped["user"].apply(host)
    assert host.commands[-1] == "useradd x"
    assert "npm install --global pm2" not in host.commands


def test_with_internet_steps_are_as_they_are() -> None:
    """The same objects."""
    assert list(guarded(Lab(), [NGINX, FETCH])) == [NGINX, FETCH]


def test_what_is_in_the_cache_is_not_fetched(own_cache: Path) -> None:
    """A build that another lab made, or that came out of a pack."""
    made = Made("build of my", "build-my", "build", "npm run build", "/home/vagrant/my", "vagrant")
    assert needs_network(made)
    made.kept.parent.mkdir(parents=True)
    made.kept.touch()
    assert not needs_network(made)


def test_a_step_that_says_nothing_does_not_fetch() -> None:
    """As a step of somebody's own."""

    class Own:
        title = "own"

        def is_met(self, host: Host) -> bool:
            return True

        def apply(self, host: Host) -> None: ...

    assert not needs_network(Own())


def test_whether_a_command_fetches_does_not_change_a_box() -> None:
    """The name of a box is a hash of its steps' repr."""
    assert repr(command("a", "b", unless="c", network=True)) == repr(command("a", "b", unless="c"))


def test_a_command_that_cannot_do_without_is_refused() -> None:
    """With its name; with internet it goes on."""
    refuse_offline(Lab(), "lab pack")
    with pytest.raises(NeedsNetwork, match="lab pack fetches from the internet"):
        refuse_offline(OFFLINE, "lab pack")
