"""The proof: the balancer has answered through each backend, or the message says who did."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import IPv4Address
from itertools import cycle

import pytest

from lab import config, proof
from lab.errors import HostUnreachable
from lab.home import Home
from lab.machines.fake import FakeMachines
from lab.proof import ask_site, prove, require_answer, require_serving, status_of
from lab.session import Session
from lab.topology import App, Host, Lab, Role
from tests.fakes import FakeHost, default_hosts, host_table

IP_HASH = config.parse({"upstream": {"method": "ip_hash"}})
WITH_BACKUP = config.parse({"host": [*default_hosts(), host_table("luna", 13, "backend", backup=True)]})


def _session(monkeypatch: pytest.MonkeyPatch, home: Home, lab: Lab, answers: list[str]) -> tuple[Session, FakeHost]:
    """A session whose site answers so, again and again; and the host from which backends are asked directly."""
    coming = cycle(answers)
    monkeypatch.setattr(proof, "ask_site", lambda lab: next(coming))
    monkeypatch.setattr(proof, "PROOF_S", 0.05)
    balancer = FakeHost("akuma")

    class Opened(Session):
        def host(self, name: str) -> FakeHost:  # type: ignore[override]
            assert name == "akuma"
            return balancer

    return Opened(lab, home, "lxc", FakeMachines(lab)), balancer


def test_all_have_answered(monkeypatch: pytest.MonkeyPatch, home: Home) -> None:
    """The answers are counted; errors on the way are forgiven, and nobody is asked directly."""
    session, balancer = _session(monkeypatch, home, Lab(), ["", "voxy", "voxy", "", "zero"])
    assert prove(session) == {"voxy": 2, "zero": 1}
    assert balancer.commands == []


def test_the_message_says_who_answered(monkeypatch: pytest.MonkeyPatch, home: Home) -> None:
    """And who did not, where to look, and how many were errors."""
    monkeypatch.setattr(proof, "wait_for", _asks_four_times)
    session, _ = _session(monkeypatch, home, Lab(), ["voxy", "voxy", "", "voxy"])
    with pytest.raises(HostUnreachable) as caught:
        prove(session)
    assert "http://192.168.56.10/ gave no answer from zero within" in caught.value.message
    assert caught.value.message.endswith("it gave: 3 × voxy, 1 × an error")
    assert "lab logs akuma" in caught.value.mend


def _asks_four_times(what: str, probe: Iterator[bool], **more: object) -> bool:
    for _ in range(4):
        if probe():  # type: ignore[operator]
            return True
    raise HostUnreachable(what)


def test_with_ip_hash_one_backend_is_enough(monkeypatch: pytest.MonkeyPatch, home: Home) -> None:
    """One client meets one backend; the others are asked from the balancer."""
    session, balancer = _session(monkeypatch, home, IP_HASH, ["", "zero"])
    assert prove(session) == {"voxy": 0, "zero": 1}
    assert balancer.commands == ["curl -sS -o /dev/null --max-time 5 http://192.168.56.11:3000/"]


def test_with_ip_hash_errors_are_not_enough(monkeypatch: pytest.MonkeyPatch, home: Home) -> None:
    """Somebody must have answered."""
    session, _ = _session(monkeypatch, home, IP_HASH, [""])
    with pytest.raises(HostUnreachable, match="no answer from any backend"):
        prove(session)


def test_a_backup_is_asked_directly(monkeypatch: pytest.MonkeyPatch, home: Home) -> None:
    """Through the site it answers only when the others fail."""
    session, balancer = _session(monkeypatch, home, WITH_BACKUP, ["voxy", "zero"])
    assert prove(session) == {"voxy": 1, "zero": 1, "luna": 0}
    assert balancer.commands == ["curl -sS -o /dev/null --max-time 5 http://192.168.56.13:3000/"]


def test_a_backup_that_is_silent_is_an_error(monkeypatch: pytest.MonkeyPatch, home: Home) -> None:
    """Not measured is not proved."""
    session, balancer = _session(monkeypatch, home, WITH_BACKUP, ["voxy", "zero"])
    balancer.script["curl"] = 7
    with pytest.raises(HostUnreachable.__base__ or Exception, match="exit code 7"):
        prove(session)


@pytest.fixture
def site() -> Iterator[tuple[Lab, type[BaseHTTPRequestHandler]]]:
    """A lab whose backend voxy is a server of this test on 127.0.0.1; its class says what it answers."""

    class Site(BaseHTTPRequestHandler):
        code = 200

        def do_GET(self) -> None:
            self.send_response(self.code if self.headers["Host"] == "akuma.xyz" else 404)
            self.send_header("X-Backend", "voxy")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    here = Host(name="voxy", address=IPv4Address("127.0.0.1"), roles=(Role.BALANCER, Role.BACKEND))
    lab = Lab.__new__(Lab)
    for name, value in {**vars(Lab()), "host": (here,), "app": App(port=server.server_port)}.items():
        object.__setattr__(lab, name, value)
    yield lab, Site
    server.shutdown()
    server.server_close()


def test_the_port_of_a_backend_tells_its_status(site: tuple[Lab, type[BaseHTTPRequestHandler]]) -> None:
    """Asked by the site's name; any answer is one."""
    lab, kind = site
    assert status_of(lab, "voxy") == 200
    kind.code = 503  # type: ignore[attr-defined]
    assert status_of(lab, "voxy") == 503
    require_answer(lab, "voxy", 0)


def test_an_error_is_an_answer_but_no_service(site: tuple[Lab, type[BaseHTTPRequestHandler]]) -> None:
    """So a backend whose app still says 503 is not healed."""
    lab, kind = site
    require_serving(lab, "voxy", 0)
    kind.code = 503  # type: ignore[attr-defined]
    with pytest.raises(HostUnreachable, match="an answer without an error from voxy: not there after 0 s"):
        require_serving(lab, "voxy", 0)


def test_a_silent_port_is_none() -> None:
    """And to wait for it names the app."""
    hosts = [
        {"name": "akuma", "address": "127.0.0.10", "roles": ["balancer"]},
        {"name": "voxy", "address": "127.0.0.11", "roles": ["backend"]},
    ]
    lab = config.parse({"subnet": "127.0.0.0/24", "host": hosts, "app": {"port": 1}})
    assert status_of(lab, "voxy") is None
    with pytest.raises(HostUnreachable, match="the app on voxy: not there after 0 s"):
        require_answer(lab, "voxy", 0)


@pytest.mark.parametrize(("code", "expected"), [(200, "voxy"), (302, "voxy"), (404, None), (502, None)])
def test_an_error_page_is_nobodys_answer(
    site: tuple[Lab, type[BaseHTTPRequestHandler]], monkeypatch: pytest.MonkeyPatch, code: int, expected: str | None
) -> None:
    """Though it bears a backend's name."""
    lab, kind = site
    kind.code = code  # type: ignore[attr-defined]
    connection = proof.http.client.HTTPConnection  # type: ignore[attr-defined]
    monkeypatch.setattr(
        "lab.proof.http.client.HTTPConnection", lambda address, port, timeout: connection(address, lab.app.port)
    )
    assert expected == ask_site(lab)
