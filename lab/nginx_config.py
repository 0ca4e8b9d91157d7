"""What the balancer's configuration does with the site, read from `nginx -T`: is the upstream used at all?

`nginx -t` says "ok" to an upstream that nothing refers to. That is the tutorial's mistake: the site works, one
backend serves everything, and a test that kills another one passes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lab.nginx_tree import Directive, parse, seconds_of
from lab.records import Finding

METHODS = ("ip_hash", "least_conn", "random", "hash")
LONG_S = 30.0
"""A timeout from here on is one that no user waits for; nginx's default is 60 s."""


@dataclass(frozen=True)
class Member:
    """A `server` line of an upstream, with nginx's defaults where it says nothing."""

    address: str
    weight: int = 1
    max_fails: int = 1
    fail_timeout_s: float = 10.0
    down: bool = False
    backup: bool = False

    def __str__(self) -> str:
        extra = [f"weight {self.weight}"] * (self.weight != 1) + ["backup"] * self.backup + ["down"] * self.down
        return " ".join([self.address, *extra])


@dataclass(frozen=True)
class Site:
    """How nginx serves `/` of one site.

    Attributes:
        named: whether a server has the name; else nginx takes its first server.
        proxy_pass: as written; empty when `/` is not passed on.
        upstream: the name of the upstream that it uses; empty for none, None when a variable hides it.
        declared: the names of all upstreams.
        members, method, zone, keepalive: of that upstream.
        connect_timeout_s, read_timeout_s, next_upstream, tries: what holds in that location.
    """

    named: bool
    proxy_pass: str
    upstream: str | None
    declared: tuple[str, ...]
    members: tuple[Member, ...] = ()
    method: str = "round_robin"
    zone: bool = False
    keepalive: int = 0
    connect_timeout_s: float = 60.0
    read_timeout_s: float = 60.0
    next_upstream: tuple[str, ...] = ("error", "timeout")
    tries: int = 0


def site(text: str, server_name: str) -> Site | None:
    """Read the site out of `nginx -T`; None when no HTTP server is configured.

    Raises:
        EnvironmentProblem: the text is no configuration.
    """
    http = parse(text).last("http") or Directive("http")
    servers = [server for server in http.all("server") if _listens_on_80(server)] or list(http.all("server"))
    if not servers:
        return None
    named = next((server for server in servers if _is_called(server, server_name)), None)
    server = named or next((server for server in servers if _is_default(server)), servers[0])
    location = _serving_root(server)
    passed = location.last("proxy_pass") if location else None
    target = passed.args[0] if passed else ""
    upstreams = {upstream.args[0]: upstream for upstream in http.all("upstream")}
    name = _upstream_of(target, tuple(upstreams))
    pool = upstreams.get(name or "", Directive("upstream"))
    levels = [level for level in (location, server, http) if level]
    next_upstream = _inherited(levels, "proxy_next_upstream") or ("error", "timeout")
    return Site(
        named=named is not None,
        proxy_pass=target,
        upstream=name,
        declared=tuple(upstreams),
        members=tuple(_member(line) for line in pool.all("server")),
        method=next((inner.name for inner in pool.block if inner.name in METHODS), "round_robin"),
        zone=pool.last("zone") is not None,
        keepalive=int(kept.args[0]) if (kept := pool.last("keepalive")) else 0,
        connect_timeout_s=seconds_of((_inherited(levels, "proxy_connect_timeout") or ("60s",))[0]),
        read_timeout_s=seconds_of((_inherited(levels, "proxy_read_timeout") or ("60s",))[0]),
        next_upstream=next_upstream,
        tries=int((_inherited(levels, "proxy_next_upstream_tries") or ("0",))[0]),
    )


def _listens_on_80(server: Directive) -> bool:
    ports = [line.args[0].rsplit(":", 1)[-1] for line in server.all("listen") if line.args]
    return not ports or any(port == "80" or not port.isdigit() for port in ports)


def _is_default(server: Directive) -> bool:
    return any("default_server" in line.args for line in server.all("listen"))


def _is_called(server: Directive, name: str) -> bool:
    patterns = [word for line in server.all("server_name") for word in line.args]
    return any(
        name == word or (word.startswith(".") and f".{name}".endswith(word))
        or (word.startswith("*.") and name.endswith(word[1:]))
        for word in patterns
    )  # fmt: skip


def _serving_root(server: Directive) -> Directive | None:
    """The location that nginx takes for `/`: the exact one, else a regular expression, else the prefix."""
    found = {location.args: location for location in server.all("location")}
    exact, prefix = found.get(("=", "/")), found.get(("/",)) or found.get(("^~", "/"))
    if exact or ("^~", "/") in found:
        return exact or prefix
    for location in server.all("location"):
        if location.args[0] in ("~", "~*") and re.search(location.args[1], "/"):
            return location
    return prefix


def _upstream_of(target: str, declared: tuple[str, ...]) -> str | None:
    if "$" in target:
        return None
    name = target.split("://", 1)[-1].split("/", 1)[0]
    return next((upstream for upstream in declared if upstream.lower() == name.lower()), "")


def _inherited(levels: list[Directive], name: str) -> tuple[str, ...] | None:
    """What the innermost level says that says anything."""
    return next((line.args for level in levels if (line := level.last(name))), None)


def _member(line: Directive) -> Member:
    settings = dict(word.split("=", 1) for word in line.args[1:] if "=" in word)
    return Member(
        address=line.args[0] if ":" in line.args[0] else f"{line.args[0]}:80",
        weight=int(settings.get("weight", "1")),
        max_fails=int(settings.get("max_fails", "1")),
        fail_timeout_s=seconds_of(settings.get("fail_timeout", "10s")),
        down="down" in line.args,
        backup="backup" in line.args,
    )


def lint(text_of_nginx_t: str, server_name: str) -> tuple[Finding, ...]:
    """What is to be said about the site: server, upstream, members, method, failures, timeouts, retries.

    Raises:
        EnvironmentProblem: the text is no configuration.
    """
    found = site(text_of_nginx_t, server_name)
    if found is None:
        return (Finding("upstream", "nginx serves no site", False),)
    general = (_server(found, server_name), _upstream(found))
    if not found.upstream:
        return general
    return (*general, _members(found), _method(found), _failures(found), _timeouts(found), _retries(found))


def _server(found: Site, name: str) -> Finding:
    if found.named:
        return Finding("server", f"a server is called {name}", True)
    return Finding("server", f"no server is called {name}; nginx takes its default server", False)


def _upstream(found: Site) -> Finding:
    declared, target = ", ".join(found.declared), found.proxy_pass
    if not target:
        return Finding("upstream", "the site passes nothing on: its location / has no proxy_pass", False)
    if found.upstream is None:
        text = f"the site's proxy_pass {target} has a variable: cannot tell which upstream it uses"
        return Finding("upstream", text, None)
    if found.upstream:
        return Finding("upstream", f"the site's proxy_pass {target} uses the upstream {found.upstream}", True)
    if not declared:
        return Finding("upstream", f"no upstream is declared: the site's proxy_pass {target} has one target", False)
    verb = "are" if len(found.declared) > 1 else "is"
    use = "them" if len(found.declared) > 1 else "it"
    text = f"upstream {declared} {verb} declared but the site's proxy_pass {target} does not use {use}"
    return Finding("upstream", text, False)


def _members(found: Site) -> Finding:
    live = {member.address for member in found.members if not member.down}
    listed = ", ".join(map(str, found.members)) or "none"
    if len(live) < 2:
        return Finding("members", f"{found.upstream} has fewer than two live, distinct members ({listed})", False)
    return Finding("members", f"{found.upstream} has {len(live)} live, distinct members: {listed}", True)


def _method(found: Site) -> Finding:
    if found.method == "ip_hash":
        text = "ip_hash looks at the first three numbers of an address: a whole classroom goes to one backend"
        return Finding("method", text, False)
    return Finding("method", f"{found.upstream} balances by {found.method.replace('_', ' ')}", True)


def _failures(found: Site) -> Finding:
    if any(member.max_fails == 0 for member in found.members):
        return Finding(
            "failures", "max_fails=0: a member that fails is never left out, and asked again each time", False
        )
    if not found.zone:
        return Finding("failures", "without a zone each worker has to learn of a failure alone", False)
    first = found.members[0]
    times = "once" if first.max_fails == 1 else f"{first.max_fails} times within {first.fail_timeout_s:g} s"
    return Finding("failures", f"a member that fails {times} is left out for {first.fail_timeout_s:g} s", True)


def _timeouts(found: Site) -> Finding:
    text = (
        f"a silent backend costs a request {found.connect_timeout_s:g} s, a hanging one {found.read_timeout_s:g} s "
        "(proxy_connect_timeout, proxy_read_timeout)"
    )
    return Finding("timeouts", text, max(found.connect_timeout_s, found.read_timeout_s) < LONG_S)


def _retries(found: Site) -> Finding:
    reasons = " ".join(found.next_upstream)
    if "off" in found.next_upstream or found.tries == 1:
        return Finding("retries", "a request that fails is not tried at another backend", False)
    if "non_idempotent" in found.next_upstream:
        return Finding("retries", "non_idempotent: a POST is tried again too, and may be executed twice", False)
    return Finding("retries", f"after {reasons} another backend is tried; a POST that was sent is not", True)
