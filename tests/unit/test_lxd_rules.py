"""The rules of a lab's network at LXD: who is refused, and who is let in."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import pytest

from lab.lxd.acl import rules

SUBNET = IPv4Network("10.96.0.32/27")
TEACHER, MEMBER = IPv4Network("10.0.0.254/32"), IPv4Network("10.0.0.1/32")


def refused(address: str, *, offline: bool = False) -> bool:
    """Whether a machine's packet to an address is sent back."""
    made = rules(SUBNET, teachers=[TEACHER], computers=[MEMBER], offline=offline)
    no = next(rule for rule in made["egress"] if rule["action"] == "reject")
    return any(IPv4Address(address) in IPv4Network(each) for each in no["destination"].split(","))


@pytest.mark.parametrize(
    "address",
    [
        "10.96.0.10", "10.96.0.64", "10.99.255.254", "10.0.0.1", "10.0.0.254", "10.96.0.33", "192.168.56.10",
        "169.254.169.254",
    ],
)  # fmt: skip
def test_other_labs_and_everybodys_computers_are_refused(address: str) -> None:
    """Also the member's and the teacher's own, and the member's address in the lab's own subnet."""
    assert refused(address)


@pytest.mark.parametrize("address", ["10.96.0.34", "10.96.0.42", "10.96.0.62", "192.0.2.7"])
def test_the_own_machines_and_the_rest_of_the_world_are_not(address: str) -> None:
    """A kernel with br_netfilter asks the rules for packets within the lab too."""
    assert not refused(address)


def test_a_lab_without_a_way_out_reaches_itself() -> None:
    """And nothing else, not even its gateway."""
    assert not refused("10.96.0.42", offline=True)
    assert refused("192.0.2.7", offline=True) and refused("10.96.0.33", offline=True)


def test_a_members_address_in_another_labs_network_is_not_let_in() -> None:
    """A member that listens everywhere names each lab's gateway too."""
    gateway = IPv4Network("10.96.7.1/32")
    first, _ = rules(SUBNET, teachers=[TEACHER], computers=[MEMBER, gateway])["ingress"]
    assert first["source"] == "10.0.0.1/32,10.0.0.254/32,10.96.0.32/27"


def test_a_teacher_may_live_where_labs_could_be() -> None:
    """A school's own network may be any."""
    first, _ = rules(SUBNET, teachers=[IPv4Network("10.97.1.2/32")])["ingress"]
    assert first["source"] == "10.96.0.32/27,10.97.1.2/32"
    assert refused("10.97.1.2")


def test_only_teachers_and_members_may_ask_for_anything() -> None:
    """Another lab may not, whatever its own list says."""
    first, second = rules(SUBNET, teachers=[TEACHER], computers=[MEMBER])["ingress"]
    assert first["source"] == "10.0.0.1/32,10.0.0.254/32,10.96.0.32/27"
    assert (second["protocol"], second["destination_port"]) == ("tcp", "22,80")
