"""The networks of two labs, in a network namespace: what the first switches on, the last switches off."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

INSIDE = """
import sys
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from lab.home import Home
from lab.network import FORWARD, Network
from lab.topology import Host, Lab, Role

def network(number):
    hosts = tuple(Host(name=name, address=IPv4Address(f"192.168.{number}.{last}"), roles=(role,))
                  for name, last, role in (("akuma", 10, Role.BALANCER), ("voxy", 11, Role.BACKEND)))
    home = Home(Path(sys.argv[1]) / str(number))
    home.make()
    return Network(Lab(subnet=IPv4Network(f"192.168.{number}.0/24"), host=hosts), home)

FORWARD.write_text(sys.argv[2])
one, other = network(60), network(61)
told = [one.ensure(), other.ensure(), one.ensure(), FORWARD.read_text().strip()]
first, last = (one, other) if sys.argv[3] == "oldest" else (other, one)
first.remove()
told.append(FORWARD.read_text().strip())
last.remove()
last.remove()
told.append(FORWARD.read_text().strip())
print(told)
"""


@pytest.mark.parametrize("goes_first", ["oldest", "newest"])
@pytest.mark.parametrize("before", ["0", "1"])
def test_forwarding_is_as_before_when_the_last_lab_is_gone(tmp_path: Path, before: str, goes_first: str) -> None:
    """In whatever order two labs go; while one is there its guests have a way out. Making twice is making once."""
    python = [sys.executable, "-c", INSIDE, str(tmp_path), before, goes_first]
    inner = ["sh", "-c", 'mount -t tmpfs tmpfs /run && exec "$@"', "sh", *python]
    done = subprocess.run(["unshare", "--net", "--mount", *inner], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == str([True, True, False, "1", "1", before]), done.stderr
