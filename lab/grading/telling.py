"""What a check of a hand-in found, in a human language, also when the exercise here is not quite the one it is of."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from lab.errors import LabError
from lab.exercises.exercise import Exercise, Language
from lab.exercises.messages import Told, sentence_of, tell
from lab.exercises.results import CheckResult, Status

_UNKNOWN = (KeyError, StopIteration, ValueError, LabError)


def told(exercises: Sequence[Exercise], exercise: str, check: CheckResult, language: Language) -> Told:
    """A result in a language; its bare names where no sentence or message fits."""
    found = next((each for each in exercises if each.id == exercise), None)
    sentence = check.id.replace("_", " ")
    if found is not None:
        with suppress(*_UNKNOWN):
            sentence = sentence_of(found, check.id, language)
            return tell(found, check, language)
    return Told(sentence, actual="" if check.status is Status.PASS else check.key)
