"""lab pack, lab unpack"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lab.cli.live import shown
from lab.cli.options import file_option, json_option, lab_and_home, print_json

if TYPE_CHECKING:
    from lab.packing.manifest import Manifest
    from lab.packing.unpack import UnpackReport

PACK_EXAMPLES = """
\b
Examples:
  lab pack room.lab                             this lab with its app
  lab pack room.lab --app dumbsound --app hello
\b
Then, in the room:
  lab unpack room.lab && lab up --offline
  tar -xf room.lab install.sh && sh install.sh room.lab     where lab is not installed yet
"""
UNPACK_EXAMPLES = """
\b
Examples:
  lab unpack room.lab
  lab unpack room.lab --check                   only look at every byte
  lab unpack room.lab --expect 3f2a9c01         refuse any other than the teacher's
"""
_LAB_TOML = {
    "written": "lab.toml is the pack's.",
    "there": "lab.toml is the pack's already.",
    "kept": "lab.toml here is another than the pack's and was left as it is.",
    "none": "",
}


@click.command(epilog=PACK_EXAMPLES)
@click.argument("to", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--app", "apps", multiple=True, metavar="NAME|GIT_URL|FOLDER",
    help="An application, built and with its dependencies; may be repeated, the first is the room's.",
    show_default="lab.toml's",
)  # fmt: skip
@file_option
@json_option
def pack(to: Path, apps: tuple[str, ...], file: Path | None, as_json: bool) -> None:
    """Write everything that a room without internet needs into one file.

    Box, applications, the lab itself and its Python packages, with checksums. What is missing is built first.
    """
    from lab import preflight
    from lab.packing.pack import pack as write

    lab, home = lab_and_home(file)
    preflight.check("lxc")
    with home.lock("lab pack"), shown(quiet=as_json) as listener:
        done = write(lab, home, listener, to, apps)
    if as_json:
        about = {"file": done.file, "bytes": done.bytes, "fingerprint": done.fingerprint, "seconds": done.seconds}
        print_json({**about, **_plain(done.manifest)})
        return
    click.echo(f"{done.file}: {done.bytes / 2**20:.0f} MiB, {_words(done.manifest)}. Took {done.seconds:.0f} s.")
    click.echo(f"Fingerprint: {_grouped(done.fingerprint)}")
    click.echo(f"In the room:  lab unpack {to.name} && lab up --offline")
    click.echo(f"Without lab:  tar -xf {to.name} install.sh && sh install.sh {to.name}")


@click.command(epilog=UNPACK_EXAMPLES)
@click.argument("pack", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--check", "only_check", is_flag=True, help="Verify; install nothing.")
@click.option("--expect", default="", metavar="DIGITS", help="The first digits of the fingerprint that it must have.")
@json_option
def unpack(pack: Path, only_check: bool, expect: str, as_json: bool) -> None:
    """Verify a file that `lab pack` wrote, every byte of it, and install what is in it: all or nothing.

    Boxes, applications and their dependencies go into the cache, the pack's lab.toml here when there is none.
    """
    from lab.packing.unpack import check
    from lab.packing.unpack import unpack as install

    with shown(quiet=as_json) as listener:
        digits = expect.replace(" ", "")
        done = check(pack, listener, digits) if only_check else install(pack, Path.cwd(), listener, digits)
    if as_json:
        about = {"file": done.file, "fingerprint": done.fingerprint, "installed": done.installed}
        print_json({**about, "lab_toml": done.lab_toml, "seconds": done.seconds, **_plain(done.manifest)})
        return
    _say_unpacked(done, only_check)


def _say_unpacked(done: UnpackReport, only_check: bool) -> None:
    click.echo(f"{done.file} is whole: {_words(done.manifest)}, by lab {done.manifest.tool}, {done.manifest.written}.")
    click.echo(f"Fingerprint: {_grouped(done.fingerprint)}")
    if only_check:
        return
    if done.installed:
        click.echo(f"Installed {len(done.installed)} files. {_LAB_TOML[done.lab_toml]}".rstrip())
    else:
        click.echo(f"Everything was here already. {_LAB_TOML[done.lab_toml]}".rstrip())
    click.echo("Next: lab up --offline")


def _words(manifest: Manifest) -> str:
    wheels = len(manifest.of("wheels"))
    return f"{', '.join(manifest.boxes)}, app {' and '.join(manifest.apps)}, {wheels} Python packages"


def _grouped(fingerprint: str) -> str:
    """In groups of four, to be read aloud; the first sixteen digits are enough to compare."""
    return " ".join(fingerprint[start : start + 4] for start in range(0, 16, 4)) + f" ({fingerprint[16:]})"


def _plain(manifest: Manifest) -> dict[str, Any]:
    import msgspec

    plain: dict[str, Any] = msgspec.to_builtins(manifest)
    return plain
