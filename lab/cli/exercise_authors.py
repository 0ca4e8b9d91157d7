"""lab exercise new, lint, test: for who writes exercises"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lab.cli.options import exercise_names, file_option, json_option, lab_and_home, print_json
from lab.errors import DEVIATED, HELD

if TYPE_CHECKING:
    from lab.exercises.rehearsal import Finding


@click.command()
@click.argument("name")
@click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), default=Path("exercises"), show_default=True
)
def new(name: str, folder: Path) -> None:
    """Write the skeleton of an exercise of your own."""
    from lab.exercises.skeleton import write_skeleton

    click.echo(write_skeleton(name, folder))


@click.command()
@click.argument("names", nargs=-1, shell_complete=exercise_names)
@file_option
def lint(names: tuple[str, ...], file: Path | None) -> None:
    """Look whether exercises' files fit together; without NAMES, all of them."""
    from lab.exercises.exercise import everything, load
    from lab.exercises.lint import lint as faults_of

    lab, _ = lab_and_home(file)
    bad = 0
    for each in [load(name) for name in names] or everything():
        faults = faults_of(each, lab)
        bad += bool(faults)
        click.secho("✗ " if faults else "✓ ", fg="red" if faults else "green", nl=False)
        click.echo(each.id)
        for fault in faults:
            click.echo(f"    {fault}")
    raise click.exceptions.Exit(DEVIATED if bad else HELD)


@click.command()
@click.argument("names", nargs=-1, shell_complete=exercise_names)
@file_option
@json_option
def test(names: tuple[str, ...], file: Path | None, as_json: bool) -> None:
    """Try exercises on the machines: start, solution, mistakes, reset, three students. For authors."""
    from dataclasses import asdict

    from lab.exercises.exercise import everything, load
    from lab.exercises.rehearsal import rehearse
    from lab.session import open_session

    lab, home = lab_and_home(file)
    found = []
    with home.lock("lab exercise test"), open_session(lab, home) as session:
        for each in [load(name) for name in names] or everything():
            for finding in rehearse(session, each):
                found.append(finding)
                if not as_json:
                    _show_finding(finding)
    if as_json:
        print_json([asdict(finding) for finding in found])
    bad = sum(not finding.ok for finding in found)
    if not as_json:
        click.echo(f"{len(found) - bad} of {len(found)} as they shall be, {sum(f.seconds for f in found):.0f} s")
    raise click.exceptions.Exit(DEVIATED if bad else HELD)


def _show_finding(finding: Finding) -> None:
    click.secho("✓ " if finding.ok else "✗ ", fg="green" if finding.ok else "red", nl=False)
    click.echo(f"{finding.exercise}: {finding.what} ({finding.seconds:.1f} s)")
    for line in finding.seen.splitlines():
        click.echo(f"    {line}")
