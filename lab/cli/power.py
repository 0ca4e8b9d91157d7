"""lab halt, lab start, lab reboot"""

from __future__ import annotations

from pathlib import Path

import click

from lab import power
from lab.cli.live import shown
from lab.cli.options import file_option, host_names, lab_and_home
from lab.session import named_hosts, open_session
from lab.virtual_network import network_of

hosts_argument = click.argument("hosts", nargs=-1, shell_complete=host_names)


@click.command()
@hosts_argument
@click.option("--force", is_flag=True, help="Take the power at once, as a pulled plug does.")
@file_option
def halt(hosts: tuple[str, ...], force: bool, file: Path | None) -> None:
    """Shut hosts down; none named means all."""
    _act("lab halt", power.halt, hosts, file, force=force)


@click.command()
@hosts_argument
@file_option
def start(hosts: tuple[str, ...], file: Path | None) -> None:
    """Give hosts power, and wait until they serve; none named means all."""
    _act("lab start", power.start, hosts, file)


@click.command()
@hosts_argument
@file_option
def reboot(hosts: tuple[str, ...], file: Path | None) -> None:
    """Shut hosts down and start them again, until they serve; none named means all."""
    _act("lab reboot", power.reboot, hosts, file)


def _act(doing: str, verb, hosts: tuple[str, ...], file: Path | None, **options: bool) -> None:  # type: ignore[no-untyped-def]
    lab, home = lab_and_home(file)
    names = named_hosts(lab, hosts)
    with home.lock(doing), shown() as listener, open_session(lab, home, listener) as session:
        if network := network_of(session.provider, lab, home):
            network.ensure()
        verb(session, names, **options)
    click.echo(f"{doing.removeprefix('lab ')}: {', '.join(names)}")
