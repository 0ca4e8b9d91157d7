"""What is looked at in the exercise on virtual hosts."""

from __future__ import annotations

import re
from difflib import get_close_matches

from lab import Answer, Place, Scene, Wrong, check

DEFAULT = "Welcome to nginx"
"""What Debian's default page says."""
FOLDERS = ("/etc/nginx/akuma", "/etc/nginx/sites-available", "/etc/nginx/sites-enabled", "/etc/nginx/conf.d")


@check(points=1)
def nginx_answers(scene: Scene) -> None:
    """nginx on akuma answers on port 80."""
    answer = scene.visit()
    if not answer.status and not scene["akuma"].service("nginx").is_running:
        raise Wrong("nginx-stopped", error=answer)
    if not answer.status:
        raise Wrong("no-answer", error=answer)


@check(points=2, after=[nginx_answers])
def default_page_stays(scene: Scene) -> None:
    """Visitors of the bare address get the default page."""
    address = scene["akuma"].address
    answer = scene.visit()
    if DEFAULT in answer.text and scene.token not in answer.text:
        return
    if scene.token in answer.text:
        raise Wrong("bound-to-address" if listens_on_the_address(scene) else "own-site-takes-all", asked=address)
    raise Wrong("default-gone", asked=address, status=answer, evidence=answer.text)


@check(points=1)
def config_is_valid(scene: Scene) -> None:
    """nginx accepts its configuration files."""
    tested = scene["akuma"].nginx_test()
    if tested.ok:
        return
    if tested.is_missing:
        raise Wrong("nginx-missing")
    if "duplicate default server" in tested.complaint:
        raise Wrong("second-default", complaint=tested.complaint)
    raise Wrong("test-fails", complaint=tested.complaint)


@check(points=3, after=[nginx_answers, config_is_valid])
def domain_gives_its_page(scene: Scene) -> None:
    """Visitors who ask for your domain get its page."""
    answer = scene.visit(name=scene.domain)
    if not shows_site(scene, answer):
        explain(scene, scene.domain, answer)


@check(points=1, after=[domain_gives_its_page])
def www_gives_its_page(scene: Scene) -> None:
    """The same page comes for the domain with www. before it."""
    answer = scene.visit(name=f"www.{scene.domain}")
    if not shows_site(scene, answer):
        raise Wrong("no-www", status=answer, evidence=answer.text)


@check(points=2, after=[domain_gives_its_page])
def other_names_get_the_default(scene: Scene) -> None:
    """Visitors who ask for any other name get the default page."""
    for name in ("somebody.example", f"other-{scene.domain}"):
        answer = scene.visit(name=name)
        if scene.token in answer.text:
            raise Wrong("bound-to-address" if listens_on_the_address(scene) else "own-site-takes-all", asked=name)
        if DEFAULT not in answer.text:
            raise Wrong("default-gone", asked=name, status=answer, evidence=answer.text)


def shows_site(scene: Scene, answer: Answer) -> bool:
    """Whether an answer is the site's page."""
    return answer.status == 200 and scene.token in answer.text


def explain(scene: Scene, name: str, answer: Answer) -> None:
    """Say why a visitor who asked for a name did not get the site's page."""
    akuma = scene["akuma"]
    names = server_names(akuma.nginx_config())
    near = next((found for found in names if name in found), "") or "".join(get_close_matches(name, names, n=1))
    if not answer.status:
        raise Wrong("no-answer", error=answer)
    if name in names and {"root", "listen", "index"} & set(names):
        raise Wrong("name-runs-on", status=answer)
    if name in names and DEFAULT in answer.text:
        raise Wrong("not-reloaded", status=answer)
    if name in names and answer.status == 200:
        raise Wrong("no-token", status=answer, evidence=answer.text)
    if name in names:
        raise Wrong("no-page", status=answer, evidence=answer.text)
    if near and "/" in near:
        raise Wrong("name-with-scheme", found=near)
    if near:
        raise Wrong("near-miss", found=near)
    if file := unread_file(akuma, name):
        raise Wrong("not-included", file=file)
    raise Wrong("no-virtual-host", status=answer)


def listens_on_the_address(scene: Scene) -> bool:
    """Whether a site says `listen ADDRESS`: it alone then answers at this address, whatever the name."""
    wanted = rf"\blisten\s+{re.escape(scene['akuma'].address)}[:;\s]"
    return re.search(wanted, bare(scene["akuma"].nginx_config())) is not None


def server_names(config: str) -> list[str]:
    """All names in `server_name` lines."""
    lines = re.findall(r"\bserver_name\s+([^;{}]*);", bare(config))
    return [name.strip("\"'").lower() for line in lines for name in line.split()]


def unread_file(place: Place, name: str) -> str:
    """A file that speaks of the name, though nginx does not read it; empty when there is none."""
    found = place.sh("grep -rlF -- %s " + " ".join(FOLDERS), name, root=True).stdout.splitlines()
    return found[0] if found else ""


def bare(config: str) -> str:
    """A configuration without its comments."""
    return re.sub(r"(?m)(^|\s)#.*$", "", config)
