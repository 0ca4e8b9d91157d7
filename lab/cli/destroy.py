"""lab destroy"""

from __future__ import annotations

from pathlib import Path

import click

from lab.cli.live import shown
from lab.cli.options import file_option, lab_and_home
from lab.destroy import destroy as remove


@click.command()
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@file_option
def destroy(yes: bool, file: Path | None) -> None:
    """Remove the lab: guests, network, keys. Boxes, caches and records of runs stay."""
    lab, home = lab_and_home(file)
    if not yes:
        click.confirm(f"Remove {', '.join(host.name for host in lab.hosts)} and all that is on them?", abort=True)
    with home.lock("lab destroy"), shown() as listener:
        remove(lab, home, listener)
    click.echo("The lab is gone.")
