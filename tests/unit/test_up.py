"""`lab up`, as far as it needs no machine: which app, which provider, and what a failed host means."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import config
from lab import up as module
from lab.apps.packed import text_of
from lab.apps.profile import Profile, resolve
from lab.apps.source import Source, SourceUnreachable
from lab.errors import EnvironmentProblem, UsageError
from lab.events import Note
from lab.home import Home, cache
from lab.machines import libvirtd, pool
from lab.machines.choose import Choice
from lab.provisioning import HostReport
from lab.topology import Lab
from lab.up import ProvisionFailed, source_for
from tests.fakes import Heard


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the lab's own app can be had."""

    def obtain(profile: Profile, *, offline: bool = False) -> Source:
        if profile.name != "hello":
            raise SourceUnreachable(f"{profile.name} cannot be cloned")
        return Source(profile, "a" * 40, "main", Path("/a"), "")

    monkeypatch.setattr(module, "obtain", obtain)


def test_without_internet_the_lab_goes_on_with_its_own_app(offline: None, home: Home) -> None:
    """Loudly; and the next `up` tries the topology's app again."""
    heard = Heard()
    assert source_for(Lab(), home, heard).profile.name == "hello"
    (note,) = heard.events
    assert isinstance(note, Note) and note.loud
    assert "dumbsound cannot be cloned" in note.text and "`hello`" in note.text
    assert (home.state().app, home.state().app_named) == ("hello", False)
    assert source_for(Lab(), home, heard).profile.name == "hello"
    assert len(heard.events) == 2


def test_an_app_that_the_user_named_is_never_replaced(offline: None, home: Home) -> None:
    """Neither now nor when a later command remembers it; nor is the failed wish remembered."""
    with pytest.raises(SourceUnreachable):
        source_for(Lab(), home, Heard(), "dumbsound")
    assert home.state().app == ""
    home.remember(app="dumbsound", app_named=True)
    with pytest.raises(SourceUnreachable):
        source_for(Lab(), home, Heard())


def test_a_lab_without_internet_never_gets_another_app(offline: None, home: Home) -> None:
    """What is missing is said; an app out of a pack will do."""
    lab = config.parse({"offline": True})
    with pytest.raises(SourceUnreachable):
        source_for(lab, home, Heard())
    known = Source(resolve("dumbsound"), "b" * 40, "main", Path("/b"), "")
    (cache() / "packed").mkdir()
    (cache() / "packed" / "dumbsound.json").write_bytes(text_of(known))
    (cache() / "packed" / "dumbsound.bundle").touch()
    assert source_for(lab, home, Heard()).revision == "b" * 40
    assert (home.state().app, home.state().app_named) == ("dumbsound", False)


def test_a_named_app_is_remembered(offline: None, home: Home) -> None:
    """Until another is named."""
    source_for(Lab(), home, Heard(), "hello")
    assert (home.state().app, home.state().app_named) == ("hello", True)
    assert source_for(config.parse({"app": {"name": "dumbsound"}}), home, Heard()).profile.name == "hello"


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What `choose` was asked for; this computer has everything."""
    asked: list[str] = []

    def choose(wanted: str) -> Choice:
        asked.append(wanted)
        return Choice("lxc" if wanted == "auto" else wanted, "because")

    monkeypatch.setattr(module, "choose", choose)
    monkeypatch.setattr(module.preflight, "check", lambda provider, builds: None)  # type: ignore[attr-defined]
    monkeypatch.setattr(module, "settle", lambda lab, home, provider, listener: lab)
    return asked


@pytest.mark.parametrize(
    ("option", "table", "guests", "expected"),
    [
        ("", {}, "", "auto"),
        ("", {"provider": "libvirt"}, "", "libvirt"),
        ("virtualbox", {"provider": "libvirt"}, "", "virtualbox"),
        ("", {}, "libvirt", "libvirt"),
        ("auto", {}, "libvirt", "libvirt"),
        ("libvirt", {}, "libvirt", "libvirt"),
    ],
)
def test_which_provider_is_asked_for(
    chosen: list[str], home: Home, option: str, table: dict[str, str], guests: str, expected: str
) -> None:
    """The option beats the topology; a lab stays where its guests are."""
    if guests:
        home.write(f"vagrant/.vagrant/machines/voxy/{guests}/id", "1")
    module._session(config.parse(table), home, Heard(), option, vm=False)
    assert chosen == [expected]


def test_a_lab_does_not_move_while_it_has_guests(chosen: list[str], home: Home) -> None:
    """The message names both providers, and the way."""
    home.write("vagrant/.vagrant/machines/voxy/libvirt/id", "1")
    with pytest.raises(EnvironmentProblem) as caught:
        module._session(Lab(), home, Heard(), "lxc", vm=False)
    assert caught.value.message == "this lab runs on libvirt, and lxc was asked for"
    assert "lab destroy" in caught.value.mend


def test_only_lxd_is_asked_for_virtual_machines(chosen: list[str], home: Home) -> None:
    """Libvirt's are virtual anyway, and LXC's never are; nothing is made."""
    with pytest.raises(UsageError, match="--vm is for LXD, and this lab is for lxc") as caught:
        module._session(Lab(), home, Heard(), "", vm=True)
    assert "--provider lxd --vm" in caught.value.mend


THERE = {"provider": "existing", "ssh_user": "ubuntu"}


@pytest.mark.parametrize(("table", "option"), [(THERE, "lxc"), (THERE, "auto"), ({}, "existing")])
def test_machines_that_are_there_already_are_written_down(
    chosen: list[str], home: Home, table: dict[str, str], option: str
) -> None:
    """Their addresses and users are in lab.toml, so an option alone can neither take nor leave them."""
    with pytest.raises(UsageError, match=f"and {option} was asked for"):
        module._session(config.parse(table), home, Heard(), option, vm=False)
    assert chosen == []


@pytest.mark.parametrize("option", ["", "existing"])
def test_nothing_is_made_for_machines_that_are_there_already(chosen: list[str], home: Home, option: str) -> None:
    """No box, no network, no Vagrantfile; adopted ones keep the lab where it is."""
    session = module._session(config.parse(THERE), home, Heard(), option, vm=False)
    module.prepare(session, None)  # type: ignore[arg-type]  # no app is looked at
    assert home.state().provider == "existing"
    assert not home.vagrant.exists() and not home.keys.exists()
    home.write("adopted/voxy", "")
    with pytest.raises(EnvironmentProblem, match="this lab runs on existing, and lxc was asked for"):
        module._session(config.parse({"provider": "lxc"}), home, Heard(), "", vm=False)


def test_libvirt_is_ready_when_the_first_guest_is_made(
    chosen: list[str], home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its daemon is looked for again after the box, which takes a minute; the store comes once a network holds it."""
    done: list[str] = []

    class Network:
        def ensure(self) -> None:
            done.append("network")

    def box(session: object, source: object) -> str:
        done.append("box")
        return "lab-libvirt-1"

    monkeypatch.setattr(libvirtd, "ensure", lambda: done.append("daemon"))
    monkeypatch.setattr(pool, "ensure", lambda: done.append("store"))
    monkeypatch.setattr(module, "_box", box)
    monkeypatch.setattr(module, "network_of", lambda provider, lab, home: Network())
    monkeypatch.setattr(module, "_driver", lambda session: "qemu")
    session = module._session(config.parse({"provider": "libvirt"}), home, Heard(), "", vm=False)
    module.prepare(session, None)  # type: ignore[arg-type]  # no app is looked at
    assert done == ["daemon", "box", "daemon", "network", "store"]
    assert (home.state().driver, home.state().patience > 1) == ("qemu", True)


def test_one_failed_host_fails_up() -> None:
    """With every failure in the message; without one the reports are given on."""
    fine = HostReport("akuma", True, 1, 0, 1.0)
    bad = [HostReport(name, False, 0, 1, 1.0, f"{name} broke") for name in ("voxy", "zero")]
    assert module._checked((fine,)) == (fine,)
    with pytest.raises(ProvisionFailed, match="voxy broke\nzero broke"):
        module._checked((fine, *bad))


def test_an_up_that_failed_gives_its_subnet_back(
    chosen: list[str], home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And tells what ended it, also where that cannot be done."""
    given_back: list[Home] = []

    def let_go(of: Home) -> None:
        given_back.append(of)
        raise EnvironmentProblem("not now")

    monkeypatch.setattr(module, "let_go", let_go)
    with pytest.raises(UsageError, match="no profile and no folder 'nonsense'"):
        module.up(Lab(), home, Heard(), app="nonsense")
    assert given_back == [home]
