"""Work on several hosts at once."""

from __future__ import annotations

import threading

import pytest

from lab.parallel import together


def test_all_are_done_at_once_and_told_in_order() -> None:
    """Each waits for the other here, so that one after the other would never end."""
    both = threading.Barrier(2, timeout=10)

    def act(name: str) -> str:
        both.wait()
        return name.upper()

    assert together(["b", "a"], act) == ["B", "A"]
    assert together([], act) == []


def test_the_first_failure_is_raised_when_all_have_ended() -> None:
    """The others are not left half done."""
    done: list[str] = []
    failed = threading.Event()

    def act(name: str) -> None:
        if name == "voxy":
            failed.set()
            raise ValueError(name)
        failed.wait(10)
        done.append(name)

    with pytest.raises(ValueError, match="voxy"):
        together(["akuma", "voxy", "zero"], act)
    assert sorted(done) == ["akuma", "zero"]
