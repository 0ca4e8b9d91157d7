"""lab up"""

from __future__ import annotations

import os
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lab import process
from lab.cli.live import shown
from lab.cli.naming import with_name
from lab.cli.options import file_option, json_option, lab_and_home, print_json
from lab.home import Home
from lab.topology import Lab

if TYPE_CHECKING:
    from lab.up import UpReport

EXAMPLES = """
\b
Examples:
  lab up                           akuma, voxy and zero with the app of the course
  lab up --app hello               with the lab's own app, which needs no internet
  lab up --app ~/src/my-app        with your own app, from a folder or a git URL
  lab --name b up                  a second lab beside the first, on a subnet of its own
  lab up --provider lxd --vm       virtual machines at LXD, each with a kernel of its own
  lab up --offline                 with what `lab unpack` brought; nothing is fetched
  lab up --accept-host-keys        machines that you have (docs/multipass.md), without a terminal
"""


@click.command(epilog=EXAMPLES)
@click.option(
    "--provider", type=click.Choice(["auto", "lxc", "lxd", "libvirt", "virtualbox", "existing"]), default=None,
    show_default=False, help="Who makes the guests; auto picks what works here.",
)  # fmt: skip
@click.option("--vm", is_flag=True, help="LXD makes virtual machines, not containers; also engine.vm in lab.toml.")
@click.option("--app", default="", metavar="NAME|GIT_URL|FOLDER", help="The application that the backends run.")
@click.option("--offline", is_flag=True, help="Touch no network; also LAB_OFFLINE=1, or offline = true in lab.toml.")
@click.option(
    "--accept-host-keys", is_flag=True,
    help="For machines that are there already: take the host keys that they show now, without asking.",
)  # fmt: skip
@file_option
@json_option
def up(
    provider: str | None, vm: bool, app: str, offline: bool, accept_host_keys: bool, file: Path | None, as_json: bool
) -> None:  # fmt: skip
    """Bring the lab up: boot, provision, prove that the site is balanced.

    What is there already is left as it is; an interrupted `up` goes on where it stopped.
    """
    lab, home = lab_and_home(file, remembered=False)
    lab = replace(lab, offline=lab.offline or offline)
    with home.lock("lab up"):
        if lab.provider == "existing":
            _meet(lab, home, accept_host_keys)
        with shown(quiet=as_json) as listener:
            from lab.up import up as bring_up

            report = bring_up(lab, home, listener, provider=provider or "", app=app, vm=vm)
    lab, _ = lab_and_home(file, warn=False)  # a named lab has got its subnet meanwhile
    if as_json:
        print_json({"url": lab.url, **asdict(report)})
        return
    _say_what_next(lab, report)


def _meet(lab: Lab, home: Home, accepted: bool) -> None:
    """Pin the host keys that nobody has vouched for, once the user has seen them; without a terminal `up` refuses."""
    from lab.machines import host_keys

    if not (accepted or sys.stdin.isatty()):
        return
    shown_keys = host_keys.strangers(lab, home)
    for key in shown_keys:
        click.echo(f"{key.host:<10} {key.place:<20} {key.kind} {key.fingerprint}", err=True)
    if shown_keys and not accepted:
        click.echo("On them `lab up` puts nginx, Node, pm2, and an account vagrant with sudo.", err=True)
        click.confirm("Are these machines yours, and are these their host keys?", abort=True, err=True)
    host_keys.pin(lab, home, shown_keys)


def _say_what_next(lab: Lab, report: UpReport) -> None:
    lab_command = with_name("lab up").removesuffix(" up")
    program = "python -m lab" if sys.argv[0].endswith("__main__.py") else os.path.relpath(sys.argv[0])
    command = lab_command if process.find("lab") else program + lab_command.removeprefix("lab")
    answered = " and ".join(report.answered)
    click.echo(f"\n{report.app} is served at {lab.url} (Host {lab.domain}), through {answered}.")
    click.echo(f"Up after {report.seconds:.1f} s. Try next:")
    click.echo(f"  curl -sI -H 'Host: {lab.domain}' {lab.url} | grep X-Backend")
    click.echo(f"  {command} status\n  {command} ssh {lab.backends[0].name}")
    click.echo(f"  {command} exercise start   # learn by hand; each exercise checks itself")
    if lab.provider == "existing":
        click.echo(f"  {command} scenario   # what can be tried on machines whose power is not the lab's")
    else:
        click.echo(f"  {command} halt {lab.backends[0].name}   # and ask the site again")
