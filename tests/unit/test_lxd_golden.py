"""The machine that others are copies of: made once, never copied half made."""

from __future__ import annotations

from typing import Any

import pytest

from lab.lxd import golden
from lab.lxd.client import LxdFailed


class FakeLxd:
    """An LXD with its machines in memory.

    Args:
        there: machines that it has already.
        busy: how many changes it refuses because it is still at work.
    """

    place = "/fake"

    def __init__(self, there: dict[str, dict[str, Any]] | None = None, busy: int = 0) -> None:
        self.there = there or {}
        self.busy = busy
        self.told: list[str] = []

    def find(self, path: str, **query: Any) -> Any:
        """A machine, or nothing."""
        return self.there.get(path.removeprefix("instances/"))

    def post(self, path: str, body: dict[str, Any], **query: Any) -> None:
        """Make a machine, once."""
        if body["name"] in self.there:
            raise LxdFailed(self.place, "POST instances", 409, "already exists")
        self.told.append(f"make {body['name']} on {query['target']} in {query['project']}")
        self.there[body["name"]] = {"status": "Stopped", "config": dict(body["config"])}

    def put(self, path: str, body: dict[str, Any], **query: Any) -> None:
        """Start it: its first process has ended before anybody sees it run."""
        self.told.append(body["action"])
        raise LxdFailed(self.place, "PUT state", 400, "forkstart: exit status 1")

    def patch(self, path: str, body: dict[str, Any], **query: Any) -> None:
        """Change it, unless it is busy."""
        if self.busy:
            self.busy -= 1
            raise LxdFailed(self.place, "PATCH", 400, 'Instance is busy running a "stop" operation')
        self.there[path.removeprefix("instances/")]["config"] |= body["config"]

    def delete(self, path: str, **query: Any) -> None:
        """Remove it."""
        self.told.append("remove")
        del self.there[path.removeprefix("instances/")]


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("LAB_CACHE", str(tmp_path))


def ensure(lxd: FakeLxd, member: str = "m1") -> str:
    """As the machines of a lab ask for it."""
    return golden.ensure(lxd, "lab-lxd-0123456789ab", member, "default")  # type: ignore[arg-type]  # it has what is used


def test_it_is_made_once_on_each_member() -> None:
    """Started, so that its files have their owners; then ready to be copied."""
    lxd = FakeLxd()
    name = ensure(lxd)
    assert ensure(lxd) == name
    assert lxd.told == [f"make {name} on m1 in default", "start"]
    assert lxd.there[name]["config"][golden.READY] == "true"
    assert ensure(lxd, "m2") != name and len(lxd.there) == 2


def test_a_busy_lxd_is_waited_for() -> None:
    """It may still be ending the machine."""
    lxd = FakeLxd(busy=2)
    assert lxd.there[ensure(lxd)]["config"][golden.READY] == "true"


def test_one_that_was_never_finished_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever made it may still be at it; not for ever."""
    monkeypatch.setattr(golden, "MADE_S", 0)
    name = golden.name_on("lab-lxd-0123456789ab", "m1")
    lxd = FakeLxd({name: {"status": "Stopped", "config": {}}})
    assert ensure(lxd) == name
    assert lxd.told == ["stop", "remove", f"make {name} on m1 in default", "start"]
    assert lxd.there[name]["config"][golden.READY] == "true"


def test_what_lxd_refuses_is_told() -> None:
    """And nothing counts as ready."""

    class Full(FakeLxd):
        def post(self, path: str, body: dict[str, Any], **query: Any) -> None:
            raise LxdFailed(self.place, "POST instances", 500, "no space left on device")

    lxd = Full()
    with pytest.raises(LxdFailed, match="no space left"):
        ensure(lxd)
    assert lxd.there == {}
