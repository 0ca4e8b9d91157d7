"""Healing is not cut in two: a signal that comes meanwhile is delivered afterwards."""

from __future__ import annotations

import signal

import pytest

from lab.signals import shielded


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
