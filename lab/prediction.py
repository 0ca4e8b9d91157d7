"""A student's guess before a run, held against what was measured.

A guess is text: `errors=0 window=1 serves=zero`; errors in percent, the window in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

from lab import failover
from lab.errors import UsageError
from lab.expectations import bad_window, failed_requests
from lab.history import History

ERRORS_WITHIN = 1.0
"""Percentage points by which a guess of the errors may be off."""
WINDOW_WITHIN_S = 1.0
HARDLY = 5.0
"""A backend with less than this percentage of the answers does not serve."""


@dataclass(frozen=True)
class Guess:
    """What a student expects: failed requests in percent, the bad window in seconds, who serves meanwhile."""

    errors: float
    window_s: float
    serves: tuple[str, ...]

    def __str__(self) -> str:
        return f"errors={self.errors:g} window={self.window_s:g} serves={','.join(self.serves) or 'nobody'}"


@dataclass(frozen=True)
class Score:
    """One part of a guess beside its measurement."""

    what: str
    guessed: str
    measured: str
    right: bool


def parse(text: str, backends: tuple[str, ...]) -> Guess:
    """A guess from its text.

    Raises:
        UsageError: a part is missing, is no number, or names no backend.
    """
    parts = dict(word.partition("=")[::2] for word in text.split())
    if parts.keys() != {"errors", "window", "serves"}:
        raise UsageError(f"prediction {text!r}: three parts are needed", 'write "errors=0 window=1 serves=zero"')
    try:
        errors, window_s = float(parts["errors"].rstrip("%")), float(parts["window"].rstrip("s"))
    except ValueError:
        raise UsageError(f"prediction {text!r}: errors and window are numbers", "errors in %, window in s") from None
    serves = tuple(name for name in parts["serves"].split(",") if name and name != "nobody")
    unknown = [name for name in serves if name not in backends]
    if unknown:
        raise UsageError(f"prediction: there is no backend {unknown[0]}", f"there are {', '.join(backends)}, nobody")
    return Guess(errors, window_s, serves)


def score(guess: Guess, history: History) -> tuple[Score, ...]:
    """Each part of the guess against what was measured while the fault was felt."""
    window = failover.disturbed(history)
    samples = history.touched_by(window)
    if window is None or not samples:
        raise UsageError("the run has no time under a fault: there is nothing to score")
    errors = failed_requests().measure(history, window, samples, "%").value
    bad = bad_window().measure(history, window, samples, "s").value
    settled = failover.settled(history)
    names = [backend.name for backend in history.run.backends]
    serving = tuple(name for name in names if history.share(name, settled)[0] >= HARDLY)
    return (
        Score("failed requests", f"{guess.errors:g} %", f"{errors:.1f} %", abs(errors - guess.errors) <= ERRORS_WITHIN),
        Score("bad window", f"{guess.window_s:g} s", f"{bad:.2f} s", abs(bad - guess.window_s) <= WINDOW_WITHIN_S),
        Score("who serves", _words(guess.serves), _words(serving), set(guess.serves) == set(serving)),
    )


def _words(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "nobody"
