"""Apps of the user's own: from a folder, with dependencies, in both modes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.realm import Realm

SERVER = """
const isNumber = require('is-number');
require('http').createServer((request, response) => {
  response.end(`number ${isNumber(5)} on ${require('os').hostname()}`);
}).listen(process.env.PORT);
"""
BUILD = "require('fs').mkdirSync('build'); require('fs').writeFileSync('build/index.html', 'built ' + Math.random())"


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A small app with one dependency from npm, a server and a build."""
    folder = tmp_path / "counter"
    folder.mkdir()
    (folder / "server.js").write_text(SERVER)
    (folder / "build.js").write_text(BUILD)
    package = {
        "name": "counter",
        "version": "1.0.0",
        "scripts": {"start": "node server.js", "build": "node build.js"},
        "dependencies": {"is-number": "7.0.0"},
    }
    (folder / "package.json").write_text(json.dumps(package))
    return folder


@pytest.fixture
def back_to_hello(realm: Realm) -> Iterator[Realm]:
    """The session's lab, which serves hello again afterwards."""
    yield realm
    assert realm.lab("up", "--app", "hello").returncode == 0


def test_app_from_a_folder_runs_with_its_dependencies(back_to_hello: Realm, app: Path) -> None:
    """npm install runs on one backend, the other gets a copy; a second provision changes nothing."""
    realm = back_to_hello
    done = realm.lab("up", "--app", app)
    assert done.returncode == 0, done.stderr
    pages = {realm.ssh("akuma", f"curl -s http://{host}:3000/") for host in ("voxy", "zero")}
    assert pages == {"number true on voxy", "number true on zero"}
    marks = {realm.ssh(host, "cat counter/node_modules/.lab-made") for host in ("voxy", "zero")}
    assert len(marks) == 1
    installs = [realm.ssh(host, "test -d ~/.npm/_cacache && echo installed || true") for host in ("voxy", "zero")]
    assert sorted(installs).count("installed") <= 1
    assert [host["changed"] for host in realm.json("provision")["hosts"]] == [0, 0, 0]


def test_new_revision_is_deployed_and_a_students_change_is_stashed(back_to_hello: Realm, app: Path) -> None:
    """The next `up` brings the new code; what was edited on the host is in git stash."""
    realm = back_to_hello
    assert realm.lab("up", "--app", app).returncode == 0
    realm.ssh("voxy", "echo '// mine' >> counter/server.js")
    (app / "server.js").write_text(SERVER.replace("number", "the number", 1).replace("`number", "`NUMBER"))
    (app / "server.js").write_text((app / "server.js").read_text().replace("the number", "number"))
    assert realm.lab("up").returncode == 0
    assert realm.ssh("voxy", "curl -s localhost:3000") == "NUMBER true on voxy"
    assert "mine" in realm.ssh("voxy", "git -C counter stash show -p")


def test_build_is_made_once_and_served_everywhere(fresh_realm: Callable[..., Realm], app: Path) -> None:
    """Mode build: a build with a random number in it is the same on both backends; a missing file is a 404."""
    realm = fresh_realm('[app]\nmode = "build"\n')
    done = realm.lab("up", "--app", app)
    assert done.returncode == 0, done.stderr
    pages = {realm.ssh(host, "curl -s localhost:3000/") for host in ("voxy", "zero")}
    assert len(pages) == 1
    assert pages.pop().startswith("built 0.")
    code = "curl -s -o /dev/null -w %{http_code} localhost:3000/static/gone.js"
    assert realm.ssh("voxy", code) == "404"
