"""lab explain"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from lab.cli.naming import with_name
from lab.cli.options import file_option, json_option, lang_option, language, opened, print_json
from lab.errors import EnvironmentProblem


@click.command()
@lang_option
@file_option
@json_option
def explain(lang: str | None, file: Path | None, as_json: bool) -> None:
    """Read the live nginx configuration and say what will happen in each kind of failure."""
    from lab.explain import explain as statements_of
    from lab.nginx_config import site

    with opened(file) as session:
        text = session.host(session.lab.balancer.name).run("nginx -T 2>/dev/null", root=True).stdout
        found = site(text, session.lab.domain)
    if found is None:
        raise EnvironmentProblem(f"nginx on {session.lab.balancer.name} serves no site on port 80", "lab provision")
    statements = statements_of(found)
    if as_json:
        print_json([asdict(each) for each in statements])
        return
    for each in statements:
        click.secho(each.failure, bold=True)
        click.echo(f"  {each.id if language(lang, session.lab) == 'id' else each.en}")
        click.echo(with_name(f"  because of: {each.cause}; see it: lab scenario {each.scenario}"))
