"""The hello app, as its users and pm2 meet it."""

from __future__ import annotations

import signal
import subprocess
from contextlib import closing
from http.client import HTTPConnection

import pytest

from tests.unit.hello_process import (
    APP,
    NODE,
    PATIENCE_S,
    Hello,
    Start,
    ask,
    environment,
    free_ports,
    run_node,
    seconds_of,
    wait_until,
)


def test_the_page_names_its_host_and_counts_its_requests(hello: Hello) -> None:
    """Each look at the page shows who answered and one request more."""
    first, second = hello.get("/"), hello.get("/")
    assert '<h1 translate="no">voxy</h1>' in first.text
    assert "<dd>1</dd>" in first.text
    assert "<dd>2</dd>" in second.text


def test_the_page_shows_the_start_without_javascript(hello: Hello) -> None:
    """The start time stands in the page itself, in UTC."""
    started = hello.get("/whoami").json["started"]
    assert f'datetime="{started}">{started[:10]} {started[11:19]} UTC<' in hello.get("/").text


def test_the_page_is_small_and_needs_no_internet(hello: Hello) -> None:
    """The page fits in 10 KB and names no other address."""
    page = hello.get("/").text
    assert len(page.encode()) < 10_000
    assert "http://" not in page and "https://" not in page and "src=" not in page
    assert "{{" not in page


def test_a_host_name_cannot_inject_html(start: Start) -> None:
    """A nasty name is shown as it is written, in the page, in JSON and in the header."""
    name = "<script>\"x\" & 'y'</script>{{served}}$&日"
    hello = start(name)
    page = hello.get("/")
    assert page.text.count("<script>") == 1
    assert "&lt;script&gt;&quot;x&quot; &amp; &#39;y&#39;&lt;/script&gt;{{served}}$&amp;日</h1>" in page.text
    assert page.headers["X-Served-By"] == name.replace("日", "?")
    assert hello.get("/whoami").json["host"] == name


def test_the_hosts_of_the_lab_differ_in_colour() -> None:
    """voxy, zero and akuma have three colours."""
    colours = run_node(
        'const { colourOf } = require("./colour");console.log(JSON.stringify(["voxy", "zero", "akuma"].map(colourOf)))'
    )
    assert len(set(colours)) == 3


def test_whoami_says_who_and_how_long(hello: Hello) -> None:
    """/whoami is the page's facts for programs."""
    hello.get("/")
    facts = hello.get("/whoami").json
    assert set(facts) == {"host", "pid", "served", "started", "uptime_s"}
    assert (facts["host"], facts["pid"], facts["served"]) == ("voxy", hello.process.pid, 2)
    assert facts["started"].endswith("Z")
    assert 0 <= facts["uptime_s"] < PATIENCE_S


def test_healthz_says_ok(hello: Hello) -> None:
    """A healthy app says so in one word."""
    answer = hello.get("/healthz")
    assert (answer.status, answer.text) == (200, "ok\n")
    assert answer.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/?from=projector", 200),
        ("GET", "/whoami", 200),
        ("HEAD", "/", 200),
        ("GET", "/nowhere", 404),
        ("HEAD", "/nowhere", 404),
        ("GET", "//", 404),
        ("POST", "/nowhere", 201),
        ("PUT", "/", 405),
        ("DELETE", "/posts", 405),
    ],
)
def test_every_answer_names_the_host_and_is_not_cached(hello: Hello, method: str, path: str, status: int) -> None:
    """Known or unknown, each answer says who gave it, and no cache may repeat it."""
    answer = ask(hello.users, method, path)
    assert answer.status == status
    assert answer.headers["X-Served-By"] == "voxy"
    assert answer.headers["Cache-Control"] == "no-store"


def test_head_is_get_without_the_body(hello: Hello) -> None:
    """HEAD tells the length of the page but sends none of it."""
    head = ask(hello.users, "HEAD", "/")
    assert head.text == ""
    assert int(head.headers["Content-Length"]) == len(hello.get("/").text.encode())


def test_a_refused_method_learns_the_allowed_ones(hello: Hello) -> None:
    """405 comes with the list of methods."""
    assert ask(hello.users, "PATCH", "/").headers["Allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_finishes_the_request_under_way(hello: Hello, ending: signal.Signals) -> None:
    """The user of a slow request still gets the answer; then the app ends with 0."""
    hello.switch("/slow?ms=700")
    with closing(HTTPConnection("127.0.0.1", hello.users, timeout=PATIENCE_S)) as user:
        user.request("POST", "/", headers={"X-Request-Id": "under-way"})
        wait_until(lambda: hello.noted() == ["under-way"])
        hello.process.send_signal(ending)
        response = user.getresponse()
        assert (response.status, response.headers["Connection"]) == (201, "close")
    assert hello.process.wait(PATIENCE_S) == 0


def test_an_idle_connection_does_not_delay_the_stop(hello: Hello) -> None:
    """A kept-alive connection without a request is closed at once."""
    with closing(HTTPConnection("127.0.0.1", hello.users, timeout=PATIENCE_S)) as idle:
        idle.request("GET", "/whoami")
        idle.getresponse().read()
        hello.process.terminate()
        assert seconds_of(lambda: hello.process.wait(PATIENCE_S)) < 2.5
    assert hello.process.returncode == 0


def test_a_stop_takes_at_most_three_seconds(hello: Hello) -> None:
    """A request that never ends does not keep the app alive."""
    hello.switch("/slow?ms=60000")
    with closing(HTTPConnection("127.0.0.1", hello.users, timeout=PATIENCE_S)) as user:
        user.request("POST", "/", headers={"X-Request-Id": "endless"})
        wait_until(lambda: hello.noted() == ["endless"])
        hello.process.terminate()
        assert 2.5 < seconds_of(lambda: hello.process.wait(PATIENCE_S)) < 6
    assert hello.process.returncode == 0


def refusal(users: int | str, control: int | str) -> tuple[int, str]:
    """Start an app that cannot start: its exit code and what it says about that."""
    done = subprocess.run(
        [NODE, "server.js"],
        cwd=APP,
        env=environment(users, control),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    return done.returncode, done.stderr


def test_a_taken_port_is_one_clear_line(hello: Hello) -> None:
    """The second app on a port names that port and ends with 1."""
    other, _ = free_ports()
    assert refusal(hello.users, other) == (1, f"hello: port {hello.users} is taken by another process.\n")
    assert refusal(other, hello.control) == (1, f"hello: port {hello.control} is taken by another process.\n")


def test_an_impossible_port_is_one_clear_line() -> None:
    """A port that is no port is refused by name."""
    sentence = 'hello: PORT must be a whole number from 1 to 65535, not "eighty".\n'
    assert refusal("eighty", 3001) == (1, sentence)
