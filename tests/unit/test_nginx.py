"""What nginx is told: golden files of the default lab and of a rich one, and who answered after a retry."""

from __future__ import annotations

import re

import pytest

from lab import config, content
from lab.topology import Lab
from tests.fakes import default_hosts, five_hosts
from tests.unit.test_vagrantfile import expect_golden


def _site(lab: Lab) -> str:
    return content.render("provision/templates/my.reverse-proxy.conf.j2", lab=lab)


def _log(lab: Lab) -> str:
    return content.render("provision/templates/lab-log.conf.j2", lab=lab)


def _answered(lab: Lab, upstream_addr: str) -> str:
    """What nginx's map makes of $upstream_addr: the first pattern that is found in it, else the default."""
    for pattern, name in re.findall(r"^    ~(\S+) (\w+);$", _log(lab), re.MULTILINE):
        if re.search(pattern, upstream_addr):
            return str(name)
    return ""


@pytest.mark.parametrize(("name", "lab"), [("default", Lab()), ("five-hosts", five_hosts())])
def test_the_site_and_its_log(name: str, lab: Lab) -> None:
    """Golden files: weights, backup, method, keepalive, timeouts, next_upstream, and the map of names."""
    expect_golden(f"my.reverse-proxy.conf.{name}", _site(lab))
    expect_golden(f"lab-log.conf.{name}", _log(lab))


def test_a_rich_topology_reaches_nginx() -> None:
    """Every value of lab.toml is where nginx looks for it."""
    said = " ".join(_site(five_hosts()).split())
    for words in (
        "upstream site {", "zone site 128k;", "least_conn;", "keepalive 16;", "proxy_pass http://site;",
        "server 192.168.56.10:8080 weight=2 max_fails=2 fail_timeout=7s;",
        "server 192.168.56.11:8080 weight=5 max_fails=2 fail_timeout=7s;",
        "server 192.168.56.13:8080 weight=1 max_fails=2 fail_timeout=7s backup;",
        "proxy_connect_timeout 0.5s;", "proxy_read_timeout 2.25s;",
        "proxy_next_upstream error timeout http_502;", "proxy_next_upstream_tries 3;",
        "server_name akuma.xyz 192.168.56.10;",
    ):  # fmt: skip
        assert words in said


def test_keepalive_comes_after_the_method() -> None:
    """Nginx demands this order."""
    site = _site(five_hosts())
    assert site.index("least_conn;") < site.index("keepalive 16;")


def test_round_robin_is_no_directive() -> None:
    """It is what nginx does without one; nor does the default keep connections."""
    site = _site(Lab())
    assert "round_robin" not in site
    assert "keepalive" not in site


@pytest.mark.parametrize(("keepalive", "expected"), [(0, '""      "close";'), (8, '""      "";')])
def test_the_connection_header_follows_keepalive(keepalive: int, expected: str) -> None:
    """A kept connection must not be told to close."""
    assert expected in _log(config.parse({"upstream": {"keepalive": keepalive}}))


@pytest.mark.parametrize(
    ("upstream_addr", "expected"),
    [
        ("192.168.56.11:3000", "voxy"),
        ("192.168.56.12:3000", "zero"),
        ("192.168.56.11:3000, 192.168.56.12:3000", "zero"),
        ("192.168.56.12:3000, 192.168.56.11:3000", "voxy"),
        ("192.168.56.11:3000, 192.168.56.11:3000", "voxy"),
        ("192.168.56.12:3000 : 192.168.56.11:3000", "voxy"),
        ("domain", ""),
        ("192.168.56.11:3000, domain", ""),
        ("192.168.56.11:30001", ""),
        ("1192.168.56.11:3000", ""),
        ("192x168x56x11:3000", ""),
        ("", ""),
    ],
)
def test_the_last_upstream_is_who_answered(upstream_addr: str, expected: str) -> None:
    """After a retry $upstream_addr is a list; what is no backend of the lab has no name."""
    assert expected == _answered(Lab(), upstream_addr)


def test_names_and_ports_of_a_rich_topology() -> None:
    """192.168.56.1x on port 8080, with an address that begins like another."""
    hosts = [*default_hosts()[:2], {"name": "zero", "address": "192.168.56.110", "roles": ["backend"]}]
    lab = config.parse({"host": hosts})
    assert _answered(lab, "192.168.56.110:3000") == "zero"
    assert _answered(lab, "192.168.56.11:3000") == "voxy"
    assert _answered(five_hosts(), "192.168.56.10:8080") == "akuma"


def test_the_hosts_file_of_a_guest() -> None:
    """Its own name, its neighbours, and the site at the balancer."""
    lab = Lab()
    text = content.render("provision/templates/hosts.j2", lab=lab, host=lab["voxy"])
    assert text.splitlines() == [
        "127.0.0.1 localhost", "127.0.1.1 voxy", "",
        "192.168.56.10 akuma", "192.168.56.11 voxy", "192.168.56.12 zero", "192.168.56.10 akuma.xyz",
    ]  # fmt: skip
