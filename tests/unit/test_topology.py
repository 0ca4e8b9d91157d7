"""The lab as data: the default is the documented table, and what cannot be built does not exist."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest
from pydantic import ValidationError

from lab import config
from lab.topology import Host, Lab, Role, Upstream
from tests.fakes import default_hosts, five_hosts, host_table


def test_the_default_lab_is_the_documented_table() -> None:
    """Without lab.toml: akuma balances over voxy and zero on 192.168.56.0/24."""
    expected = [
        ("akuma", "192.168.56.10", (Role.BALANCER,)),
        ("voxy", "192.168.56.11", (Role.BACKEND,)),
        ("zero", "192.168.56.12", (Role.BACKEND,)),
    ]
    assert expected == [(host.name, str(host.address), host.roles) for host in Lab().hosts]


def test_the_default_lab_answers_where_the_readme_says() -> None:
    """Site akuma.xyz on port 80 of akuma; backends on port 3000; this computer is the subnet's first address."""
    lab = Lab()
    expected = ("http://192.168.56.10/", "akuma.xyz", 3000, "192.168.56.0/24", "192.168.56.1")
    assert expected == (lab.url, lab.domain, lab.app.port, str(lab.subnet), str(lab.gateway))


def test_the_written_default_equals_the_built_in_one() -> None:
    """The default hosts differ from written ones in nothing but the memory that they are given."""
    written = config.parse({"host": default_hosts()})
    assert [host.name for host in Lab().hosts] == [host.name for host in written.hosts]
    assert Lab().upstream == written.upstream
    assert Lab().balancer.roles == written.balancer.roles


def test_a_host_may_carry_both_roles() -> None:
    """Akuma balances and is a backend of its own."""
    lab = five_hosts()
    assert lab.balancer.name == "akuma"
    assert [backend.name for backend in lab.backends] == ["akuma", "voxy", "zero", "luna", "nova"]


def test_backends_leave_out_a_pure_balancer() -> None:
    """Only hosts with the role are members of the upstream, in the order of the file."""
    assert [backend.name for backend in Lab().backends] == ["voxy", "zero"]


def test_a_host_is_found_by_its_name() -> None:
    """`lab[name]`; a name that the lab does not have is a KeyError."""
    assert IPv4Address("192.168.56.12") == Lab()["zero"].address
    with pytest.raises(KeyError, match="nobody"):
        Lab()["nobody"]


def test_a_lab_cannot_be_changed() -> None:
    """The topology is a value."""
    with pytest.raises(AttributeError):
        Lab().domain = "other.xyz"  # type: ignore[misc]


def test_classes_refuse_on_their_own() -> None:
    """A Host or Upstream made in Python is validated as one from a file is."""
    with pytest.raises(ValidationError, match="weight"):
        Host(name="voxy", address=IPv4Address("192.168.56.11"), roles=(Role.BACKEND,), weight=0)
    with pytest.raises(ValidationError, match="connect_timeout_s"):
        Upstream(connect_timeout_s=0)


def test_port_80_is_fine_where_nginx_is_not() -> None:
    """The app may listen on port 80 when the balancer is no backend."""
    assert config.parse({"host": default_hosts(), "app": {"port": 80}}).app.port == 80


def test_backups_are_fine_with_a_method_that_permits_them() -> None:
    """least_conn knows backup servers."""
    hosts = [*default_hosts(), host_table("luna", 13, "backend", backup=True)]
    lab = config.parse({"host": hosts, "upstream": {"method": "least_conn"}})
    assert [backend.backup for backend in lab.backends] == [False, False, True]
