"""The site's line in this computer's own /etc/hosts: written and removed as one marked line."""

from __future__ import annotations

import re
from pathlib import Path

from lab import process
from lab.errors import EnvironmentProblem, UsageError
from lab.topology import Lab

HOSTS = Path("/etc/hosts")


def read() -> str:
    """The text of /etc/hosts.

    Raises:
        EnvironmentProblem: it is not UTF-8, so it could not be written back as it was.
    """
    try:
        return HOSTS.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as fault:
        raise EnvironmentProblem(f"{HOSTS}: cannot be read: {fault}", "change the file by hand") from None


def line_for(lab: Lab, name: str = "") -> str:
    """The line that lets a browser on this computer find the site by name.

    Args:
        lab: the topology.
        name: what `--name` gave the lab; the line is marked with it.
    """
    return f"{lab.balancer.address} {lab.domain}  {_mark(lab, name)}"


def with_line(text: str, lab: Lab, name: str = "") -> str:
    """The file's text with the line, once, at the end.

    Raises:
        UsageError: another lab of this computer has the domain: a browser can find only one of them by it.
    """
    kept = without_line(text, lab, name)
    other = re.search(rf"# lab(?: (?P<name>\S+))?: {re.escape(lab.domain)}[ \t\r]*$", kept, re.MULTILINE)
    if other:
        whose = other["name"] or ""
        first = f"lab --name {whose} hosts --remove" if whose else "the lab without a name: hosts --remove"
        raise UsageError(
            f"{HOSTS}: {lab.domain} is the one of the lab {whose or 'without a name'} already",
            f"take that line out first ({first}), or set another domain in lab.toml",
        )
    return kept + ("" if not kept or kept.endswith("\n") else "\n") + line_for(lab, name) + "\n"


def without_line(text: str, lab: Lab, name: str = "") -> str:
    """The file's text without the lab's line; everything else as it was, also the lines of other labs."""
    mark = _mark(lab, name)
    return "".join(line for line in text.splitlines(keepends=True) if not line.rstrip().endswith(mark))


def _mark(lab: Lab, name: str) -> str:
    return f"# lab {name}: {lab.domain}" if name else f"# lab: {lab.domain}"


def replace(text: str) -> None:
    """Write /etc/hosts as root, in place, for it may be a mount of its own."""
    process.as_root("tee", HOSTS, stdin=text)
