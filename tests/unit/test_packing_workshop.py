"""The workshop: used only for what the cache does not have, in a guest that stands in nobody's way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab.apps.profile import Profile
from lab.apps.source import Source
from lab.apps.states import made_of
from lab.home import Home
from lab.packing import workshop
from lab.packing.workshop import make_missing
from lab.steps import Step
from lab.topology import Lab
from tests.fakes import FakeHost, Heard

BOX = "lab-lxc-0123456789ab"
SHOP = Source(Profile("shop", "https://x/shop.git"), "a" * 40, "main", Path("/x.bundle"), "0123456789ab")
PLAIN = Source(Profile("plain", "https://x/plain.git"), "b" * 40, "main", Path("/y.bundle"), "")


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was brought about in the guest, in order."""
    titles: list[str] = []

    @contextmanager
    def guest(lab: Lab, home: Home, box: str) -> Iterator[FakeHost]:
        titles.append(f"guest of {box}")
        yield FakeHost()

    def bring_about(step: Step, host: FakeHost, listener: object) -> bool:
        titles.append(step.title)
        return True

    monkeypatch.setattr(workshop, "_guest", guest)
    monkeypatch.setattr(workshop, "bring_about", bring_about)
    return titles


def test_what_is_missing_is_made(done: list[str], home: Home) -> None:
    """The clone first; an app without dependencies needs nothing."""
    make_missing(Lab(), home, BOX, (PLAIN, SHOP), Heard())
    assert done == [f"guest of {BOX}", "clone of shop at aaaaaaa", "dependencies of shop", "build of shop"]


def test_only_what_is_missing_is_made(done: list[str], home: Home) -> None:
    """And with everything in the cache no guest is booted."""
    dependencies, build = made_of(Lab(), SHOP)
    dependencies.kept.parent.mkdir(parents=True)
    dependencies.kept.touch()
    make_missing(Lab(), home, BOX, (SHOP,), Heard())
    assert done[1:] == ["clone of shop at aaaaaaa", "build of shop"]
    done.clear()
    build.kept.touch()
    make_missing(Lab(), home, BOX, (SHOP, PLAIN), Heard())
    assert done == []
