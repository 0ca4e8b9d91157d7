"""A host as a check sees it: what its tools print, read into properties; and curl, as it really is."""

from __future__ import annotations

import shutil
import socket

import pytest

from lab.errors import Result
from lab.exercises import scene as module
from lab.exercises.scene import COMMAND_S, NginxTest, Place, Service
from tests.fakes import FakeHost, LocalHost, Reply
from tests.unit.classroom import answer, serving

SS = """LISTEN 0      511          0.0.0.0:80        0.0.0.0:*
LISTEN 0      511        127.0.0.1:80        0.0.0.0:*
LISTEN 0      511             [::]:80           [::]:*
LISTEN 0      511                *:80              *:*
LISTEN 0      511          0.0.0.0:80        0.0.0.0:*
"""
needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


def place(**script: Reply) -> tuple[Place, FakeHost]:
    """voxy, and the fake behind it; underscores of the names are spaces."""
    host = FakeHost("voxy", {part.replace("_", " "): reply for part, reply in script.items()})
    return Place(host, "192.168.56.11"), host


def test_a_command_is_quoted_and_has_a_deadline() -> None:
    """It never raises for its end, and is root's or another user's only when that was asked for."""
    voxy, host = place(grep=1)
    assert voxy.sh("grep %s /etc/passwd", "a b; reboot").code == 1
    voxy.sh("id", root=True)
    voxy.sh("pm2 jlist", user="vagrant")
    assert [(ran.command, ran.root, ran.user) for ran in host.ran] == [
        ("grep 'a b; reboot' /etc/passwd", False, ""), ("id", True, ""), ("pm2 jlist", False, "vagrant"),
    ]  # fmt: skip
    assert {ran.timeout_s for ran in host.ran} == {COMMAND_S}


def test_a_file_is_read_as_root() -> None:
    """An empty one is not the same as none."""
    assert place(head="a\n")[0].read("/etc/shadow") == "a\n"
    assert place(head="")[0].read("/etc/shadow") == ""
    voxy, host = place(test=1)
    assert voxy.read("/no such") is None
    assert host.ran[0].root and host.commands == ["test -f '/no such' && head -c 262144 '/no such'"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("active\nenabled\n", Service(True, True)),
        ("active\ndisabled\n", Service(True, False)),
        ("inactive\nenabled\n", Service(False, True)),
        ("inactive\n", Service(False, False)),
        ("failed\nstatic\n", Service(False, False)),
        ("activating\nenabled\n", Service(False, True)),
        ("", Service(False, False)),
    ],
)
def test_a_service(said: str, expected: Service) -> None:
    """Whether it runs, and whether it will after a boot; a unit that does not exist is neither."""
    voxy, host = place(systemctl=said)
    assert expected == voxy.service("nginx")
    assert host.commands == ["systemctl is-active nginx; systemctl is-enabled nginx"]


def test_who_listens() -> None:
    """Each address once, in both families; nobody is nobody."""
    voxy, host = place(ss=SS)
    assert voxy.listens_on(80) == ("*", "0.0.0.0", "127.0.0.1", "[::]")
    assert host.commands == ["ss -Hltn sport = :80"]
    assert place()[0].listens_on(80) == ()


def test_what_nginx_says_of_itself() -> None:
    """As root; a configuration that it refuses is none."""
    voxy, host = place(nginx="events {}\n")
    assert (voxy.nginx_config(), voxy.nginx_test().ok) == ("events {}\n", True)
    assert all(ran.root for ran in host.ran)
    refused, _ = place(nginx=1)
    assert (refused.nginx_config(), refused.nginx_test().ok) == ("", False)


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (Result("", 0, "", "nginx: test is successful"), NginxTest(True, False, "")),
        (Result("", 127, "", "sh: 1: nginx: not found"), NginxTest(False, True, "sh: 1: nginx: not found")),
        (Result("", 1, "", ""), NginxTest(False, False, "?")),
        (
            Result("", 1, "", "2026/05/01 08:00:00 [warn] 7#7: odd\n2026/05/01 08:00:00 [emerg] 7#7: bad in x.conf:3"),
            NginxTest(False, False, "bad in x.conf:3"),
        ),
    ],
)
def test_what_nginx_complains_of(result: Result, expected: NginxTest) -> None:
    """The line that names the fault, without time and process; no nginx is told apart from a bad configuration."""
    assert place(nginx=result)[0].nginx_test() == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("worker 100.000 nginx\nfile 99.5 /etc/nginx/a\n", ""),
        ("worker 100.000 nginx\nfile 100.01 /etc/nginx/a\n", ""),
        ("worker 90.000 nginx\nworker 100.000 nginx\nfile 95.5 /etc/nginx/a\n", ""),
        ("worker 100.000 nginx\nfile 99 /etc/nginx/a\nfile 100.5 /etc/nginx/my file\n", "/etc/nginx/my file"),
        ("file 100.5 /etc/nginx/a\n", ""),
        ("", ""),
    ],
)
def test_what_nginx_has_not_read(said: str, expected: str) -> None:
    """A file that is younger than the youngest worker; without workers nothing can be told."""
    assert place(pgrep=said)[0].nginx_unread() == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1: b\n2:A\n3:\n", {"1": "b", "2": "a", "3": ""}),
        (" 1) B \n2 = c\n3. d) because\n", {"1": "b", "2": "c", "3": "d) because"}),
        ("lost: 0\n\nserves : Zero\n", {"lost": "0", "serves": "zero"}),
        ("1 b\n:\n\x00\n", {"1": "b"}),
        ("", {}),
    ],
)
def test_a_note(text: str, expected: dict[str, str]) -> None:
    """However a student writes a line with a name and a value."""
    assert place(head=text)[0].note("/home/vagrant/answers.txt") == expected
    assert place(head=1)[0].note("/home/vagrant/answers.txt") is None


@needs_curl
def test_a_real_answer_from_a_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Status, headers by name, body; what is asked bears the name."""
    heard: list[str] = []

    def talk(connection: socket.socket, request: str) -> None:
        heard.extend(request.split("\r\n"))
        answer(b"a page", "404 Not Found", "X-Served-By: voxy", "Vary: a", "Vary: b")(connection, request)

    with serving(talk) as port:
        got = Place(LocalHost(), "").visit(f"http://127.0.0.10:{port}/x?a=b&c=d", name="akuma.xyz")
    assert (got.status, got.error, got.text, got.served_by) == (404, "", "a page", "voxy")
    assert got.headers["vary"] == "a, b" and got.seconds > 0
    assert heard[0] == "GET /x?a=b&c=d HTTP/1.1" and "Host: akuma.xyz" in heard


@needs_curl
@pytest.mark.parametrize(("follow", "expected"), [(True, (200, "there")), (False, (301, ""))])
def test_a_redirection_is_followed_when_asked(follow: bool, expected: tuple[int, str]) -> None:
    """And not otherwise."""

    def talk(connection: socket.socket, request: str) -> None:
        moved = answer(b"", "301 Moved", "Location: /there")
        (answer(b"there") if "GET /there" in request else moved)(connection, request)

    with serving(talk) as port:
        got = Place(LocalHost(), "").visit(f"http://127.0.0.10:{port}/", follow=follow)
    assert expected == (got.status, got.text)


@needs_curl
def test_a_closed_port_is_refused() -> None:
    """The same word as from this computer."""
    with socket.create_server(("127.0.0.10", 0)) as listener:
        port = listener.getsockname()[1]
    got = Place(LocalHost(), "").visit(f"http://127.0.0.10:{port}/")
    assert (got.status, got.error) == (0, "refused")


@needs_curl
def test_a_server_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Costs the time to wait."""
    monkeypatch.setattr(module, "VISIT_S", 0.3)

    def silence(connection: socket.socket, request: str) -> None:
        connection.recv(1)

    with serving(silence) as port:
        assert Place(LocalHost(), "").visit(f"http://127.0.0.10:{port}/").error == "timeout"


@needs_curl
def test_a_connection_that_ends_is_broken() -> None:
    """No answer at all."""
    with serving(lambda connection, _: None) as port:
        assert Place(LocalHost(), "").visit(f"http://127.0.0.10:{port}/").error == "broken"


@needs_curl
def test_a_long_page_is_cut() -> None:
    """And is an answer all the same."""
    with serving(answer(b"x" * 300_000)) as port:
        got = Place(LocalHost(), "").visit(f"http://127.0.0.10:{port}/")
    assert (got.status, got.error, got.text[:3]) == (200, "", "xxx")
    assert 65536 <= len(got.text) < 70_000


@needs_curl
def test_a_page_that_knows_our_mark() -> None:
    """Neither its body nor its headers make the check a fault of ours."""
    with serving(answer(b"lab-visit:000 0 {}", "200 OK", "X-Trick: lab-visit:000 0 {}")) as port:
        got = Place(LocalHost(), "").visit(f"http://127.0.0.10:{port}/")
    assert (got.status, got.text) == (200, "lab-visit:000 0 {}")


@needs_curl
def test_a_name_with_a_percent_sign() -> None:
    """Is only a name."""
    with serving(answer()) as port:
        assert Place(LocalHost(), "").visit(f"http://127.0.0.10:{port}/", name="100%s.xyz").status == 200


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("curl: (6) Could not resolve host: akuma.xyz", "unknown-name"),
        ("curl: (28) Operation timed out after 2001 milliseconds with 0 bytes received", "timeout"),
        ("curl: (7) Failed to connect to 192.168.56.11 port 80: No route to host", "unreachable"),
        ("curl: (7) Failed to connect to 192.168.56.11 port 80: Connection refused", "refused"),
        ("curl: (52) Empty reply from server", "broken"),
    ],
)
def test_why_there_was_no_answer(said: str, expected: str) -> None:
    """In curl's words, one of ours."""
    assert module._error_of(said) == expected


@pytest.mark.parametrize(("text", "expected"), [('{"Vary":["a","b"]}', {"vary": "a, b"}), ("{", {}), ("", {})])
def test_curls_headers(text: str, expected: dict[str, str]) -> None:
    """Where curl is too old for them, there are none."""
    assert expected == module._headers_of(text)
