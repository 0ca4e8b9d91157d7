"""Balance over three with upstream: akuma, voxy and zero all serve visitors of the site."""

from __future__ import annotations

import re
from collections import Counter

from lab import Answer, Scene, Wrong, check

HOSTS = ("akuma", "voxy", "zero")
VISITS = 30
AT_LEAST = 5
"""Each worker of nginx takes turns by itself, so that a third of the visits each is never exact."""
UNANSWERED = 2
"""After so many the rest is not asked."""


@check(points=2)
def config_is_valid(scene: Scene) -> None:
    """Nginx on akuma accepts its configuration."""
    tested = scene["akuma"].nginx_test()
    if not tested.ok:
        raise Wrong("invalid", error=tested.complaint)


@check(points=3)
def site_answers(scene: Scene) -> None:
    """Thirty visits to the site all get the application's page."""
    answers = visits(scene)
    if not any(answer.status for answer in answers):
        raise Wrong("nginx-silent", error=answers[0].error)
    failed = [answer for answer in answers if answer.status != 200]
    if len(failed) == len(answers):
        raise Wrong("all-fail", answer=failed[0])
    if failed:
        raise Wrong("some-fail", failed=len(failed), visits=len(answers), answer=failed[0])
    if not all(answer.served_by for answer in answers):
        raise Wrong("another-page")


@check(points=5, after=[config_is_valid, site_answers])
def every_host_serves(scene: Scene) -> None:
    """Each of akuma, voxy and zero serves a share of the visits."""
    shares = Counter(answer.served_by for answer in visits(scene))
    seen = ", ".join(f"{host} {shares[host]}" for host in HOSTS)
    if all(shares[host] >= AT_LEAST for host in HOSTS):
        return
    upstreams, targets = config(scene)
    if not upstreams:
        raise Wrong("no-upstream", seen=seen)
    used = [name for name in upstreams if name in targets or any("$" in target for target in targets)]
    if not used:
        raise Wrong("ghost", seen=seen, upstream=next(iter(upstreams)), targets=", ".join(targets) or "–")
    members_are_right(scene, used[0], upstreams[used[0]], seen)
    for host in HOSTS:
        if not shares[host] and scene["akuma"].visit(f"http://{scene[host].address}:{scene.port}/").served_by != host:
            raise Wrong("backend-silent", host=host, address=scene[host].address, seen=seen)
    if all(shares[host] for host in HOSTS):
        raise Wrong("uneven", seen=seen)
    if scene["akuma"].nginx_unread():
        raise Wrong("not-loaded", seen=seen)
    raise Wrong("left-out", seen=seen)


def members_are_right(scene: Scene, upstream: str, members: list[tuple[str, str]], seen: str) -> None:
    """Raise what is wrong when an upstream does not have all three hosts, with their port and as equals."""
    for host in HOSTS:
        names = {scene[host].address, host} | ({"127.0.0.1", "localhost", scene.domain} if host == "akuma" else set())
        lines = [(address, rest) for address, rest in members if address.partition(":")[0] in names]
        if not lines:
            raise Wrong("member-missing", host=host, address=scene[host].address, upstream=upstream, seen=seen)
        ports = [address.partition(":")[2] or "80" for address, _ in lines]
        if str(scene.port) not in ports:
            raise Wrong("wrong-port", host=host, address=scene[host].address, found=ports[0], seen=seen)
        for word in ("down", "backup"):
            if all(word in rest.split() for _, rest in lines):
                raise Wrong("set-aside", host=host, word=word, seen=seen)


def visits(scene: Scene) -> list[Answer]:
    """Thirty visits to the site; fewer when some are not answered at all."""
    answers: list[Answer] = []
    while len(answers) < VISITS and sum(not answer.status for answer in answers) < UNANSWERED:
        answers.append(scene.visit("akuma", name=scene.domain))
    return answers


def config(scene: Scene) -> tuple[dict[str, list[tuple[str, str]]], list[str]]:
    """The upstreams that nginx reads, each with its `server` lines, and where its proxy_pass lines go."""
    text = re.sub(r"(?m)(^|\s)#.*$", "", scene["akuma"].nginx_config())
    upstreams = {
        name: re.findall(r"\bserver\s+([^\s;]+)([^;]*);", block)
        for name, block in re.findall(r"\bupstream\s+([^\s{]+)\s*\{([^}]*)\}", text)
    }
    return upstreams, re.findall(r"\bproxy_pass\s+\w+://([^\s;/]+)", text)
