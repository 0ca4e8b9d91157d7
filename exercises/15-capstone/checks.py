"""Is the incident over? The site from outside, the applications behind it, the next reboot, and the note."""

from __future__ import annotations

import json
import re
import time
from collections import Counter

from lab import Outcome, Place, Scene, Wrong, check

BACKENDS = ("voxy", "zero")
VISITS = 30
AT_LEAST = 8
MINUTES = 30
NOTE = "/home/vagrant/incident.txt"
LAYERS = {"network", "process", "config", "name"}
CAUSES = {
    "amber": {("akuma", "config"), ("voxy", "network"), ("zero", "process")},
    "blue": {("akuma", "config"), ("akuma", "name"), ("voxy", "process")},
    "coral": {("akuma", "name"), ("akuma", "config"), ("zero", "process")},
}


@check(points=4)
def site_answers(scene: Scene) -> None:
    """Thirty visits to the site by its name all get the application's page."""
    for number in range(1, VISITS + 1):
        answer = scene.visit(name=scene.domain)
        if answer.status == 200 and answer.served_by:
            continue
        if not answer.status and not scene["akuma"].service("nginx").is_running:
            raise Wrong("nginx-down", error=answer)
        if not answer.status:
            raise Wrong("no-answer", error=answer, number=number)
        if answer.status >= 500:
            raise Wrong("gateway-error", status=answer, number=number)
        raise Wrong("other-page", status=answer)


@check(points=3)
def every_app_answers(scene: Scene) -> None:
    """Asked directly by akuma, the application on voxy and the one on zero answer."""
    for name in BACKENDS:
        host = scene[name]
        answer = scene["akuma"].visit(f"http://{host.address}:{scene.port}/")
        if answer.status == 200 and answer.served_by == name:
            continue
        if answer.status:
            raise Wrong("app-odd", name=name, status=answer, found=answer.served_by or "?")
        if answer.error == "timeout":
            raise Wrong("app-silent", name=name)
        if host.listens_on(scene.port):
            raise Wrong("app-kept-away", name=name)
        if found := other_port(host, scene.port):
            raise Wrong("app-elsewhere", name=name, found=found)
        raise Wrong("app-gone", name=name)


@check(points=3, after=[site_answers, every_app_answers])
def both_serve(scene: Scene) -> None:
    """voxy and zero share the visitors."""
    served = Counter(scene.visit(name=scene.domain).served_by for _ in range(VISITS))
    name = min(BACKENDS, key=lambda backend: served[backend])
    if served[name] >= AT_LEAST:
        return
    config = re.sub(r"(?m)(^|\s)#.*$", "", scene["akuma"].nginx_config())
    upstreams = set(re.findall(r"\bupstream\s+(\S+?)\s*\{", config))
    asked = set(re.findall(r"\bproxy_pass\s+https?://([^\s/;]+)", config))
    if upstreams and not upstreams & asked:
        raise Wrong("upstream-unused", name=name, served=served[name], asked=", ".join(sorted(asked)) or "-")
    raise Wrong("member-idle", name=name, served=served[name])


@check(points=1, after=[site_answers])
def nginx_starts_again(scene: Scene) -> None:
    """nginx accepts its files as they are, and starts at boot."""
    tested = scene["akuma"].nginx_test()
    if not tested.ok:
        raise Wrong("config-broken", complaint=tested.complaint)
    if not scene["akuma"].service("nginx").is_enabled:
        raise Wrong("nginx-not-enabled")


@check(points=2, after=[every_app_answers])
def survives_a_reboot(scene: Scene) -> None:
    """The applications come back by themselves, and nothing that was removed comes back with them."""
    for name in BACKENDS:
        host = scene[name]
        if not host.service("pm2-vagrant").is_enabled:
            raise Wrong("pm2-not-enabled", name=name)
        saved = saved_ports(host.read("/home/vagrant/.pm2/dump.pm2") or "[]")
        if str(scene.port) not in saved:
            raise Wrong("not-saved", name=name, found=", ".join(saved) or "-")
        rules = host.read("/etc/nftables.conf") or ""
        if host.service("nftables").is_enabled and closes(rules, scene.port):
            raise Wrong("firewall-returns", name=name)


@check(points=3)
def note_is_right(scene: Scene) -> None:
    """The note in ~/incident.txt on akuma names host and layer of all three faults."""
    noted = scene["akuma"].note(NOTE)
    if noted is None:
        raise Wrong("no-note")
    found = set()
    for number in ("1", "2", "3"):
        words = set(re.findall(r"[a-z]+", noted.get(number, "")))
        hosts, layers = words & {"akuma", *BACKENDS}, words & LAYERS
        if not words:
            raise Wrong("note-empty", number=number)
        if len(hosts) != 1 or len(layers) != 1:
            raise Wrong("note-unclear", number=number, line=noted[number])
        found.add((*hosts, *layers))
    right = len(found & CAUSES[scene.fault])
    if right < len(CAUSES[scene.fault]):
        raise Wrong("note-wrong", right=right)


@check(points=2, after=[both_serve, nginx_starts_again, survives_a_reboot, note_is_right])
def in_time(scene: Scene) -> None:
    """Everything was well again, and written down, within 30 minutes of the start."""
    minutes = (time.time() - scene.since) / 60
    if minutes > MINUTES:
        raise Wrong("too-late", minutes=int(minutes))


@check(points=2, after=[both_serve, nginx_starts_again, survives_a_reboot], full=True)
def losing_voxy_is_harmless(scene: Scene) -> None:
    """voxy loses its power under load: not one request is lost, and voxy comes back by itself."""
    if not {"x-backend", "x-upstream"} <= scene.visit(name=scene.domain).headers.keys():
        raise Wrong("no-instruments")
    verdict = scene.run_scenario("kill-voxy")
    reasons = "; ".join(verdict.reasons)
    if verdict.outcome == Outcome.DEVIATED:
        raise Wrong("users-noticed", reasons=reasons)
    if verdict.outcome != Outcome.HELD:
        raise Wrong("nothing-proved", reasons=reasons)


def other_port(host: Place, wanted: int) -> str:
    """Another port at which Node answers its neighbours; empty when it does at none."""
    shown = host.sh("ss -Hltnp", root=True).stdout
    ports = re.findall(r"(?:0\.0\.0\.0|\*|\[::\]):(\d+)\s.*\(\(\"node", shown)
    return next((port for port in ports if port != str(wanted)), "")


def saved_ports(saved: str) -> list[str]:
    """The ports of the applications that pm2 starts at boot; one that was saved while it was stopped stays so."""
    try:
        apps = [app for app in json.loads(saved) if app.get("status") != "stopped"]
        return [str({**app.get("env", {}), **app}.get("PORT", "3000")) for app in apps]
    except (ValueError, TypeError, AttributeError):
        return []


def closes(rules: str, port: int) -> bool:
    """Whether a file of firewall rules drops or rejects what comes for a port."""
    bare = re.sub(r"#.*", "", rules)
    return re.search(rf"\bdport\b[^\n]*\b{port}\b[^\n]*\b(drop|reject)\b", bare) is not None
