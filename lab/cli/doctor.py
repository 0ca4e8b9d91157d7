"""lab doctor"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from lab.cli.options import file_option, json_option, lab_and_home, print_json
from lab.doctor import examine
from lab.errors import ENVIRONMENT


@click.command()
@click.option(
    "--provider", type=click.Choice(["lxc", "lxd", "libvirt", "virtualbox", "existing"]), default=None,
    help="Look at this one.",
)  # fmt: skip
@file_option
@json_option
def doctor(provider: str | None, file: Path | None, as_json: bool) -> None:
    """Say what is missing on this computer, and the command that mends it."""
    lab, home = lab_and_home(file)
    chosen, findings = examine(lab, home, provider)
    ok = all(finding.ok for finding in findings)
    if as_json:
        print_json({"provider": chosen, "ok": ok, "findings": [asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            click.secho("✓ " if finding.ok else "✗ ", fg="green" if finding.ok else "red", nl=False)
            click.echo(f"{finding.what:<14} {finding.detail}")
            if finding.mend and not finding.ok:
                click.echo(f"  → {finding.mend}")
        click.echo(f"\n{'All is there for' if ok else 'Something is missing for'} the provider {chosen}.")
    if not ok:
        raise click.exceptions.Exit(ENVIRONMENT)
