"""lab destroy"""

from __future__ import annotations

from pathlib import Path

import click

from lab import save_points
from lab.cli.live import shown
from lab.cli.options import file_option, lab_and_home
from lab.destroy import destroy as remove


@click.command()
@click.option(
    "--id", "id", default="", help="Remove what is left of a lab whose folder is gone; `lab list` shows its id."
)
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@file_option
def destroy(id: str, yes: bool, file: Path | None) -> None:
    """Remove the lab: guests with their saves, network, keys. Boxes, caches and records of runs stay.

    Machines that were there already stay too: what the lab has put on them is taken away.
    """
    if id:
        _destroy_orphan(id, yes)
        return
    lab, home = lab_and_home(file)
    saves = save_points.names(home)
    theirs = f", with {'save' if len(saves) == 1 else 'saves'} {', '.join(saves)}" if saves else ""
    names = ", ".join(host.name for host in lab.hosts)
    what = f"what the lab has put on {names}" if lab.provider == "existing" else f"{names} and all that is on them"
    if not yes:
        click.confirm(f"Remove {what}{theirs}?", abort=True)
    with home.lock("lab destroy"), shown() as listener:
        remove(lab, home, listener)
    click.echo(f"The lab is gone{theirs}.")


def _destroy_orphan(id: str, yes: bool) -> None:
    from lab.listing import destroy_orphan, orphan

    title = orphan(id).entry.title
    if not yes:
        click.confirm(f"Remove all that is left of {title}?", abort=True)
    with shown() as listener:
        destroy_orphan(id, listener)
    click.echo(f"Nothing is left of {title}.")
