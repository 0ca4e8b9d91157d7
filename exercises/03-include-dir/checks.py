"""What is looked at in the exercise on a folder of one's own for sites."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from lab import Place, Scene, Wrong, check

FOLDER = "/etc/nginx/akuma"
FILE = f"{FOLDER}/my.reverse-proxy.conf"
ANOTHER = f"{FOLDER}/another-site.conf"


@check(points=1)
def nginx_answers(scene: Scene) -> None:
    """nginx on akuma answers on port 80."""
    answer = scene.visit()
    if not answer.status and not scene["akuma"].service("nginx").is_running:
        raise Wrong("nginx-stopped", error=answer)
    if not answer.status:
        raise Wrong("no-answer", error=answer)


@check(points=1)
def config_is_valid(scene: Scene) -> None:
    """nginx accepts its configuration files."""
    tested = scene["akuma"].nginx_test()
    if tested.ok:
        return
    if tested.is_missing:
        raise Wrong("nginx-missing")
    if "not allowed here" in tested.complaint:
        raise Wrong("outside-http", complaint=tested.complaint)
    if "open()" in tested.complaint and FOLDER in tested.complaint:
        raise Wrong("nothing-there", complaint=tested.complaint)
    raise Wrong("test-fails", complaint=tested.complaint)


@check(points=1)
def file_is_in_the_folder(scene: Scene) -> None:
    """The file /etc/nginx/akuma/my.reverse-proxy.conf is there."""
    akuma = scene["akuma"]
    text = akuma.read(FILE)
    if text is None:
        there = akuma.sh("ls -A %s/", FOLDER, root=True)
        if not there.ok:
            raise Wrong("no-folder")
        names = ", ".join(there.stdout.split("\n")[:5]).strip(", ")
        raise Wrong("other-name" if names else "no-file", names=names or "-")
    if not text.strip():
        raise Wrong("empty-file")


@check(points=3, after=[config_is_valid, file_is_in_the_folder])
def nginx_reads_the_file(scene: Scene) -> None:
    """The file is part of the configuration that nginx reads."""
    config = scene["akuma"].nginx_config()
    if f"# configuration file {FILE}:" in config:
        return
    patterns = [pattern for pattern in includes_of(config) if "akuma" in pattern]
    if patterns:
        raise Wrong("pattern-misses", pattern=patterns[0])
    raise Wrong("not-included", evidence="\n".join(includes_of(config)))


@check(points=2, after=[nginx_answers, nginx_reads_the_file])
def site_answers(scene: Scene) -> None:
    """A visitor who asks for your domain gets your token."""
    answer = scene.visit(name=scene.domain)
    if answer.status == 200 and scene.token in answer.text:
        return
    if not answer.status:
        raise Wrong("no-answer", error=answer)
    if not file_says(scene["akuma"], rf"server_name\s[^;]*(?<![\w.-]){re.escape(scene.domain)}[\s;]"):
        raise Wrong("other-domain", status=answer)
    if "Welcome to nginx" in answer.text:
        raise Wrong("not-reloaded", status=answer)
    if answer.status != 200:
        raise Wrong("other-status", status=answer, evidence=answer.text)
    raise Wrong("no-token", status=answer, evidence=answer.text)


@check(points=2, after=[nginx_reads_the_file])
def folder_is_included(scene: Scene) -> None:
    """The next file in that folder would be read without another change to nginx.conf."""
    patterns = [pattern for pattern in includes_of(scene["akuma"].nginx_config()) if "akuma" in pattern]
    if not any(fnmatchcase(ANOTHER, pattern) for pattern in patterns):
        raise Wrong("one-file", pattern=", ".join(patterns))


def includes_of(config: str) -> list[str]:
    """The files and patterns that a configuration includes, as absolute paths."""
    bare = re.sub(r"(?m)(^|\s)#.*$", "", config)
    words = [word.strip(" \t\"'") for word in re.findall(r"(?:^|[\s;{}])include\s+([^;]+);", bare)]
    return [word if word.startswith("/") else f"/etc/nginx/{word}" for word in words]


def file_says(place: Place, pattern: str) -> bool:
    """Whether the student's file has a line of this kind, comments aside."""
    bare = re.sub(r"(?m)(^|\s)#.*$", "", place.read(FILE) or "")
    return re.search(pattern, bare) is not None
