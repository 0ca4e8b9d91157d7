"""lab class cards"""

from __future__ import annotations

from pathlib import Path

import click

from lab.cli.class_options import chosen_options, folder_option
from lab.cli.options import lang_option, language
from lab.topology import Lab


@click.command()
@chosen_options
@folder_option
@lang_option
def cards(student: tuple[str, ...], member: tuple[str, ...], folder: Path, lang: str | None) -> None:
    """Write a page to print for each student whose lab was brought up: how to get into their machines, and their key.

    Write them again when a lab has moved to another member. The language is the roster's where it tells one.

    \b
    Examples:
      lab class cards                  every student who has a lab
      lab class cards --student ana    one of them
    """
    from lab.classes.cards import card_of, write_cards
    from lab.classes.course import load_up
    from lab.classes.selection import select

    course = load_up(folder)
    spoken = language(lang, Lab())
    made = [
        card_of(course.classroom, course.settings, id, course.seated[id], spoken)
        for id in select(course.members, student, member)
    ]
    whole = write_cards(course.classroom, made)
    click.echo(f"{len(made)} card{'s' if len(made) > 1 else ''}, a page of A5 each: {whole}")
    click.echo(f"Each student gets key, ssh_config and known_hosts of {whole.parent / 'ID'}, from hand to hand.")
    without = [each.id for each in course.classroom.roster if each.id not in course.seated]
    if without and not (student or member):
        click.echo(f"Without a lab, and so without a card: {', '.join(without)}")
