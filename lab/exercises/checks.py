"""How a check is written: a function whose docstring is the sentence that the student reads.

    @check(points=2)
    def answers_on_port_80(scene: Scene) -> None:
        \"\"\"A web server on akuma answers on port 80.\"\"\"
        answer = scene.visit("akuma")
        if not answer.status:
            raise Wrong("nothing-listens", error=answer.error)

It returns when all is well and raises `Wrong` when the student has to do something. Any other exception is our fault.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType

from lab.exercises.scene import Scene

Function = Callable[[Scene], None]


class Wrong(Exception):
    """The student's work is not right yet.

    Args:
        key: which message of the exercise says what was expected, what there is, and the hints.
        evidence: what was seen, at length.
        values: what the message's placeholders stand for.
    """

    def __init__(self, key: str, *, evidence: str = "", **values: object) -> None:
        super().__init__(key)
        self.key = key
        self.evidence = evidence
        self.values = {name: str(value) for name, value in values.items()}


@dataclass(frozen=True)
class Check:
    """A check of an exercise.

    Attributes:
        id: the function's name.
        sentence: its docstring, in English.
        points: what it is worth.
        after: the checks without which it says nothing; it is skipped unless they passed.
        full: whether it disturbs the machines, and so runs only with `--full`.
        run: the function.
    """

    id: str
    sentence: str
    points: int
    after: tuple[str, ...]
    full: bool
    run: Function


def check(*, points: int = 1, after: Sequence[Function] = (), full: bool = False) -> Callable[[Function], Function]:
    """Make a function a check; `after` names the checks that it depends on."""

    def mark(function: Function) -> Function:
        sentence = inspect.getdoc(function) or ""
        needs = tuple(other.__name__ for other in after)
        function._check = Check(  # type: ignore[attr-defined]
            function.__name__, sentence, points, needs, full, function
        )
        return function

    return mark


def checks_of(module: ModuleType) -> tuple[Check, ...]:
    """The checks that a module defines, in the order of its lines."""
    return tuple(
        found._check for found in vars(module).values()
        if hasattr(found, "_check") and found.__module__ == module.__name__
    )  # fmt: skip
