"""What the balancer's log tells of the time in which voxy was dark.

Only visits by hand are looked at: those of `lab scenario` bear an id.
"""

import json
from typing import Any

from lab import Outcome, Scene, Wrong, check

LOG = "/var/log/nginx/akuma.access.json"
ENOUGH = 20
BY_HAND = '"id":""'
ADDRESSES = '"upstream_addr":"[^"]*, '
"""More than one address: the first was asked in vain."""
Visit = dict[str, Any]


@check(points=2)
def was_predicted(scene: Scene) -> None:
    """Your prediction was written down before voxy was killed."""
    akuma = scene["akuma"]
    given = akuma.note("/home/vagrant/prediction.txt") or {}
    for name in ("lost", "serves", "back"):
        if not given.get(name):
            raise Wrong("no-prediction", name=name)
    written = float(akuma.sh("stat -c %Y /home/vagrant/prediction.txt", root=True).stdout or 0)
    retried = [visit for visit in visits(scene) if failed_over(scene, visit)]
    if retried and written > moment(retried[0]):
        raise Wrong("predicted-after", seconds=round(written - moment(retried[0])))


@check(points=1)
def voxy_was_dark(scene: Scene) -> None:
    """voxy lost its power in this attempt, and is back."""
    booted = scene["voxy"].sh('date -d "$(ps -o lstart= -p 1)" +%s').stdout
    if float(booted or 0) < scene.since - 1:  # whole seconds
        raise Wrong("never-killed")


@check(points=2, after=[voxy_was_dark])
def visitors_kept_coming(scene: Scene) -> None:
    """At least 20 visitors came by hand while voxy was dark, and nginx found out by one of them."""
    if not any(failed_over(scene, visit) for visit in visits(scene)):
        raise Wrong("nobody-came", count=len(visits(scene)))
    count = len(while_dark(scene))
    if count < ENOUGH:
        raise Wrong("too-few", count=count)


@check(points=1, after=[visitors_kept_coming])
def nothing_was_lost(scene: Scene) -> None:
    """Every one of them got a page."""
    lost = [visit for visit in while_dark(scene) if visit["status"] != 200]
    if lost:
        raise Wrong("lost", count=len(lost), first=lost[0]["status"])


@check(points=1, after=[visitors_kept_coming])
def voxy_is_asked_again(scene: Scene) -> None:
    """nginx asks voxy again since it is back."""
    dark = while_dark(scene)
    served = [visit for visit in visits(scene) if moment(visit) > moment(dark[-1]) and served_by_voxy(scene, visit)]
    if not served:
        raise Wrong("not-back")


@check(points=1, after=[voxy_is_asked_again])
def knows_the_figures(scene: Scene) -> None:
    """The figures in ~/answers.txt are those of the log."""
    akuma = scene["akuma"]
    given = akuma.note("/home/vagrant/answers.txt") or {}
    written = float(akuma.sh("stat -c %Y /home/vagrant/answers.txt", root=True).stdout or 0)
    lost = sum(visit["status"] != 200 for visit in while_dark(scene))
    then = sum(", " in visit["upstream_addr"] and moment(visit) < written + 1 for visit in visits(scene))
    now = akuma.sh("grep -c %s %s", ADDRESSES, LOG, root=True).stdout.strip()
    right = {"lost": {str(lost)}, "serves": {"zero"}, "retried": {str(then), now}}
    for name, values in right.items():
        if given.get(name) not in values:
            raise Wrong("wrong-figure", name=name, given=given.get(name) or "-")


@check(points=2, after=[voxy_was_dark], full=True)
def holds_under_load(scene: Scene) -> None:
    """The same under load, with two witnesses: the scenario kill-voxy says HELD."""
    verdict = scene.run_scenario("kill-voxy")
    if verdict.outcome is not Outcome.HELD:
        raise Wrong("not-held", outcome=verdict.outcome, why="; ".join(verdict.reasons))


def while_dark(scene: Scene) -> list[Visit]:
    """The visits from one that nginx had to ask elsewhere, until voxy answered again; of the last time that it was."""
    last: list[Visit] = []
    dark = False
    for visit in visits(scene):
        if served_by_voxy(scene, visit):
            dark = False
        elif dark:
            last.append(visit)
        elif failed_over(scene, visit):
            dark, last = True, [visit]
    return last


def visits(scene: Scene) -> list[Visit]:
    """The visits that were made by hand, in the order of time; lines that are cut off are left out."""
    found = []
    for line in scene["akuma"].sh("grep -F %s %s | tail -n 2000", BY_HAND, LOG, root=True).stdout.splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return sorted(found, key=moment)


def moment(visit: Visit) -> float:
    """When the visit was over, in Unix time."""
    return float(visit["at"])


def failed_over(scene: Scene, visit: Visit) -> bool:
    """Whether voxy was asked in vain, and another one after it."""
    return str(visit["upstream_addr"]).startswith(f"{scene['voxy'].address}:{scene.port}, ")


def served_by_voxy(scene: Scene, visit: Visit) -> bool:
    """Whether voxy gave the answer."""
    return str(visit["upstream_addr"]).endswith(f"{scene['voxy'].address}:{scene.port}") and visit["status"] == 200
