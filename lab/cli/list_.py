"""lab list"""

from __future__ import annotations

from dataclasses import asdict

import click

from lab.cli.options import json_option, print_json
from lab.listing import Listed, listed

EXAMPLES = """
\b
Examples:
  lab list                     every lab, whichever folder it is in
  lab --name a up              a second lab of this folder, on a subnet of its own
  lab list --json | jq -r '.[] | select(.gone) | .removal'
"""


WIDE = 240
"""Columns where nobody reads along: a program finds each lab in one line."""


@click.command("list", epilog=EXAMPLES)
@json_option
def list_(as_json: bool) -> None:
    """List every lab on this computer: name, subnet, how many of its hosts run, folder.

    A lab whose folder is gone is marked, with the command that removes what is left of it.
    """
    found = listed()
    if as_json:
        print_json([asdict(each) for each in found])
    elif found:
        _show(found)
    else:
        click.echo("There is no lab on this computer; `lab up` makes one.")


def _show(found: tuple[Listed, ...]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("name", "hosts", "subnet", "site", "provider"):
        table.add_column(column, no_wrap=True, min_width=len(column))
    table.add_column("folder", overflow="fold")
    for each in found:
        running = "?" if each.running is None else str(each.running)
        style = "green" if each.running == each.hosts else "yellow"
        table.add_row(
            Text(each.name or "–", "cyan"), Text(f"{running}/{each.hosts}", style), each.subnet or "?", each.url or "?",
            each.provider or "?", Text(each.folder or "?", "red" if each.gone else ""),
        )  # fmt: skip
    terminal = Console().is_terminal
    console = Console(highlight=False, soft_wrap=not terminal, width=None if terminal else WIDE)
    console.print(table)
    for each in found:
        if each.faults:
            where = f"{each.name or 'the lab'} in {each.folder}"
            console.print(Text(f"! in force in {where}: {', '.join(each.faults)}; its `lab heal` undoes it", "yellow"))
        if each.gone:
            console.print(Text(f"! {each.folder} is gone, and the lab's guests or network are not", "yellow"))
            console.print(f"  → {each.removal}")
