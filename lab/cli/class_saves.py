"""lab class save|restore, and what they do in each lab"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lab.cli.class_options import chosen_options, errands, folder_option, parallel_option, send, show, told
from lab.cli.live import shown
from lab.cli.options import json_option, lab_and_home, print_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lab.classes.course import Course
    from lab.classes.crowd import Errand, Outcome
    from lab.session import Session

LATEST = "latest"
"""Stands for no name, where one must be."""
SAVE_S = 300
RESTORE_S = 600


@click.command()
@click.argument("name", required=False)
@click.option(
    "--every", type=click.IntRange(0, 1440), is_flag=False, flag_value=0, default=None, metavar="[MINUTES]",
    help="Again and again; without MINUTES as often as engine.toml says.",
)  # fmt: skip
@click.option("--replace", "replacing", is_flag=True, help="Take the place of the save of that name.")
@chosen_options
@parallel_option
@folder_option
@json_option
def save(
    name: str | None, every: int | None, replacing: bool, student: tuple[str, ...], member: tuple[str, ...],
    parallel: int | None, folder: Path, as_json: bool,
) -> None:  # fmt: skip
    """Save all labs into the class folder, where they outlive the members.

    Without NAME it is an automatic save, named after the time; of those the newest three stay. Saved is what is on the
    disks where exercises and students write; packages that a student has installed are not.

    \b
    Examples:
      lab class save before-the-break
      lab class save --every            until Ctrl-C, every save_minutes of engine.toml
    """
    from lab.classes.archive import automatic_name
    from lab.classes.crowd import worst
    from lab.save_points import valid_name

    if name and every is not None:
        raise click.UsageError("--every makes automatic saves: leave NAME out")
    wanted = valid_name(name) if name else ""
    while True:
        course, students = chosen(folder, student, member)
        minutes = 0 if every is None else every or _usual_minutes(course)
        outcomes = save_all(
            course, students, wanted or automatic_name(), replacing=replacing, parallel=parallel, quiet=as_json
        )
        print_json(told(outcomes)) if as_json else _say_saved(outcomes)
        if not minutes:
            raise click.exceptions.Exit(worst(outcomes))
        time.sleep(minutes * 60)


def _usual_minutes(course: Course) -> int:
    if not course.settings.save_minutes:
        raise click.UsageError("engine.toml: save_minutes is 0; say how many: --every 5")
    return course.settings.save_minutes


@click.command()
@click.argument("name", required=False)
@chosen_options
@parallel_option
@folder_option
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@json_option
def restore(
    name: str | None, student: tuple[str, ...], member: tuple[str, ...], parallel: int | None, folder: Path, yes: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Put all labs back to the class's save NAME; without it each to its newest.

    The machines are made anew, and then as they were saved. What was reached in exercises is not taken back.

    \b
    Example:
      lab class restore before-the-break --student ayu
    """
    from lab.classes.crowd import worst

    course, students = chosen(folder, student, member)
    if not yes:
        which = ", ".join(students) if len(students) <= 5 else f"all {len(students)} labs"
        click.confirm(f"Put {which} back, and lose what was done since?", abort=True, err=True)
    outcomes = put_back_all(course, students, name or "", parallel=parallel, quiet=as_json)
    show(outcomes)
    if as_json:
        print_json(told(outcomes))
    else:
        click.echo(f"{sum(each.ok for each in outcomes)} of {len(outcomes)} labs are back.")
    raise click.exceptions.Exit(worst(outcomes))


@click.command(hidden=True)
@click.argument("name")
@click.option("--into", type=click.Path(path_type=Path, file_okay=False), required=True)
@click.option("--replace", "replacing", is_flag=True)
@json_option
def keep(name: str, into: Path, replacing: bool, as_json: bool) -> None:
    """Save the lab of this folder; what `lab class save` does in each lab."""
    import msgspec

    from lab.classes import archive

    with _session(f"lab class save {name}", as_json) as session:
        made = archive.keep(session, into, name, replace=replacing)
    archive.prune(into)
    print_json({**msgspec.to_builtins(made), "bytes": made.bytes})


@click.command("put-back", hidden=True)
@click.argument("name")
@click.option("--saves", type=click.Path(path_type=Path, file_okay=False), required=True)
@json_option
def put_back(name: str, saves: Path, as_json: bool) -> None:
    """Put the lab of this folder back; what `lab class restore` does in each lab. NAME `latest` is the newest save."""
    import msgspec

    from lab.classes import archive

    with _session(f"lab class restore {name}", as_json) as session:
        found = archive.put_back(session, saves, "" if name == LATEST else name)
    print_json({**msgspec.to_builtins(found), "bytes": found.bytes})


@contextmanager
def _session(doing: str, quiet: bool) -> Iterator[Session]:
    """The opened lab of this folder, locked, with its network."""
    from lab.session import open_session
    from lab.virtual_network import network_of

    lab, home = lab_and_home(None, warn=False)
    with home.lock(doing), shown(quiet=quiet) as listener, open_session(lab, home, listener) as session:
        if network := network_of(session.provider, lab, home):
            network.ensure()
        yield session


def chosen(folder: Path, student: Sequence[str], member: Sequence[str]) -> tuple[Course, tuple[str, ...]]:
    """The class, and the students that the options choose; all that have a lab without options."""
    from lab.classes.course import load_up
    from lab.classes.selection import select

    course = load_up(folder)
    return course, select(course.members, student, member)


def save_all(
    course: Course, students: Sequence[str], name: str, *, replacing: bool = False, parallel: int | None, quiet: bool
) -> tuple[Outcome, ...]:  # fmt: skip
    """Save these labs under one name."""
    words = ("class", "keep", name, "--json", *(("--replace",) if replacing else ()))
    asked = [_with_folder(course, each, "--into") for each in errands(course, students, *words)]
    return send(asked, "save", parallel=parallel, within_s=SAVE_S, quiet=quiet)


def put_back_all(
    course: Course, students: Sequence[str], name: str, *, parallel: int | None, quiet: bool
) -> tuple[Outcome, ...]:  # fmt: skip
    """Put these labs back to a save; without a name each to its newest."""
    words = ("class", "put-back", name or LATEST, "--json")
    asked = [_with_folder(course, each, "--saves") for each in errands(course, students, *words)]
    return send(asked, "restore", parallel=parallel, within_s=RESTORE_S, quiet=quiet)


def _with_folder(course: Course, errand: Errand, option: str) -> Errand:
    return replace(errand, words=(*errand.words, option, str(course.saves(errand.student))))


def _say_saved(outcomes: Sequence[Outcome]) -> None:
    show(outcomes)
    done = [each for each in outcomes if each.ok]
    size = sum(each.result["bytes"] for each in done if each.result) / 2**20
    click.echo(f"{len(done)} of {len(outcomes)} labs are saved, {size:.0f} MiB.")
    for each in done:
        if each.result and each.result["missing"]:
            click.secho(
                f"! {each.student}: {', '.join(each.result['missing'])} let nobody in, and is not in it", err=True
            )
