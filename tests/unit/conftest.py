"""What every unit test has: a cache and a folder of its own, no other labs, and nothing of this computer's owner."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import inotify, ip, labs
from lab.home import Home
from tests.unit.hello_process import hello, start

__all__ = ["hello", "start"]

_LEAKS = (
    "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "LAB_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "VAGRANT_LOG", "XDG_CACHE_HOME", "XDG_STATE_HOME",
    "LAB_NAME", "LAB_SUBNETS",
)  # fmt: skip


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The lab's cache is in the test's folder, and so is the list of labs; no other lab of this computer is seen."""
    for name in _LEAKS:
        monkeypatch.delenv(name, raising=False)
    cache = tmp_path / "cache"
    monkeypatch.setenv("LAB_CACHE", str(cache))
    monkeypatch.setenv("LAB_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(ip, "_ip", lambda *words: [])
    monkeypatch.setattr(labs, "_settings", lambda: [])
    monkeypatch.setattr(inotify, "BEFORE", tmp_path / "limit-was-not-raised")
    return cache


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """The home of a lab in the test's folder, made."""
    folder = tmp_path / "course"
    folder.mkdir()
    made = Home(folder)
    made.make()
    return made
