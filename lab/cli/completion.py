"""lab completion"""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script for a shell.

    \b
    bash:  lab completion bash > ~/.local/share/bash-completion/completions/lab
    zsh:   lab completion zsh > ~/.zfunc/_lab
    fish:  lab completion fish > ~/.config/fish/completions/lab.fish
    """
    from lab.cli import cli

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"there is no completion for {shell}")
    click.echo(kind(cli, {}, "lab", "_LAB_COMPLETE").source())
