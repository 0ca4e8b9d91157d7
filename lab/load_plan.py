"""What the load is to send: the rate, the target and the shape of the requests."""

from __future__ import annotations

from dataclasses import dataclass

from lab.errors import UsageError

AGENT = "failover-lab"


@dataclass(frozen=True)
class LoadPlan:
    """What to send.

    Attributes:
        address, port: the target; an address, never a name.
        host: the Host header.
        rate: requests a second.
        duration_s: seconds of sending; then it ends by itself.
        run_id: the beginning of each X-Request-Id, followed by "-" and the request's number.
        posts: the part of the requests that are POST, from 0 to 1.
        paths: drawn from at random, by `seed`.
        clients: source addresses, drawn from likewise; empty for the system's choice.
        keepalive: whether connections are used again; by default each request has a new one.
        timeout_s: how long to wait for an answer, from the instant at which the request was due.
    """

    address: str
    port: int
    host: str
    rate: float
    duration_s: float
    run_id: str
    posts: float = 0.0
    paths: tuple[str, ...] = ("/",)
    clients: tuple[str, ...] = ()
    keepalive: bool = False
    timeout_s: float = 10.0
    seed: int = 1

    def __post_init__(self) -> None:
        for name, good in (
            ("rate", 0 < self.rate <= 100_000), ("duration_s", 0 < self.duration_s <= 86_400),
            ("posts", 0 <= self.posts <= 1), ("timeout_s", 0 < self.timeout_s <= 3600), ("paths", bool(self.paths)),
            ("port", 0 < self.port < 65_536),
        ):  # fmt: skip
            if not good:
                raise UsageError(f"load: {name} = {getattr(self, name)!r} is out of range")
        for text in (self.host, self.run_id, *self.paths):
            if not text or not text.isascii() or not text.isprintable() or " " in text:
                raise UsageError(f"load: {text!r} cannot stand in a request", "use printable ASCII without spaces")

    @property
    def total(self) -> int:
        """How many requests the whole plan has."""
        return int(self.duration_s * self.rate)

    def request(self, method: str, path: str, id: str) -> bytes:
        """A request as it goes over the wire; a POST carries its id as a small JSON body."""
        connection = "keep-alive" if self.keepalive else "close"
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: {self.host}\r\nUser-Agent: {AGENT}\r\nAccept: */*\r\n"
            f"Connection: {connection}\r\nX-Request-Id: {id}\r\n"
        )
        if method == "GET":
            return f"{head}\r\n".encode()
        body = f'{{"id":"{id}"}}'
        return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
