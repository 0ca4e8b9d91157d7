"""What nginx will do, said from its configuration; every statement follows the setting that it names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab import scenario
from lab.explain import Statement, explain
from lab.nginx_config import Member, Site

SITE = Site(
    named=True, proxy_pass="http://domain", upstream="domain", declared=("domain",),
    members=(Member("192.168.56.11:3000"), Member("192.168.56.12:3000")),
    connect_timeout_s=1, read_timeout_s=5, next_upstream=("error", "timeout"),
)  # fmt: skip


def about(site: Site, name: str) -> Statement:
    """The statement that a scenario shows."""
    return next(each for each in explain(site) if each.scenario == name)


@pytest.mark.parametrize(
    ("change", "name", "fails"),
    [
        ({}, "stop-app-voxy", False),
        ({"next_upstream": ("timeout",)}, "stop-app-voxy", True),
        ({"tries": 1}, "stop-app-voxy", True),
        ({"members": (Member("192.168.56.11:3000"),)}, "stop-app-voxy", True),
        ({"members": (Member("192.168.56.11:3000"), Member("192.168.56.12:3000", down=True))}, "stop-app-voxy", True),
        ({}, "hang-voxy", False),
        ({"next_upstream": ("error",)}, "hang-voxy", True),
        ({"next_upstream": ("error",)}, "cut-voxy", True),
        ({}, "error-voxy", True),
        ({"next_upstream": ("error", "http_503")}, "error-voxy", False),
        ({}, "duplicate-posts", True),
        ({"next_upstream": ("error", "non_idempotent")}, "duplicate-posts", False),
    ],
)
def test_whether_requests_fail_follows_the_setting(change: dict[str, object], name: str, fails: bool) -> None:
    """One setting changed, and the statement about it turns."""
    site = replace(SITE, **change)  # type: ignore[arg-type]  # the keys are Site's own
    assert about(site, name).fails is fails


def test_how_long_a_request_waits_is_the_timeout() -> None:
    """A hang costs the read timeout, silence the connect timeout; both are in the sentence."""
    site = replace(SITE, connect_timeout_s=3, read_timeout_s=7)
    hang, cut = about(site, "hang-voxy"), about(site, "cut-voxy")
    assert "wait 7 s" in hang.en
    assert "menunggu 7 detik" in hang.id
    assert hang.cause == "proxy_read_timeout 7s, proxy_next_upstream error timeout"
    assert "wait 3 s" in cut.en
    assert (hang.stall_s, cut.stall_s) == (7.5, 3.5)


def test_return_takes_the_longest_fail_timeout_and_none_without_max_fails() -> None:
    """A member that is never put out is never waited for."""
    one = Member("192.168.56.11:3000", fail_timeout_s=30)
    assert "within 30 s" in about(replace(SITE, members=(one, SITE.members[1])), "kill-voxy").en
    never = tuple(replace(member, max_fails=0) for member in SITE.members)
    assert "within 0 s" in about(replace(SITE, members=never), "kill-voxy").en


def test_unused_upstream_leaves_one_statement() -> None:
    """The tutorial's mistake: nothing else can be said."""
    ghost = replace(SITE, upstream="", proxy_pass="http://127.0.0.1:3000")
    (only,) = explain(ghost)
    assert only.en.startswith("The upstream is not used: every request goes to http://127.0.0.1:3000.")
    assert only.scenario == "ghost-upstream"


def test_every_statement_names_a_scenario_that_there_is() -> None:
    """What is said can be seen."""
    named = {each.scenario for each in explain(SITE)} | {"ghost-upstream"}
    assert named <= set(scenario.names())
