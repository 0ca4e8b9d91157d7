"""Keep it running with pm2: the app comes back after a crash and after a reboot, and nobody has to do anything."""

from __future__ import annotations

import json
import re
import time

from lab import Scene, Wrong, check

BACK_S = 5.0
BOOT_S = 20.0


@check(points=2)
def site_answers(scene: Scene) -> None:
    """The site answers through nginx with the application's page."""
    answer = scene.visit("akuma", name=scene.domain)
    if not answer.status:
        raise Wrong("nginx-silent", error=answer.error)
    if answer.served_by == "akuma" and answer.status == 200 and pid(scene) != "0":
        return
    if answer.status == 200 and not answer.served_by:
        raise Wrong("site-without-app", server=answer.headers.get("server", "?"))
    other = other_port(scene)
    if other:
        raise Wrong("wrong-port", status=answer.status, found=other)
    raise Wrong("app-missing", status=answer.status)


@check(points=2, after=[site_answers])
def under_pm2(scene: Scene) -> None:
    """The application runs under vagrant's pm2."""
    owner = pm2_above(scene, pid(scene))
    if not owner:
        raise Wrong("without-pm2", pid=pid(scene))
    if owner != "vagrant":
        raise Wrong("pm2-of-another", owner=owner)


@check(points=1, after=[under_pm2])
def has_its_name(scene: Scene) -> None:
    """In pm2's list the application is called hello."""
    name = name_in_pm2(scene, pid(scene))
    if name != "hello":
        raise Wrong("other-name", name=name or "?")


@check(points=1, after=[under_pm2])
def starts_at_boot(scene: Scene) -> None:
    """Vagrant's pm2 starts when the machine boots."""
    akuma = scene["akuma"]
    if re.search(r"^@reboot .*pm2", akuma.sh("crontab -l 2>/dev/null").stdout, re.MULTILINE):
        return
    units = akuma.sh("grep -lE 'pm2.* (resurrect|start)' /etc/systemd/system/*.service 2>/dev/null").stdout.split()
    owners = {unit.rpartition("/")[2]: owner_of(akuma.read(unit) or "") for unit in units}
    own = [unit for unit, owner in owners.items() if owner == "vagrant"]
    if any(akuma.service(unit).is_enabled for unit in own):
        return
    if own:
        raise Wrong("unit-disabled", unit=own[0])
    if owners:
        raise Wrong("unit-of-another", unit=next(iter(owners)), owner=next(iter(owners.values())))
    raise Wrong("no-unit")


@check(points=2, after=[under_pm2])
def list_is_saved(scene: Scene) -> None:
    """The list that pm2 saved for the next boot holds the application."""
    saved = scene["akuma"].read("/home/vagrant/.pm2/dump.pm2")
    if saved is None:
        raise Wrong("nothing-saved")
    apps = apps_in(saved)
    name = name_in_pm2(scene, pid(scene))
    if name not in apps:
        raise Wrong("saved-without-app", name=name or "?", names=", ".join(apps) or "–")
    if apps[name] not in ("", str(scene.port)):
        raise Wrong("saved-with-other-port", name=name, found=apps[name])


@check(points=1, after=[under_pm2], full=True)
def comes_back_when_killed(scene: Scene) -> None:
    """Five seconds after its process was killed the application answers again."""
    first = pid(scene)
    scene["akuma"].sh("kill -9 %s", first, root=True)
    if not answers_within(scene, BACK_S, other_than=first):
        raise Wrong("stays-dead", pid=first)


@check(points=1, after=[starts_at_boot, list_is_saved], full=True)
def comes_back_after_a_reboot(scene: Scene) -> None:
    """After a reboot of akuma the site answers again by itself."""
    scene.reboot("akuma")
    if answers_within(scene, BOOT_S):
        return
    if not scene["akuma"].service("nginx").is_running:
        raise Wrong("nginx-gone")
    raise Wrong("app-gone", answer=scene.visit("akuma", name=scene.domain))


def answers_within(scene: Scene, seconds: float, other_than: str = "") -> bool:
    """Whether the site answers before the time is up, from another process than the one named."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = scene.visit("akuma", name=scene.domain)
        if answer.status == 200 and answer.served_by and pid(scene) != other_than:
            return True
        time.sleep(0.2)
    return False


def pid(scene: Scene) -> str:
    """The process that listens on the application's port."""
    shown = scene["akuma"].sh("ss -Hltnp sport = :%s", scene.port, root=True).stdout
    found = re.search(r"pid=(\d+)", shown)
    return found[1] if found else "0"


def other_port(scene: Scene) -> str:
    """Another port at which Node answers visitors, when it does not at the right one; else empty."""
    shown = scene["akuma"].sh("ss -Hltnp", root=True).stdout
    ports = re.findall(r"(?:0\.0\.0\.0|\*|\[::\]):(\d+)\s.*\(\(\"node", shown)
    return ports[0] if ports and str(scene.port) not in ports else ""


def pm2_above(scene: Scene, process: str) -> str:
    """The user whose pm2 is a parent, or a parent's parent, of a process; empty when none is."""
    rows = (row.split(None, 3) for row in scene["akuma"].sh("ps -eo pid=,ppid=,user=,args=").stdout.splitlines())
    known = {row[0]: row[1:] for row in rows if len(row) == 4}
    while process in known:
        process, user, words = known[process]
        if words.startswith("PM2 "):
            return user
    return ""


def name_in_pm2(scene: Scene, process: str) -> str:
    """What pm2 calls a process: it tells it so in its environment."""
    shown = scene["akuma"].sh("tr '\\0' '\\n' < /proc/%s/environ", process, root=True).stdout
    found = re.search(r"^name=(.*)$", shown, re.MULTILINE)
    return found[1] if found else ""


def apps_in(saved: str) -> dict[str, str]:
    """The names in pm2's saved list, each with the port that its environment names; empty text for none."""
    try:
        apps = json.loads(saved)
        return {str(app["name"]): str(app.get("PORT", "")) for app in apps}
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}


def owner_of(unit: str) -> str:
    """The user as whom a unit runs."""
    found = re.search(r"^User=(.+)$", unit, re.MULTILINE)
    return found[1].strip() if found else "root"
