"""lab open, lab hosts"""

from __future__ import annotations

from pathlib import Path

import click

from lab import hosts_file
from lab.cli.options import file_option, lab_and_home


@click.command("open")
@file_option
def open_(file: Path | None) -> None:
    """Print the address of the balanced site."""
    lab, _ = lab_and_home(file)
    click.echo(lab.url)


@click.command()
@click.option("--write", "act", flag_value="write", help="Add the line to this computer's /etc/hosts.")
@click.option("--remove", "act", flag_value="remove", help="Take the line out again.")
@file_option
def hosts(act: str | None, file: Path | None) -> None:
    """Print, write or remove the site's line in this computer's /etc/hosts."""
    lab, home = lab_and_home(file)
    if act is None:
        click.echo(hosts_file.line_for(lab, home.name))
        return
    text = hosts_file.read()
    wanted = (
        hosts_file.with_line(text, lab, home.name) if act == "write" else hosts_file.without_line(text, lab, home.name)
    )
    if wanted == text:
        click.echo(f"{hosts_file.HOSTS} is so already.")
        return
    hosts_file.replace(wanted)
    click.echo(f"{hosts_file.HOSTS}: {'added' if act == 'write' else 'removed'} {hosts_file.line_for(lab, home.name)}")
