"""Status: what each host is like, from the provider's state and two probes."""

from __future__ import annotations

import socket
import threading

import pytest

from lab import config
from lab import status as module
from lab.home import Home
from lab.machines.fake import FakeMachines
from lab.session import Session
from lab.status import HostStatus, status
from lab.topology import Lab
from tests.fakes import default_hosts, host_table, target


@pytest.fixture
def session(home: Home) -> Session:
    """The default lab, made in memory, with its targets remembered."""
    machines = FakeMachines(Lab())
    machines.create()
    home.remember(targets=machines.targets())
    return Session(Lab(), home, "lxc", machines)


def _probes(monkeypatch: pytest.MonkeyPatch, codes: dict[str, int | None], greets: bool = True) -> list[str]:
    """Let the ports of the hosts answer so; the names of the hosts whose app was asked."""
    asked: list[str] = []

    def status_of(lab: Lab, name: str, timeout_s: float) -> int | None:
        asked.append(name)
        return codes.get(name)

    monkeypatch.setattr(module, "status_of", status_of)
    monkeypatch.setattr(module, "_greets", lambda target, within_s: greets)
    return asked


def test_a_healthy_lab(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every field, in the order of the topology; the balancer has no app."""
    _probes(monkeypatch, {"voxy": 200, "zero": 302})
    found = status(session)
    assert (found.lab, found.provider, found.url) == ("lab", "lxc", "http://192.168.56.10/")
    assert found.hosts == (
        HostStatus("akuma", ("balancer",), "192.168.56.10", "running", True, None),
        HostStatus("voxy", ("backend",), "192.168.56.11", "running", True, "serving"),
        HostStatus("zero", ("backend",), "192.168.56.12", "running", True, "serving"),
    )


@pytest.mark.parametrize(("code", "expected"), [(399, "serving"), (404, "answers 404"), (503, "answers 503")])
def test_an_app_that_answers_errors_does_not_serve(
    session: Session, monkeypatch: pytest.MonkeyPatch, code: int, expected: str
) -> None:
    """Its code is told."""
    _probes(monkeypatch, {"voxy": code})
    assert [host.app for host in status(session).hosts] == [None, expected, "silent"]


def test_a_stopped_host_is_not_asked(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would cost the probe's whole deadline."""
    asked = _probes(monkeypatch, {"voxy": 200, "zero": 200})
    session.machines.power_off("voxy")
    voxy = status(session).hosts[1]
    assert (voxy.state, voxy.reachable, voxy.app) == ("stopped", False, "silent")
    assert asked == ["zero"]


def test_an_absent_lab_is_shown_too(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing runs, nothing is asked."""
    asked = _probes(monkeypatch, {})
    found = status(Session(Lab(), home, "lxc", FakeMachines(Lab())))
    assert {(host.state, host.reachable) for host in found.hosts} == {("absent", False)}
    assert asked == []


def test_a_host_that_does_not_greet_is_unreachable(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though it runs."""
    _probes(monkeypatch, {}, greets=False)
    assert {(host.state, host.reachable) for host in status(session).hosts} == {("running", False)}


def test_a_host_with_both_roles_has_an_app(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its roles are told in the order of the file."""
    lab = config.parse({"host": [host_table("akuma", 10, "balancer", "backend"), *default_hosts()[1:]]})
    machines = FakeMachines(lab)
    machines.create()
    _probes(monkeypatch, {"akuma": 200})
    akuma = status(Session(lab, home, "lxc", machines)).hosts[0]
    assert (akuma.roles, akuma.app) == (("balancer", "backend"), "serving")


@pytest.mark.parametrize(("greeting", "expected"), [(b"SSH-2.0-x\r\n", True), (b"HTTP/1.1", False), (b"", False)])
def test_only_ssh_is_a_greeting(greeting: bytes, expected: bool) -> None:
    """A port that is open, but silent or something else, is not reachable."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(greeting)

        thread = threading.Thread(target=serve)
        thread.start()
        assert module._greets(target("voxy", "127.0.0.1", server.getsockname()[1])) is expected
        thread.join()


def test_a_closed_port_is_no_greeting() -> None:
    """Nothing listens on port 1 of this computer."""
    assert module._greets(target("voxy", "127.0.0.1", 1)) is False
