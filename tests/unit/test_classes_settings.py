"""engine.toml: what it may say, and what is said of it when it will not do."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.classes import settings
from lab.classes.placement import GIB
from lab.classes.settings import Memory, Settings, host_addresses, parse, text_of
from lab.errors import EnvironmentProblem, TopologyError

SETTINGS = st.builds(
    Settings,
    url=st.sampled_from(["", "https://10.0.0.1:8443", "https://lxd.kampus.example"]),
    pool=st.sampled_from(["default", "Fast_1.x"]),
    subnets=st.sampled_from([IPv4Network("10.96.0.0/14"), IPv4Network("172.16.0.0/27")]),
    ports_from=st.integers(1024, 65526),
    memory_mb=st.builds(Memory, balancer=st.integers(128, 9999), backend=st.integers(128, 9999)),
    disk_gb=st.integers(2, 100),
    processes=st.integers(100, 9999),
    cpu=st.floats(0.1, 64),
    vm=st.booleans(),
    reserve_mb=st.integers(0, 9999),
    overcommit=st.floats(1, 100),
    save_minutes=st.integers(0, 1440),
)


@given(SETTINGS)
def test_what_is_written_is_what_is_read(one: Settings) -> None:
    """Every key is there, with its value."""
    assert parse(text_of(one)) == one


def test_the_first_use_writes_the_defaults(tmp_path: Path) -> None:
    """Private, with a reason beside each key, and the file is never written again by reading."""
    assert settings.load(tmp_path) == Settings()
    path = tmp_path / "engine.toml"
    lines = path.read_text().splitlines()
    assert path.stat().st_mode & 0o777 == 0o600
    assert all("  # " in line for line in lines if " = " in line.split("#")[0])
    path.write_text("[engine]\nsave_minutes = 0\n")
    assert settings.load(tmp_path) == replace(Settings(), save_minutes=0)
    assert path.read_text() == "[engine]\nsave_minutes = 0\n"
    assert parse("") == Settings()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[engine", "engine.toml: is not TOML"),
        ("[engin]", "engine.toml: engin: there is no such key; did you mean engine?"),
        (
            "[engine]\nsave_minute = 1",
            "engine.toml: engine.save_minute: there is no such key; did you mean save_minutes?",
        ),
        (
            "[engine.memory_mb]\nbackends = 1",
            "engine.toml: engine.memory_mb.backends: there is no such key; did you mean",
        ),
        ("[engine.memory_mb]\nbackend = 1", "engine.toml: engine.memory_mb.backend: 1 will not do; "),
        ('[engine]\nurl = "http://x"', "engine.toml: engine.url: 'http://x' will not do; write https://NAME"),
        ('[engine]\npool = ""', "engine.toml: engine.pool: '' will not do; write letters"),
        ('[engine]\napp = "A"', "engine.toml: engine.app: 'A' will not do; "),
        ("[engine]\nvm = true\ndisk_gb = 1", "engine.toml: engine.disk_gb: a virtual machine cannot do with 1; "),
        ("[engine]\ncpu = 0", "engine.toml: engine.cpu: 0 will not do; "),
        ('[engine]\nsubnets = "10.96.0.1/14"', "engine.toml: engine.subnets: '10.96.0.1/14' will not do; "),
        (
            '[engine]\nsubnets = "10.96.0.0/28"',
            "engine.toml: engine.subnets: 10.96.0.0/28 has no room for a seat; give",
        ),
        ('[engine]\nsubnets = "10.0.0.0/8"', "engine.toml: engine.subnets: 10.0.0.0/8 overlaps 10.56.0.0/16, where"),
        (
            '[engine]\nsubnets = "192.168.0.0/16"',
            "engine.toml: engine.subnets: 192.168.0.0/16 overlaps 192.168.56.0/21",
        ),
        ('[engine]\nsubnets = "8.8.0.0/16"', "engine.toml: engine.subnets: 8.8.0.0/16 belongs to somebody on"),
        ("[engine]\nports_from = 80", "engine.toml: engine.ports_from: 80 is among the ports of services; begin"),
        ("[engine]\nports_from = 65530", "engine.toml: engine.ports_from: 65530 leaves no ten ports for a seat; begin"),
    ],
)
def test_each_fault_names_its_place_and_the_mend(text: str, said: str) -> None:
    """In one sentence a fault."""
    with pytest.raises(TopologyError) as fault:
        parse(text)
    assert fault.value.message.startswith(said) and "\n" not in fault.value.message


def test_a_file_that_cannot_be_read_or_written(tmp_path: Path) -> None:
    """Not text, and a folder in the way of the file to be."""
    (tmp_path / "engine.toml").write_bytes(b"\xff")
    with pytest.raises(TopologyError, match="cannot be read"):
        settings.load(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentProblem, match="cannot be written"):
        settings.save(tmp_path / "file", Settings())


@given(SETTINGS, st.data())
def test_seats_are_apart(one: Settings, data: st.DataObject) -> None:
    """Subnets do not overlap and lie within the whole; ports do not either, and are ports."""
    first = data.draw(st.integers(0, one.seats - 1))
    other = data.draw(st.integers(0, one.seats - 1))
    assert one.subnet(first).subnet_of(one.subnets)
    assert one.subnet(first).overlaps(one.subnet(other)) is (first == other)
    assert one.ports(first) + settings.PORTS - 1 <= 65535
    assert abs(one.ports(first) - one.ports(other)) == 10 * abs(first - other)
    with pytest.raises(ValueError, match="there is no seat"):
        one.subnet(one.seats)


def test_the_defaults_have_seats_for_a_school() -> None:
    """The 42nd /27, its machines, what a lab needs, and how many seats there are: fewer by ports than by subnets."""
    one = Settings()
    assert str(one.subnet(42)) == "10.96.5.64/27" and one.ports(42) == 20420
    assert host_addresses(one.subnet(42)) == ("10.96.5.74", "10.96.5.75", "10.96.5.76")
    assert one.seats == 4553 and one.reserve == GIB
    assert (one.need.memory, one.need.disk) == ((256 + 2 * 512) << 20, 9 * GIB)
    assert replace(one, overcommit=4.0).need.disk == 9 * GIB // 4
