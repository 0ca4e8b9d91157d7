"""The content: which states each host gets, in which order, and what a box leaves out."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import config, content
from lab.apps.profile import Profile
from lab.apps.source import Source
from lab.context import Context
from lab.steps import Command, File, Step
from lab.topology import Lab
from tests.fakes import FakeHost, five_hosts

plan, box_plan = content.load("provision").plan, content.load("provision").box_plan


def _source(**profile: object) -> Source:
    full = {"name": "app", "source": "https://x/app.git", "install": "npm ci", **profile}
    return Source(Profile(**full), "a" * 40, "main", Path("/cache/a.bundle"), "0123456789ab")  # type: ignore[arg-type]


def _titles(steps: object) -> list[str]:
    return [step.title for step in steps]  # type: ignore[attr-defined]


def _file(context: Context, host: str, path: str) -> File:
    """The File step for a path in a host's plan."""
    found: list[Step] = [step for step in plan(context, context.lab[host]) if step.title == f"file {path}"]
    (step,) = found
    assert isinstance(step, File)
    return step


def test_a_balancer_gets_nginx_and_no_app() -> None:
    """Its site is checked before nginx is told of it, and nginx starts last."""
    context = Context(Lab(), _source())
    titles = _titles(plan(context, Lab()["akuma"]))
    assert not [title for title in titles if "node" in title or "pm2" in title or "clone" in title]
    assert titles.index("packages nginx") < titles.index("file /etc/nginx/akuma/my.reverse-proxy.conf")
    assert titles[-1] == "service nginx running, enabled"
    site = _file(context, "akuma", "/etc/nginx/akuma/my.reverse-proxy.conf")
    assert (site.check, site.then) == ("nginx -t", "systemctl reload-or-restart nginx")


def test_a_backend_gets_node_and_the_app_and_no_nginx() -> None:
    """The app runs when everything that it needs is there."""
    titles = _titles(plan(Context(Lab(), _source()), Lab()["voxy"]))
    order = ["node 22", "pm2 ^7.0.0", "pm2 starts at boot", "clone of app at aaaaaaa", "dependencies of app",
             "app running under pm2 on port 3000"]  # fmt: skip
    assert [title for title in titles if title in order] == order
    assert not [title for title in titles if "nginx" in title]


def test_a_host_with_both_roles_gets_both() -> None:
    """The app first, so that the balancer finds it."""
    lab = five_hosts()
    titles = _titles(plan(Context(lab, _source()), lab["akuma"]))
    assert titles.index("app running under pm2 on port 8080") < titles.index("service nginx running, enabled")


def test_a_build_is_made_and_served() -> None:
    """In mode build: the dependencies go with it, and sirv answers for files that are not there."""
    lab = config.parse({"app": {"mode": "build", "port": 8080}})
    steps = list(plan(Context(lab, _source(output="dist")), lab["voxy"]))
    titles = _titles(steps)
    assert "build of app" in titles and "dependencies of app" not in titles
    running = steps[titles.index("app running under pm2 on port 8080")]
    assert running.start.startswith("pm2 start /usr/local/bin/sirv --name app -- dist --single")
    assert "--port 8080" in running.start


@pytest.mark.parametrize(("start", "expected"), [("", "ecosystem.config.js"), ("pm2 start mine.js", "mine.js")])
def test_how_an_app_is_started(start: str, expected: str) -> None:
    """As its profile says; else by its ecosystem file, else by npm."""
    steps = list(plan(Context(Lab(), _source(start=start)), Lab()["voxy"]))
    assert expected in steps[-1].start


def test_a_box_is_nobody_in_particular() -> None:
    """No host's names, no running service, no started app: only what takes long."""
    titles = _titles(box_plan(Context(Lab(), _source())))
    assert "dependencies of app" in titles
    assert "service nginx stopped, disabled" in titles
    assert not [title for title in titles if "running" in title or "/etc/hosts" in title or "akuma" in title]


def test_an_app_without_dependencies_is_not_in_the_box() -> None:
    """To clone it takes no time."""
    source = Source(Profile(name="app", source="x"), "a" * 40, "main", Path("/a"), "")
    assert not [title for title in _titles(box_plan(Context(Lab(), source))) if "app" in title]


def test_certificates_and_proxies_reach_every_host() -> None:
    """In apt's, Node's and the shell's words; nothing of it where there is none."""
    context = Context(Lab(), None, "PEM", {"http_proxy": "http://p:1", "no_proxy": "localhost"})
    environment = _file(context, "zero", "/etc/environment").content
    for line in ('http_proxy="http://p:1"', 'HTTP_PROXY="http://p:1"', 'no_proxy="localhost"', "NODE_EXTRA_CA_CERTS="):
        assert line in environment
    apt = _file(context, "zero", "/etc/apt/apt.conf.d/90lab-proxy").content
    assert apt == 'Acquire::http::Proxy "http://p:1";\n'
    assert _file(context, "zero", "/usr/local/share/ca-certificates/lab.crt").then == "update-ca-certificates"
    bare = Context(Lab(), None)
    assert "proxy" not in _file(bare, "zero", "/etc/environment").content
    assert not [title for title in _titles(plan(bare, Lab()["zero"])) if "apt.conf" in title or "lab.crt" in title]


def test_the_same_lab_has_the_same_steps() -> None:
    """A second provision finds nothing to change because the steps are equal."""
    context = Context(Lab(), _source())
    one, other = (list(map(repr, plan(context, Lab()["voxy"]))) for _ in range(2))
    assert one == other


def test_pm2_starts_at_boot_for_the_apps_user() -> None:
    """Another user, another service."""
    lab = config.parse({"app": {"user": "student"}})
    steps: list[Step] = list(plan(Context(lab, _source()), lab["voxy"]))
    (boot,) = [step for step in steps if isinstance(step, Command) and step.title == "pm2 starts at boot"]
    assert boot.run == "pm2 startup systemd -u student --hp /home/student"
    host = FakeHost(script={"systemctl is-enabled pm2-student": 1})
    assert not boot.is_met(host)
    quiet = _file(Context(lab, _source()), "voxy", "/etc/systemd/system/pm2-student.service.d/lab.conf")
    assert "PM2_DISABLE_VERSION_CHECK=true" in quiet.content and quiet.then == "systemctl daemon-reload"


def test_an_unknown_name_in_a_template_is_an_error() -> None:
    """Not an empty place in a configuration file."""
    with pytest.raises(Exception, match="is undefined"):
        content.render("provision/templates/hosts.j2", lab=Lab())
