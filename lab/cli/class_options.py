"""What the commands for a whole class share: options, the crowd with its progress, and the table at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from lab.classes.course import Course
    from lab.classes.crowd import Errand, Outcome, Progress, Watcher

F = TypeVar("F", bound=Callable[..., Any])
NAMES = 6
"""So many who are at work are named."""

folder_option = click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), default=Path("class"), show_default=True,
    help="Where the course is kept.",
)  # fmt: skip
parallel_option = click.option(
    "--parallel", type=click.IntRange(1, 64), default=None, metavar="N", show_default="processors + 1",
    help="How many labs at once.",
)  # fmt: skip


def chosen_options(command: F) -> F:
    """The options that choose labs; the command gets them as `student` and `member`."""
    command = click.option(
        "--member", multiple=True, metavar="NAME", help="Only the labs on this member; repeatable."
    )(command)  # fmt: skip
    return click.option(
        "--student", multiple=True, metavar="ID", shell_complete=student_ids, help="Only this student; repeatable."
    )(command)  # fmt: skip


def student_ids(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Completion of students' ids."""
    try:
        from lab.grading import classroom

        roster = classroom.load(ctx.params.get("folder") or Path("class")).roster
        return [each.id for each in roster if each.id.startswith(incomplete)]
    except Exception:
        return []


def errands(course: Course, students: Sequence[str], *words: str) -> tuple[Errand, ...]:
    """The same command for each student; `{}` in a word stands for the id."""
    from lab.classes.crowd import Errand

    return tuple(
        Errand(id, course.home(id).folder, tuple(word.replace("{}", id) for word in words)) for id in students
    )  # fmt: skip


def send(
    asked: Sequence[Errand], doing: str, *, parallel: int | None, within_s: float, quiet: bool
) -> tuple[Outcome, ...]:
    """Run all errands, showing how far it is; interrupted, it shows the table before it ends.

    Raises:
        Interrupted: Ctrl-C; every command has ended.
    """
    from lab.classes.crowd import Stopped, run
    from lab.errors import Interrupted

    try:
        with watching(doing, quiet) as watch:
            return run(asked, doing, parallel=parallel or 0, within_s=within_s, watch=watch)
    except Stopped as stopped:
        show(stopped.outcomes)
        raise Interrupted("interrupted; every lab's command has ended", "the same command goes on from here") from None


@contextmanager
def watching(doing: str, quiet: bool) -> Iterator[Watcher]:
    """Shows progress: redrawn in place on a terminal, a line for each lab that is done without one."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(stderr=True, highlight=False)
    if quiet:
        yield lambda progress: None
    elif not console.is_terminal:
        yield _Lines(doing)
    else:
        with Live(console=console, refresh_per_second=8, transient=True) as live:
            yield lambda progress: live.update(Text(in_a_line(doing, progress)))


class _Lines:
    """A line on standard error for each outcome, when it comes."""

    def __init__(self, doing: str) -> None:
        self._doing = doing
        self._told = 0

    def __call__(self, progress: Progress) -> None:
        for outcome in progress.ended[self._told :]:
            self._told += 1
            how = "done" if outcome.ok else outcome.said or f"ended with {outcome.code}"
            count = f"{self._told} of {progress.total}"
            click.echo(f"{self._doing}: {outcome.student}: {how} after {outcome.seconds:.1f} s ({count})", err=True)


def in_a_line(doing: str, progress: Progress) -> str:
    """How far a crowd is: "up: 12 of 30, 1 failed; ayu 4 s, budi 2 s"."""
    failed = sum(not outcome.ok for outcome in progress.ended)
    working = [f"{id} {seconds:.0f} s" for id, seconds in progress.running.items()]
    more = f" and {len(working) - NAMES} more" if len(working) > NAMES else ""
    ill = f", {failed} failed" if failed else ""
    return f"{doing}: {len(progress.ended)} of {progress.total}{ill}; {', '.join(working[:NAMES])}{more}"


def show(outcomes: Sequence[Outcome]) -> None:
    """Who failed, and why, as a table on standard error; nothing when nobody did."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    failed = [outcome for outcome in outcomes if not outcome.ok]
    if not failed:
        return
    table = Table("student", "code", "after", "why", box=box.SIMPLE_HEAD, pad_edge=False)
    for each in failed:
        table.add_row(Text(each.student), str(each.code), f"{each.seconds:.1f} s", Text(each.said or "–"))
    Console(stderr=True, highlight=False).print(table)


def told(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Outcomes for --json."""
    return [{**asdict(each), "seconds": round(each.seconds, 3)} for each in outcomes]
