"""nginx on akuma: the site `akuma.xyz`, balanced over the upstream."""

from collections.abc import Iterator

from lab import Lab, Step, command, directory, file, line, packages, reload, service, template

FOLDER = "/etc/nginx/akuma"
SITE = f"{FOLDER}/my.reverse-proxy.conf"
TEST = "nginx -t"
KEEP = """
set -e; mkdir -p /srv/packages; cd /srv/packages
apt-get -q update; apt-get -q download nginx nginx-common
for deb in *.deb; do
    dpkg-deb --field "$deb"
    echo "Filename: ./$deb"; echo "Size: $(wc -c < "$deb")"
    echo "SHA256: $(sha256sum "$deb" | cut -d' ' -f1)"; echo
done > Packages.new
mv Packages.new Packages
"""  # a folder that apt reads as it reads a mirror


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
    """Present, but not running: for the box. It can be installed again without internet, as an exercise asks."""
    yield packages("nginx")
    yield service("nginx", running=False, enabled=False)
    yield command("packages of nginx in /srv/packages", KEEP, unless="test -s /srv/packages/Packages", network=True)
    yield file("/etc/apt/sources.list.d/lab.list", "deb [trusted=yes] file:/srv/packages ./\n")
