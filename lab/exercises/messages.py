"""What an exercise says, in both languages: each check's sentence, and by key what is wrong and how to go on.

[wrong.no-token]
expected = "the token {token} somewhere in the page"
actual = "{page}"
hints = ["look at …", "the file is …", "sudo sh -c 'echo {token} > …'"]

[checks]                          # messages.id.toml only: in English the docstring is the sentence
serves_the_token = "Halaman depan memuat token Anda."
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import msgspec

from lab.errors import UsageError
from lab.exercises.exercise import Exercise, Language
from lab.exercises.results import ERROR, NEEDS, NEEDS_FULL, CheckResult, Status

TIERS = 3
_BRACES = re.compile(r"\{\{|\}\}|\{([A-Za-z_]\w*)\}")


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is said of one kind of wrong; `hints` from a nudge to the answer."""

    expected: str
    actual: str
    hints: tuple[str, str, str]


class Catalogue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A messages file."""

    wrong: dict[str, Message] = {}
    checks: dict[str, str] = {}


@dataclass(frozen=True)
class Told:
    """A result as a person reads it, in one language; empty strings where there is nothing to say."""

    sentence: str
    expected: str = ""
    actual: str = ""
    hint: str = ""


OWN: dict[Language, dict[str, str]] = {
    "en": {
        NEEDS: "first: {needs}",
        NEEDS_FULL: "disturbs the machines; runs with --full",
        ERROR: "this check broke, which is our fault and costs no points: {error}",
        "unreachable": "{host} lets us in over SSH",
        "unreachable-actual": "{error}",
        "unreachable-hint": "`lab start {host}` gives power; locked out: `lab exercise start --again` makes them anew",
        "reachable": "The machines of this exercise let you in.",
    },
    "id": {
        NEEDS: "dahulukan: {needs}",
        NEEDS_FULL: "mengganggu mesin; dijalankan dengan --full",
        ERROR: "pemeriksaan ini rusak; itu kesalahan kami dan tidak mengurangi nilai: {error}",
        "unreachable": "{host} dapat dimasuki lewat SSH",
        "unreachable-actual": "{error}",
        "unreachable-hint": "`lab start {host}` menghidupkan; terkunci di luar: `lab exercise start --again`",
        "reachable": "Mesin-mesin latihan ini dapat Anda masuki.",
    },
}
"""What the engine itself says of a result."""

OWN_KEYS = frozenset({NEEDS, NEEDS_FULL, ERROR, "unreachable"})
"""Of results; no exercise may have them."""

REACHABLE = "reachable"
"""The check that every exercise has without writing it."""


def tell(exercise: Exercise, result: CheckResult, language: Language, tier: int = 1) -> Told:
    """A stored result in a language.

    Args:
        exercise: whose result it is.
        result: the stored one.
        language: `en` or `id`.
        tier: which of the three hints, from 1.
    """
    sentence = sentence_of(exercise, result.id, language)
    if result.status is Status.PASS:
        return Told(sentence)
    own = OWN[language]
    if result.key == "unreachable":
        said = (own["unreachable"], own["unreachable-actual"], own["unreachable-hint"])
        return Told(sentence, *(_filled(text, result.values) for text in said))
    if result.key in (NEEDS, NEEDS_FULL, ERROR):
        values = dict(result.values)
        if result.key == NEEDS:
            values["needs"] = sentence_of(exercise, values["needs"], language)
        return Told(sentence, actual=_filled(own[result.key], values))
    message = catalogue(exercise.folder, language).wrong[result.key]
    texts = (message.expected, message.actual, message.hints[min(tier, TIERS) - 1])
    return Told(sentence, *(_filled(text, result.values) for text in texts))


def sentence_of(exercise: Exercise, id: str, language: Language) -> str:
    """What a check claims."""
    if id == REACHABLE:
        return OWN[language]["reachable"]
    if language == "en":
        return next(check.sentence for check in exercise.checks if check.id == id)
    return catalogue(exercise.folder, language).checks[id]


@lru_cache
def catalogue(folder: Path, language: Language) -> Catalogue:
    """An exercise's messages in a language.

    Raises:
        UsageError: the file is missing, or is no such thing.
    """
    path = folder / f"messages.{language}.toml"
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Catalogue)
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such file", "an exercise speaks both languages") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as fault:
        raise UsageError(f"{path}: {fault}", "mend the place that it names") from None


def _filled(text: str, values: dict[str, str]) -> str:
    """{name} by its value, two braces by one; all else stays, also what stands in a value."""
    return _BRACES.sub(lambda found: values.get(found[1], found[0]) if found[1] else found[0][0], text)


def placeholders(text: str) -> set[str]:
    """The names in a text's braces."""
    return {found[1] for found in _BRACES.finditer(text) if found[1]}
