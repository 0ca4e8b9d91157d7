"""The app on two backends: voxy and zero both answer akuma, each in its own name, and come back after a reboot."""

from __future__ import annotations

import json
import re
import time

from lab import Answer, Scene, Wrong, check

BACKENDS = ("voxy", "zero")
BOOT_S = 20.0


@check(points=3)
def voxy_answers(scene: Scene) -> None:
    """Akuma gets an answer from voxy's own application."""
    backend_answers(scene, "voxy")


@check(points=3)
def zero_answers(scene: Scene) -> None:
    """Akuma gets an answer from zero's own application."""
    backend_answers(scene, "zero")


@check(points=2, after=[voxy_answers, zero_answers])
def under_pm2_on_both(scene: Scene) -> None:
    """On both backends vagrant's pm2 runs the application."""
    for host in BACKENDS:
        owner = pm2_above(scene, host)
        if not owner:
            raise Wrong("without-pm2", host=host, pid=pid(scene, host))
        if owner != "vagrant":
            raise Wrong("pm2-of-another", host=host, owner=owner)


@check(points=1, after=[under_pm2_on_both])
def ready_for_a_reboot(scene: Scene) -> None:
    """On both backends pm2 starts at boot, and its saved list holds the application."""
    for host in BACKENDS:
        if not starts_at_boot(scene, host):
            raise Wrong("not-at-boot", host=host)
        ports = saved_ports(scene, host)
        if not ports:
            raise Wrong("not-saved", host=host)
        if not {"", str(scene.port)} & set(ports):
            raise Wrong("saved-with-other-port", host=host, found=ports[0])


@check(points=1, after=[ready_for_a_reboot], full=True)
def zero_comes_back_after_a_reboot(scene: Scene) -> None:
    """After a reboot zero answers akuma again by itself."""
    scene.reboot("zero")
    end = time.monotonic() + BOOT_S
    answer = from_akuma(scene, "zero")
    while answer.served_by != "zero" and time.monotonic() < end:
        time.sleep(0.2)
        answer = from_akuma(scene, "zero")
    if answer.served_by != "zero":
        raise Wrong("gone-after-reboot", answer=answer)


def backend_answers(scene: Scene, host: str) -> None:
    """Raise what is wrong when a backend does not answer akuma in its own name."""
    answer = from_akuma(scene, host)
    if answer.status == 200 and answer.served_by == host:
        return
    if answer.served_by and answer.served_by != host:
        raise Wrong("another-host", host=host, served_by=answer.served_by)
    if answer.status:
        raise Wrong("another-program", host=host, status=answer.status, program=program(scene, host))
    listening = scene[host].listens_on(scene.port)
    if not listening:
        other = other_port(scene, host)
        if other:
            raise Wrong("wrong-port", host=host, found=other)
        raise Wrong("nothing-listens", host=host, address=scene[host].address)
    if all(address.startswith("127.") for address in listening):
        raise Wrong("only-for-itself", host=host, address=listening[0])
    raise Wrong("no-way-through", host=host, address=scene[host].address, error=answer.error)


def from_akuma(scene: Scene, host: str) -> Answer:
    """What akuma gets from a backend's port."""
    return scene["akuma"].visit(f"http://{scene[host].address}:{scene.port}/")


def pid(scene: Scene, host: str) -> str:
    """The process that listens on the application's port."""
    shown = scene[host].sh("ss -Hltnp sport = :%s", scene.port, root=True).stdout
    found = re.search(r"pid=(\d+)", shown)
    return found[1] if found else "0"


def program(scene: Scene, host: str) -> str:
    """The name of the program that does."""
    return scene[host].sh("ps -o comm= -p %s", pid(scene, host)).stdout.strip() or "?"


def other_port(scene: Scene, host: str) -> str:
    """Another port at which Node answers visitors; empty when there is none."""
    shown = scene[host].sh("ss -Hltnp", root=True).stdout
    ports = re.findall(r"(?:0\.0\.0\.0|\*|\[::\]):(\d+)\s.*\(\(\"node", shown)
    return ports[0] if ports else ""


def pm2_above(scene: Scene, host: str) -> str:
    """The user whose pm2 is a parent, or a parent's parent, of the application; empty when none is."""
    rows = (row.split(None, 3) for row in scene[host].sh("ps -eo pid=,ppid=,user=,args=").stdout.splitlines())
    known = {row[0]: row[1:] for row in rows if len(row) == 4}
    process = pid(scene, host)
    while process in known:
        process, user, words = known[process]
        if words.startswith("PM2 "):
            return user
    return ""


def starts_at_boot(scene: Scene, host: str) -> bool:
    """Whether an enabled unit, or vagrant's crontab, starts vagrant's pm2 at boot."""
    place = scene[host]
    if re.search(r"^@reboot .*pm2", place.sh("crontab -l 2>/dev/null").stdout, re.MULTILINE):
        return True
    units = place.sh("grep -lE 'pm2.* (resurrect|start)' /etc/systemd/system/*.service 2>/dev/null").stdout.split()
    return any("User=vagrant" in (place.read(unit) or "") and place.service(unit.rpartition("/")[2]).is_enabled
               for unit in units)  # fmt: skip


def saved_ports(scene: Scene, host: str) -> list[str]:
    """The ports in pm2's saved list, one for each application; empty text where none is named."""
    try:
        apps = json.loads(scene[host].read("/home/vagrant/.pm2/dump.pm2") or "[]")
        return [str(app.get("PORT", "")) for app in apps]
    except (ValueError, TypeError, AttributeError):
        return []
