"""The lint over `nginx -T`: it finds what `nginx -t` and a naive test miss."""

from __future__ import annotations

import pytest

from lab.errors import EnvironmentProblem
from lab.nginx_config import Member, lint, site
from lab.nginx_tree import seconds_of
from lab.records import Finding

UPSTREAM = "upstream domain { zone domain 64k; server 192.168.56.11:3000; server 192.168.56.12:3000; }"
LOCATION = "location / { proxy_pass http://domain; proxy_connect_timeout 1s; proxy_read_timeout 5s; }"


def dump(upstream: str = UPSTREAM, location: str = LOCATION, name: str = "akuma.xyz") -> str:
    """What `nginx -T` prints for such a site, spread over files as the lab spreads it."""
    return f"""# configuration file /etc/nginx/nginx.conf:
user www-data;
events {{ worker_connections 768; }}
http {{
    include mime.types;
    include /etc/nginx/sites-enabled/*;
    server {{ listen 80 default_server; server_name _; location / {{ return 404; }} }}
}}

# configuration file /etc/nginx/mime.types:
types {{ text/html html; }}

# configuration file /etc/nginx/sites-enabled/akuma:
include akuma/*.conf;

# configuration file /etc/nginx/akuma/my.reverse-proxy.conf:
# a comment with a {{ brace
{upstream}
server {{
    listen 80;
    server_name {name} 192.168.56.10;
    location /static/ {{ root /srv; }}
    {location}
}}
"""


def found(subject: str, text: str) -> Finding:
    """The finding on a subject."""
    return next(finding for finding in lint(text, "akuma.xyz") if finding.subject == subject)


def test_a_good_site() -> None:
    """Every subject is as it should be."""
    findings = lint(dump(), "akuma.xyz")
    assert [finding.subject for finding in findings] == [
        "server", "upstream", "members", "method", "failures", "timeouts", "retries",
    ]  # fmt: skip
    assert [finding.text for finding in findings if not finding.holds] == []
    assert findings[1].text == "the site's proxy_pass http://domain uses the upstream domain"


def test_the_tutorials_mistake() -> None:
    """The upstream is declared, and the old proxy_pass was kept."""
    finding = found("upstream", dump(location="location / { proxy_pass http://127.0.0.1:3000; }"))
    assert finding.holds is False
    assert finding.text == "upstream domain is declared but the site's proxy_pass http://127.0.0.1:3000 does not use it"


@pytest.mark.parametrize(
    ("location", "holds", "sentence"),
    [
        ("location / { set $to domain; proxy_pass http://$to; }", None, "cannot tell which upstream"),
        ("location / { proxy_pass http://domain/; }", True, "uses the upstream domain"),
        ("location / { proxy_pass http://DOMAIN; }", True, "uses the upstream domain"),
        ("location / { return 200 ok; }", False, "has no proxy_pass"),
        ("", False, "has no proxy_pass"),
        ("location = / { proxy_pass http://x; } location / { proxy_pass http://domain; }", False, "does not use it"),
        ("location ~ ^/ { proxy_pass http://domain; } location / { proxy_pass http://x; }", True, "uses the upstream"),
        (
            "location ^~ / { proxy_pass http://domain; } location ~ . { proxy_pass http://x; }",
            True,
            "uses the upstream",
        ),
    ],
)
def test_which_upstream_serves_the_site(location: str, holds: bool | None, sentence: str) -> None:
    """The location that nginx takes for / decides."""
    finding = found("upstream", dump(location=location))
    assert (finding.holds, sentence in finding.text) == (holds, True), finding


def test_no_upstream_or_several() -> None:
    """The sentence names what is declared."""
    bare = "location / { proxy_pass http://127.0.0.1:3000; }"
    assert "no upstream is declared" in found("upstream", dump("", bare)).text
    two = found("upstream", dump(UPSTREAM + "upstream old { server 1.2.3.4; }", bare))
    assert two.text.startswith("upstream domain, old are declared but")


@pytest.mark.parametrize(
    ("upstream", "subject", "sentence"),
    [
        ("upstream domain { zone d 64k; server 10.0.0.1:3000; }", "members", "fewer than two live, distinct members"),
        ("upstream domain { zone d 64k; server a:1; server a:1; }", "members", "(a:1, a:1)"),
        ("upstream domain { zone d 64k; server a:1 weight=2; server b:1 down; }", "members", "a:1 weight 2, b:1 down"),
        ("upstream domain { zone d 64k; ip_hash; server a:1; server b:1; }", "method", "a whole classroom"),
        ("upstream domain { zone d 64k; server a:1 max_fails=0; server b:1; }", "failures", "max_fails=0"),
        ("upstream domain { server a:1; server b:1; }", "failures", "each worker"),
    ],
)
def test_weak_upstreams(upstream: str, subject: str, sentence: str) -> None:
    """Each weakness has its sentence."""
    finding = found(subject, dump(upstream))
    assert finding.holds is False
    assert sentence in finding.text


@pytest.mark.parametrize(
    ("settings", "subject", "sentence"),
    [
        ("", "timeouts", "a silent backend costs a request 60 s, a hanging one 60 s"),
        ("proxy_next_upstream off;", "retries", "not tried at another backend"),
        ("proxy_next_upstream_tries 1;", "retries", "not tried at another backend"),
        ("proxy_next_upstream error non_idempotent;", "retries", "may be executed twice"),
    ],
)
def test_weak_settings(settings: str, subject: str, sentence: str) -> None:
    """Nginx's defaults and the dangerous options."""
    finding = found(subject, dump(location=f"location / {{ proxy_pass http://domain; {settings} }}"))
    assert finding.holds is False
    assert sentence in finding.text


def test_settings_are_inherited() -> None:
    """What the location does not say, its server says, else http."""
    text = dump(
        location="proxy_read_timeout 1m30s; location / { proxy_pass http://domain; proxy_connect_timeout 500ms; }"
    )
    read = site(text, "akuma.xyz")
    assert read is not None
    assert (read.connect_timeout_s, read.read_timeout_s, read.next_upstream) == (0.5, 90.0, ("error", "timeout"))
    assert read.members == (Member("192.168.56.11:3000"), Member("192.168.56.12:3000"))


@pytest.mark.parametrize(("name", "served"), [("*.xyz", True), (".akuma.xyz", True), ("other.org", False)])
def test_which_server_has_the_name(name: str, served: bool) -> None:
    """Wildcards count; without any match nginx takes its default server, which is said."""
    findings = lint(dump(name=name), "akuma.xyz")
    assert findings[0].holds is served
    assert findings[1].holds is served


def test_no_server_and_no_configuration() -> None:
    """An empty nginx is a finding, broken text an error with its place."""
    assert lint("events {}", "akuma.xyz") == (Finding("upstream", "nginx serves no site", False),)
    with pytest.raises(EnvironmentProblem, match=r"nginx\.conf, line 2"):
        lint("events {}\nhttp {", "akuma.xyz")


def test_includes_in_a_circle() -> None:
    """They end."""
    assert site("# configuration file /a:\nhttp { include a; server { listen 80; } }\ninclude a;", "x") is not None


@pytest.mark.parametrize(
    ("written", "seconds"), [("60", 60), ("500ms", 0.5), ("1m30s", 90), ("1h", 3600), ("2d", 172800)]
)
def test_times(written: str, seconds: float) -> None:
    """As nginx writes them."""
    assert seconds_of(written) == seconds
