"""The site's line in this computer's own /etc/hosts: written and removed as one marked line."""

from __future__ import annotations

from pathlib import Path

from lab import process
from lab.errors import EnvironmentProblem
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


def line_for(lab: Lab) -> str:
    """The line that lets a browser on this computer find the site by name."""
    return f"{lab.balancer.address} {lab.domain}  # lab: {lab.domain}"


def with_line(text: str, lab: Lab) -> str:
    """The file's text with the line, once, at the end."""
    kept = without_line(text, lab)
    return kept + ("" if not kept or kept.endswith("\n") else "\n") + line_for(lab) + "\n"


def without_line(text: str, lab: Lab) -> str:
    """The file's text without the line; everything else as it was."""
    mark = f"# lab: {lab.domain}"
    return "".join(line for line in text.splitlines(keepends=True) if not line.rstrip().endswith(mark))


def replace(text: str) -> None:
    """Write /etc/hosts as root, in place, for it may be a mount of its own."""
    process.as_root("tee", HOSTS, stdin=text)
