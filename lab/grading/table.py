"""Hand-ins and replays for the terminal; what others wrote is shown as text, never as markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from lab.exercises.exercise import Exercise, Language
from lab.grading.collect import Collection, Entry, words
from lab.grading.grade import Grade
from lab.grading.gradebook import possible
from lab.grading.page import STATES
from lab.grading.replay import Outcome, Replayed

PROVES = (
    "Signed: it proves that the holder of your key wrote it and that nobody changed it since, not who did the work; "
    "for that your teacher has `lab grade replay`."
)
FITS = {
    "ok": "The signature fits, and the key is this student's.",
    "unknown": "The signature fits: nothing was changed since. Whose key it is, only the class's folder can tell.",
    "changed": "The signature does not hold: do not count this file.",
}
"""What a hand-in's signature says."""
_COLOURS = {"passed": "green", "started": "yellow", "gave-up": "magenta", "outdated": "blue", "open": "dim"}
_SIGNED = {"ok": "green", "unknown": "yellow", "changed": "bold red"}
_REPLAYED = {Outcome.AGREES: "green", Outcome.DIFFERS: "bold red", Outcome.UNCLEAR: "yellow",
             Outcome.NOT_REPLAYABLE: "dim"}  # fmt: skip


def of_one(grade: Grade, exercises: Sequence[Exercise], language: Language = "en") -> Table:
    """A student's exercises: a row each, and the sum."""
    table = _table("", "exercise", "state", "points>", "hints>")
    for exercise in exercises:
        graded = grade.of(exercise.id)
        if graded is None:
            continue
        mark, *names = STATES[graded.state]
        colour = _COLOURS[graded.state]
        hints = str(graded.hints or "")
        state = Text(names[language == "id"], style=colour)
        points = Text(f"{graded.earned}/{graded.possible}")
        table.add_row(Text(mark, style=colour), Text(exercise.about.title.in_(language)), state, points, hints)
    table.add_section()
    table.add_row(
        "", Text("total", style="bold"), "", Text(f"{grade.earned}/{possible(grade, exercises)}", style="bold")
    )
    return table


def of_many(collection: Collection, exercises: Sequence[Exercise]) -> Group:
    """A class: a row a student; then the files that do not count, of which those that are a fault stand out."""
    table = _table("student", "name", "passed>", "points>", "signature", "remarks")
    for entry in collection.entries:
        grade = entry.grade
        passed = sum(graded.state == "passed" for graded in grade.exercises)
        remarks = ", ".join(words(flag)[0] for flag in entry.flags)
        table.add_row(
            Text(grade.student), Text(grade.name), str(passed), f"{grade.earned}/{possible(grade, exercises)}",
            Text(entry.signature, style=_SIGNED[entry.signature]), Text(remarks, style="red"),
        )  # fmt: skip
    for each in collection.missing:
        table.add_row(Text(each.id), Text(each.name), "", "", "", Text("no hand-in", style="dim"))
    left = [
        Text(f"{'! ' if each.bad else '  '}{each.file}: {each.why}", style="yellow" if each.bad else "dim")
        for each in collection.left_out
    ]
    return Group(table, *left)


def of_replay(done: Iterable[Replayed]) -> Table:
    """What a replay found: a row an exercise."""
    table = _table("exercise", "claimed>", "measured>", "replay", "")
    for each in done:
        said = Text(each.why, style="dim")
        if each.differing:
            said = Text(f"{', '.join(each.differing)}{': ' if each.why else ''}").append(said)
        measured = "" if each.measured is None else str(each.measured)
        outcome = Text(each.outcome, style=_REPLAYED[each.outcome])
        table.add_row(Text(each.exercise), str(each.claimed), measured, outcome, said)
    return table


def signed(entry: Entry) -> Text:
    """What a hand-in's signature says, and what is wrong with it."""
    text = Text(FITS[entry.signature], style=_SIGNED[entry.signature])
    for flag in entry.flags:
        text.append(f"\n! {words(flag)[0]}", style="yellow")
    return text


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column.rstrip(">"), justify="right" if column.endswith(">") else "left")
    return table
