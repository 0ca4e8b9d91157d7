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


SWITCH = """
import subprocess
import sys
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from lab.home import Home
from lab.network import Network
from lab.topology import Host, Lab, Role

home = Home(Path(sys.argv[1]))
home.make()
hosts = tuple(Host(name=name, address=IPv4Address(f"192.168.76.{last}"), roles=(role,))
              for name, last, role in (("akuma", 10, Role.BALANCER), ("voxy", 11, Role.BACKEND)))
online = Lab(subnet=IPv4Network("192.168.76.0/24"), host=hosts)
told = []
for lab in (replace(online, offline=True), online, replace(online, offline=True)):
    network = Network(lab, home)
    made = (network.ensure(), network.ensure())
    rules = subprocess.run(["nft", "list", "table", "ip", network.bridge], capture_output=True, text=True).stdout
    told.append((*made, "net-unreachable" in rules, "masquerade" in rules))
network.remove()
print(told)
"""


def test_the_way_out_is_shut_and_opened_again(tmp_path: Path) -> None:
    """As the lab is without internet, with, and without again; each time once."""
    inner = ["sh", "-c", 'mount -t tmpfs tmpfs /run && exec "$@"', "sh", sys.executable, "-c", SWITCH, str(tmp_path)]
    done = subprocess.run(["unshare", "--net", "--mount", *inner], capture_output=True, text=True, check=False)
    expected = [(True, False, True, False), (True, False, False, True), (True, False, True, False)]
    assert done.stdout.strip() == str(expected), done.stderr
