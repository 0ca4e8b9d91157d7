"""Close the doors: less is open, less is told, less is allowed, and everything still works."""

from __future__ import annotations

import re
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from lab import Answer, Scene, Wrong, check

BACKENDS = ("voxy", "zero")
VISITS = 20
AT_LEAST = 3
"""Each worker of nginx takes turns by itself, so that half of the visits each is never exact."""
FAILURES = 3
"""After so many the rest is not asked."""
BOOT_S = 20.0


@check(points=2)
def site_still_balanced(scene: Scene) -> None:
    """The site still works, and both backends serve it."""
    answers: list[Answer] = []
    while len(answers) < VISITS and sum(answer.status != 200 for answer in answers) < FAILURES:
        answers.append(scene.visit("akuma", name=scene.domain))
    failed = [answer for answer in answers if answer.status != 200]
    if len(failed) == len(answers) and not any(answer.status for answer in answers):
        raise Wrong("nginx-silent", error=answers[-1].error)
    if failed:
        raise Wrong("site-fails", failed=len(failed), visits=len(answers), answer=failed[-1])
    shares = Counter(answer.served_by for answer in answers)
    for host in BACKENDS:
        if shares[host] < AT_LEAST:
            seen = ", ".join(f"{name or '?'} {count}" for name, count in shares.items())
            raise Wrong("one-is-missing", host=host, address=scene[host].address, seen=seen)


@check(points=3, after=[site_still_balanced])
def only_akuma_reaches_the_apps(scene: Scene) -> None:
    """Nobody but akuma gets an answer from the applications' ports on voxy and zero."""
    with ThreadPoolExecutor(4) as pool:
        from_here = {host: pool.submit(scene.visit, host, port=scene.port) for host in BACKENDS}
        neighbours = {
            host: pool.submit(scene[other].visit, f"http://{scene[host].address}:{scene.port}/")
            for host, other in (("voxy", "zero"), ("zero", "voxy"))
        }
    for host in BACKENDS:
        if is_app(from_here[host].result()):
            raise Wrong("port-open", host=host, address=scene[host].address)
    for host, other in (("voxy", "zero"), ("zero", "voxy")):
        if is_app(neighbours[host].result()):
            raise Wrong("open-to-neighbour", host=host, address=scene[host].address, other=other)


@check(points=1)
def no_app_runs_as_root(scene: Scene) -> None:
    """On voxy and zero the application does not run as root."""
    for host in BACKENDS:
        process = listener(scene, host)
        if not process:
            raise Wrong("app-missing", host=host)
        if runs_as_root(scene, host):
            raise Wrong("as-root", host=host, pid=process)


@check(points=1)
def version_is_not_shown(scene: Scene) -> None:
    """The site does not tell which version of nginx serves it."""
    answer = scene.visit("akuma", name=scene.domain)
    if not answer.status:
        raise Wrong("nginx-silent", error=answer.error)
    server = answer.headers.get("server", "")
    if not re.search(r"\d", server):
        return
    if re.search(r"\bserver_tokens\s+off\b", config(scene)):
        raise Wrong("version-not-loaded", server=server)
    raise Wrong("version-shown", server=server)


@check(points=2, after=[site_still_balanced])
def client_address_is_kept(scene: Scene) -> None:
    """The backends are told the address of the visitor."""
    said = told_to_voxy(scene)
    client = re.escape(scene["voxy"].address) if said else r"\$(remote_addr|proxy_add_x_forwarded_for)"
    lines = said or "\n".join(re.findall(r"proxy_set_header\s+(.*?);", config(scene)))
    told = re.findall(r"(?mi)^(x-real-ip|x-forwarded-for|forwarded)[: ] *(.*?)\s*$", lines)
    if any(re.search(rf"(^|[\s,=\"']){client}[\"']?(;.*)?$", value) for _, value in told):
        return
    if told:
        raise Wrong("address-wrong", name=told[0][0], value=told[0][1] or "–", client=scene["voxy"].address)
    if not re.search(r"(?i)proxy_set_header\s+[\"']?(x-real-ip|x-forwarded-for|forwarded)\b", config(scene)):
        raise Wrong("address-lost")
    if scene["akuma"].nginx_unread():
        raise Wrong("address-not-loaded")
    raise Wrong("address-not-inherited")


@check(points=1, after=[only_akuma_reaches_the_apps, no_app_runs_as_root], full=True)
def voxy_stays_closed_after_a_reboot(scene: Scene) -> None:
    """After a reboot voxy serves akuma again, is still closed to others, and its application is not root's."""
    scene.reboot("voxy")
    end = time.monotonic() + BOOT_S
    answer = Answer()
    while not is_app(answer) and time.monotonic() < end:
        time.sleep(0.2)
        answer = scene["akuma"].visit(f"http://{scene['voxy'].address}:{scene.port}/")
    if not is_app(answer):
        raise Wrong("app-gone", answer=answer)
    if is_app(scene.visit("voxy", port=scene.port)):
        raise Wrong("firewall-gone", address=scene["voxy"].address)
    if runs_as_root(scene, "voxy"):
        raise Wrong("root-again", pid=listener(scene, "voxy"))


def is_app(answer: Answer) -> bool:
    """Whether a visitor was let in."""
    return answer.status == 200 or bool(answer.served_by)


def listener(scene: Scene, host: str) -> str:
    """The process that listens on the application's port; empty when there is none."""
    shown = scene[host].sh("ss -Hltnp sport = :%s", scene.port, root=True).stdout
    found = re.search(r"pid=(\d+)", shown)
    return found[1] if found else ""


def runs_as_root(scene: Scene, host: str) -> bool:
    """Whether that process is root's. nginx may be: it only listens as root, and serves as www-data."""
    process = listener(scene, host) or "0"
    user, _, program = scene[host].sh("ps -o user=,comm= -p %s", process).stdout.strip().partition(" ")
    return user == "root" and program.strip() != "nginx"


def config(scene: Scene) -> str:
    """What nginx reads, without comments."""
    return re.sub(r"(?m)(^|\s)#.*$", "", scene["akuma"].nginx_config())


def told_to_voxy(scene: Scene) -> str:
    """The headers with which voxy is asked when somebody on voxy visits the site; empty when none was seen."""
    path, akuma = f"/healthz?seen-by={scene.token}", scene["akuma"].address
    return scene["voxy"].sh(LISTEN, path, scene.port, scene.domain, akuma, root=True).stdout


LISTEN = r"""timeout 2 perl -e '
    my ($path, $port, $name, $akuma) = @ARGV;
    socket(my $arriving, 17, 2, unpack("S", pack("n", 0x0800))) or exit 1;
    my $visit = "curl -s --max-time 1 -H \"Host: $name\" \"http://$akuma$path\" > /dev/null 2>&1 &";
    system($visit) for 1 .. 6;
    while (defined recv($arriving, my $packet, 65536, 0)) {
        my $tcp = (ord($packet) & 15) * 4;
        next unless unpack("n", substr($packet, $tcp + 2, 2)) == $port and $packet =~ /GET \Q$path\E (.*?)\r\n\r\n/s;
        print $1 =~ s/\r//gr;
        exit 0;
    }
' %s %s %s %s"""
"""Looks for at most two seconds at what arrives at a port, as tcpdump does, while the site is visited six times."""
