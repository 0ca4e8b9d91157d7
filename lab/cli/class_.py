"""lab class: init and list; the other commands are in class_*.py"""

from __future__ import annotations

from pathlib import Path

import click

from lab.cli import class_cards, class_saves, class_status, class_up, class_work
from lab.cli.class_options import folder_option
from lab.cli.options import file_option, json_option, print_json
from lab.config import load

EXAMPLES = """
\b
Examples:
  lab class init roster.csv --course devops-2026    a secret, and a card for each student
  lab class init roster.csv                         again, when the roster has grown
  lab class list                                    who has which domain and port
  lab class up roster.csv --engine https://10.0.0.1:8443 --token eyJ…
  lab class exercise ghost-upstream                 in all labs
  lab class cards                                   a page to print for each student who has a lab
  lab class status                                  what is down, and how far everybody is
"""


@click.group("class", epilog=EXAMPLES)
def class_() -> None:
    """Give each student of a roster a lab of their own on a cluster; or a card, for a lab on their own computer."""


@class_.command()
@click.argument("roster", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--course", default="", help="The course's name; default: the folder's.")
@folder_option
def init(roster: Path, course: str, folder: Path) -> None:
    """Make a secret for a course, and a card for each student of ROSTER, a CSV file with the columns id and name.

    Columns email and language (en or id) may be there too.

    With a longer roster again: only the new students get cards, the secret stays. Give each student the folder of their
    card; student.toml goes beside lab.toml.
    """
    from lab.grading import classroom
    from lab.grading.roster import read_roster

    made, new = classroom.init(read_roster(roster), folder, course)
    click.echo(f"{made.course}: {len(made.roster)} students, new cards: {len(new)}, in {folder / classroom.CARDS}")
    click.echo(f"Keep {folder / classroom.CLASS} to yourself, and make a copy of it: every card follows from it.")


@class_.command("list")
@folder_option
@file_option
@json_option
def list_(folder: Path, file: Path | None, as_json: bool) -> None:
    """List the students with their domains and ports, and whether a key of theirs is known."""
    from lab.grading import classroom, pinning

    lab = load(file)
    pins = pinning.load(folder)
    found = [(student, student.own(lab)) for student in classroom.load(folder).students]
    if as_json:
        print_json([
            {"student": student.id, "name": student.name, "domain": own.domain, "port": own.app.port,
             "key": pins.key_of(student.id)} for student, own in found
        ])  # fmt: skip
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("student", "name", "domain", "port", "key", box=box.SIMPLE_HEAD, pad_edge=False)
    for student, own in found:
        known = "known" if pins.key_of(student.id) else ""
        table.add_row(Text(student.id), Text(student.name), own.domain, str(own.app.port), known)
    Console(highlight=False).print(table)


for command in (
    class_up.up, class_status.status, class_work.exercise, class_work.scenario, class_work.ssh, class_work.grade,
    class_saves.save, class_saves.restore, class_saves.keep, class_saves.put_back, class_up.heal, class_up.down,
    class_cards.cards,
):  # fmt: skip
    class_.add_command(command)
