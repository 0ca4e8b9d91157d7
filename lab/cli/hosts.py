"""lab ssh, lab logs"""

from __future__ import annotations

import os
from pathlib import Path

import click

from lab import process
from lab.cli.options import file_option, host_names, opened
from lab.errors import LabError, UsageError
from lab.session import named_hosts
from lab.topology import Role


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("host", shell_complete=host_names)
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@file_option
def ssh(host: str, command: tuple[str, ...], file: Path | None) -> None:
    """Log in to HOST, or run COMMAND there.

    \b
    Examples:
      lab ssh voxy
      lab ssh akuma -- sudo nginx -T
    """
    session = opened(file)
    named_hosts(session.lab, [host])
    config = session.home.ssh_config
    program = process.find("ssh")
    if not config.exists() or program is None:
        raise UsageError(f"{host}: was not brought up yet", "lab up")
    os.execv(program, ["ssh", "-F", str(config), host, *command])


@click.command()
@click.argument("host", shell_complete=host_names)
@click.option("--lines", "-n", default=20, show_default=True, help="How many lines of each log.")
@file_option
def logs(host: str, lines: int, file: Path | None) -> None:
    """Show what nginx, the app and systemd said on HOST."""
    with opened(file) as session:
        named_hosts(session.lab, [host])
        machine = session.host(host)
        for title, command in _logs_of(session.lab[host].roles, session.lab.app.user, lines):
            shown = machine.run(command, root=True, check=False)
            click.secho(f"== {title}", bold=True)
            click.echo((shown.stdout or shown.stderr).rstrip() or "(empty)")
            if shown.code == 255:
                raise LabError(f"{host}: the log could not be read")


def _logs_of(roles: tuple[Role, ...], user: str, lines: int) -> list[tuple[str, str]]:
    """What to show of a host: title and command."""
    wanted = []
    if Role.BALANCER in roles:
        wanted.append(("nginx, errors", f"tail -n {lines} /var/log/nginx/error.log"))
        wanted.append(("nginx, requests", f"tail -n {lines} /var/log/nginx/akuma.access.json"))
    if Role.BACKEND in roles:
        wanted.append(("app", f"tail -q -n {lines} /home/{user}/.pm2/logs/*.log"))
    return [*wanted, ("systemd", f"journalctl -q --no-pager -p warning -n {lines}")]
