"""lab box build|list|export|import|remove"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from lab.boxes import store
from lab.cli.live import shown
from lab.cli.options import file_option, json_option, lab_and_home, print_json
from lab.errors import UsageError


@click.group()
def box() -> None:
    """Build, list, export, import and remove boxes."""


BUILD_EXAMPLES = """
\b
Examples:
  lab box build                       the box of the containers
  lab box build --provider libvirt    a disk that boots, with a kernel of its own
"""


@box.command(epilog=BUILD_EXAMPLES)
@click.option("--app", default="", metavar="NAME|GIT_URL|FOLDER", help="Whose dependencies the box shall have.")
@click.option("--force", is_flag=True, help="Build again, also when the recipe is unchanged.")
@click.option(
    "--provider", type=click.Choice(["lxc", "libvirt", "virtualbox"]), default=None, show_default=False,
    help="Whose guests it is for; without it the lab's provider, or lxc.",
)  # fmt: skip
@file_option
def build(app: str, force: bool, provider: str | None, file: Path | None) -> None:
    """Build a box, when its recipe changed; prints its name."""
    from lab import preflight
    from lab.boxes.ours import obtain_box
    from lab.context import context_for
    from lab.offline import refuse_offline
    from lab.placing import settle
    from lab.up import source_for

    lab, home = lab_and_home(file)
    refuse_offline(lab, "lab box build")
    chosen = provider or home.state().provider or lab.provider
    chosen = chosen if chosen in ("libvirt", "virtualbox") else "lxc"
    preflight.check("lxc" if chosen == "lxc" else "vm-box")
    with home.lock("lab box build"), shown() as listener:
        lab = settle(lab, home, "lxc", listener) if home.name else lab
        context = context_for(lab, source_for(lab, home, listener, app))
        name = obtain_box(chosen, context, home, listener, force=force)
    click.echo(name)


@box.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the boxes in the cache."""
    found = store.boxes()
    if as_json:
        print_json([asdict(each) for each in found])
        return
    for each in found:
        used = f", used by {', '.join(each.used_by)}" if each.used_by else ""
        click.echo(f"{each.name}  {each.bytes / 2**20:.0f} MiB{used}")
    if not found:
        click.echo("There is no box yet; `lab up` or `lab box build` makes one.")


@box.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--name", default=None, help="Which box; needed when there are several.")
def export(file: Path, name: str | None) -> None:
    """Copy a box to FILE, for another computer."""
    click.echo(store.export(name or _only_box(), file))


@box.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
def import_(file: Path) -> None:
    """Take a box from FILE, which `lab box export` wrote."""
    click.echo(store.import_(file))


@box.command()
@click.argument("name", required=False)
def remove(name: str | None) -> None:
    """Remove a box that no guest stands on."""
    name = name or _only_box()
    store.remove(name)
    click.echo(f"{name} is gone.")


def _only_box() -> str:
    names = [each.name for each in store.boxes()]
    if len(names) != 1:
        raise UsageError(f"there are {len(names)} boxes: {', '.join(names) or 'none'}", "name one of them")
    return names[0]
