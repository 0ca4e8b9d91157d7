"""lab status"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from lab.cli.naming import with_name
from lab.cli.options import file_option, json_option, opened, print_json
from lab.status import LabStatus
from lab.status import status as look

COLOURS = {"running": "green", "stopped": "yellow", "absent": "red", "serving": "green", "silent": "red"}


@click.command()
@file_option
@json_option
def status(file: Path | None, as_json: bool) -> None:
    """Show each host: state, reachable, app."""
    with opened(file) as session:
        found = look(session)
    if as_json:
        print_json(asdict(found))
    else:
        _show(found)


def _show(found: LabStatus) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(
        "host", "roles", "address", "state", "reachable", "app", box=None, header_style="bold", pad_edge=False
    )
    for host in found.hosts:
        state = Text(host.state, style=COLOURS.get(host.state, ""))
        app = Text(host.app or "–", style=COLOURS.get(host.app or "", ""))
        reachable = Text("yes", style="green") if host.reachable else Text("no", style="red")
        table.add_row(host.name, ", ".join(host.roles), host.address, state, reachable, app)
    console = Console(highlight=False)
    console.print(table)
    for fault in found.faults:
        console.print(with_name(f"[yellow]in force: {fault.what}; lab heal undoes it[/]"))
    console.print(f"\nprovider {found.provider}, site {found.url}")
