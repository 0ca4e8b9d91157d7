"""How long a visitor waits when voxy falls silent: what nginx was told, and what then really happens."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import NamedTuple

from lab import Outcome, Scene, Wrong, check

VISITS = 20
AT_LEAST = 5
CONNECT_S = 1.0
READ_S = 10.0
ANSWERS = {"1": "c", "2": "a", "3": "b"}


@check(points=1)
def voxy_is_heard(scene: Scene) -> None:
    """No firewall on voxy drops anything."""
    tables = scene["voxy"].sh("nft list ruleset", root=True).stdout.split("table ")[1:]
    for table in tables:
        if re.search(r"\b(drop|reject)\b", table):
            raise Wrong("still-dark", table=" ".join(table.split()[:2]), evidence=table)


@check(points=1, after=[voxy_is_heard])
def site_balances(scene: Scene) -> None:
    """Twenty visits to the site are answered, and voxy and zero share them."""
    served: Counter[str] = Counter()
    for number in range(1, VISITS + 1):
        answer = scene.visit(name=scene.domain)
        if not answer.status:
            raise Wrong("no-answer", error=answer, number=number)
        if answer.status != 200 or not answer.served_by:
            raise Wrong("no-app", status=answer, number=number)
        served[answer.served_by] += 1
    for name in ("voxy", "zero"):
        if served[name] < AT_LEAST:
            raise Wrong("one-sided", name=name, served=served[name])


@check(points=2, after=[site_balances])
def silence_costs_a_second(scene: Scene) -> None:
    """A backend that says nothing costs a visitor one second at most."""
    config = valid_config(scene)
    found = word(config, scene.domain, "proxy_connect_timeout", "60s")
    if seconds(found) <= CONNECT_S:
        return
    if any(seconds(other) <= CONNECT_S for other in re.findall(r"(?m)^\s*proxy_connect_timeout\s+([^;\s]+);", config)):
        raise Wrong("in-another-block", found=found)
    raise Wrong("connect-too-long", found=found)


@check(points=1, after=[site_balances])
def slowness_is_bounded(scene: Scene) -> None:
    """A backend that takes the connection and then hangs costs a visitor ten seconds at most."""
    found = word(valid_config(scene), scene.domain, "proxy_read_timeout", "60s")
    if seconds(found) > READ_S:
        raise Wrong("read-too-long", found=found)


@check(points=1, after=[site_balances])
def zero_is_asked_instead(scene: Scene) -> None:
    """After a timeout nginx asks the other backend."""
    config = valid_config(scene)
    reasons = lines_for(config, scene.domain).get("proxy_next_upstream", ["error", "timeout"])
    if "off" in reasons:
        raise Wrong("retries-off")
    if "timeout" not in reasons:
        raise Wrong("timeout-is-no-reason", found=" ".join(reasons))
    if word(config, scene.domain, "proxy_next_upstream_tries", "0") == "1":
        raise Wrong("one-try")
    patience = word(config, scene.domain, "proxy_next_upstream_timeout", "0")
    connect = word(config, scene.domain, "proxy_connect_timeout", "60s")
    if 0 < seconds(patience) <= seconds(connect):
        raise Wrong("no-time-left", found=patience, connect=connect)


@check(points=1, after=[silence_costs_a_second, slowness_is_bounded, zero_is_asked_instead])
def nginx_knows_it(scene: Scene) -> None:
    """nginx runs with these files, not with older ones."""
    file = scene["akuma"].nginx_unread()
    if file:
        raise Wrong("not-reloaded", file=file)


@check(points=1)
def knows_the_difference(scene: Scene) -> None:
    """The three questions in ~/answers.txt are answered right."""
    given = scene["akuma"].note("/home/vagrant/answers.txt")
    if given is None:
        raise Wrong("no-answers")
    for number, letter in ANSWERS.items():
        if not given.get(number):
            raise Wrong("not-answered", number=number)
        if given[number][0] != letter:
            raise Wrong("wrong-answer", number=number, given=given[number])


@check(points=2, after=[nginx_knows_it], full=True)
def visitors_hardly_notice(scene: Scene) -> None:
    """voxy is cut off under load: no visitor loses a request, and of a hundred at most one waits."""
    if not {"x-backend", "x-upstream"} <= scene.visit(name=scene.domain).headers.keys():
        raise Wrong("no-instruments")
    verdict = scene.run_scenario("cut-voxy")
    reasons = "; ".join(verdict.reasons)
    if verdict.outcome == Outcome.DEVIATED:
        raise Wrong("users-noticed", reasons=reasons)
    if verdict.outcome != Outcome.HELD:
        raise Wrong("nothing-proved", reasons=reasons)


def valid_config(scene: Scene) -> str:
    """What `nginx -T` shows."""
    config = scene["akuma"].nginx_config()
    if not config:
        raise Wrong("config-broken", complaint=scene["akuma"].nginx_test().complaint)
    return config


def seconds(text: str) -> float:
    """A time as nginx writes it: 60, 60s, 1m, 1500ms."""
    units = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
    return sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+)(ms|[smhd]?)", text))


def word(config: str, domain: str, name: str, default: str) -> str:
    """The first word after a directive, as it holds for the site."""
    words = lines_for(config, domain).get(name, [])
    return words[0] if words else default


class Block(NamedTuple):
    """A block of a configuration: the words before its brace, its own lines, and the blocks inside it."""

    head: list[str]
    lines: list[list[str]]
    blocks: list[Block]


def lines_for(config: str, domain: str) -> dict[str, list[str]]:
    """The directives that hold in the site's `location /`; what stands further inside wins."""
    http = next((block for block in parse(tokens(config), []).blocks if block.head == ["http"]), Block([], [], []))
    servers = sorted(
        (block for block in http.blocks if block.head == ["server"]),
        key=lambda server: (not is_called(server, domain), not passes_on(server)),
    )
    places = sorted(
        (block for server in servers[:1] for block in server.blocks if block.head[:1] == ["location"]),
        key=lambda place: (place.head[-1] != "/", not passes_on(place)),
    )
    around = [http, *servers[:1], *places[:1]]
    return {line[0]: line[1:] for block in around for line in block.lines if line}


def is_called(server: Block, domain: str) -> bool:
    """Whether a server block has the name."""
    return any(line[:1] == ["server_name"] and domain in line for line in server.lines)


def passes_on(block: Block) -> bool:
    """Whether it asks a backend."""
    return any(line[:1] == ["proxy_pass"] for line in block.lines) or any(map(passes_on, block.blocks))


def tokens(config: str) -> Iterator[str]:
    """The words of all files, each included file in the place that includes it."""
    parts = re.split(r"(?m)^# configuration file (.+):$", config)
    files = dict(zip(parts[1::2], parts[2::2], strict=True))

    def whole(text: str, depth: int = 0) -> str:
        def included(found: re.Match[str]) -> str:
            pattern = found[1] if found[1].startswith("/") else f"/etc/nginx/{found[1]}"
            return "\n".join(whole(files[path], depth + 1) for path in files if fnmatchcase(path, pattern))

        bare = re.sub(r"(?m)(^|\s)#.*$", "", text)
        return re.sub(r"\binclude\s+([^\s;]+)\s*;", included, bare) if depth < 9 else ""

    return iter(re.findall(r"\"[^\"]*\"|'[^']*'|[{};]|[^\s{};]+", whole(next(iter(files.values()), ""))))


def parse(rest: Iterator[str], head: list[str]) -> Block:
    """The block that begins here."""
    block, words = Block(head, [], []), list[str]()
    for token in rest:
        if token == "}":  # noqa: S105  # no password
            break
        if token == "{":  # noqa: S105
            block.blocks.append(parse(rest, words))
            words = []
        elif token == ";":  # noqa: S105
            block.lines.append(words)
            words = []
        else:
            words.append(token.strip("\"'"))
    return block
