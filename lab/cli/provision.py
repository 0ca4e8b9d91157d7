"""lab provision"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from lab.cli.live import shown
from lab.cli.options import file_option, host_names, json_option, lab_and_home, print_json
from lab.errors import ENVIRONMENT
from lab.session import named_hosts, open_session


@click.command()
@click.argument("hosts", nargs=-1, shell_complete=host_names)
@file_option
@json_option
def provision(hosts: tuple[str, ...], file: Path | None, as_json: bool) -> None:
    """Give the hosts their states again; a second time changes nothing.

    HOSTS are names; none means all. Files that the lab wrote are put back as lab.toml says.
    """
    from lab.up import provision_hosts, source_for

    lab, home = lab_and_home(file)
    names = named_hosts(lab, hosts)
    with home.lock("lab provision"), shown(as_json) as listener, open_session(lab, home, listener) as session:
        reports = provision_hosts(session, source_for(lab, home, listener), names)
    if as_json:
        print_json({"hosts": [asdict(report) for report in reports]})
    else:
        for report in reports:
            outcome = f"{report.changed} changed, {report.failed} failed"
            click.echo(f"{report.name:<10} {outcome}, {report.seconds:.1f} s")
    for report in reports:
        if report.error and not as_json:
            click.echo(report.error, err=True)
    if not all(report.ok for report in reports):
        raise click.exceptions.Exit(ENVIRONMENT)
