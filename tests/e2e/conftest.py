"""One lab for the tests of a whole session, and fresh ones for those that need one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.realm import Realm


@contextmanager
def with_hello(folder: Path, subnet: int) -> Iterator[Realm]:
    """A lab with the app `hello` that is up; removed at the end, with proof."""
    made = Realm.make(folder, subnet)
    try:
        done = made.lab("up", "--app", "hello", timeout_s=600)
        assert done.returncode == 0, done.stderr
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="session")
def realm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Realm]:
    """The lab of all tests that leave it as they found it."""
    with with_hello(tmp_path_factory.mktemp("lab"), 57) as made:
        yield made


@pytest.fixture(scope="session")
def classroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Realm]:
    """A lab for exercises, which make its machines anew again and again."""
    with with_hello(tmp_path_factory.mktemp("classroom"), 65) as made:
        yield made


@pytest.fixture
def fresh_realm(tmp_path: Path) -> Iterator[Callable[..., Realm]]:
    """Makes a lab that is not up yet; removed at the end, with proof."""
    made: list[Realm] = []

    def make(extra: str = "", subnet: int = 58) -> Realm:
        made.append(Realm.make(tmp_path / "fresh", subnet, extra))
        return made[-1]

    try:
        yield make
    finally:
        for each in made:
            each.remove()
