"""What a check may look at: answers of a web server, each in its kind and by its deadline, and hosts over SSH."""

from __future__ import annotations

import socket
import time

import pytest

from lab.errors import HostUnreachable, Result
from lab.exercises import scene as module
from lab.exercises.scene import Answer, Scene
from lab.home import Home
from lab.verdict import Verdict
from tests.unit.classroom import Desk, answer, lab_here, serving

VERDICT = object.__new__(Verdict)


@pytest.fixture
def desk(home: Home, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A lab whose addresses are this computer's; a visitor waits for 0.2 s."""
    monkeypatch.setattr(module, "VISIT_S", 0.2)
    return Desk(home, lab_here())


@pytest.fixture
def asked() -> list[str]:
    """What the checks had done to the machines."""
    return []


@pytest.fixture
def scene(desk: Desk, asked: list[str]) -> Scene:
    """What a check is given."""

    def scenarios(name: str) -> Verdict:
        asked.append(f"scenario {name}")
        return VERDICT

    return Scene(
        desk.lab, desk.session.host, token="abc", fault="amber", since=7.0, scenarios=scenarios,
        reboots=lambda name: asked.append(f"reboot {name}"),
    )  # fmt: skip


def _closed_port() -> int:
    with socket.create_server(("127.0.0.10", 0)) as listener:
        return int(listener.getsockname()[1])


def _silence(connection: socket.socket, request: str) -> None:
    connection.recv(1)


def _drip(connection: socket.socket, request: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(40):
        connection.sendall(b"x")
        time.sleep(0.05)


def test_an_answer(scene: Scene) -> None:
    """Status, headers in lower case, body, and who served it."""
    with serving(answer(b"a page", "404 Not Found", "X-Served-By: voxy", "X-Other: a")) as port:
        got = scene.visit("akuma", port=port)
    assert (got.status, got.error, got.text, got.served_by) == (404, "", "a page", "voxy")
    assert got.headers["x-other"] == "a" and 0 < got.seconds < 1
    assert str(got) == "404"


@pytest.mark.parametrize(("name", "expected"), [("", "127.0.0.10"), ("akuma.xyz", "akuma.xyz")])
def test_what_is_asked(scene: Scene, name: str, expected: str) -> None:
    """The path, by the name that is wanted or the address; one request a connection."""
    heard: list[str] = []

    def talk(connection: socket.socket, request: str) -> None:
        heard.extend(request.split("\r\n"))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with serving(talk) as port:
        assert scene.visit("akuma", port=port, path="/offer", name=name).status == 200
    assert heard[0] == "GET /offer HTTP/1.1"
    assert {f"Host: {expected}", "Connection: close"} <= set(heard)


def test_a_closed_port_is_refused(scene: Scene) -> None:
    """At once, with the word that the messages show."""
    got = scene.visit("akuma", port=_closed_port())
    assert (got.status, got.error, str(got), got.served_by) == (0, "refused", "refused", "")


def test_a_server_that_never_answers(scene: Scene) -> None:
    """Costs a visitor the time to wait, and no more."""
    with serving(_silence) as port:
        got = scene.visit("akuma", port=port)
    assert (got.status, got.error) == (0, "timeout")
    assert 0.2 <= got.seconds < 1


def test_a_server_that_drips(scene: Scene) -> None:
    """The deadline is for the whole answer, not for each byte of it."""
    with serving(_drip) as port:
        got = scene.visit("akuma", port=port)
    assert (got.error, got.seconds < 1) == ("timeout", True)


@pytest.mark.parametrize(
    "reply",
    [b"", b"no HTTP at all\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", b"HTTP/1.1 abc OK\r\n\r\n",
     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
)  # fmt: skip
def test_what_is_no_answer_is_broken(scene: Scene, reply: bytes) -> None:
    """A connection that ends, or something that is not HTTP."""
    with serving(lambda connection, _: connection.sendall(reply)) as port:
        assert (scene.visit("akuma", port=port).status, scene.visit("akuma", port=port).error) == (0, "broken")


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (ConnectionRefusedError(), "refused"), (TimeoutError(), "timeout"), (OSError(113, "No route"), "unreachable"),
        (ConnectionResetError(), "broken"), (socket.gaierror(-2, "no such name"), "broken"),
    ],
)  # fmt: skip
def test_the_kinds_of_no_answer(scene: Scene, monkeypatch: pytest.MonkeyPatch, fault: OSError, expected: str) -> None:
    """One word each."""

    def connect(*words: object, **more: object) -> socket.socket:
        raise fault

    monkeypatch.setattr(socket, "create_connection", connect)
    assert scene.visit("akuma").error == expected


def test_a_long_page_is_cut_and_strange_bytes_are_shown(scene: Scene) -> None:
    """At 64 KiB; what is no UTF-8 is no bug of ours."""
    with serving(answer(b"\xff" * 100_000)) as port:
        assert scene.visit("akuma", port=port).text == "\ufffd" * 65536


def test_many_visits(scene: Scene) -> None:
    """As many answers as visits while any comes, and the same options for each."""
    replies = iter(
        [b"HTTP/1.1 200 OK\r\n\r\n", b"", b"", b"HTTP/1.1 502 Bad\r\n\r\n", b"", b"", b"HTTP/1.1 200 OK\r\n\r\n"]
    )
    with serving(lambda connection, _: connection.sendall(next(replies))) as port:
        found = scene.visits(7, "akuma", port=port)
    assert [each.status for each in found] == [200, 0, 0, 502, 0, 0, 200]


def test_visits_end_after_three_in_vain(scene: Scene) -> None:
    """A server that hangs costs six seconds and not sixty."""
    replies = iter([b"HTTP/1.1 200 OK\r\n\r\n", *[b""] * 30])
    with serving(lambda connection, _: connection.sendall(next(replies))) as port:
        assert [each.status for each in scene.visits(30, "akuma", port=port)] == [200, 0, 0, 0]


def test_what_is_the_students_own(scene: Scene, desk: Desk) -> None:
    """By short names; a host is asked over SSH, and has its address."""
    assert (scene.domain, scene.port, scene.token, scene.fault, scene.since) == ("akuma.xyz", 3000, "abc", "amber", 7.0)
    assert (scene["voxy"].name, scene["voxy"].address) == ("voxy", "127.0.0.11")


def test_what_a_full_check_may_do(scene: Scene, asked: list[str]) -> None:
    """Run a scenario and get its verdict, and reboot a host."""
    assert scene.run_scenario("kill-voxy") is VERDICT
    scene.reboot("akuma")
    assert asked == ["scenario kill-voxy", "reboot akuma"]


def test_whether_a_host_is_on(scene: Scene, desk: Desk) -> None:
    """One that lets nobody in, or hangs, is not."""
    desk.shut("voxy")
    desk.hosts["zero"].script["true"] = Result("true", 124, "", "not finished")
    assert [scene.is_on(name) for name in ("akuma", "voxy", "zero")] == [True, False, False]


def test_a_host_that_lets_nobody_in_is_told_to_the_engine(scene: Scene, desk: Desk) -> None:
    """A question to it raises; no check takes silence for an answer."""
    desk.shut("voxy")
    with pytest.raises(HostUnreachable):
        scene["voxy"].sh("true")


def test_no_answer_as_text() -> None:
    """A message shows the number, or else the word."""
    assert (str(Answer(502)), str(Answer(error="timeout"))) == ("502", "timeout")
