"""lab class up|down|heal"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lab.cli.class_options import chosen_options, errands, folder_option, parallel_option, send, show, told
from lab.cli.class_saves import chosen, put_back_all
from lab.cli.live import shown
from lab.cli.options import json_option, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.classes.course import Course
    from lab.classes.crowd import Outcome
    from lab.classes.up import Plan

UP_S = 900
DOWN_S = 300


@click.command()
@click.argument("roster", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--engine", default=None, metavar="URL", help="The cluster, as https://10.0.0.1:8443; else engine.toml's."
)
@click.option("--token", default="", metavar="TOKEN", help="What `lxc config trust add --name lab` printed, once.")
@click.option("--app", default=None, metavar="NAME", help="What the backends run; else engine.toml's.")
@click.option("--dry-run", is_flag=True, help="Say who would go where, and touch nothing.")
@parallel_option
@folder_option
@json_option
def up(
    roster: Path, engine: str | None, token: str, app: str | None, dry_run: bool, parallel: int | None, folder: Path,
    as_json: bool,
) -> None:  # fmt: skip
    """Bring up a lab for each student of ROSTER on a cluster of LXD members.

    An interrupted one goes on, and a longer roster adds who is new; labs that are up are left as they are. Where not
    all fit, the first ones of the roster get a lab, the others are named, and it ends with 1.

    \b
    Examples:
      lab class up roster.csv --dry-run
      lab class up roster.csv --engine https://10.0.0.1:8443 --token eyJ…
      lab class up roster.csv                             again: adds who is new
    """
    from lab.classes import bringing, crowd
    from lab.classes.seats import lock
    from lab.errors import DEVIATED, HELD
    from lab.grading.roster import read_roster

    enrolled = read_roster(roster)
    if dry_run:
        found = bringing.foresee(enrolled, folder, engine, app)
        print_json(_plan_told(found)) if as_json else _show_plan(found)
        raise click.exceptions.Exit(DEVIATED if found.placement.left_over else HELD)
    bringing.prepare(enrolled, folder, engine, token, app)
    with lock(folder, "lab class up"):
        with shown(quiet=as_json) as listener:
            found, course = bringing.seat(folder, listener)
        asked = bringing.what_is_missing(course)
        outcomes = send(asked, "up", parallel=parallel, within_s=UP_S, quiet=as_json)
        bringing.note_up(course, outcomes)
    show(outcomes)
    left = found.placement.left_over
    if as_json:
        print_json({**_plan_told(found), "labs": told(outcomes)})
    else:
        _say_up(course, [each.id for each in enrolled], outcomes, left)
    raise click.exceptions.Exit(max(crowd.worst(outcomes), DEVIATED if left else HELD))


@click.command()
@chosen_options
@click.option("--all", "everything", is_flag=True, help="With the image, when no lab is left on the cluster.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@parallel_option
@folder_option
@json_option
def down(
    student: tuple[str, ...], member: tuple[str, ...], everything: bool, yes: bool, parallel: int | None, folder: Path,
    as_json: bool,
) -> None:  # fmt: skip
    """Remove labs from the cluster, with all that is on them. Cards, saves and what was reached stay here."""
    from lab.classes import bringing, crowd
    from lab.classes.seats import lock

    with lock(folder, "lab class down"):
        course, students = chosen(folder, student, member)
        if not yes:
            which = ", ".join(students) if len(students) <= 5 else f"all {len(students)} labs"
            click.confirm(f"Remove {which}, with all that is on the machines?", abort=True, err=True)
        asked = errands(course, students, "destroy", "--yes")
        outcomes = send(asked, "down", parallel=parallel, within_s=DOWN_S, quiet=as_json)
        course = bringing.note_down(course, outcomes)
        if everything:
            bringing.clear(course)
    show(outcomes)
    if as_json:
        print_json(told(outcomes))
    else:
        click.echo(f"{sum(each.ok for each in outcomes)} of {len(outcomes)} labs are gone.")
    raise click.exceptions.Exit(crowd.worst(outcomes))


@click.command()
@parallel_option
@folder_option
@json_option
def heal(parallel: int | None, folder: Path, as_json: bool) -> None:
    """Bring back the labs whose member or machines are lost: on another member, from the last save.

    A member that does not answer twice, five seconds apart, counts as lost. A lab that answers is left alone. Grades
    and what was reached are on this computer in any case.
    """
    from lab.classes import archive, bringing, crowd
    from lab.classes import heal as healing
    from lab.classes.course import load_up
    from lab.classes.seats import lock
    from lab.classes.status import look
    from lab.classes.up import write_folders
    from lab.errors import DEVIATED, HELD

    with lock(folder, "lab class heal"):
        course = load_up(folder)
        removed = bringing.remove_abandoned(course)
        lost = healing.find_lost(lambda: look(course))
        course, moved, left = healing.new_seats(course, lost)
        students = (*moved, *lost.made)
        for id in lost.made:
            healing.begin(course, id)
        write_folders(course, students)
        ups = send(errands(course, students, "up", "--json"), "up", parallel=parallel, within_s=UP_S, quiet=as_json)
        bringing.note_up(course, ups)
        are_up = [each.student for each in ups if each.ok]
        saved = [id for id in are_up if archive.latest(course.saves(id))]
        backs = put_back_all(course, saved, "", parallel=parallel, quiet=as_json)
        back = [id for id in are_up if id not in saved] + [each.student for each in backs if each.ok]
        for id in back:
            healing.end(course, id)
    show([*ups, *backs])
    if as_json:
        print_json({
            "back": back, "members": {id: course.members[id] for id in back}, "restored": saved, "no_room": list(left),
            "removed": list(removed), "labs": told([*ups, *backs]),
        })  # fmt: skip
    else:
        _say_healed(course, back, saved, left, removed)
    raise click.exceptions.Exit(max(crowd.worst([*ups, *backs]), DEVIATED if left else HELD))


def _plan_told(found: Plan) -> dict[str, Any]:
    need = found.course.settings.need
    return {
        "memory_each": need.memory, "disk_each": need.disk, "left_over": list(found.placement.left_over),
        "members": [
            {"member": member.name, "online": member.online, "message": member.message,
             "memory_free": member.memory_free, "disk_free": member.disk_free, "students": list(found.on(member.name)),
             "new": [id for id, name in found.placement.where.items() if name == member.name]}
            for member in found.members
        ],
    }  # fmt: skip


def _show_plan(found: Plan) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    gib, need = 2**30, found.course.settings.need
    table = Table("member", "labs", "memory", "free", "students", box=box.SIMPLE_HEAD, pad_edge=False)
    for member in found.members:
        labs = found.on(member.name)
        free = f"{member.memory_free / gib:.1f} GiB" if member.online else member.message or "offline"
        table.add_row(
            Text(member.name), str(len(labs)), f"{len(labs) * need.memory / gib:.1f} GiB", Text(free),
            Text(", ".join(labs) or "–"),
        )  # fmt: skip
    Console(highlight=False).print(table)
    click.echo(f"Each lab takes up to {need.memory / gib:.2f} GiB of memory and {need.disk / gib:.0f} GiB of disk.")
    click.echo(f"{found.sentence}. Nothing was touched.")


def _say_up(course: Course, roster: Sequence[str], outcomes: Sequence[Outcome], left: Sequence[str]) -> None:
    from lab.classes.up import gone_from

    there = len(course.seated) - sum(not each.ok for each in outcomes)
    click.echo(
        f"{there} of {len(course.classroom.roster)} labs are up, {sum(each.ok for each in outcomes)} of them now."
    )
    if left:
        click.secho(f"! no member has room for {', '.join(left)}; nothing of theirs was made", fg="yellow", err=True)
    if gone := gone_from(course, roster):
        names = ", ".join(gone)
        click.secho(
            f"! no longer on the roster, and left as they are: {names}; `lab class down --student ID` removes a lab",
            fg="yellow", err=True,
        )  # fmt: skip
    click.echo("Try next: lab class status")


def _say_healed(
    course: Course, back: Sequence[str], saved: Sequence[str], left: Sequence[str], removed: Sequence[str]
) -> None:  # fmt: skip
    if removed:
        click.echo(f"Removed what was left of {', '.join(removed)} on members that are back.")
    if not back and not left:
        click.echo("Nothing is lost.")
    for id in back:
        how = "at its last save" if id in saved else "new: there is no save of it"
        click.echo(f"{id} is back, on {course.members[id]}, {how}.")
    if left:
        click.secho(f"! no member has room for {', '.join(left)}", fg="yellow", err=True)
