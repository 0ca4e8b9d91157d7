"""Work on several hosts at once, which Ctrl-C ends without waiting for the slowest of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


@contextmanager
def workers(count: int) -> Iterator[ThreadPoolExecutor]:
    """A pool of threads. At the end it waits for them, but not when the block was interrupted."""
    pool = ThreadPoolExecutor(max_workers=max(count, 1))
    try:
        yield pool
    except KeyboardInterrupt:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    except BaseException:
        pool.shutdown(wait=True)
        raise
    pool.shutdown(wait=True)


def together(names: Collection[str], act: Callable[[str], T]) -> list[T]:
    """What an act gives for each name, done for all at once; the first failure is raised when all have ended."""
    with workers(len(names)) as pool:
        return [done.result() for done in [pool.submit(act, name) for name in names]]
