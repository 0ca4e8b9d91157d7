"""What the commands share: options, the opened lab, and JSON on standard output."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lab.cli import naming
from lab.config import load
from lab.exercises.student import load_student
from lab.home import Home
from lab.ledger import Ledger
from lab.placing import settled
from lab.session import Session, open_session
from lab.topology import Lab

if TYPE_CHECKING:
    from lab.exercises.exercise import Language

file_option = click.option(
    "--file", "file", type=click.Path(path_type=Path, dir_okay=False), default=None,
    help="The lab's topology; default: lab.toml here, else the built-in lab.",
)  # fmt: skip
lang_option = click.option(
    "--lang", type=click.Choice(["en", "id"]), envvar="LAB_LANG", default=None,
    show_default="lab.toml's, else by LANG", help="The language of lessons and exercises.",
)  # fmt: skip
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def language(chosen: str | None, lab: Lab) -> Language:
    """The language to speak: --lang or LAB_LANG, else lab.toml's, else by LANG, else English."""
    by_system = "id" if os.environ.get("LANG", "").startswith("id") else "en"
    return "id" if (chosen or lab.lang or by_system) == "id" else "en"


def lab_and_home(file: Path | None, *, warn: bool = True, remembered: bool = True) -> tuple[Lab, Home]:
    """The topology, and the folder that the lab keeps beside it; warns while a fault is in force.

    With --name it is that lab's folder, and the topology is on that lab's subnet. Where a student's card lies beside
    lab.toml, domain and port are the student's own. The lab is to do without internet when lab.toml or LAB_OFFLINE says
    so, or (with `remembered`) the `lab up` that made it.
    """
    home = Home(file.parent if file else Path.cwd(), naming.chosen())
    left = Ledger(home).entries() if warn else ()
    if left:
        mend = naming.with_name("`lab heal` undoes it")
        click.secho(f"! still in force: {', '.join(entry.what for entry in left)}; {mend}", fg="yellow", err=True)
    lab = load_student(home.folder).own(settled(load(file), home))
    offline = lab.offline or _said_yes("LAB_OFFLINE") or (remembered and home.state().offline)
    return (replace(lab, offline=True) if offline else lab), home


def _said_yes(variable: str) -> bool:
    return os.environ.get(variable, "").lower() not in ("", "0", "no", "off", "false")


def opened(file: Path | None, **options: Any) -> Session:
    """The session of a lab that was brought up."""
    lab, home = lab_and_home(file)
    return open_session(lab, home, **options)


def host_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Completion of host names."""
    try:
        return [host.name for host in load(ctx.params.get("file")).hosts if host.name.startswith(incomplete)]
    except Exception:
        return []


def exercise_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Completion of names."""
    try:
        from lab.exercises.exercise import names

        return [name for name in names() if name.startswith(incomplete)]
    except Exception:
        return []


def print_json(value: Any) -> None:
    """A value as JSON on standard output."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
