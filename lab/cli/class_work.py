"""lab class exercise|scenario|ssh|grade"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lab.cli.class_options import (
    chosen_options,
    errands,
    folder_option,
    parallel_option,
    send,
    show,
    student_ids,
    told,
)
from lab.cli.class_saves import chosen, save_all
from lab.cli.grade import collect, files_options
from lab.cli.options import exercise_names, json_option, lang_option, print_json
from lab.cli.scenario import scenario_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.classes.crowd import Outcome

EXERCISE_S = 600
SCENARIO_S = 900
GRADE_S = 900
HAND_INS = "hand-ins"


@click.command()
@click.argument("name", shell_complete=exercise_names)
@click.argument("action", type=click.Choice(["start", "check", "reset"]), default="start")
@click.option("--full", is_flag=True, help="check: also what disturbs the machines.")
@click.option("--no-save", is_flag=True, help="check: do not save the labs before.")
@chosen_options
@parallel_option
@folder_option
@json_option
def exercise(
    name: str, action: str, full: bool, no_save: bool, student: tuple[str, ...], member: tuple[str, ...],
    parallel: int | None, folder: Path, as_json: bool,
) -> None:  # fmt: skip
    """Start the exercise NAME in all labs, check it, or begin it anew; each student has their own tokens and faults.

    `check` saves each lab before it looks, and ends with 1 when somebody has something still to do.

    \b
    Examples:
      lab class exercise ghost-upstream
      lab class exercise ghost-upstream check
      lab class exercise ghost-upstream start --student ayu
    """
    from lab.classes import crowd
    from lab.classes.archive import automatic_name
    from lab.exercises.exercise import load as load_exercise

    wanted = load_exercise(name).id
    if full and action != "check":
        raise click.UsageError("--full is for check")
    course, students = chosen(folder, student, member)
    unsaved: list[str] = []
    if action == "check" and not no_save:
        saved = save_all(course, students, automatic_name(), parallel=parallel, quiet=as_json)
        unsaved = [each.student for each in saved if not each.ok]
    words = ("exercise", action, wanted, "--json", *(("--full",) if full else ()))
    asked = errands(course, students, *words)
    outcomes = send(asked, action, parallel=parallel, within_s=EXERCISE_S, quiet=as_json)
    if as_json:
        print_json({"exercise": wanted, "unsaved": unsaved, "labs": told(outcomes)})
    else:
        show([each for each in outcomes if action != "check" or each.result is None])
        _show_checked(outcomes) if action == "check" else click.echo(
            f"{wanted}: {sum(each.ok for each in outcomes)} of {len(outcomes)} labs are in it."
        )
        if unsaved:
            click.secho(f"! not saved before: {', '.join(unsaved)}", fg="yellow", err=True)
    raise click.exceptions.Exit(crowd.worst(outcomes))


@click.command()
@click.argument("name", shell_complete=scenario_names)
@chosen_options
@parallel_option
@folder_option
@json_option
def scenario(
    name: str, student: tuple[str, ...], member: tuple[str, ...], parallel: int | None, folder: Path, as_json: bool
) -> None:  # fmt: skip
    """Run the scenario NAME in each lab, with its load and its fault, which is healed in any case.

    Labs share their members' processors: with many at once the latencies say little, so it is one at a time unless
    --parallel says otherwise.
    """
    from lab.classes import crowd
    from lab.scenario import load as load_scenario

    load_scenario(name)
    course, students = chosen(folder, student, member)
    file = str(Path(name).resolve()) if Path(name).is_file() else name
    asked = errands(course, students, "scenario", file, "--json")
    outcomes = send(asked, "scenario", parallel=parallel or 1, within_s=SCENARIO_S, quiet=as_json)
    show(outcomes)
    if as_json:
        print_json(told(outcomes))
    else:
        click.echo(f"{name}: held in {sum(each.ok for each in outcomes)} of {len(outcomes)} labs.")
    raise click.exceptions.Exit(crowd.worst(outcomes))


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("student", shell_complete=student_ids)
@click.argument("host")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@folder_option
def ssh(student: str, host: str, command: tuple[str, ...], folder: Path) -> None:
    """Log in to a student's HOST, or run COMMAND there.

    \b
    Examples:
      lab class ssh ayu voxy
      lab class ssh ayu akuma -- sudo nginx -T
    """
    from lab.classes.crowd import LAB

    course, students = chosen(folder, [student], [])
    os.chdir(course.home(students[0]).folder)
    sys.stdout.flush()
    os.environ.pop("LAB_NAME", None)
    os.execv(LAB[0], [*LAB, "ssh", host, *(("--", *command) if command else ())])


@click.command()
@click.option("--check", is_flag=True, help="Check the exercise that each lab is in once more, with --full.")
@files_options
@chosen_options
@parallel_option
@folder_option
@lang_option
@json_option
def grade(
    check: bool, student: tuple[str, ...], member: tuple[str, ...], parallel: int | None,
    folder: Path, lang: str | None, as_json: bool, **files: Any,
) -> None:  # fmt: skip
    """Grade all students from what they have reached, and write FOLDER/hand-ins.

    What was reached is on this computer, so no lab need be up, unless --check is given. Ends with 1 when a hand-in has
    a remark.

    \b
    Example:
      lab class grade --csv grades.csv --html grades.html
    """
    from lab.classes.course import load
    from lab.classes.rendering import LAB
    from lab.errors import UsageError

    course = load(folder)
    there = [each.id for each in course.classroom.roster if (course.home(each.id).folder / LAB).exists()]
    if not there:
        raise UsageError(f"{folder}: no lab of this class was ever up", "`lab class up ROSTER` brings them up")
    students = chosen(folder, student, member)[1] if student or member or check else tuple(there)
    into = (folder / HAND_INS).resolve()
    into.mkdir(mode=0o700, parents=True, exist_ok=True)
    words = ("grade", "--json", "--out", str(into / "grade-{}.json"), *(() if check else ("--no-check",)))
    outcomes = send(errands(course, students, *words), "grade", parallel=parallel, within_s=GRADE_S, quiet=as_json)
    show(outcomes)
    if not all(each.ok for each in outcomes):
        click.secho("! the hand-ins of those above are as they were before, or missing", fg="yellow", err=True)
    click.get_current_context().invoke(collect, folder=into, class_folder=folder, lang=lang, as_json=as_json, **files)


def _show_checked(outcomes: Sequence[Outcome]) -> None:
    """Points of each, and the first thing that is wrong."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("student", "points", "", "first of what is to be done", box=box.SIMPLE_HEAD, pad_edge=False)
    passed = 0
    for each in outcomes:
        if each.result is None:
            continue
        passed += each.result["passed"]
        mark = Text("passed", style="green") if each.result["passed"] else Text("not yet", style="yellow")
        wrong = next((check for check in each.result["checks"] if check["status"] in ("FAIL", "ERROR")), None)
        said = f"{wrong['sentence']} {wrong['actual']}".strip() if wrong else ""
        table.add_row(Text(each.student), f"{each.result['earned']} of {each.result['possible']}", mark, Text(said))
    Console(highlight=False).print(table)
    click.echo(f"{passed} of {len(outcomes)} have passed.")
