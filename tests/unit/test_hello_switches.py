"""The hello app, as its teacher meets it: noted POSTs, and switches for lessons."""

from __future__ import annotations

import time
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.unit.hello_process import (
    PATIENCE_S,
    Hello,
    ask,
    run_node,
    seconds_of,
    wait_until,
)


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
