"""Run the application: cloned, installed, started on the right port, and not as root."""

from __future__ import annotations

import re

from lab import Scene, Wrong, check

REPOSITORY = "/srv/git/hello.git"


@check(points=2)
def something_listens(scene: Scene) -> None:
    """A program on akuma listens on the application's port."""
    akuma = scene["akuma"]
    if akuma.listens_on(scene.port):
        return
    other = other_port(scene)
    if other:
        raise Wrong("wrong-port", found=other)
    if not akuma.sh("ls -d ~/*/.git ~/.git 2>/dev/null").stdout.strip():
        raise Wrong("nothing-cloned")
    raise Wrong("not-running")


@check(points=2, after=[something_listens])
def app_answers(scene: Scene) -> None:
    """The application answers on akuma itself."""
    answer = scene["akuma"].visit(f"http://127.0.0.1:{scene.port}/")
    if not answer.status:
        raise Wrong("app-silent", error=answer.error)
    if not answer.served_by:
        raise Wrong("another-program", status=answer.status, program=program(scene))
    if answer.status != 200 or answer.served_by != "akuma":
        raise Wrong("app-unwell", status=answer.status, host=answer.served_by)


@check(points=2, after=[app_answers])
def site_answers(scene: Scene) -> None:
    """The site answers through nginx with the application's page."""
    answer = scene.visit("akuma", name=scene.domain)
    if not answer.status:
        raise Wrong("nginx-silent", error=answer.error)
    if answer.status != 200:
        raise Wrong("site-fails", status=answer.status)
    if answer.served_by != "akuma":
        raise Wrong("site-without-app", server=answer.headers.get("server", "?"))


@check(points=2, after=[app_answers])
def from_the_repository(scene: Scene) -> None:
    """The application runs from a git clone of the repository."""
    folder = scene["akuma"].sh("readlink /proc/%s/cwd", pid(scene), root=True).stdout.strip()
    top = git(scene, folder, "rev-parse --show-toplevel")
    if not top:
        raise Wrong("no-clone", folder=folder or "?")
    origin = git(scene, folder, "config --get remote.origin.url")
    if plain(origin) != plain(REPOSITORY):
        raise Wrong("other-origin", folder=folder, origin=origin or "–")
    here, there = git(scene, folder, "rev-parse HEAD"), git(scene, REPOSITORY, "rev-parse HEAD")
    if there and here != there:
        raise Wrong("other-version", folder=folder, here=here[:7] or "–", there=there[:7])


@check(points=2, after=[app_answers])
def not_as_root(scene: Scene) -> None:
    """The application does not run as root."""
    user = scene["akuma"].sh("ps -o user= -p %s", pid(scene)).stdout.strip()
    if user == "root":
        raise Wrong("as-root", pid=pid(scene))


def pid(scene: Scene) -> str:
    """The process that listens on the application's port."""
    shown = scene["akuma"].sh("ss -Hltnp sport = :%s", scene.port, root=True).stdout
    found = re.search(r"pid=(\d+)", shown)
    return found[1] if found else "0"


def program(scene: Scene) -> str:
    """Its name."""
    return scene["akuma"].sh("ps -o comm= -p %s", pid(scene)).stdout.strip() or "?"


def other_port(scene: Scene) -> str:
    """Another port at which Node answers visitors; empty when there is none."""
    shown = scene["akuma"].sh("ss -Hltnp", root=True).stdout
    ports = re.findall(r"(?:0\.0\.0\.0|\*|\[::\]):(\d+)\s.*\(\(\"node", shown)
    return ports[0] if ports else ""


def git(scene: Scene, folder: str, command: str) -> str:
    """What git says of a folder, whoever owns it; empty when it is no repository."""
    done = scene["akuma"].sh(f"git -c safe.directory='*' -C %s {command}", folder, root=True)
    return done.stdout.strip() if done.ok else ""


def plain(url: str) -> str:
    """A repository's address without what makes no difference."""
    return url.removeprefix("file://").rstrip("/").removesuffix(".git")
