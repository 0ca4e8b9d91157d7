"""What is looked at in the exercise on the answer 502."""

from __future__ import annotations

import re
from uuid import uuid4

from lab import Place, Scene, Wrong, check

DEFAULT = "Welcome to nginx"
"""What Debian's default page says."""
SHEET = "/home/vagrant/answers.txt"


@check(points=1)
def nginx_answers(scene: Scene) -> None:
    """nginx on akuma answers on port 80."""
    answer = scene.visit()
    if not answer.status and not scene["akuma"].service("nginx").is_running:
        raise Wrong("nginx-stopped", error=answer)
    if not answer.status:
        raise Wrong("no-answer", error=answer)


@check(points=1, after=[nginx_answers])
def default_page_stays(scene: Scene) -> None:
    """Visitors of the bare address get the default page."""
    answer = scene.visit()
    if DEFAULT not in answer.text:
        raise Wrong("default-gone", status=answer, evidence=answer.text)


@check(points=1)
def config_is_valid(scene: Scene) -> None:
    """nginx accepts its configuration files."""
    tested = scene["akuma"].nginx_test()
    if tested.is_missing:
        raise Wrong("nginx-missing")
    if not tested.ok:
        raise Wrong("test-fails", complaint=tested.complaint)


@check(points=1, after=[nginx_answers, config_is_valid])
def visitors_get_502(scene: Scene) -> None:
    """Visitors who ask for your domain get 502 Bad Gateway from nginx."""
    answer = scene.visit(name=scene.domain)
    if answer.status == 502 and answer.headers.get("server", "").startswith("nginx"):
        return
    if not answer.status and scene["akuma"].listens_on(scene.port):
        raise Wrong("something-listens")
    if not answer.status:
        raise Wrong("domain-silent", error=answer)
    if DEFAULT in answer.text and scene.domain in bare(scene["akuma"].nginx_config()):
        raise Wrong("not-reloaded", status=answer)
    if DEFAULT in answer.text:
        raise Wrong("no-site", status=answer)
    if scene["akuma"].listens_on(scene.port):
        raise Wrong("something-answers", status=answer, evidence=answer.text)
    raise Wrong("other-status", status=answer, evidence=answer.text)


@check(points=3, after=[visitors_get_502])
def nginx_asked_the_port(scene: Scene) -> None:
    """nginx asked 127.0.0.1 at your port for the page, and was refused."""
    akuma, mark = scene["akuma"], uuid4().hex[:12]
    scene.visit(name=scene.domain, path=f"/?check={mark}")
    config = bare(akuma.nginx_config())
    lines = newest_errors(akuma, config)
    asked = [line for line in lines if mark in line]
    refused = [line for line in lines if "Connection refused" in line and f"//127.0.0.1:{scene.port}/" in line]
    if any(line in refused for line in asked):
        return
    if refused and any("no live upstreams" in line for line in asked):
        return
    if akuma.listens_on(scene.port):
        raise Wrong("something-listens")
    if asked:
        raise Wrong("wrong-upstream", upstream=upstream_in(asked[-1]), evidence=asked[-1])
    if re.search(r"\b(return|error_page)\s[^;]*\b502\b", config):
        raise Wrong("return-502")
    raise Wrong("not-logged")


@check(points=1)
def knows_who_answered(scene: Scene) -> None:
    """Answer 1 says who wrote the page 502."""
    given = letter(scene, 1)
    if given != "b":
        raise Wrong("wrong-about-who", given=given)


@check(points=1)
def knows_what_is_missing(scene: Scene) -> None:
    """Answer 2 says what is missing."""
    given = letter(scene, 2)
    if given != "d":
        raise Wrong("wrong-about-what", given=given)


@check(points=1)
def knows_where_it_stands(scene: Scene) -> None:
    """Answer 3 says where the reason stands."""
    given = letter(scene, 3)
    if given != "a":
        raise Wrong("wrong-about-where", given=given)


def letter(scene: Scene, number: int) -> str:
    """The letter that the sheet gives for a question, however it is written: `1: b`, `1) B`, `1 = b`."""
    answers = scene["akuma"].note(SHEET)
    if answers is None:
        raise Wrong("sheet-gone", number=number)
    given = answers.get(str(number), "")[:1]
    if not given:
        raise Wrong("unanswered", number=number)
    if given not in "abcd":
        raise Wrong("no-such-letter", number=number, given=given)
    return given


def newest_errors(place: Place, config: str) -> list[str]:
    """The newest lines of nginx's error logs, wherever the configuration puts them."""
    named = re.findall(r"\berror_log\s+[\"']?(/[^\s;\"']+)", config)
    logs = sorted({"/var/log/nginx/error.log", *named})
    return place.sh("tail -q -n 100 -- " + "%s " * len(logs), *logs, root=True).stdout.splitlines()


def upstream_in(line: str) -> str:
    """Whom nginx asked, as a line of its error log tells."""
    found = re.search(r'upstream: "\w+://([^/"]+)', line)
    return found[1] if found else "?"


def bare(config: str) -> str:
    """A configuration without its comments."""
    return re.sub(r"(?m)(^|\s)#.*$", "", config)
