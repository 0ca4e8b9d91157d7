"""lab class status"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lab.cli.class_options import folder_option
from lab.cli.options import json_option, print_json

if TYPE_CHECKING:
    from lab.classes.status import ClassLook


@click.command()
@folder_option
@json_option
def status(folder: Path, as_json: bool) -> None:
    """Show every lab: member, last save, exercise. Ends with 1 when something is down."""
    from lab.classes.course import load
    from lab.classes.status import look
    from lab.errors import DEVIATED, HELD

    seen = look(load(folder))
    if as_json:
        print_json({
            "course": seen.course, "fault": seen.fault, "well": seen.is_well,
            "members": [asdict(each) for each in seen.members], "waiting": list(seen.waiting),
            "dead": [each.name for each in seen.dead], "labs": [asdict(each) for each in seen.labs],
        })  # fmt: skip
    else:
        _show(seen)
    raise click.exceptions.Exit(HELD if seen.is_well else DEVIATED)


def _show(seen: ClassLook) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from lab.classes.status import age

    console = Console(highlight=False)
    table = Table("student", "name", "member", "saved", "exercise", "points", "", box=box.SIMPLE_HEAD, pad_edge=False)
    for each in seen.labs:
        wrong = Text(each.wrong or "well", style="red" if each.wrong else "green")
        points = f"{each.earned} of {each.possible}" if each.exercise else "–"
        table.add_row(
            Text(each.student), Text(each.name), Text(each.member), age(each.saved), each.exercise or "–",
            points, wrong,
        )  # fmt: skip
    console.print(table)
    wrong_labs = sum(bool(each.wrong) for each in seen.labs)
    console.print(f"{seen.course}: {len(seen.labs) - wrong_labs} of {len(seen.labs)} labs are well")
    for member in seen.dead:
        theirs = ", ".join(each.student for each in seen.labs if each.member == member.name)
        console.print(Text(f"{member.name} does not answer ({member.message}); it has {theirs}", style="red"))
    if seen.fault:
        console.print(Text(f"the cluster does not answer: {seen.fault}", style="red"))
    if seen.dead or any(each.is_absent or each.halfway for each in seen.labs):
        console.print("`lab class heal` brings them back, from their last save")
    if seen.waiting:
        console.print(f"without a lab: {', '.join(seen.waiting)}; `lab class up ROSTER` makes them")
