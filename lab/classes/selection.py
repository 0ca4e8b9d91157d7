"""Which students of a class a command is for: all, some by id, or those on some member."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence

from lab.errors import UsageError

FEW = 6
"""So many names fit into a sentence."""


def select(
    members: Mapping[str, str], students: Sequence[str] = (), on: Sequence[str] = ()
) -> tuple[str, ...]:  # fmt: skip
    """The chosen students, in the class's order; all when nothing is asked for.

    Args:
        members: for each student of the class the member that has the lab.
        students: ids to take.
        on: members whose labs to take; with ids too, both are taken.

    Raises:
        UsageError: the class has no such student, or no lab on such a member.
    """
    for id in students:
        _require(id, members, "the class has no student")
    for name in on:
        _require(name, set(members.values()), "the class has no lab on the member")
    if not students and not on:
        return tuple(members)
    return tuple(id for id, member in members.items() if id in students or member in on)


def _require(wanted: str, known: Collection[str], sentence: str) -> None:
    if wanted in known:
        return
    close = difflib.get_close_matches(wanted, known, n=1)
    few = f"there is {', '.join(sorted(known))}" if 0 < len(known) <= FEW else "`lab class status` shows all"
    mend = f"did you mean {close[0]!r}?" if close else few
    raise UsageError(f"{sentence} {wanted!r}", mend)
