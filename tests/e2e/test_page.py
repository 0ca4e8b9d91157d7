"""The page of a run in a real browser, without network: it shows the verdict, and speaks both languages."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lab.expectations import during, failed_requests, standing
from lab.history import History
from lab.judge import judge
from lab.report import page
from tests.unit.histories import all_dead, ghost, killed

QUIET = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
EXPECTED = (during(failed_requests()).at_most("0 %"), *standing())


def browse(file: Path, profile: Path) -> str:
    """The page's document as the browser has it after its scripts ran; what scripts complained of comes before."""
    command = ["chromium", *QUIET, f"--user-data-dir={profile}", "--enable-logging=stderr", "--dump-dom", file.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    complaints = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return "\n".join([*complaints, done.stdout])


@pytest.mark.parametrize(
    ("history", "outcome", "sentence"),
    [
        (killed(), "HELD", "Every claim held"),
        (all_dead(), "DEVIATED", "failed requests at most 0 %"),
        (ghost(), "INCONCLUSIVE", "nothing was failed over"),
    ],
    ids=["held", "deviated", "inconclusive"],
)
def test_page_shows_the_verdict(history: History, outcome: str, sentence: str, tmp_path: Path) -> None:
    """Outcome, reason, plot and the toggle are in the document; no script complains, nothing is fetched."""
    file = tmp_path / "page.html"
    file.write_text(page(history, judge(history, EXPECTED), EXPECTED), encoding="utf-8")
    shown = browse(file, tmp_path / "profile")
    assert "CONSOLE" not in shown
    assert outcome in shown
    assert sentence in shown
    assert "<svg" in shown
    assert "Bahasa Indonesia" in shown
    assert 'src="http' not in shown


def test_a_script_that_fails_is_seen(tmp_path: Path) -> None:
    """The check can go red: an error in a script is a complaint."""
    file = tmp_path / "page.html"
    file.write_text("<script>console.error('heard')</script>", encoding="utf-8")
    assert "CONSOLE" in browse(file, tmp_path / "profile")
