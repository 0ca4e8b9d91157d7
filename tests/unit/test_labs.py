"""Which labs are known: those written down, those with containers, those with a bridge; and who owns a subnet."""

from __future__ import annotations

import subprocess
import sys
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest

from lab import ip, labs, process, registry
from lab.errors import HostUnreachable, NoPermission, Result
from lab.home import Home
from lab.ip import Held, Link
from lab.labs import KnownLab
from lab.registry import Entry

SUBNET = IPv4Network("192.168.57.0/24")
HOLDER = """
import sys
from lab import labs
with labs.one_at_a_time("a test"):
    print("held", flush=True)
    sys.stdin.readline()
"""


def _written(home: Home, subnet: str = str(SUBNET)) -> Entry:
    entry = Entry(home.id, home.name, str(home.folder), "lxc", subnet, "http://192.168.57.10/", ("akuma", "voxy"))
    registry.write(entry)
    return entry


def _bridges(monkeypatch: pytest.MonkeyPatch, *links: Link) -> None:
    monkeypatch.setattr(ip, "links", lambda: links)


def _bridge(home: Home, alias: str = "", held: str = "192.168.57.1") -> Link:
    addresses = (Held(IPv4Address(held), 24),) if held else ()
    return Link(f"lab{home.id}", alias, addresses)


def _containers(monkeypatch: pytest.MonkeyPatch, home: Home, *names: str, subnet: str = "192.168.57") -> None:
    """Let LXC have these hosts of a lab, as Vagrant configures them."""
    lines = []
    for last, name in enumerate(names, 10):
        config = f"/var/lib/lxc/lab-{home.id}-{name}/config"
        hook = f"sh '/opt/the lab/identity.sh' '{home.path}/keys/guests' {name}"
        lines += [f"{config}:lxc.hook.mount={hook}", f"{config}:lxc.net.0.ipv4.address = {subnet}.{last}/24"]
    monkeypatch.setattr(labs, "_settings", lambda: lines)


def test_what_was_written_down_is_known(home: Home) -> None:
    """It may come back to its subnet while its folder is there, but owns it only while there is something of it."""
    entry = _written(home)
    (lab,) = labs.known()
    assert lab == KnownLab(entry) and lab.remembers and not lab.owns
    assert labs.owner(SUBNET, but="") is None


@pytest.mark.parametrize("provider", ["virtualbox", "libvirt"])
def test_virtual_machines_own_their_subnet(home: Home, provider: str) -> None:
    """Also while they are off. A trace of a container says nothing: containers themselves can be seen."""
    entry = _written(home)
    home.write("vagrant/.vagrant/machines/voxy/lxc/id", "1")
    assert labs.owner(SUBNET, but="") is None
    home.write(f"vagrant/.vagrant/machines/voxy/{provider}/id", "1")
    assert labs.owner(SUBNET, but="") == entry
    assert labs.owner(IPv4Network("192.168.0.0/16"), but="") == entry
    assert labs.owner(SUBNET, but=home.id) is None
    assert labs.owner(IPv4Network("192.168.58.0/24"), but="") is None


def test_an_up_that_has_made_nothing_yet_owns_its_subnet(home: Home) -> None:
    """Until it ends."""
    entry = _written(home)
    with home.lock("lab up"):
        assert labs.owner(SUBNET, but="") == entry
    assert labs.owner(SUBNET, but="") is None


def test_containers_tell_of_a_lab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Somebody else's, or one whose file is lost: name, folder, subnet, hosts; also while they are off."""
    home = Home(tmp_path / "a b", "x-1")
    _containers(monkeypatch, home, "voxy", "akuma")
    (lab,) = labs.known()
    assert lab.entry == Entry(home.id, "x-1", str(home.folder), "lxc", str(SUBNET), "", ("akuma", "voxy"))
    assert lab.containers == ("akuma", "voxy") and lab.owns and not lab.bridge
    assert labs.find(home.id) == lab and labs.find("0" * 8) is None


def test_a_container_without_our_lines_is_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is one with another name, or a hook of somebody else's."""
    lines = ["/var/lib/lxc/lab-12345678-x/config", "/var/lib/lxc/web/config:lxc.net.0.ipv4.address = 10.0.3.2/24", ""]
    monkeypatch.setattr(labs, "_settings", lambda: lines)
    assert labs.known() == ()
    monkeypatch.setattr(labs, "_settings", lambda: ["/c/lab-12345678-x/config:lxc.hook.mount = /bin/true"])
    (lab,) = labs.known()
    assert (lab.entry.folder, lab.entry.network) == ("", None)


@pytest.mark.parametrize(("name", "noted"), [("b", "b"), ("", "test"), ("", "b")])
def test_a_bridge_tells_of_a_lab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, noted: str) -> None:
    """What is written beside it is believed where it gives the bridge's own id."""
    home = Home(tmp_path, name)
    _bridges(monkeypatch, _bridge(home, f"lab {noted} in {tmp_path}"), Link("eth0", "lab x in /y", ()))
    (lab,) = labs.known()
    assert lab.entry == Entry(home.id, name, str(tmp_path), "lxc", str(SUBNET))
    assert lab.bridge and lab.owns


@pytest.mark.parametrize("alias", ["", "lab", "lab b in /elsewhere", "something"])
def test_a_bridge_that_tells_nothing_still_owns_its_subnet(monkeypatch: pytest.MonkeyPatch, alias: str) -> None:
    """Name and folder stay unknown."""
    home = Home(Path("/there"))
    _bridges(monkeypatch, _bridge(home, alias))
    owner = labs.owner(SUBNET, but="")
    assert owner is not None and (owner.id, owner.name, owner.folder) == (home.id, "", "")


def test_all_three_are_one_lab(monkeypatch: pytest.MonkeyPatch, home: Home) -> None:
    """What was written down is believed first."""
    entry = _written(home)
    _containers(monkeypatch, home, "akuma", subnet="192.168.99")
    _bridges(monkeypatch, _bridge(home, held=""))
    assert labs.known() == (KnownLab(entry, ("akuma",), True),)


def test_a_lab_whose_folder_is_gone_owns_what_is_left(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing left, nothing owned."""
    home = Home(tmp_path / "gone")
    entry = _written(home)
    assert labs.owner(SUBNET, but="") is None
    _containers(monkeypatch, home, "akuma")
    assert labs.owner(SUBNET, but="") == entry


def test_containers_are_asked_for_as_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Only where there is LXC; who may not become root has none."""
    monkeypatch.undo()
    folder = tmp_path / "lab-12345678-voxy"
    (folder / "delta" / "lab-x").mkdir(parents=True)
    (folder / "config").write_text("lxc.net.0.ipv4.address = 10.0.0.2/24\nlxc.uts.name = voxy\n")
    (folder / "delta" / "lab-x" / "config").write_text("lxc.net.0.ipv4.address = 10.0.9.9/24\n")
    monkeypatch.setattr(labs, "CONTAINERS", tmp_path)
    monkeypatch.setattr(process, "find", lambda program: f"/usr/bin/{program}")
    monkeypatch.setattr(process, "privileged", list)
    assert labs._settings() == [f"{folder}/config:lxc.net.0.ipv4.address = 10.0.0.2/24"]

    def refused(*argv: object, **more: object) -> Result:
        raise NoPermission("no sudo")

    monkeypatch.setattr(process, "as_root", refused)
    assert labs._settings() == []
    monkeypatch.setattr(process, "find", lambda program: None)
    assert labs._settings() == []


def test_labs_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes second waits, with a deadline; the turn ends with its process."""
    holder = subprocess.Popen([sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout and holder.stdout.readline() == "held\n"
    monkeypatch.setattr(labs, "_TURN_S", 0.1)
    with pytest.raises(HostUnreachable, match="the turn for this"), labs.one_at_a_time("this"):
        pass
    monkeypatch.setattr(labs, "_TURN_S", 60)
    holder.kill()
    holder.communicate()
    for _ in range(2):
        with labs.one_at_a_time("this"):
            pass
