"""The balancer's log lines, in every shape that nginx writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab import access
from lab.access import AccessRecord, Attempt
from lab.errors import EnvironmentProblem

A, B = "192.168.56.11:3000", "192.168.56.12:3000"


def line(addr: str, status: str, connect: str, took: str, final: int = 200) -> AccessRecord:
    """A record with these upstream columns."""
    return AccessRecord(1.5, "run1-000001", "c", "GET", "/", final, 612, 0.004, addr, status, connect, took)


@pytest.mark.parametrize(
    ("record", "attempts", "answered_by"),
    [
        (line(A, "200", "0.000", "0.002"), (Attempt(A, 200, 0.0, 0.002),), A),
        (
            line(f"{A}, {B}", "502, 200", "-, 0.001", "0.001, 0.003"),
            (Attempt(A, 502, None, 0.001), Attempt(B, 200, 0.001, 0.003)),
            B,
        ),
        (
            line(f"{A} : {B}", "302 : 200", "0.000 : 0.000", "0.001 : 0.001"),
            (Attempt(A, 302, 0.0, 0.001), Attempt(B, 200, 0.0, 0.001)),
            B,
        ),
        (line("domain", "502", "-", "0.000", 502), (Attempt("domain", 502, None, 0.0),), "domain"),
        (line(A, "-", "0.000", "-", 499), (Attempt(A, None, 0.0, None),), A),
        (line(A, "", "", "", 499), (Attempt(A, None, None, None),), A),
        (line("", "", "", "", 400), (), ""),
    ],
)
def test_attempts(record: AccessRecord, attempts: tuple[Attempt, ...], answered_by: str) -> None:
    """Retries, redirects, no live upstream, a client that gave up, and no upstream at all."""
    assert record.attempts == attempts
    assert record.answered_by == answered_by


def test_what_counts_as_failed() -> None:
    """No status, 499 and 5xx; a 404 is an answer."""
    assert [Attempt(A, status, None, None).failed for status in (None, 499, 502, 404, 200)] == [True] * 3 + [False] * 2


def test_damaged_lines_are_counted(tmp_path: Path) -> None:
    """A full disk leaves half lines; the others are read."""
    good = json.dumps({name: getattr(line(A, "200", "-", "-"), name) for name in AccessRecord.__slots__})
    path = tmp_path / "access.jsonl"
    path.write_text(f"{good}\n{good[:40]}{good}\n\n{good}\n{good[:9]}")
    log = access.read(path)
    assert (len(log.records), log.damaged) == (2, 2)
    path.write_text(f"{good}\n")
    assert access.read(path) == access.AccessLog((line(A, "200", "-", "-"),))


def test_a_line_of_nginx(tmp_path: Path) -> None:
    """One that nginx 1.22 wrote, with this lab's log format."""
    path = tmp_path / "access.jsonl"
    path.write_text(
        '{"at":"1795367799.367","id":"real-000590","client":"127.0.0.1","method":"GET","uri":"/","status":200,'
        '"bytes":2,"seconds":0.000,"upstream_addr":"127.0.0.1:13001, 127.0.0.1:13002","upstream_status":"502, 200",'
        '"upstream_connect_time":"-, 0.000","upstream_response_time":"0.000, 0.001"}\n'
    )
    [record] = access.read(path).records
    assert record.at == 1795367799.367
    assert [attempt.failed for attempt in record.attempts] == [True, False]


def test_no_log(tmp_path: Path) -> None:
    """A missing file is an error with its name."""
    with pytest.raises(EnvironmentProblem, match=r"access\.jsonl: cannot be read"):
        access.read(tmp_path / "access.jsonl")
