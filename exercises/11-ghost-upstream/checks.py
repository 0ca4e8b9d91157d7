"""Who really answers? Asked thirty times, and only then looked up in the configuration."""

import re
from collections import Counter

from lab import Outcome, Scene, Wrong, check

TIMES = 30
FAIR_SHARE = 5
"""Of thirty; round robin is counted by each worker for itself, so that an exact half is never to be expected."""
ANSWERS = {"1": "c", "2": "b", "3": "b"}


@check(points=1)
def everybody_gets_a_page(scene: Scene) -> None:
    """Every one of thirty visitors gets a page."""
    answers = scene.visits(TIMES, name=scene.domain)
    bad = [answer for answer in answers if answer.status != 200]
    if bad:
        raise Wrong("bad-answers", bad=len(bad), times=len(answers), first=bad[0])


@check(points=2, after=[everybody_gets_a_page])
def voxy_is_asked(scene: Scene) -> None:
    """voxy answers its share of the requests."""
    require_share(scene, "voxy")


@check(points=2, after=[everybody_gets_a_page])
def zero_is_asked(scene: Scene) -> None:
    """zero answers its share of the requests."""
    require_share(scene, "zero")


@check(points=2)
def knows_what_was_proved(scene: Scene) -> None:
    """The three questions in ~/answers.txt are answered right."""
    given = scene["akuma"].note("/home/vagrant/answers.txt") or {}
    for number, letter in ANSWERS.items():
        if not given.get(number):
            raise Wrong("not-answered", number=number)
        if given[number][0] != letter:
            raise Wrong("wrong-answer", number=number, given=given[number])


@check(points=3, after=[voxy_is_asked, zero_is_asked], full=True)
def voxy_may_die(scene: Scene) -> None:
    """voxy loses its power under load, and no request is lost: the scenario kill-voxy says HELD."""
    verdict = scene.run_scenario("kill-voxy")
    if verdict.outcome is not Outcome.HELD:
        raise Wrong("not-held", outcome=verdict.outcome, why="; ".join(verdict.reasons))


def require_share(scene: Scene, backend: str) -> None:
    """Raise unless a backend served its share; the configuration tells which hint fits."""
    served = Counter(answer.served_by for answer in scene.visits(TIMES, name=scene.domain))
    if served[backend] >= FAIR_SHARE:
        return
    counts = ", ".join(f"{name or 'nobody known'} {count}" for name, count in served.most_common())
    found = {"backend": backend, "count": str(served[backend]), "times": str(TIMES), "counts": counts}
    config = scene["akuma"].nginx_config()
    declared = set(re.findall(r"^\s*upstream\s+(\S+)\s*\{", config, re.MULTILINE))
    targets = re.findall(r"^\s*proxy_pass\s+https?://([^;/\s]+)", config, re.MULTILINE)
    if not declared & set(targets):
        raise Wrong("ghost", **found, targets=" ".join(targets) or "nothing", declared=" ".join(declared) or "none")
    if served.keys() <= {"akuma"}:
        raise Wrong("not-reloaded", **found)
    raise Wrong("left-out", **found)
