"""lab scenario, lab heal"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from lab.cli.live import shown
from lab.cli.naming import with_name
from lab.cli.options import file_option, json_option, lab_and_home, lang_option, language, print_json
from lab.errors import DEVIATED, HELD

if TYPE_CHECKING:
    from lab.prediction import Guess
    from lab.runner import Ran
    from lab.scenario import Variant

EXAMPLES = """
\b
Examples:
  lab scenario                         what there is
  lab scenario kill-voxy               voxy loses its power under load
  lab scenario hang-voxy --config naive
  lab scenario ./mine.py --rate 300 --duration 20
"""


def scenario_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Completion of scenario names."""
    from lab.scenario import names

    return [name for name in names() if name.startswith(incomplete)]


@click.command(epilog=EXAMPLES)
@click.argument("name", required=False, shell_complete=scenario_names)
@click.argument("new_name", required=False, metavar="")
@click.option("--rate", type=click.FloatRange(1, 5000), default=150, show_default=True, help="Requests a second.")
@click.option("--duration", type=click.FloatRange(1, 600), default=None, help="Seconds that the fault lasts.")
@click.option(
    "--config", type=click.Choice(["default", "tuned", "naive", "ghost", "ip_hash", "non_idempotent"]), default=None,
    help="nginx's configuration for this run; default: the scenario's.",
)  # fmt: skip
@click.option("--posts", type=click.FloatRange(0, 1), default=None, help="The part of the requests that are POST.")
@click.option(
    "--path", "paths", multiple=True, default=["/"], show_default=True, help="What to ask for; may be given again."
)
@click.option("--client", "clients", multiple=True, help="A source address of this computer; repeatable.")
@click.option("--keepalive", is_flag=True, help="Use connections again, instead of a new one for each request.")
@click.option("--predict", "guess", is_flag=False, flag_value="ask", default=None,
              metavar='"errors=0 window=1 serves=zero"',
              help="Guess first, and have the guess scored; without a text it asks.")  # fmt: skip
@lang_option
@click.option("--self-test", is_flag=True, help="Run the controls: runs whose outcome is known beforehand.")
@click.option("--dry-run", is_flag=True, help="Print the plan; touch nothing.")
@file_option
@json_option
def scenario(
    name: str | None, new_name: str | None, rate: float, duration: float | None, config: str | None,
    posts: float | None, paths: tuple[str, ...], clients: tuple[str, ...], keepalive: bool,
    guess: str | None, lang: str | None, self_test: bool, dry_run: bool, file: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Do something to the lab under load, and prove what the users saw.

    Without NAME: list the scenarios. NAME may be a file of your own; `lab scenario new NAME` writes one to begin with.
    Ends with 0 when everything expected held, 1 when it did not, 3 when nothing can be concluded; the fault is
    healed in any case.
    """
    from lab.scenario import load, names

    if name == "new" and new_name:
        from lab.new_scenario import write_skeleton

        click.echo(write_skeleton(new_name, Path.cwd()))
        return
    if new_name:
        raise click.UsageError(f"Got unexpected extra argument ({new_name})")
    if self_test:
        _self_test(file, rate)
        return
    if name is None:
        _list(names(), file, as_json)
        return
    wanted = load(name)
    from lab.quantities import seconds
    from lab.runner import Options, faults_of, plan, refuse_impossible, run
    from lab.session import open_session

    lab, home = lab_and_home(file)
    title = Path(name).stem.replace("_", "-")
    guessed = _guess(guess, tuple(backend.name for backend in lab.backends))
    note = f"prediction: {guessed}" if guessed else ""
    options = Options(
        rate, seconds(duration) if duration else None, cast("Variant | None", config), posts, paths, clients, keepalive,
        file=str(Path(name).resolve()) if name.endswith(".py") else "", note=note,
    )  # fmt: skip
    if dry_run:
        with open_session(lab, home) as session:
            refuse_impossible(title, wanted, session)
            click.echo("\n".join(plan(title, wanted, faults_of(wanted, session, options), options)))
        return
    with home.lock(f"lab scenario {name}"), shown(as_json) as listener, open_session(lab, home, listener) as session:
        ran = run(title, wanted, session, options)
    _show(ran, wanted.lesson.id if language(lang, lab) == "id" else wanted.lesson.en, as_json)
    if guessed and not as_json:
        _score(guessed, ran)
    raise click.exceptions.Exit(ran.verdict.outcome.exit_code)


def _guess(text: str | None, backends: tuple[str, ...]) -> Guess | None:
    from lab.prediction import parse

    if text is None:
        return None
    if text == "ask":
        errors = click.prompt("How many percent of the requests will fail?", default="0")
        window = click.prompt("For how many seconds will users feel it?", default="0")
        serves = click.prompt(f"Who will serve meanwhile ({', '.join(backends)}, nobody)?", default=backends[-1])
        text = f"errors={errors} window={window} serves={serves.replace(' ', '')}"
    return parse(text, backends)


def _score(guess: Guess, ran: Ran) -> None:
    from lab.history import History
    from lab.prediction import score

    scores = score(guess, History.load(ran.folder.path))
    click.echo(f"\nYour prediction: {sum(each.right for each in scores)} of {len(scores)} right.")
    for each in scores:
        click.secho("✓ " if each.right else "✗ ", fg="green" if each.right else "red", nl=False)
        click.echo(f"{each.what}: you said {each.guessed}, measured {each.measured}")


def _self_test(file: Path | None, rate: float) -> None:
    from lab.selftest import controls
    from lab.session import open_session

    lab, home = lab_and_home(file)
    failed = 0
    with home.lock("lab scenario --self-test"), open_session(lab, home) as session:
        for control in controls(session, rate):
            failed += not control.ok
            click.secho("✓ " if control.ok else "✗ ", fg="green" if control.ok else "red", nl=False)
            expected = " or ".join(control.expected)
            click.echo(f"{control.what}: {control.verdict.outcome}, expected {expected}")
            for reason in control.verdict.reasons:
                click.echo(f"    {reason}")
    raise click.exceptions.Exit(DEVIATED if failed else HELD)


def _show(ran: Ran, lesson: str, as_json: bool) -> None:
    if as_json:
        click.echo(ran.verdict.to_json(), nl=False)
        return
    from rich.console import Console

    from lab.report.terminal import table

    console = Console(highlight=False)
    console.print(table(ran.verdict))
    console.print(f"\n{lesson}", style="italic")
    page = with_name("lab report --html report.html")
    console.print(f"\nthe record: {ran.folder.path}\na page for the class: {page}")


def _list(names: list[str], file: Path | None, as_json: bool) -> None:
    from lab.machines.capabilities import Capability, capabilities_of
    from lab.scenario import load

    lab, home = lab_and_home(file, warn=False)
    has_power = Capability.POWER_ON in capabilities_of(home.state().provider or lab.provider)
    rows = [(name, load(name), has_power or not load(name).needs_power) for name in names]
    if as_json:
        print_json([{"name": name, "question": each.question, "runs_here": runs} for name, each, runs in rows])
        return
    width = max(map(len, names))
    for name, each, runs in rows:
        click.echo(f"{name:<{width}}  {each.question}{'' if runs else '  (not here: the lab cannot give power back)'}")


@click.command()
@file_option
@json_option
def heal(file: Path | None, as_json: bool) -> None:
    """Undo whatever is still injected; twice is harmless."""
    from dataclasses import asdict

    from lab.healing import heal_all
    from lab.ledger import Ledger
    from lab.session import open_session

    lab, home = lab_and_home(file, warn=False)
    with home.lock("lab heal"), shown(quiet=as_json) as listener, open_session(lab, home, listener) as session:
        healed = heal_all(session, Ledger(home))
    if as_json:
        print_json({"healed": [asdict(entry) for entry in healed]})
    else:
        click.echo("\n".join(f"healed: {entry.what}" for entry in healed) or "Nothing is injected.")
    raise click.exceptions.Exit(HELD)
