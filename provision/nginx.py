"""nginx on akuma: the site `akuma.xyz`, balanced over the upstream."""

from collections.abc import Iterator

from lab import Lab, Step, directory, line, packages, reload, service, template

FOLDER = "/etc/nginx/akuma"
SITE = f"{FOLDER}/my.reverse-proxy.conf"
TEST = "nginx -t"


def balancer(lab: Lab) -> Iterator[Step]:
    """The balancer balances over the upstream, and says in its log and headers who answered."""
    yield packages("nginx")
    yield directory(FOLDER)
    yield template("lab-log.conf.j2", to="/etc/nginx/conf.d/lab-log.conf", lab=lab, check=TEST, then=reload("nginx"))
    yield template("my.reverse-proxy.conf.j2", to=SITE, lab=lab, check=TEST, then=reload("nginx"))
    yield line(
        "/etc/nginx/nginx.conf", f"\tinclude {FOLDER}/*.conf;", after="include /etc/nginx/sites-enabled/",
        check=TEST, then=reload("nginx"),
    )  # fmt: skip
    yield service("nginx", running=True, enabled=True)


def installed() -> Iterator[Step]:
    """Present, but not running: for the box."""
    yield packages("nginx")
    yield service("nginx", running=False, enabled=False)
