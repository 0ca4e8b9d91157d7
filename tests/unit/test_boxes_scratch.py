"""The guest that builds stands in nobody's way, and goes afterwards."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from lab import config, process
from lab.boxes import scratch
from lab.errors import EnvironmentProblem, HostUnreachable, Result
from lab.home import Home
from lab.host import SshHost
from lab.topology import Host, Lab, Role


def test_its_configuration(home: Home) -> None:
    """An address that no host has, the lab's bridge, and the root that it was given."""
    lab = Lab()
    guest = Host(name="w", address=scratch.free_address(lab), roles=(Role.BACKEND,))
    text = scratch.config_of(lab, guest, home, "overlay:/box/rootfs:/d/delta")
    assert guest.address == IPv4Address("192.168.56.254")
    assert "lxc.rootfs.path = overlay:/box/rootfs:/d/delta\n" in text
    assert f"lxc.net.0.link = lab{home.id}\n" in text
    assert "lxc.net.0.ipv4.address = 192.168.56.254/24\n" in text


def test_the_last_free_address() -> None:
    """The highest that no host has."""
    hosts = [{"name": f"h{last}", "address": f"10.0.0.{last}", "roles": ["backend"]} for last in range(3, 7)]
    roles = {"roles": ["balancer", "backend"]}
    small = config.parse({"subnet": "10.0.0.0/29", "host": [{**hosts[0], **roles}, *hosts[1:]]})
    assert scratch.free_address(small) == IPv4Address("10.0.0.2")


def test_a_full_subnet_is_told() -> None:
    """With the mend."""
    hosts = [{"name": f"h{last}", "address": f"10.0.0.{last}", "roles": ["backend"]} for last in range(2, 7)]
    full = config.parse({"subnet": "10.0.0.0/29", "host": [{**hosts[0], "roles": ["balancer", "backend"]}, *hosts[1:]]})
    with pytest.raises(EnvironmentProblem, match="has no address left"):
        scratch.free_address(full)


@pytest.mark.parametrize("answers", [True, False])
def test_its_power_is_taken_however_it_ends(monkeypatch: pytest.MonkeyPatch, home: Home, answers: bool) -> None:
    """Also when it never lets anybody in; one that a killed run left behind goes first."""
    told: list[str] = []

    def as_root(*argv: object, **more: object) -> Result:
        told.append(" ".join(map(str, argv)).partition(" --rcfile")[0])
        return Result("", 0, "", "")

    def wait(self: SshHost, within_s: float) -> None:
        if not answers:
            raise HostUnreachable("nobody")

    monkeypatch.setattr(process, "as_root", as_root)
    monkeypatch.setattr(SshHost, "wait_until_reachable", wait)
    name = f"lab-box-{home.id}"
    try:
        with scratch.booted(Lab(), home, "lab-box", "dir:/x"):
            assert told == [f"lxc-stop --name {name} --kill", f"lxc-start --name {name}"]
    except HostUnreachable:
        assert not answers
    assert told[2:] == [f"lxc-stop --name {name} --kill"]
