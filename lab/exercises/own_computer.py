"""What a solution does on the student's own computer: power, and nothing else.

A script named lab.sh has lines as `lab halt --force voxy`, `lab start voxy`, `lab reboot voxy` and `sleep 4`. They are
read here, not given to a shell: an exercise has no business on the computer that it is tried on.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from time import sleep

from lab import power
from lab.errors import UsageError
from lab.session import Session

OWN_COMPUTER = "lab"
LONGEST_SLEEP_S = 30
_POWER = re.compile(r"lab (halt --force|halt|start|reboot) ([a-z0-9-]+)$")
_SLEEP = re.compile(r"sleep (\d+)$")


def run(session: Session, text: str) -> None:
    """Do what the lines say, one after the other.

    Raises:
        UsageError: a line is something else; then nothing was done.
        LabError: a host did not do as it was told.
    """
    for fault in faults_of(text, {host.name for host in session.lab.hosts}):
        raise UsageError(f"lab.sh: {fault}", "write lab halt, lab start, lab reboot or sleep")
    for line in _lines(text):
        pause = _SLEEP.match(line)
        if pause:
            sleep(int(pause[1]))
            continue
        verb, host = _POWER.match(line).groups()  # type: ignore[union-attr]  # the lines were looked at above
        if verb == "start":
            power.start(session, (host,))
        elif verb == "reboot":
            power.reboot(session, (host,))
        else:
            power.halt(session, (host,), force="--force" in verb)


def faults_of(text: str, hosts: Collection[str]) -> Iterator[str]:
    """The lines that are not understood, a sentence each."""
    for line in _lines(text):
        power_line, pause = _POWER.match(line), _SLEEP.match(line)
        if not power_line and not pause:
            yield f"`{line}` is none of lab halt, lab start, lab reboot, sleep"
        elif power_line and power_line[2] not in hosts:
            yield f"`{line}`: there is no host {power_line[2]}"
        elif pause and int(pause[1]) > LONGEST_SLEEP_S:
            yield f"`{line}` is longer than {LONGEST_SLEEP_S} s"


def _lines(text: str) -> list[str]:
    return [line for raw in text.splitlines() if (line := raw.partition("#")[0].strip())]
