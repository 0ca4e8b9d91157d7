"""lab class cards"""

from __future__ import annotations

from pathlib import Path

import click

from lab.cli.options import lang_option, language
from lab.errors import UsageError
from lab.topology import Lab


@click.command()
@click.option("--student", "students", multiple=True, metavar="ID", help="Only this student's; may be repeated.")
@click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), default=Path("class"), show_default=True,
    help="Where the course is kept.",
)  # fmt: skip
@lang_option
def cards(students: tuple[str, ...], folder: Path, lang: str | None) -> None:
    """Write a page to print for each student whose lab was brought up: how to get into their machines, and their key.

    Write them again when a lab has moved to another member. The language is the roster's where it tells one.

    \b
    Examples:
      lab class cards                  every student who has a lab
      lab class cards --student ana    one of them
    """
    from lab.classes import seats, settings
    from lab.classes.cards import card_of, write_cards
    from lab.grading import classroom

    course = classroom.load(folder)
    book, chosen = seats.load(folder), settings.load(folder)
    for id in students:
        if course.enrolled(id) and book.of(id) is None:
            raise UsageError(f"{id}: has no lab yet", f"lab class up --student {id}")
    wanted = [each.id for each in course.roster if each.id in (students or book.seats)]
    if not wanted:
        raise UsageError(f"{folder}: no student of the class has a lab yet", "lab class up")
    spoken = language(lang, Lab())
    made = [card_of(course, chosen, id, book.seats[id], spoken) for id in wanted]
    whole = write_cards(course, made)
    count = f"{len(made)} card{'s' if len(made) > 1 else ''}"
    click.echo(f"{count}, a page of A5 each: {whole}")
    click.echo(f"Each student gets key, ssh_config and known_hosts of {whole.parent / 'ID'}, from hand to hand.")
    if not students and (without := [each.id for each in course.roster if book.of(each.id) is None]):
        click.echo(f"Without a lab, and so without a card: {', '.join(without)}")
