"""Asks something that may never answer, without waiting for it longer than one wants."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from lab.errors import HostUnreachable

T = TypeVar("T")


class Errand(Generic[T]):
    """A call in a thread of its own, which does not keep the process from ending.

    Args:
        act: the call; it begins at once.
    """

    def __init__(self, act: Callable[[], T]) -> None:
        self._found: list[T] = []
        self._fault: BaseException | None = None
        self._act = act
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def result(self, within_s: float) -> T:
        """What the call gave; what it raised is raised.

        Raises:
            HostUnreachable: it has not ended by then.
        """
        self._thread.join(max(within_s, 0))
        if self._fault is not None:
            raise self._fault
        if not self._found:
            raise HostUnreachable(f"no answer within {max(within_s, 0):.0f} s")
        return self._found[0]

    def _run(self) -> None:
        try:
            self._found.append(self._act())
        except BaseException as fault:
            self._fault = fault
