"""lab exercise watch"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lab.cli.exercise import Desk, begin, checked

if TYPE_CHECKING:
    from lab.exercises.results import Attempt, Marked
    from lab.exercises.watching import Watcher

LOOK_S = 60.0
"""How long one wait for a change lasts; then the next begins."""


@dataclass
class _Watch:
    """The exercise that is watched, and what its checks found last."""

    at: Desk
    watcher: Watcher
    last: tuple[Marked, Attempt] | None = None

    def check(self, *, full: bool = False, task: bool = False) -> None:
        """Run the checks and show them on a clear screen."""
        view = self.at.view
        if view.console.is_terminal:
            view.console.clear()
        if task:
            view.text(self.at.text("task"))
        self.watcher.pause()
        self.last = checked(self.at, full=full, quiet=not full)
        if full:
            self.watcher.mark()
        else:
            self.watcher.resume()
        from lab.exercises.doing import following

        view.marked(*self.last, following(self.at.home, self.at.exercise.id))
        view.say("watching", "dim", hosts=", ".join(self.at.exercise.about.hosts))
        if view.console.is_terminal:
            view.say("keys", "dim")

    @property
    def is_over(self) -> bool:
        """Whether everything that is checked without a key passed."""
        return self.last is not None and self.last[0].passed

    def hint(self) -> None:
        """The next hint for what the last check found; the attempt remembers it."""
        from lab.exercises import doing

        if self.last is not None:
            marked, attempt = self.last
            self.at.view.hint(doing.hint(self.at.home, attempt, marked))
            self.last = (marked, doing.attempt_at(self.at.home, self.at.exercise))


def watch(at: Desk) -> None:
    """Check whenever something changes, until q, or without a terminal until everything passes."""
    from lab.exercises.doing import attempt_at
    from lab.exercises.keyboard import Keyboard
    from lab.exercises.watching import Watcher

    attempt_at(at.home, at.exercise)
    following: Desk | None = at
    while following is not None:
        at = following
        with Watcher(at.home.ssh_config, at.exercise.about.hosts) as watcher, Keyboard() as keyboard:
            following = _watch_one(_Watch(at, watcher), keyboard.fd, keyboard.read_key)


def _watch_one(over: _Watch, keys: int | None, read_key: Callable[[], str]) -> Desk | None:
    """One exercise; the next one to watch, or None for the end."""
    over.check()
    while True:
        if keys is None and over.is_over:
            return None
        happened = over.watcher.wait_for_change(keys, LOOK_S)
        if happened == "change":
            over.check()
        elif happened == "key":
            key = read_key()
            if key in ("q", ""):
                return None
            if key == "n":
                return _begun(over.at, "start")
            if key == "x":
                return _begun(over.at, "reset")
            _press(key, over)


def _begun(at: Desk, verb: str) -> Desk:
    """The exercise begun anew, or the one after it."""
    from lab.exercises.doing import following
    from lab.exercises.exercise import load

    if verb == "start":
        later = following(at.home, at.exercise.id)
        at = replace(at, exercise=load(later)) if later else at
    begin(at, verb)
    return at


def _press(key: str, over: _Watch) -> None:
    """The keys that stay at the exercise."""
    from lab.exercises import progress
    from lab.exercises.exercise import everything

    match key:
        case "r" | "f":
            over.check(full=key == "f")
        case "h":
            over.hint()
        case "t":
            over.check(task=True)
        case "l":
            from lab.cli.exercise_view import listing

            attempts = progress.everything(over.at.home)
            over.at.view.console.print(listing([(e, attempts.get(e.id)) for e in everything()], over.at.lang))
