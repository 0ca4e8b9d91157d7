"""lab render"""

from __future__ import annotations

import json
from pathlib import Path

import click

from lab import content
from lab.cli.options import file_option, lab_and_home
from lab.config import schema
from lab.errors import UsageError
from lab.placing import foreseen


@click.command()
@click.argument("what", type=click.Choice(["vagrantfile", "nginx", "schema"]))
@click.option(
    "--provider", type=click.Choice(["lxc", "libvirt", "virtualbox"]), default=None, help="Default: lab.toml's."
)
@file_option
def render(what: str, provider: str | None, file: Path | None) -> None:
    """Print what would be written; boots nothing.

    \b
    vagrantfile   the Vagrantfile
    nginx         the site on the balancer
    schema        the JSON Schema of lab.toml, for editors
    """
    lab, home = lab_and_home(file)
    chosen = provider or (lab.provider if lab.provider != "auto" else "lxc")
    if what == "schema":
        click.echo(json.dumps(schema(), indent=2))
    elif what == "nginx":
        lab = foreseen(lab, home, chosen)
        click.echo(content.render("provision/templates/my.reverse-proxy.conf.j2", lab=lab), nl=False)
    else:
        from lab.vagrantfile import render as vagrantfile

        if provider is None and lab.provider in ("existing", "lxd"):
            whose = "machines that you have" if lab.provider == "existing" else "machines that LXD makes"
            raise UsageError(f"{whose} need no Vagrantfile", "lab render nginx, or --provider lxc")
        lab = foreseen(lab, home, chosen)
        usual = lab.box.public if chosen == "virtualbox" else f"lab-{chosen}"
        box = getattr(lab.box, chosen, "") or usual
        click.echo(vagrantfile(lab, chosen, home.state().box or box, home), nl=False)
