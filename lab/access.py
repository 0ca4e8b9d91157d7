"""The balancer's own log, line by line: the second witness of a run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import msgspec

from lab.errors import EnvironmentProblem

_BETWEEN = re.compile(r", | : ")
"""nginx writes `a, b` for a retry in the same upstream, `a : b` across an internal redirect."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of nginx at a backend.

    Attributes:
        address: as `192.168.56.11:3000`, or the upstream's name when no member was left.
        status: what came back, 502 and 504 being nginx's own words for refused and silent; None for nothing.
        connect_s, response_s: seconds; None when it did not come so far.
    """

    address: str
    status: int | None
    connect_s: float | None
    response_s: float | None

    @property
    def failed(self) -> bool:
        """Whether it was no good answer: none, a 5xx, or a client that had given up (499)."""
        return self.status is None or self.status >= 499


@dataclass(frozen=True, slots=True)
class AccessRecord:
    """One line of the log, as nginx wrote it.

    Attributes:
        at: Unix time on the balancer's clock at which the request was over.
        id: the request's X-Request-Id; empty without one.
        seconds: from the request's first byte to its end.
    """

    at: float
    id: str
    client: str
    method: str
    uri: str
    status: int
    bytes: int
    seconds: float
    upstream_addr: str
    upstream_status: str
    upstream_connect_time: str
    upstream_response_time: str

    @property
    def answered_by(self) -> str:
        """The address of the last attempt; empty when nginx answered by itself."""
        return self.upstream_addr.rsplit(" ", 1)[-1]

    @property
    def retried(self) -> bool:
        """Whether there was more than one attempt."""
        return ", " in self.upstream_addr

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """All attempts in their order."""
        if not self.upstream_addr:
            return ()
        columns = (self.upstream_addr, self.upstream_status, self.upstream_connect_time, self.upstream_response_time)
        rows = zip_longest(*(_BETWEEN.split(column) for column in columns), fillvalue="-")
        return tuple(Attempt(addr, _int(status), _float(connect), _float(took)) for addr, status, connect, took in rows)


def _int(word: str) -> int | None:
    return int(word) if word.isdigit() else None


def _float(word: str) -> float | None:
    return float(word) if word[:1].isdigit() else None


@dataclass(frozen=True)
class AccessLog:
    """A log that was read: its records, and how many lines were damaged, as by a full disk."""

    records: tuple[AccessRecord, ...]
    damaged: int = 0


def read(path: Path) -> AccessLog:
    """Read `access.jsonl`; damaged lines are counted and left out. A number may stand in quotes, as `at` does.

    Raises:
        EnvironmentProblem: there is no such file.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as fault:
        raise EnvironmentProblem(f"{path}: cannot be read: {fault.strerror}") from None
    lines = [line for line in lines if line]
    try:
        return AccessLog(
            tuple(msgspec.json.decode(b"[" + b",".join(lines) + b"]", type=list[AccessRecord], strict=False))
        )
    except msgspec.MsgspecError:
        return _one_by_one(lines)


def _one_by_one(lines: list[bytes]) -> AccessLog:
    records, damaged = [], 0
    for line in lines:
        try:
            records.append(msgspec.json.decode(line, type=AccessRecord, strict=False))
        except msgspec.MsgspecError:
            damaged += 1
    return AccessLog(tuple(records), damaged)
