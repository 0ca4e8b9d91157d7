"""lab exercise"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lab.cli.exercise_authors import lint, new, test
from lab.cli.live import shown
from lab.cli.options import (
    exercise_names,
    file_option,
    json_option,
    lab_and_home,
    lang_option,
    language,
    print_json,
)
from lab.errors import BUG, DEVIATED, HELD

if TYPE_CHECKING:
    from lab.cli.exercise_view import View
    from lab.exercises.exercise import Exercise, Language
    from lab.exercises.results import Attempt, Marked
    from lab.exercises.student import Student
    from lab.home import Home
    from lab.topology import Lab

EXAMPLES = """
\b
Examples:
  lab exercise list                what there is, and how far you are
  lab exercise start hello-web     puts the machines into the starting state, shows the task
  lab exercise check               what is right, what is wrong, and why
  lab exercise watch               checks by itself whenever you change something
  lab exercise hint                a nudge; again, and it says more
"""


WIDTH = 110
"""Lines longer than this are hard to read, however wide the terminal."""


name_argument = click.argument("name", required=False, shell_complete=exercise_names)


@click.group(epilog=EXAMPLES)
def exercise() -> None:
    """Learn by hand on real machines; each exercise checks itself.

    NAME is an exercise's name or number; without it the one that was started last is meant.
    """


@dataclass(frozen=True)
class Desk:
    """What the commands share: the lab, the student, the exercise, and the language."""

    lab: Lab
    home: Home
    student: Student
    exercise: Exercise
    lang: Language

    @property
    def view(self) -> View:
        """Shows it on standard output."""
        from rich.console import Console

        from lab.cli.exercise_view import View

        console = Console(highlight=False, soft_wrap=not sys.stdout.isatty())
        console.width = min(console.width, WIDTH)
        return View(self.exercise, self.lang, console)

    def text(self, name: str) -> str:
        """A text of the exercise with the student's own values."""
        return self.exercise.text(name, self.lang, self.lab, self.student)


def desk(name: str | None, lang: str | None, file: Path | None, *, first_open: bool = False) -> Desk:
    """The named exercise; without a name the last one that was started, or the first that is not passed.

    Raises:
        UsageError: there is no such exercise, or none was started.
    """
    from lab.errors import UsageError
    from lab.exercises import doing, progress
    from lab.exercises.exercise import load, names
    from lab.exercises.student import load_student

    lab, home = lab_and_home(file)
    wanted = name or (doing.following(home) or names()[0] if first_open else progress.active(home))
    if not wanted:
        raise UsageError("no exercise was started yet", "lab exercise list, then lab exercise start NAME")
    return Desk(lab, home, load_student(home.folder), load(wanted), language(lang, lab))


@exercise.command("list")
@lang_option
@file_option
@json_option
def list_(lang: str | None, file: Path | None, as_json: bool) -> None:
    """Show the exercises, and how far you are."""
    from lab.exercises import progress
    from lab.exercises.exercise import everything

    lab, home = lab_and_home(file)
    spoken = language(lang, lab)
    attempts = progress.everything(home)
    rows = [(each, attempts.get(each.id)) for each in everything()]
    if as_json:
        print_json([
            {"id": each.id, "title": each.about.title.in_(spoken), "points": each.about.points,
             "state": attempt.state if attempt else "open", "earned": attempt.earned if attempt else 0,
             "minutes": each.about.minutes, "hosts": each.about.hosts}
            for each, attempt in rows
        ])  # fmt: skip
        return
    from rich.console import Console

    from lab.cli.exercise_view import listing

    Console(highlight=False).print(listing(rows, spoken))


@exercise.command()
@name_argument
@click.option(
    "--again", is_flag=True, help="Make the machines anew although they are in it; what you reached counts on."
)
@lang_option
@file_option
@json_option
def start(name: str | None, again: bool, lang: str | None, file: Path | None, as_json: bool) -> None:
    """Put the machines into the starting state, and show the task.

    Without NAME: the first that you have not passed, or with --again the present one. The exercise's machines are
    made anew; when they are in this exercise already, your work is kept, and `reset` begins a new attempt.
    """
    at = desk(name, lang, file, first_open=not again)
    _ask_before_leaving(at, as_json)
    begin(at, "start", as_json, again=again)


@exercise.command()
@name_argument
@lang_option
@file_option
@json_option
def reset(name: str | None, lang: str | None, file: Path | None, as_json: bool) -> None:
    """Begin a new attempt: the starting state again; what you had reached does not count any more."""
    begin(desk(name, lang, file), "reset", as_json)


def _ask_before_leaving(at: Desk, as_json: bool) -> None:
    """Points that are still to be earned at another exercise are named; at a terminal it asks."""
    from lab.cli.exercise_view import word
    from lab.exercises.doing import unfinished
    from lab.exercises.exercise import load

    left = unfinished(at.home, at.exercise)
    if left is None or as_json:
        return
    possible = load(left.exercise).about.points
    text = word("leaving", at.lang, exercise=left.exercise, earned=left.earned, possible=possible)
    click.secho(f"! {text}", fg="yellow", err=True)
    if left.best is not None and left.best.passed:
        click.secho(word("full", at.lang, exercise=left.exercise), fg="yellow", err=True)
    if sys.stdin.isatty():
        click.confirm(word("go-on", at.lang), default=True, abort=True, err=True)


def begin(at: Desk, verb: str, as_json: bool = False, *, again: bool = False) -> None:
    """Put the machines into the starting state and show the task; `verb` is start or reset."""
    from lab.exercises import doing
    from lab.session import open_session

    with (
        at.home.lock(f"lab exercise {verb} {at.exercise.id}"),
        shown(as_json) as listener,
        open_session(at.lab, at.home, listener) as session,
    ):
        attempt, kept = doing.begin(session, at.exercise, at.student, anew=verb == "reset", again=again)
    if as_json:
        print_json({"exercise": at.exercise.id, "attempt": attempt.number, "kept": kept, "task": at.text("task")})
        return
    at.view.text(at.text("task"))
    if kept:
        at.view.say("kept", "yellow", exercise=at.exercise.id)
    else:
        at.view.say("begun", "bold", host=at.exercise.about.hosts[0])


@exercise.command()
@name_argument
@lang_option
@file_option
def task(name: str | None, lang: str | None, file: Path | None) -> None:
    """Show the task again."""
    at = desk(name, lang, file)
    at.view.text(at.text("task"))


@exercise.command()
@name_argument
@click.option("--full", is_flag=True, help="Also what disturbs the machines: reboots, failures under load.")
@lang_option
@file_option
@json_option
def check(name: str | None, full: bool, lang: str | None, file: Path | None, as_json: bool) -> None:
    """Say what is right, what is wrong, and why.

    Ends with 0 when everything passed, 1 when something is still to be done, 70 when a check broke by our fault.
    """
    from lab.exercises.doing import following

    at = desk(name, lang, file)
    marked, attempt = checked(at, full=full, quiet=as_json)
    if as_json:
        print_json(_as_json(at, marked, attempt))
    else:
        at.view.marked(marked, attempt, following(at.home, at.exercise.id))
    raise click.exceptions.Exit(_exit_code(marked))


def checked(at: Desk, *, full: bool = False, quiet: bool = False) -> tuple[Marked, Attempt]:
    """Run the checks; what they found, and the attempt after it."""
    from contextlib import nullcontext

    from lab.exercises import doing
    from lab.session import open_session

    held = at.home.lock(f"lab exercise check {at.exercise.id} --full") if full else nullcontext()
    with held, shown(quiet or not full) as listener, open_session(at.lab, at.home, listener) as session:
        return doing.check(session, at.exercise, at.student, full=full)


def _exit_code(marked: Marked) -> int:
    statuses = {check.status for check in marked.checks}
    return DEVIATED if "FAIL" in statuses else BUG if "ERROR" in statuses else HELD


def _as_json(at: Desk, marked: Marked, attempt: Attempt) -> dict[str, Any]:
    from lab.exercises.messages import tell

    checks = []
    for result in marked.checks:
        told = tell(at.exercise, result, at.lang, attempt.tier(result.key))
        checks.append({
            "id": result.id, "status": result.status, "points": result.points, "expected": told.expected,
            "actual": told.actual, "hint": told.hint, "sentence": told.sentence, "key": result.key,
            "evidence": result.evidence, "seconds": round(result.seconds, 3),
        })  # fmt: skip
    return {
        "exercise": marked.exercise, "passed": marked.passed, "full": marked.full, "attempt": attempt.number,
        "earned": marked.earned, "possible": marked.possible, "state": attempt.state, "checks": checks,
    }  # fmt: skip


@exercise.command()
@name_argument
@lang_option
@file_option
def hint(name: str | None, lang: str | None, file: Path | None) -> None:
    """Give a nudge for the first thing that is wrong.

    Asked again, it says more, up to three times. Hints are counted, and cost nothing.
    """
    from lab.exercises import doing

    at = desk(name, lang, file)
    marked, attempt = checked(at)
    given = doing.hint(at.home, attempt, marked)
    if given is None and not marked.passed:  # a check broke by our fault: there is no hint for that
        at.view.marked(marked, attempt, doing.following(at.home, at.exercise.id))
    else:
        at.view.hint(given)


@exercise.command()
@name_argument
@click.option("--give-up", is_flag=True, help="Show it although you have not passed; this attempt then earns nothing.")
@lang_option
@file_option
def solve(name: str | None, give_up: bool, lang: str | None, file: Path | None) -> None:
    """Explain the solution, once you have passed or given up.

    With --give-up the machines are put into the starting state and the solution is applied to them.
    """
    from lab.errors import UsageError
    from lab.exercises import doing
    from lab.session import open_session

    at = desk(name, lang, file)
    reached = doing.attempt_at(at.home, at.exercise).state
    if reached == "started" and not give_up:
        raise UsageError(
            f"you have not passed {at.exercise.id} yet", "`lab exercise hint` helps; --give-up shows the solution"
        )
    if give_up and reached != "passed":
        with (
            at.home.lock(f"lab exercise solve {at.exercise.id}"),
            shown() as listener,
            open_session(at.lab, at.home, listener) as session,
        ):
            doing.give_up(session, at.exercise, at.student)
        at.view.say("solved", "bold", host=at.exercise.about.hosts[0])
    at.view.solution(at.text("solution/explanation"), at.exercise.typed(at.lab, at.student))


@exercise.command()
@name_argument
@lang_option
@file_option
def watch(name: str | None, lang: str | None, file: Path | None) -> None:
    """Check again by itself whenever you change something on the machines.

    On a terminal there are keys: r check, f full check, h hint, t task, n next exercise, x reset, l list, q quit.
    Without one it ends when everything passes.
    """
    from lab.cli.exercise_watch import watch as watch_over

    watch_over(desk(name, lang, file))


for command in (new, lint, test):
    exercise.add_command(command)
