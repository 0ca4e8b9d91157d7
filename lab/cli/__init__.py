"""The command line: parse, call, render, exit. No logic; one module a command group."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from lab.cli import naming
from lab.errors import BUG, INTERRUPTED, LabError
from lab.signals import heed

COMMANDS = {
    "up": ("up", "Bring the lab up: boot, provision, prove that the site is balanced."),
    "list": ("list_", "List every lab on this computer: name, subnet, how many of its hosts run, folder."),
    "status": ("status", "Show each host: state, reachable, app."),
    "scenario": ("scenario", "Do something to the lab under load, and prove what the users saw."),
    "exercise": ("exercise", "Learn by hand on real machines; each exercise checks itself."),
    "report": ("report", "Judge a run again from its record, and show it."),
    "compare": ("compare", "Show two runs side by side."),
    "explain": ("explain", "Read the live nginx configuration and say what will happen in each kind of failure."),
    "heal": ("scenario", "Undo whatever is still injected."),
    "provision": ("provision", "Give the hosts their states again; a second time changes nothing."),
    "ssh": ("hosts", "Log in to a host, or run a command there."),
    "logs": ("hosts", "Show what nginx, the app and systemd said on a host."),
    "halt": ("power", "Shut hosts down."),
    "start": ("power", "Give hosts power, and wait until they serve."),
    "reboot": ("power", "Shut hosts down and start them again."),
    "save": ("saves", "Save all machines as they are, to go back to this point of a lesson."),
    "restore": ("saves", "Put all machines back to a save, and wait until they serve."),
    "saves": ("saves", "List saves, the oldest first; or remove one."),
    "destroy": ("destroy", "Remove the lab: guests with their saves, network, keys."),
    "open": ("site", "Print the address of the balanced site."),
    "hosts": ("site", "Print, write or remove the site's line in this computer's /etc/hosts."),
    "render": ("render", "Print what would be written; boots nothing."),
    "pack": ("pack", "Write everything that a room without internet needs into one file."),
    "unpack": ("pack", "Verify a file that `lab pack` wrote, and install what is in it."),
    "box": ("box", "Build, list, export, import and remove boxes."),
    "grade": ("grade", "Grade all exercises, and write the file to hand in; or look at the hand-ins of others."),
    "class": ("class_", "Give each student of a roster a lab of their own on a cluster; or a card."),
    "engine": ("engine", "Be trusted by an LXD on another computer, so that labs can be there."),
    "doctor": ("doctor", "Say what is missing on this computer, and the command that mends it."),
    "completion": ("completion", "Print the completion script for a shell."),
}


_FUNCTIONS = {"open": "open_", "class": "class_", "list": "list_"}  # where the command's name is one of Python's


class Commands(click.Group):
    """Loads a command's module only when it is called, so that --help is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in the order of a lab's life."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"lab.cli.{COMMANDS[cmd_name][0]}")
        found: click.Command = getattr(module, _FUNCTIONS.get(cmd_name, cmd_name))
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it, with "did you mean"."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as fault:
            import difflib

            close = difflib.get_close_matches(args[0], COMMANDS, n=1)
            if not close or "Did you mean" in fault.message:
                raise
            raise click.UsageError(f"{fault.message} Did you mean {close[0]!r}?", ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in --help, without loading a single command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.command(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Begin with: lab up",
)
@click.version_option(package_name="failover-lab", prog_name="lab")
@click.option(
    "--name", envvar=naming.VARIABLE, default="", callback=naming.checked, shell_complete=naming.names,
    help="Another lab of this folder, on a subnet of its own, beside the one without a name.",
)  # fmt: skip
@click.pass_context
def cli(ctx: click.Context, name: str) -> None:
    """A load-balancing laboratory on real machines: akuma balances over voxy and zero."""
    naming.remember(ctx)


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command and exit with the lab's exit codes; an error is a sentence, never a traceback."""
    heed()
    try:
        code = cli.main(args=argv and list(argv), prog_name="lab", standalone_mode=False)
        _leave(code if isinstance(code, int) else 0)
    except click.exceptions.Exit as done:
        _leave(done.exit_code)
    except click.ClickException as fault:
        _in_its_place(fault).show()
        _leave(fault.exit_code)
    except (click.Abort, KeyboardInterrupt):
        _complain("interrupted")
        _leave(INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _leave(0)
    except LabError as fault:
        _complain(naming.with_name(str(fault)))
        _leave(fault.exit_code)
    except Exception as fault:
        _report_bug(fault)
        _leave(BUG)
    finally:
        naming.forget()


def _in_its_place(fault: click.ClickException) -> click.ClickException:
    """Where --name stood after the command, say where it stands."""
    if isinstance(fault, click.NoSuchOption) and fault.option_name == "--name":
        where = "--name stands before the command, as in: lab --name NAME up."
        return click.NoSuchOption("--name", f"{fault.message} {where}", ctx=fault.ctx)
    return fault


def _leave(code: int) -> None:
    """Exit at once: after an interrupt, threads may still wait for hosts that nobody needs any more."""
    sys.stdout.flush()
    sys.stderr.flush()
    if code == INTERRUPTED:
        os._exit(code)
    sys.exit(code)


def _complain(text: str) -> None:
    from rich.console import Console
    from rich.text import Text

    first, _, rest = text.partition("\n")
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(Text.assemble(("lab: ", "bold red"), first))
    if rest:
        console.print(Text(rest))


def _report_bug(fault: Exception) -> None:
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile("w", prefix="lab-bug-", suffix=".txt", delete=False) as file:
        file.write("".join(traceback.format_exception(fault)))
    _complain(f"this is a bug of ours: {type(fault).__name__}: {fault}\n  → please report it with {file.name}")
