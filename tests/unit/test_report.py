"""The page, the JUnit file and the terminal, made from histories."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from rich.console import Console

from lab.expectations import Expectation, after, during, failed_requests, share_of, standing
from lab.history import History
from lab.judge import judge
from lab.records import Backend, EventRecord, HostAddress, NoteRecord
from lab.report import junit, page, table
from lab.report.figures import duration, measured, number
from lab.report.plots import drawn, plot
from lab.verdict import Evidence, Outcome, Verdict
from tests.unit.histories import KILLED, RUN, Reply, Try, all_dead, fails_over, ghost, killed, played, quiet

CLAIMS: tuple[Expectation, ...] = (
    during(failed_requests()).at_most("0 %"), after(share_of("voxy")).at_least("40 %"), *standing(),
)  # fmt: skip
EVIL = '<script>alert("1")</script>'
LOADING = {"src", "href", "srcset", "data", "action", "poster", "xlink:href"}


class Page(HTMLParser):
    """The elements of a page, and what they load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the element."""
        self.tags.append(tag)
        self.loads += [value or "" for name, value in attrs if name in LOADING]

    def handle_data(self, data: str) -> None:
        """Note the text."""
        self.text += data


@pytest.mark.parametrize("make", [killed, all_dead, ghost, quiet])
def test_the_page_is_complete_and_loads_nothing(make: object) -> None:
    """Outcome, question, every claim and gate, the picture; nothing comes from outside the file."""
    history: History = make()  # type: ignore[operator]
    verdict = judge(history, CLAIMS)
    text = page(history, verdict)
    found = Page(text)
    for sentence in (verdict.outcome, RUN.question, RUN.command, *(evidence.claim for evidence in verdict.evidence)):
        assert sentence in found.text
    assert found.tags.count("svg") == 1
    assert [load for load in found.loads if not load.startswith(("data:image/png;base64,", "#"))] == []
    assert "url(" not in re.sub(r"url\(#\w+\)", "", text)
    assert "@import" not in text
    assert len(text) < 300_000


def test_the_page_says_how_it_went() -> None:
    """The stages of the fault, the hosts' events, notes and what the balancer's log alone would not tell."""
    history = played(lambda t, n: Reply((), "refused") if n == 600 else fails_over(t, n), KILLED)
    found = Page(page(replace(history, notes=(NoteRecord(9, "a note"),)), judge(history, CLAIMS), CLAIMS))
    for words in ("power_off voxy: confirmed by a probe", "power off", "a note", "1 failed requests are not in the"):
        assert words in found.text
    assert "Was the measurement sound?" in found.text
    assert "Apakah pengukurannya sah?" in found.text
    assert "selama gangguan: permintaan gagal paling banyak 0 %" in found.text


def test_nothing_of_the_run_is_markup() -> None:
    """Whatever a scenario, a host or an error says stays text, also in the picture."""
    run = replace(
        RUN, scenario=EVIL, question=EVIL, command=EVIL, variant=EVIL, lab=EVIL,
        hosts=(HostAddress(EVIL, EVIL, (EVIL,)),),
        backends=(*RUN.backends, Backend(f"$x^2${EVIL}", "192.168.56.13:3000")),
    )  # fmt: skip
    history = replace(killed(), run=run, events=(EventRecord(1, EVIL, EVIL),))
    last = replace(history.samples[-1], backend=f"$x^2${EVIL}")
    history = replace(history, samples=(*history.samples[:-1], last))
    verdict = Verdict(EVIL, (Evidence(EVIL, EVIL, "", 1, False, EVIL),))
    found = Page(page(history, verdict))
    assert found.tags.count("script") == 1
    assert found.text.count(EVIL) > 10


def test_an_empty_run_has_a_page() -> None:
    """A run that was cut off at its beginning can still be shown."""
    history = History(run=RUN, samples=(), access=(), ended=False)
    verdict = judge(history, CLAIMS)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "not one request was sent" in Page(page(history, verdict)).text


def test_what_matters_is_always_drawn() -> None:
    """Failed and slow requests are all there, fast ones evenly chosen and never too many."""
    history = played(
        lambda t, n: Reply((Try("zero", 502, 0.0, 1.0),)) if n % 100 == 7 else fails_over(t, n), KILLED, rate=2000
    )
    shown = drawn(history.samples, 1000)
    notable = {sample.id for sample in history.samples if sample.failed}
    assert notable <= {sample.id for sample in shown}
    assert len(notable) == 360
    assert 900 < len(shown) - len(notable) <= 1000
    assert drawn(killed().samples) == killed().samples


def test_the_picture_is_the_same_each_time() -> None:
    """Judged again, a run gives the same page."""
    assert plot(killed()) == plot(killed())


def test_junit() -> None:
    """A claim that deviates is a failure, what cannot be told an error; what XML cannot carry is replaced."""
    for history, kind, count in ((killed(), "failure", 0), (all_dead(), "failure", 1), (ghost(), "error", 9)):
        verdict = judge(history, CLAIMS)
        root = ElementTree.fromstring(junit(verdict))
        assert len(root.findall(f".//{kind}")) == count
        assert root[0].get("tests") == str(len(verdict.evidence)) == str(len(root.findall(".//testcase")))
    evil = Verdict("x", (Evidence(f"\x00{EVIL}", 1, "s", 1, True, ""),))
    case = ElementTree.fromstring(junit(evil)).find(".//testcase")
    assert case is not None
    assert case.get("name") == f"\ufffd{EVIL}"
    nothing = ElementTree.fromstring(junit(Verdict("x", ())))
    assert nothing.find(".//error") is not None


def shown(verdict: Verdict, all_gates: bool = False) -> str:
    """What the terminal shows."""
    console = Console(file=io.StringIO(), width=110, color_system=None)
    console.print(table(verdict, all_gates=all_gates))
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def test_the_terminal() -> None:
    """The outcome first, why, the figures, each claim; gates only where they are shut, or when asked for."""
    good = shown(judge(killed(), CLAIMS))
    assert "HELD" in good and "1\xa0800 requests" in good and "every fault is healed" in good
    assert "13 conditions of a sound measurement hold" in good
    assert "the load was on schedule" not in good
    assert "the load was on schedule" in shown(judge(killed(), CLAIMS), all_gates=True)
    bad = shown(judge(ghost(), CLAIMS))
    assert "voxy served 0 of 500 requests before the fault: nothing was failed over" in bad
    assert "[red]" in shown(Verdict("x", (Evidence("[red]", "[bold]", "", 1, True, ""),)))


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(0, "%", "0 %"), (12.5, "%", "12.5 %"), (100000, "requests", "100\xa0000 requests"), (1, "faults", "1 fault"),
     (1, "s", "1 s"), ("never", "s", "never"), (None, "s", "–"), (0.00042, "s", "0.00042 s")],
)  # fmt: skip
def test_figures(value: float | str | None, unit: str, text: str) -> None:
    """The same digits and units everywhere."""
    assert measured(Evidence("", value, unit, 1, True, "")) == text


def test_durations_and_numbers() -> None:
    """Milliseconds below a second; thousands apart."""
    assert [duration(seconds) for seconds in (None, 0.0, 0.084, 4.4914)] == ["–", "0 ms", "84 ms", "4.491 s"]
    assert number(1234567.25) == "1\xa0234\xa0567.25"
