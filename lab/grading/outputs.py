"""Which files are wanted of a collection, and what stands in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.exercises.exercise import Exercise, Language
from lab.grading.collect import Collection
from lab.grading.gradebook import as_csv
from lab.grading.junit import junit
from lab.grading.page import page


@dataclass(frozen=True)
class Text:
    """A file to be written."""

    path: Path
    text: str


@dataclass(frozen=True)
class Outputs:
    """The files that are wanted; None is not."""

    csv: Path | None = None
    junit: Path | None = None
    html: Path | None = None

    def texts(
        self, found: Collection, exercises: Sequence[Exercise], made_at: str, title: str, language: Language
    ) -> tuple[Text, ...]:
        """Each with its text."""
        texts = []
        if self.csv:
            texts.append(Text(self.csv, as_csv(found, exercises)))
        if self.junit:
            texts.append(Text(self.junit, junit(found, exercises, language)))
        if self.html:
            texts.append(Text(self.html, page(found, exercises, made_at, title)))
        return tuple(texts)
