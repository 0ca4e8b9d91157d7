"""One HTML file with everything in it: readable from a USB stick, without network, on a projector."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from lab.expectations import Expectation
from lab.failover import disturbed, stalled
from lab.history import History
from lab.metrics import bad_window
from lab.report import figures
from lab.report.plots import POINTS, colours, drawn, plot
from lab.verdict import Outcome, Verdict
from lab.witnesses import unlogged

SAYING = {
    Outcome.HELD: ("Every claim held, and the measurement is sound.", "Setiap klaim terbukti, dan pengukurannya sah."),
    Outcome.DEVIATED: ("What happened is not what was claimed.", "Yang terjadi tidak sesuai dengan klaim."),
    Outcome.INCONCLUSIVE: (
        "From this run nothing can be concluded.", "Dari percobaan ini tidak dapat ditarik kesimpulan.",
    ),
}  # fmt: skip
STAGES = {
    "written": "written to the ledger", "injected": "injected", "confirmed": "confirmed by a probe",
    "healing": "healing begins", "healed": "healed", "confirmed_healed": "healing confirmed by a probe",
}  # fmt: skip


@dataclass(frozen=True)
class Happening:
    """A line of the list of what happened; `kind` is phase, fault or event."""

    t: float
    kind: str
    where: str
    text: str


@dataclass(frozen=True)
class Tile:
    """A figure that is seen first: its name in both languages, and its value."""

    en: str
    id: str
    value: str
    bad: bool = False


def page(history: History, verdict: Verdict, expectations: Iterable[Expectation] = ()) -> str:
    """The page, about a third of a megabyte. Everything that the run brought along is escaped.

    With the expectations that were judged, the claims are shown in Indonesian too.
    """
    from jinja2 import Environment, PackageLoader
    from markupsafe import Markup

    environment = Environment(loader=PackageLoader("lab.report", ""), autoescape=True, trim_blocks=True,
                              lstrip_blocks=True)  # fmt: skip
    environment.globals.update(
        measured=figures.measured, MARKS=figures.MARKS, number=figures.number, WORDS=figures.WORDS
    )
    return environment.get_template("page.html.j2").render(
        history=history,
        run=history.run,
        verdict=verdict,
        saying=SAYING[verdict.outcome],
        tiles=tiles(history, verdict),
        plot=Markup(plot(history)),  # noqa: S704  # our own SVG; the names in it were escaped by matplotlib
        colours=colours(history),
        happenings=happenings(history),
        in_indonesian={expectation.claim(): expectation.claim("id") for expectation in expectations},
        began=datetime.fromtimestamp(history.run.epoch, UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
        left_out=len(history.samples) - len(drawn(history.samples)),
        points=POINTS,
        unlogged=len(unlogged(history)),
    )


def tiles(history: History, verdict: Verdict) -> tuple[Tile, ...]:
    """What is to be seen from the last row of the classroom."""
    requests, timings = verdict.requests, verdict.timings
    window = disturbed(history)
    slow = sum(stalled(sample) for sample in history.samples)
    found = [
        Tile("requests", "permintaan", figures.number(requests.sent)),
        Tile("failed", "gagal", figures.number(requests.failed), requests.failed > 0),
        Tile("stalled > 0.5 s", "tertahan > 0,5 dtk", figures.number(slow), slow > 0),
    ]
    if window is not None and history.faults:
        outage = bad_window().measure(history, window, history.touched_by(window), "s").value
        found += [
            Tile("bad window", "jendela buruk", figures.duration(outage), outage > 0),
            Tile("detected after", "terdeteksi setelah", figures.duration(timings.detect_s)),
            Tile("rerouted after", "dialihkan setelah", figures.duration(timings.reroute_s)),
            Tile("back after", "kembali setelah", figures.duration(timings.recover_s)),
        ]
    return tuple(found)


def happenings(history: History) -> tuple[Happening, ...]:
    """Phases, stages of the faults, events of the hosts and notes, in the order of time."""
    found = [Happening(phase.start, "phase", "", phase.name.replace("-", " ")) for phase in history.phases]
    for fault in history.faults:
        for stage, words in STAGES.items():
            t = getattr(fault, stage)
            if t is not None:
                found.append(Happening(t, "fault", fault.host, f"{fault.what}: {words}"))
    found += [Happening(event.t, "event", event.host, event.text) for event in history.events]
    found += [Happening(note.t, "event", "", note.text) for note in history.notes]
    return tuple(sorted(found, key=lambda happening: happening.t))
