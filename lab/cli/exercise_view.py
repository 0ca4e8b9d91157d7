"""How exercises, results and hints look on a terminal, in either language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console, Group, RenderableType
from rich.markdown import Markdown
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lab.cli.naming import with_name
from lab.exercises.doing import Hint
from lab.exercises.exercise import Exercise, Language, Script
from lab.exercises.messages import REACHABLE, TIERS, tell
from lab.exercises.results import Attempt, CheckResult, Marked, Status

MARKS = {
    Status.PASS: ("✓", "green"),
    Status.FAIL: ("✗", "red"),
    Status.SKIP: ("–", "dim"),
    Status.ERROR: ("!", "yellow"),
}
WORDS: dict[str, dict[Language, str]] = {
    "expected": {"en": "expected", "id": "harapan"},
    "actual": {"en": "found", "id": "kenyataan"},
    "hint": {"en": "hint", "id": "petunjuk"},
    "evidence": {"en": "evidence", "id": "bukti"},
    "points": {"en": "{earned} of {possible} points", "id": "{earned} dari {possible} poin"},
    "passed": {"en": "Passed.", "id": "Lulus."},
    "next": {"en": "next: lab exercise start {next}", "id": "berikutnya: lab exercise start {next}"},
    "all": {"en": "That was the last one: lab grade", "id": "Itu yang terakhir: lab grade"},
    "full": {
        "en": "What disturbs the machines is still to be checked: lab exercise check {exercise} --full",
        "id": "Yang mengganggu mesin masih harus diperiksa: lab exercise check {exercise} --full",
    },
    "more": {"en": "more: lab exercise hint", "id": "lebih lanjut: lab exercise hint"},
    "attempt": {"en": "attempt {number}", "id": "percobaan ke-{number}"},
    "tier": {"en": "hint {tier} of {tiers}", "id": "petunjuk {tier} dari {tiers}"},
    "no-hint": {"en": "Everything that was checked passes: there is nothing to hint at.",
                "id": "Semua yang diperiksa lulus: tidak ada yang perlu diberi petunjuk."},
    "gave-up": {"en": "You gave up on this attempt: it earns no points. `lab exercise reset` begins a new one.",
                "id": "Anda menyerah pada percobaan ini: tidak ada poin. `lab exercise reset` memulai yang baru."},
    "kept": {"en": "{exercise} is under way: your work is kept. `lab exercise reset` begins anew.",
             "id": "{exercise} sedang berjalan: pekerjaan Anda dipertahankan. `lab exercise reset` memulai lagi."},
    "leaving": {
        "en": "{exercise} has {earned} of {possible} points so far, and what is on its machines goes now.",
        "id": "{exercise} baru mendapat {earned} dari {possible} poin, dan isi mesinnya sekarang hilang.",
    },
    "go-on": {"en": "Go on?", "id": "Lanjutkan?"},
    "begun": {"en": "The machines are ready. Work on them with `lab ssh {host}`, then: lab exercise check",
              "id": "Mesin sudah siap. Kerjakan dengan `lab ssh {host}`, lalu: lab exercise check"},
    "solved": {"en": "The solution is on the machines now; look at it with `lab ssh {host}`.",
               "id": "Penyelesaian sekarang ada di mesin; lihatlah dengan `lab ssh {host}`."},
    "keys": {"en": "r check · f full · h hint · t task · n next · x reset · l list · q quit",
             "id": "r periksa · f lengkap · h petunjuk · t tugas · n berikutnya · x ulang · l daftar · q keluar"},
    "watching": {"en": "watching {hosts}; a change is checked by itself",
                 "id": "mengamati {hosts}; setiap perubahan diperiksa otomatis"},
    "minutes": {"en": "about {minutes} minutes", "id": "sekitar {minutes} menit"},
    "open": {"en": "open", "id": "belum"}, "started": {"en": "started", "id": "mulai"},
    "state-passed": {"en": "passed", "id": "lulus"}, "state-gave-up": {"en": "gave up", "id": "menyerah"},
}  # fmt: skip
STATE_STYLES = {"open": "dim", "started": "yellow", "passed": "green", "gave-up": "magenta"}


def word(name: str, language: Language, **values: object) -> str:
    """A phrase of ours in a language, with its values."""
    return with_name(WORDS[name][language].format(**values))


@dataclass(frozen=True)
class View:
    """Shows one exercise in one language."""

    exercise: Exercise
    language: Language
    console: Console

    def text(self, text: str) -> None:
        """A text in Markdown: rendered on a terminal, as it is elsewhere."""
        text = with_name(text)
        self.console.print(Markdown(text) if self.console.is_terminal else Text(text))

    def say(self, name: str, style: str = "", **values: object) -> None:
        """A phrase of ours on a line of its own."""
        self.console.print(Text(word(name, self.language, **values)), style=style)

    def result(self, result: CheckResult, tier: int) -> RenderableType:
        """One check: its sentence, and below what is wrong."""
        told = tell(self.exercise, result, self.language, tier)
        mark, style = MARKS[result.status]
        worth = f"{result.earned}/{result.points}" if result.points else ""
        head = Table.grid(padding=(0, 1), expand=True)
        head.add_column(width=1)
        head.add_column(ratio=1)
        head.add_column(justify="right")
        head.add_row(Text(mark, style), Text(told.sentence, "dim" if result.status is Status.SKIP else ""), worth)
        if result.status is Status.PASS:
            return head
        if result.status in (Status.SKIP, Status.ERROR):
            return Group(head, Padding(Text(told.actual, "dim"), (0, 0, 0, 4)))
        rows = Table.grid(padding=(0, 2))
        rows.add_column(style="dim", no_wrap=True)
        for name, text in (("expected", told.expected), ("actual", told.actual), ("hint", with_name(told.hint))):
            if text:
                rows.add_row(f"    {word(name, self.language)}", Text(text, "cyan" if name == "hint" else ""))
        if result.evidence:
            rows.add_row(f"    {word('evidence', self.language)}", Text(result.evidence, "dim"))
        return Group(head, rows)

    def marked(self, marked: Marked, attempt: Attempt, following: str) -> None:
        """All results, the points, and what to do next."""
        title = Text(self.exercise.about.title.in_(self.language), style="bold")
        number = word("attempt", self.language, number=attempt.number)
        self.console.print(Text.assemble((f"{self.exercise.id}", "bold cyan"), "  ", title, ("  " + number, "dim")))
        for result in marked.checks:
            if result.id != REACHABLE or result.status is not Status.PASS:
                self.console.print(self.result(result, attempt.tier(result.key)))
        points = word("points", self.language, earned=marked.earned, possible=marked.possible)
        self.console.print(Text(points, style="bold green" if marked.passed else "bold"))
        if attempt.gave_up:
            self.say("gave-up", "magenta")
        elif marked.passed and any(check.key == "needs-full" for check in marked.checks):
            self.say("full", "yellow", exercise=self.exercise.id)
        elif marked.passed:
            self.say("passed", "bold green")
            self.say("next" if following else "all", "dim", next=following)

    def hint(self, hint: Hint | None) -> None:
        """A hint and which of the three it is."""
        if hint is None:
            self.say("no-hint", "green")
            return
        told = tell(self.exercise, hint.result, self.language, hint.tier)
        self.console.print(Text(told.sentence, style="bold"))
        self.console.print(Text(with_name(told.hint), style="cyan"))
        self.say("tier", "dim", tier=hint.tier, tiers=TIERS)

    def solution(self, explanation: str, scripts: Sequence[Script]) -> None:
        """Why it works, and what to type on each host."""
        self.text(explanation)
        for script in scripts:
            self.console.print(Text(f"\n# {script.host}", style="cyan"))
            self.console.print(Text(with_name(script.text.strip())))


def listing(rows: Sequence[tuple[Exercise, Attempt | None]], language: Language) -> Table:
    """The exercises: number, name, title, points, state."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("", justify="right", style="dim")
    for _ in range(3):
        table.add_column("")
    table.add_column("", justify="right")
    for exercise, attempt in rows:
        state, earned = (attempt.state, attempt.earned) if attempt else ("open", 0)
        name = f"state-{state}" if f"state-{state}" in WORDS else state
        table.add_row(
            exercise.number, Text(exercise.id, "cyan"), exercise.about.title.in_(language),
            Text(word(name, language), STATE_STYLES[state]), f"{earned}/{exercise.about.points}",
        )  # fmt: skip
    return table
