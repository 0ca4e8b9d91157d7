"""Healing is not cut in two: a signal that comes meanwhile is delivered afterwards."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from lab.signals import shielded


@pytest.fixture(autouse=True)
def heeded() -> Iterator[None]:
    """Ctrl-C is heeded as at a terminal, also where the tests run in the background, which is told to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_waits_for_the_end_of_the_block() -> None:
    """The block ends, then KeyboardInterrupt comes."""
    done = []

    def healing() -> None:
        with shielded():
            signal.raise_signal(signal.SIGINT)
            done.append("healed")

    with pytest.raises(KeyboardInterrupt):
        healing()
    assert done == ["healed"]


def test_handlers_are_put_back() -> None:
    """Afterwards everything is as before, also when the block fails."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(ValueError, match="broken"), shielded():
        raise ValueError("broken")
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
