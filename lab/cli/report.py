"""lab report"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lab.cli.options import file_option, json_option, lab_and_home
from lab.errors import EnvironmentProblem, LabError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.expectations import Expectation
    from lab.history import History

path_type = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("run", default="latest")
@click.option("--html", type=path_type, default=None, help="Write one self-contained page.")
@click.option("--junit", type=path_type, default=None, help="Write JUnit XML.")
@click.option("--gates", is_flag=True, help="List also the conditions of a sound measurement that hold.")
@file_option
@json_option
def report(run: str, html: Path | None, junit: Path | None, gates: bool, file: Path | None, as_json: bool) -> None:
    """Judge a run again from its record, and show it; RUN is the newest unless named."""
    from lab import report as reports
    from lab.history import History
    from lab.judge import judge
    from lab.run_folder import find_run

    _, home = lab_and_home(file)
    history = History.load(find_run(home, run).path)
    expected = expectations_of(history)
    verdict = judge(history, expected)
    if html:
        _write(html, reports.page(history, verdict, expected))
    if junit:
        _write(junit, reports.junit(verdict))
    if as_json:
        click.echo(verdict.to_json(), nl=False)
    elif not (html or junit):
        from rich.console import Console

        Console(highlight=False).print(reports.table(verdict, all_gates=gates))


def expectations_of(history: History) -> Sequence[Expectation]:
    """What the scenario expects today, when it still is the one that was run; else what cannot be judged again."""
    from lab.expectations import forgotten, standing
    from lab.scenario import load

    try:
        found = load(history.run.file or history.run.scenario)
    except LabError:
        return (forgotten(), *standing())
    same = found.question == history.run.question
    return (*found.verdict, *standing()) if same else (forgotten(), *standing())


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as fault:
        raise EnvironmentProblem(f"{path}: cannot be written: {fault.strerror}") from None
    click.echo(path)
