"""lab compare"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lab.cli.options import file_option, json_option, lab_and_home, print_json

if TYPE_CHECKING:
    from lab.history import History
    from lab.home import Home
    from lab.verdict import Verdict


@click.command()
@click.argument("left")
@click.argument("right", default="latest")
@file_option
@json_option
def compare(left: str, right: str, file: Path | None, as_json: bool) -> None:
    """Show two runs side by side, as before and after a change; RIGHT is the newest unless named."""
    from rich.console import Console
    from rich.table import Table

    from lab.comparison import compare as rows_of

    _, home = lab_and_home(file)
    rows = rows_of(_judged(home, left), _judged(home, right))
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    table = Table("", left, right, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        changed = "bold" if row.left != row.right else "dim"
        table.add_row(row.what, row.left, row.right, style=changed)
    Console(highlight=False).print(table)


def _judged(home: Home, run: str) -> tuple[History, Verdict]:
    from lab.cli.report import expectations_of
    from lab.history import History
    from lab.judge import judge
    from lab.run_folder import find_run

    history = History.load(find_run(home, run).path)
    return history, judge(history, expectations_of(history))
