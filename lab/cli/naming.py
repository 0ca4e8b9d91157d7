"""Which lab of the folder is meant: `lab --name a …`; and what we tell the user to type names it too."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import click
from click.core import ParameterSource

from lab import registry
from lab.home import FOLDER

LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")
VARIABLE = "LAB_NAME"
_typed = ""
"""The name, when it stood on the command line: with LAB_NAME the user need not repeat it."""


def checked(ctx: click.Context, param: click.Parameter, name: str | None) -> str:
    """The name, when it can be one.

    Raises:
        click.BadParameter: it cannot.
    """
    if name and not LABEL.fullmatch(name):
        raise click.BadParameter(f"{name!r} is no DNS label; use a to z, 0 to 9 and inner hyphens", ctx, param)
    return name or ""


def names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Completion: the labs of this folder that have a name."""
    found: set[str] = set()
    with suppress(OSError):
        here = Path.cwd()
        found = {path.name.removeprefix(f"{FOLDER}-") for path in here.glob(f"{FOLDER}-*")}
        found |= {entry.name for entry in registry.entries() if entry.folder == str(here)}
    return sorted(name for name in found if LABEL.fullmatch(name) and name.startswith(incomplete))


def chosen() -> str:
    """The name that this command was given; empty for the lab that has none."""
    ctx = click.get_current_context(silent=True)
    return str(ctx.find_root().params.get("name") or "") if ctx else ""


def remember(ctx: click.Context) -> None:
    """Keep what stood on the command line for as long as this command runs."""
    global _typed
    typed = ctx.get_parameter_source("name") is ParameterSource.COMMANDLINE
    _typed = str(ctx.params.get("name") or "") if typed else ""


def forget() -> None:
    """When a command has ended, nothing is typed."""
    global _typed
    _typed = ""


def with_name(text: str) -> str:
    """A text for the user: every command of ours in it names the lab that was named on the command line.

    What follows `cd FOLDER &&` is meant for another lab.
    """
    from lab.cli import COMMANDS

    if not _typed:
        return text
    return re.sub(rf"(?<!&& )\blab (?=(?:{'|'.join(COMMANDS)})\b)", f"lab --name {_typed} ", text)
