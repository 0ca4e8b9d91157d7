"""Names and addresses that tell one lab from every other."""

from __future__ import annotations

from pathlib import Path

from lab.home import Home
from lab.names import bridge_name, container_prefix, hardware_address, vagrant_name


def test_a_hardware_address_stays(tmp_path: Path) -> None:
    """A guest that comes back with another one would be unreachable for its neighbours."""
    assert hardware_address(Home(tmp_path), "voxy") == hardware_address(Home(tmp_path), "voxy")


def test_a_hardware_address_is_a_local_unicast_one(tmp_path: Path) -> None:
    """Locally administered, so that it is no maker's; six bytes."""
    parts = [int(part, 16) for part in hardware_address(Home(tmp_path), "voxy").split(":")]
    assert len(parts) == 6
    assert parts[0] & 0b11 == 0b10


def test_hardware_addresses_are_distinct(tmp_path: Path) -> None:
    """Between hosts, and between labs."""
    homes = [Home(tmp_path / str(number)) for number in range(20)]
    names = ["akuma", "voxy", "zero", "gateway", "lab-box"]
    assert len({hardware_address(home, name) for home in homes for name in names}) == 100


def test_a_bridge_fits_into_the_kernels_name(tmp_path: Path) -> None:
    """Fifteen characters, and the lab's id in it; guests bear it as well."""
    home = Home(tmp_path)
    assert bridge_name(home) == f"lab{home.id}"
    assert len(bridge_name(home)) <= 15
    assert container_prefix(home) == f"lab-{home.id}-"


def test_vagrant_knows_a_host_by_its_name_or_by_one_that_is_no_id(tmp_path: Path) -> None:
    """A machine's id has only 0-9 and a-f, so a name of only these gets the lab's prefix."""
    home = Home(tmp_path)
    known = {name: vagrant_name(home, name) for name in ("voxy", "dbs", "db-1", "db", "b", "7", "cafe01")}
    own = {name for name, called in known.items() if called == name}
    assert own == {"voxy", "dbs", "db-1"}
    assert all(known[name] == container_prefix(home) + name for name in known.keys() - own)
