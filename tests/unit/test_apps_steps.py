"""States of an app on a backend: cloned, with dependencies, running. Cloned and Made really run git and tar."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from lab import process
from lab.apps import steps as module
from lab.apps.profile import resolve
from lab.apps.source import Source, obtain
from lab.apps.steps import Cloned, Made, Running, spec_of
from lab.errors import CommandFailed, EnvironmentProblem, Result
from lab.topology import Lab
from lab.waiting import wait_for
from tests.fakes import FakeHost, LocalHost
from tests.unit.test_apps_source import Repository

ME = "me"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A student's app with one commit."""
    made = Repository(tmp_path / "my-app")
    made.commit(index_js="1")
    return made


def _cloned(source: Source, folder: Path) -> Cloned:
    profile = source.profile
    return Cloned(profile.name, profile.source, source.revision, source.branch, source.bundle, str(folder), ME)


def test_an_app_is_cloned_at_its_revision(repository: Repository, tmp_path: Path) -> None:
    """A real clone, whose origin is where the app came from."""
    folder, host = tmp_path / "it's here", LocalHost()
    step = _cloned(obtain(repository.profile), folder)
    assert not step.is_met(host)
    step.apply(host)
    assert step.is_met(host)
    assert (folder / "index.js").read_text() == "1"
    assert process.run("git", "-C", folder, "remote", "get-url", "origin").stdout.strip() == str(repository.folder)


def test_a_students_changes_are_stashed(repository: Repository, tmp_path: Path) -> None:
    """When a newer revision comes: never lost, and never in the way."""
    folder, host = tmp_path / "clone", LocalHost()
    _cloned(obtain(repository.profile), folder).apply(host)
    (folder / "index.js").write_text("mine")
    repository.commit(index_js="2")
    step = _cloned(obtain(repository.profile), folder)
    assert not step.is_met(host)
    step.apply(host)
    assert step.is_met(host)
    assert (folder / "index.js").read_text() == "2"
    assert "+mine" in process.run("git", "-C", folder, "stash", "show", "-p").stdout


def test_without_changes_nothing_is_stashed(repository: Repository, tmp_path: Path) -> None:
    """A stash would only confuse."""
    folder, host = tmp_path / "clone", LocalHost()
    _cloned(obtain(repository.profile), folder).apply(host)
    repository.commit(index_js="2")
    _cloned(obtain(repository.profile), folder).apply(host)
    assert process.run("git", "-C", folder, "stash", "list").stdout == ""


def test_a_students_commits_are_kept(repository: Repository, tmp_path: Path) -> None:
    """Under a name, not only in the reflog, where no student finds them."""
    folder, host = tmp_path / "clone", LocalHost()
    _cloned(obtain(repository.profile), folder).apply(host)
    theirs = Repository(folder).commit(index_js="mine")
    repository.commit(index_js="2")
    _cloned(obtain(repository.profile), folder).apply(host)
    named = process.run("git", "-C", folder, "for-each-ref", "--contains", theirs, check=False).stdout
    assert named != ""


def _made(folder: Path, command: str = "mkdir deps && echo 1 > deps/x", key: str = "key-1") -> Made:
    return Made("dependencies of app", key, "deps", command, str(folder), ME, (("COLOUR", "blue"),))


@pytest.fixture
def backends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The app's folder on two backends; failures of other tests are forgotten."""
    monkeypatch.setattr(module, "_failed", {}, raising=False)
    folders = tmp_path / "voxy", tmp_path / "zero"
    for folder in folders:
        folder.mkdir()
    return folders


def test_the_first_backend_makes_and_the_second_copies(backends: tuple[Path, Path], tmp_path: Path) -> None:
    """What costs minutes is done once; both have the same then."""
    first, second = backends
    count = tmp_path / "count"
    command = f'echo made >> {count} && mkdir -p deps && echo "$COLOUR" > deps/x'
    for folder in backends:
        step = _made(folder, command)
        assert not step.is_met(LocalHost())
        step.apply(LocalHost())
        assert step.is_met(LocalHost())
    assert count.read_text() == "made\n"
    assert (first / "deps" / "x").read_text() == (second / "deps" / "x").read_text() == "blue\n"


def test_another_key_makes_again(backends: tuple[Path, Path]) -> None:
    """And nothing of the old product stays."""
    first, _ = backends
    _made(first).apply(LocalHost())
    step = _made(first, "mkdir deps && echo 2 > deps/y", "key-2")
    assert not step.is_met(LocalHost())
    step.apply(LocalHost())
    assert sorted(path.name for path in (first / "deps").iterdir()) == [".lab-made", "y"]


def test_a_failed_making_keeps_nothing(backends: tuple[Path, Path], own_cache: Path) -> None:
    """The state is not met, and no copy of it is handed on."""
    step = _made(backends[0], "mkdir deps && echo half > deps/x && false")
    with pytest.raises(CommandFailed):
        step.apply(LocalHost())
    assert not step.is_met(LocalHost())
    assert list(own_cache.glob("made/*")) == []


def test_a_second_backend_does_not_repeat_a_failure(backends: tuple[Path, Path]) -> None:
    """It would take as long, and fail as well; the message names the first."""
    with pytest.raises(CommandFailed):
        _made(backends[0], "false").apply(LocalHost("voxy"))
    with pytest.raises(EnvironmentProblem, match="zero: not tried, for it has just failed on voxy"):
        _made(backends[1], "mkdir deps").apply(LocalHost("zero"))


def test_a_command_may_hold_a_per_cent_sign(backends: tuple[Path, Path]) -> None:
    """It is a shell command of the profile's, not a format."""
    step = _made(backends[0], "mkdir deps && date +%Y > deps/x")
    step.apply(LocalHost())
    assert step.is_met(LocalHost())


SPEC = "hello-12345678"


def _running(start: str = "pm2 start x") -> Running:
    return Running("hello", SPEC, start, "/home/vagrant/it's", 3000, "vagrant", 0, (("A", "1"),))


def _pm2(*apps: tuple[int, str]) -> str:
    """What `pm2 jlist` prints, with the noise that it puts before it."""
    listed = [{"pm_id": number, "pm2_env": {"LAB_APP": spec} if spec else {}} for number, spec in apps]
    return ">>>> In-memory PM2 is out-of-date\n" + json.dumps(listed)


@dataclass
class Backend:
    """This computer as a backend: an app on a free port, and what pm2 remembers of it."""

    port: int
    pm2: Path

    def running(self) -> Running:
        """The state that is asked for."""
        return Running("hello", SPEC, "pm2 start x", "/nowhere", self.port, "vagrant", 0)


@pytest.fixture
def backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Backend]:
    """An app that serves with our spec in its environment, saved by a pm2 that lives."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".pm2").mkdir()
    (tmp_path / ".pm2" / "dump.pm2").write_text(f'[{{"LAB_APP": "{SPEC}"}}]')
    (tmp_path / ".pm2" / "pm2.pid").write_text(str(os.getpid()))
    serve = "import http.server as h; s = h.HTTPServer(('127.0.0.1', 0), h.SimpleHTTPRequestHandler); "
    serve += "print(s.server_port, flush=True); s.serve_forever()"
    app = subprocess.Popen(
        [sys.executable, "-c", serve], env={**os.environ, "LAB_APP": SPEC}, cwd=tmp_path, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert app.stdout
    yield Backend(int(app.stdout.readline()), tmp_path / ".pm2")
    app.kill()
    app.communicate()


def test_a_running_app_is_saved_alive_and_answers(backend: Backend) -> None:
    """Asked of a real process, in one question."""
    assert backend.running().is_met(LocalHost())


def test_what_pm2_saved_by_itself_is_saved(backend: Backend) -> None:
    """When it is ended by a signal it does, and without blanks."""
    (backend.pm2 / "dump.pm2").write_text(f'[{{"LAB_APP":"{SPEC}"}}]')
    assert backend.running().is_met(LocalHost())


@pytest.mark.parametrize(("file", "content"), [("dump.pm2", "[]"), ("pm2.pid", "999999999"), ("pm2.pid", "")])
def test_an_app_that_pm2_does_not_keep_is_not_running(backend: Backend, file: str, content: str) -> None:
    """What is not saved is gone after a reboot; without a living pm2 nobody starts it again."""
    (backend.pm2 / file).write_text(content)
    assert not backend.running().is_met(LocalHost())


def test_a_silent_port_is_not_running(backend: Backend) -> None:
    """Whatever pm2 has saved: it calls a dying app online."""
    assert not replace(backend.running(), port=1).is_met(LocalHost())


def test_another_revision_on_the_port_is_not_running(backend: Backend) -> None:
    """The process that answers bears another spec than the saved one."""
    (backend.pm2 / "dump.pm2").write_text('[{"LAB_APP": "hello-00000000"}]')
    assert not replace(backend.running(), spec="hello-00000000").is_met(LocalHost())


def test_pm2_is_not_asked_where_we_never_used_it(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new backend is spared a quarter of a second; one with our app, saved or not, is asked."""
    stub = backend.pm2 / "pm2"
    stub.write_text(f"#!/bin/sh\necho '{_pm2((3, SPEC))}'\n")
    stub.chmod(0o755)
    monkeypatch.setenv("PATH", f"{backend.pm2}:{os.environ['PATH']}")
    assert backend.running()._ours(LocalHost()) == {3: SPEC}
    (backend.pm2 / "dump.pm2").unlink()
    assert backend.running()._ours(LocalHost()) == {3: SPEC}  # its process bears our mark


def test_only_our_own_app_is_replaced() -> None:
    """A student's other apps under pm2 are left alone."""
    host = FakeHost(script={"jlist": _pm2((0, "hello-00000000"), (1, ""), (5, "other-11111111"))})
    _running().apply(host)
    assert host.commands[0] == "systemctl is-system-running --wait"  # until then the boot's own pm2 starts
    assert [each for each in host.commands if "delete" in each] == ["pm2 delete 0", "pm2 delete 5"]
    (start,) = [each for each in host.ran if "pm2 start" in each.command]
    assert start.command == "cd '/home/vagrant/it'\"'\"'s' && unset CI && pm2 start x && pm2 save --force"
    assert (start.user, start.env) == ("vagrant", {"A": "1", "LAB_APP": SPEC, "PORT": "3000"})


def test_a_taken_port_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its holder and two ways out; nothing is started."""
    monkeypatch.setattr(module, "wait_for", lambda what, probe, **more: wait_for(what, probe, within_s=0))
    holder = 'LISTEN 0 511 *:3000 *:* users:(("python3",pid=77,fd=3))\n'
    host = FakeHost(script={"ss -Hltn": holder, "jlist": "[]"})
    with pytest.raises(EnvironmentProblem) as caught:
        _running().apply(host)
    assert caught.value.message == 'voxy: port 3000 is taken by users:(("python3",pid=77,fd=3))'
    assert "choose another port in lab.toml" in caught.value.mend
    assert not [each for each in host.commands if "pm2 start" in each]


def test_an_app_that_does_not_answer_is_an_error() -> None:
    """By its deadline; the mend says where its words are."""
    host = FakeHost(script={"jlist": "[]", "curl": Result("", 7, "", "refused")})
    with pytest.raises(EnvironmentProblem, match="hello on voxy, port 3000: not there") as caught:
        _running().apply(host)
    assert "lab logs voxy" in caught.value.mend


def test_a_start_command_may_hold_a_per_cent_sign() -> None:
    """It is a shell command of the profile's, not a format."""
    host = FakeHost(script={"jlist": "[]"})
    _running("pm2 start x -- --format %d").apply(host)
    assert any("--format %d && pm2 save" in each for each in host.commands)


def test_the_spec_is_equal_only_where_everything_is(repository: Repository) -> None:
    """Revision, mode and port are in it."""
    source = obtain(repository.profile)
    other = obtain(resolve("hello"))
    specs = [spec_of(source, "dev", 3000), spec_of(source, "build", 3000), spec_of(source, "dev", 80),
             spec_of(other, "dev", 3000)]  # fmt: skip
    assert len(set(specs)) == 4
    assert spec_of(source, Lab().app.mode, 3000) == specs[0]
