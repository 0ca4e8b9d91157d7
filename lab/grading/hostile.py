"""Text that somebody else wrote, made fit for a terminal, a sentence or a file."""

from __future__ import annotations

_JOINERS = "\u200c\u200d"
"""Invisible, and part of how some names are written."""


def is_plain(text: str, *, lines: bool = False) -> bool:
    """Whether every character shows: no control, no override of the writing direction; with `lines` tab and newline."""
    allowed = _JOINERS + ("\n\t" if lines else "")
    return all(letter.isprintable() or letter in allowed for letter in text)


def plain(text: str, limit: int = 300, *, lines: bool = False) -> str:
    """The text with a replacement for every character that is not plain, cut at a length."""
    cut = text if len(text) <= limit else text[: limit - 2] + " …"
    return "".join(letter if is_plain(letter, lines=lines) else "\ufffd" for letter in cut)
