"""What exercises need of the rest of the lab: a language, records that outlive it, and no wait for what cannot come."""

from __future__ import annotations

import os

import pytest

from lab import config, readiness
from lab import destroy as destroying
from lab.cli.options import lab_and_home, language
from lab.destroy import KEPT, destroy
from lab.errors import HostUnreachable, TopologyError
from lab.events import silent
from lab.exercises import progress
from lab.exercises.results import Status
from lab.home import Home
from lab.machines.fake import FakeMachines
from lab.readiness import require_balanced
from lab.scenario import Variant
from lab.session import Session
from lab.topology import Lab
from lab.variants import text_of
from tests.unit.classroom import marked
from tests.unit.playing import Playing


@pytest.mark.parametrize(
    ("chosen", "lang", "system", "expected"),
    [
        (None, "", "C.UTF-8", "en"), (None, "", "id_ID.UTF-8", "id"), (None, "", "", "en"),
        (None, "en", "id_ID.UTF-8", "en"), (None, "id", "C.UTF-8", "id"), ("en", "id", "id_ID.UTF-8", "en"),
        ("id", "en", "C.UTF-8", "id"), (None, "", "de_DE.UTF-8", "en"),
    ],
)  # fmt: skip
def test_which_language_is_spoken(
    monkeypatch: pytest.MonkeyPatch, chosen: str | None, lang: str, system: str, expected: str
) -> None:
    """The option, else lab.toml's, else the computer's, else English."""
    monkeypatch.setenv("LANG", system)
    assert expected == language(chosen, config.parse({"lang": lang}))


def test_without_a_language_it_is_english(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a computer that says nothing."""
    monkeypatch.delenv("LANG", raising=False)
    assert "LANG" not in os.environ and language(None, Lab()) == "en"


def test_a_language_that_is_not_spoken(home: Home) -> None:
    """Is a sentence that names the key."""
    with pytest.raises(TopologyError, match="lang"):
        config.parse({"lang": "fr"})


def test_a_students_card_changes_the_lab_everywhere(home: Home) -> None:
    """Every command sees the student's domain and port; without a card the topology's own."""
    path = home.folder / "lab.toml"
    path.write_text('domain = "site.test"\n')
    assert lab_and_home(path)[0].domain == "site.test"
    (home.folder / "student.toml").write_text(f'id = "ana"\nkey = "{"ab" * 32}"\n')
    own, _ = lab_and_home(path)
    assert own.domain.startswith("site-") and own.domain.endswith(".test") and own.app.port != 3000


def test_what_was_reached_outlives_the_lab(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts stay when the machines go, with runs and logs; keys and the memory of the machines do not."""
    monkeypatch.setattr(destroying, "machines_for", lambda lab, home, provider: FakeMachines(lab))
    home.remember(provider="virtualbox")
    for name in ("keys/lab", "ssh_config", "runs/1/journal.jsonl", "logs/a.log", "student/x", "faults/a.json"):
        home.write(name, "")
    attempt = progress.record(home, progress.begin(home, "mine"), marked(Status.PASS, Status.PASS), ())
    destroy(Lab(), home, silent)
    assert attempt == progress.current(home, "mine")
    assert {path.name for path in home.path.iterdir()} == {"exercises", "runs", "logs", "student"}
    assert set(KEPT) == {"exercises", "runs", "logs", "student", "lock", "id"}


@pytest.fixture
def proved(monkeypatch: pytest.MonkeyPatch) -> list[Session]:
    """The sessions whose balance was waited for."""
    sessions: list[Session] = []
    monkeypatch.setattr(readiness, "prove", sessions.append)
    return sessions


def _configured(home: Home, text: str) -> Playing:
    lab = Playing(home)
    lab.hosts["akuma"].script["nginx -T"] = text
    return lab


def _as(variant: Variant) -> str:
    return f"events {{}}\nhttp {{\n{text_of(variant, Lab())}\n}}\n"


@pytest.mark.parametrize("variant", ["default", "naive", "tuned"])
def test_a_site_that_is_balanced_is_waited_for(home: Home, proved: list[Session], variant: Variant) -> None:
    """Once."""
    lab = _configured(home, _as(variant))
    require_balanced(lab.session)
    assert proved == [lab.session]
    assert lab.commands("akuma") == ["nginx -T 2>/dev/null"] and lab.hosts["akuma"].ran[0].root


@pytest.mark.parametrize(
    "text",
    [_as("ghost"), "events {}\nhttp {}\n", "events {}\nhttp { server { listen 80; root /var/www; } }\n",
     "events {}\nhttp { upstream u { server 192.168.56.11:3000; }\nserver { listen 80; location / "
     "{ proxy_pass http://u; } } }\n"],
)  # fmt: skip
def test_a_site_that_never_will_be_is_not(home: Home, proved: list[Session], text: str) -> None:
    """An upstream that nothing refers to, no site, no proxy, one backend alone: the gates say so after the run."""
    require_balanced(_configured(home, text).session)
    assert proved == []


def test_a_backend_that_does_not_come_back_is_told(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """As before."""

    def never(session: Session) -> None:
        raise HostUnreachable("voxy: no answer")

    monkeypatch.setattr(readiness, "prove", never)
    with pytest.raises(HostUnreachable, match="voxy: no answer"):
        require_balanced(_configured(home, _as("tuned")).session)
