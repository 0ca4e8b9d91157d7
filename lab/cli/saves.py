"""lab save, lab restore, lab saves"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from lab import save_points
from lab import saves as points
from lab.cli import naming
from lab.cli.live import shown
from lab.cli.naming import with_name
from lab.cli.options import file_option, json_option, lab_and_home, print_json
from lab.home import Home
from lab.save_points import Save
from lab.saves import Listed
from lab.session import Session, open_session
from lab.virtual_network import network_of

heal_option = click.option("--heal", is_flag=True, help="Also while a fault is in force, which is undone.")


def save_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Completion of the names of saves."""
    try:
        file = ctx.params.get("file")
        home = Home(file.parent if file else Path.cwd(), naming.chosen())
        return [name for name in save_points.names(home) if name.startswith(incomplete)]
    except Exception:
        return []


@click.command()
@click.argument("name")
@click.option("--note", default="", metavar="TEXT", help="What this point is, for people.")
@click.option("--replace", is_flag=True, help="Take the place of the save of that name.")
@heal_option
@file_option
@json_option
def save(name: str, note: str, replace: bool, heal: bool, file: Path | None, as_json: bool) -> None:
    """Save all machines as they are, to go back to this point of a lesson.

    Disks are saved, all at one moment; running processes are not. Containers stand still for a second or two and go
    on; virtual machines are booted again. `lab restore NAME` goes back.

    \b
    Examples:
      lab save before-nginx
      lab save half-way --note "upstream written, not tested" --replace
    """
    with _session(f"lab save {name}", file, as_json) as session:
        made = points.save(session, name, note=note, replace=replace, heal=heal)
    if as_json:
        print_json(_told(made))
    else:
        click.echo(with_name(f"{name} is saved, {_size(made.bytes)}. Go back with: lab restore {name}"))


@click.command()
@click.argument("name", shell_complete=save_names)
@heal_option
@file_option
@json_option
def restore(name: str, heal: bool, file: Path | None, as_json: bool) -> None:
    """Put all machines back to a save, and wait until they serve.

    What was done since is lost, on all machines. What was reached in exercises is not.

    \b
    Example:
      lab restore before-nginx
    """
    with _session(f"lab restore {name}", file, as_json) as session:
        restored = points.restore(session, name, heal=heal)
        counts = points.in_step(session, restored)
    if as_json:
        print_json({**_told(restored), "counts": counts})
        return
    within = f", in the exercise {restored.exercise}" if restored.exercise else ""
    click.echo(f"All machines are at {name}{within}.")
    if not counts:
        click.secho(
            with_name(
                f"! {restored.exercise} was begun again since then, so this does not count; "
                f"lab exercise start {restored.exercise} goes on with the present attempt"
            ), fg="yellow", err=True,
        )  # fmt: skip


@click.command()
@click.option("--remove", metavar="NAME", default=None, shell_complete=save_names, help="Remove this save.")
@file_option
@json_option
def saves(remove: str | None, file: Path | None, as_json: bool) -> None:
    """List saves, the oldest first; or remove one.

    \b
    Examples:
      lab saves
      lab saves --remove before-nginx
    """
    if remove is not None:
        with _session(f"lab saves --remove {remove}", file, as_json) as session:
            points.remove(session, remove)
        print_json({"removed": remove}) if as_json else click.echo(f"{remove} is gone.")
        return
    lab, home = lab_and_home(file)
    with open_session(lab, home) as session:
        found = points.listed(session)
    if as_json:
        print_json([{**_told(each.save), "missing": list(each.missing)} for each in found])
    else:
        _show(found)


@contextmanager
def _session(doing: str, file: Path | None, quiet: bool) -> Iterator[Session]:
    """The opened lab, locked, with its network: the machines start on it."""
    lab, home = lab_and_home(file, warn=False)
    with home.lock(doing), shown(quiet=quiet) as listener, open_session(lab, home, listener) as session:
        if network := network_of(session.provider, lab, home):
            network.ensure()
        yield session


def _told(save: Save) -> dict[str, Any]:
    return {
        "name": save.name, "when": save.when, "bytes": save.bytes, "hosts": [place.name for place in save.hosts],
        "exercise": save.exercise, "app": save.app, "note": save.note,
    }  # fmt: skip


def _show(found: tuple[Listed, ...]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not found:
        click.echo(with_name("There is no save yet; `lab save NAME` makes one."))
        return
    table = Table("save", "when", "size", "exercise", "note", box=None, header_style="bold", pad_edge=False)
    for each in found:
        lost = f" lost on {', '.join(each.missing)}" if each.missing else ""
        table.add_row(
            Text.assemble(each.save.name, (lost, "red")), _ago(each.save.when), _size(each.save.bytes),
            each.save.exercise or "–", each.save.note or "–",
        )  # fmt: skip
    Console(highlight=False).print(table)


def _ago(when: str) -> str:
    minutes = int((datetime.now(UTC) - datetime.fromisoformat(when)).total_seconds() // 60)
    if minutes < 120:
        return f"{max(minutes, 0)} min ago"
    return f"{minutes // 60} h ago" if minutes < 48 * 60 else f"{minutes // 60 // 24} days ago"


def _size(count: int) -> str:
    return f"{count / 2**20:.0f} MiB"
