"""An LXD that says what a test wants, at a real socket."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from lab.lxd.client import Lxd, connect
from lab.topology import Engine

Answer = Any
INFO = {
    "auth": "trusted",
    "api_extensions": ["network_acl"],
    "config": {},
    "environment": {
        "server": "lxd", "server_version": "5.0.2", "server_name": "m1", "server_clustered": False,
        "firewall": "nftables", "driver": "lxc", "addresses": [],
    },
}  # fmt: skip


class LxdServer:
    """What it has is in `answers`, by verb and path; an answer is metadata, `Refusal`, or a function of the query.

    Attributes:
        told: every request but GETs of /1.0, as (verb, path with query, body).
    """

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self.info: dict[str, Any] = json.loads(json.dumps(INFO))
        self.answers: dict[tuple[str, str], Answer] = {}
        self.told: list[tuple[str, str, Any]] = []

    def lxd(self) -> Lxd:
        """The lab's door to it."""
        return connect(self.engine, self.socket.parent)

    @property
    def engine(self) -> Engine:
        """What lab.toml would say."""
        return Engine(url=str(self.socket))

    @property
    def changes(self) -> list[str]:
        """The requests that change something, as "POST projects"."""
        return [f"{verb} {path}" for verb, path, _ in self.told if verb != "GET"]

    def body(self, verb: str, path: str) -> Any:
        """What the first such request carried."""
        return next(body for each, where, body in self.told if (each, where) == (verb, path))


class Refusal:
    """An error of LXD's, at once or as the end of an operation."""

    def __init__(self, code: int, said: str, *, later: bool = False) -> None:
        self.code, self.said, self.later = code, said, later


def _handler(server: LxdServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or "null") if length else None
            whole = self.path.removeprefix("/1.0").lstrip("/")
            path = urlsplit(whole).path
            if not path and (self.command, path) not in server.answers:
                self._say(200, {"type": "sync", "status_code": 200, "metadata": server.info})
                return
            if path.startswith("operations/"):
                failed = path.removeprefix("operations/").removesuffix("/wait")
                end = {"status_code": 400, "err": failed} if failed != "done" else {"status_code": 200, "metadata": {}}
                self._say(200, {"type": "sync", "status_code": 200, "metadata": end})
                return
            server.told.append((self.command, whole, body))
            answer = server.answers.get((self.command, path), Refusal(404, "not found"))
            if isinstance(answer, Callable):  # type: ignore[arg-type]
                answer = answer(dict(parse_qsl(urlsplit(whole).query)))
            if isinstance(answer, Refusal) and not answer.later:
                self._say(answer.code, {"type": "error", "error_code": answer.code, "error": answer.said})
            elif self.command == "GET":
                self._say(200, {"type": "sync", "status_code": 200, "metadata": answer})
            else:
                name = answer.said if isinstance(answer, Refusal) else "done"
                self._say(202, {"type": "async", "operation": f"/1.0/operations/{name}", "metadata": {}})

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815

        def _say(self, code: int, told: Any) -> None:
            text = json.dumps(told).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            with suppress(BrokenPipeError):  # whoever asked has given up
                self.end_headers()
                self.wfile.write(text)

        def address_string(self) -> str:
            return "socket"

        def log_message(self, *words: object) -> None:
            """Nothing."""

    return Handler


@pytest.fixture
def lxd_server() -> Iterator[LxdServer]:
    """One for a test. Its folder is short, for the path of a socket has 108 characters."""
    with tempfile.TemporaryDirectory(prefix="lxd-", dir="/tmp") as folder:
        made = LxdServer(Path(folder) / "unix.socket")
        with ThreadingUnixStreamServer(str(made.socket), _handler(made)) as server:
            server.daemon_threads = True
            thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            try:
                yield made
            finally:
                server.shutdown()
                thread.join()
