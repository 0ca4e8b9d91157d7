"""lab engine join"""

from __future__ import annotations

import os
from pathlib import Path

import click


@click.group()
def engine() -> None:
    """An LXD on another computer, which the machines of labs are made on."""


JOIN_EXAMPLES = """
\b
Example:
  lxc config trust add --name lab     on the other computer; prints a token
  lab engine join eyJjbGllbnRf…       here; then lab.toml says where that LXD is
"""


@engine.command(epilog=JOIN_EXAMPLES)
@click.argument("token")
@click.option(
    "--to", "folder", type=click.Path(path_type=Path, file_okay=False), default=Path("engine"), show_default=True,
    metavar="FOLDER", help="Where the keys go.",
)  # fmt: skip
def join(token: str, folder: Path) -> None:
    """Be trusted by the LXD that printed TOKEN, once; prints what belongs into lab.toml."""
    from lab.lxd.trust import join as make_trusted

    made = make_trusted(token, folder.resolve())
    click.echo(f'provider = "lxd"\n\n[engine]\nurl = "{made.url}"\ntrust = "{os.path.relpath(folder)}"')
    click.echo(f'address = "{made.url.removeprefix("https://").rpartition(":")[0]}"')
