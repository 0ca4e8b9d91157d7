"""What a student has reached, on disk: the best run of the present attempt counts, and nothing else ever."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from lab.errors import EnvironmentProblem
from lab.exercises import progress
from lab.exercises.progress import activate, active, begin, current, everything, give_up, hinted, record
from lab.exercises.results import Artefact, Attempt, Marked, Status
from lab.home import Home
from tests.unit.classroom import marked

PASS, FAIL, SKIP, ERROR = Status.PASS, Status.FAIL, Status.SKIP, Status.ERROR
FILES = (Artefact("akuma", "/etc/nginx/nginx.conf", "events {}\n"),)


def test_what_was_never_started(home: Home) -> None:
    """Is nothing; also where there is no lab at all."""
    assert (current(home, "mine"), everything(home), active(home)) == (None, {}, "")
    assert (current(Home(home.folder / "no"), "mine"), active(Home(home.folder / "no"))) == (None, "")


def test_an_attempt_is_written_down_at_once(home: Home) -> None:
    """With a number from 1, an id of its own, and its time in UTC."""
    first = begin(home, "mine")
    assert first == current(home, "mine")
    assert (first.exercise, first.number, first.state, first.earned) == ("mine", 1, "started", 0)
    assert first.id != begin(home, "other").id
    assert datetime.fromisoformat(first.began).utcoffset() is not None
    assert list(everything(home)) == ["mine", "other"]


def test_a_reset_takes_the_old_result_away(home: Home) -> None:
    """A new attempt counts from nothing; even a pass of the one before does not come back."""
    record(home, begin(home, "mine"), marked(PASS, PASS), FILES)
    assert everything(home)["mine"].earned == 8
    second = begin(home, "mine")
    present = current(home, "mine")
    assert second == present
    assert (second.number, second.state, second.earned, second.artefacts) == (2, "started", 0, ())
    record(home, second, marked(FAIL, SKIP), ())
    assert everything(home)["mine"].state == "started"


def test_the_tenth_attempt_is_after_the_ninth(home: Home) -> None:
    """Attempts are counted as numbers, not as words; other files are none."""
    for _ in range(10):
        last = begin(home, "mine")
    home.write("exercises/practice/mine/notes.json", "{")
    assert current(home, "mine") == last and last.number == 10


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [
        (marked(PASS, PASS), marked(PASS, FAIL), "before"),
        (marked(PASS, FAIL), marked(PASS, PASS), "after"),
        (marked(PASS, PASS), marked(PASS, PASS, FAIL, full=True), "before"),
        (marked(PASS, PASS), marked(PASS, PASS, PASS, full=True), "after"),
        (marked(PASS, PASS, PASS, full=True), marked(PASS, PASS), "before"),
        (marked(PASS, FAIL), marked(PASS, ERROR), "after"),
        (marked(FAIL, SKIP), marked(FAIL, SKIP), "after"),
    ],
)
def test_the_best_run_is_kept(home: Home, before: Marked, after: Marked, kept: str) -> None:
    """By points, then by a pass; of equals the later one, whose files are the newer ones."""
    first = record(home, begin(home, "mine"), before, FILES)
    second = record(home, first, after, ())
    expected = (before, FILES) if kept == "before" else (after, ())
    assert expected == (second.best, second.artefacts)
    assert second == current(home, "mine")


def test_who_gave_up_earns_nothing(home: Home) -> None:
    """Neither what was reached before nor what passes with the solution; a new attempt does."""
    attempt = give_up(home, record(home, begin(home, "mine"), marked(PASS, FAIL), FILES))
    assert (attempt.state, attempt.earned) == ("gave-up", 0)
    attempt = record(home, attempt, marked(PASS, PASS), FILES)
    assert (attempt.state, everything(home)["mine"].earned) == ("gave-up", 0)
    assert record(home, begin(home, "mine"), marked(PASS, PASS), FILES).earned == 8


def test_hints_are_remembered(home: Home) -> None:
    """Each message has its own count; a better run does not lose them."""
    attempt = hinted(home, begin(home, "mine"), "no-token", 1)
    attempt = hinted(home, hinted(home, attempt, "nothing-answers", 1), "no-token", 2)
    assert attempt.hints == {"no-token": 2, "nothing-answers": 1}
    assert record(home, attempt, marked(PASS, PASS), ()).hints == attempt.hints
    stored = current(home, "mine")
    assert stored is not None and stored.hints == attempt.hints


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b"{}", b"\x00", b'{"exercise": 3}', b'{"exercise": "\xff\xfe"}', b'"mine"']
)
def test_a_damaged_file_is_a_sentence(home: Home, damage: bytes) -> None:
    """It names the file and the mend, and the mend works."""
    begin(home, "mine")
    path = home.path / "exercises" / "practice" / "mine" / "1.json"
    path.write_bytes(damage)
    with pytest.raises(EnvironmentProblem) as caught:
        current(home, "mine")
    assert caught.value.message.startswith(f"{path}: is damaged: ") and "\n" not in caught.value.message
    assert "lab exercise reset" in caught.value.mend
    assert begin(home, "mine") == current(home, "mine")


def test_a_result_from_a_later_release_is_read(home: Home) -> None:
    """A key that we do not know yet is no damage."""
    attempt = begin(home, "mine")
    path = home.path / "exercises" / "practice" / "mine" / "1.json"
    path.write_text(path.read_text().replace("{", '{"colour": "red",', 1))
    assert attempt == current(home, "mine")


def test_the_exercise_that_is_meant(home: Home) -> None:
    """The one that was started last."""
    activate(home, "mine")
    activate(home, "other")
    assert active(home) == "other"


def test_each_student_has_their_own(home: Home) -> None:
    """With another card beside lab.toml nothing of the one before counts; it is there again with their card."""
    card = home.folder / "student.toml"
    record(home, begin(home, "mine"), marked(PASS, PASS), ())
    activate(home, "mine")
    for id, key in (("ana", "ab" * 32), ("budi", "cd" * 32), ("ana", "ef" * 32)):
        card.write_text(f'id = "{id}"\nkey = "{key}"\n')
        assert (current(home, "mine"), everything(home), active(home)) == (None, {}, "")
        assert begin(home, "mine").number == 1
    card.write_text(f'id = "ana"\nkey = "{"ab" * 32}"\n')
    record(home, begin(home, "mine"), marked(PASS, FAIL), ())
    card.unlink()
    assert (everything(home)["mine"].earned, active(home)) == (8, "mine")


def test_only_the_owner_may_read_it(home: Home) -> None:
    """Like everything that the lab keeps."""
    begin(home, "mine")
    assert (home.path / "exercises" / "practice" / "mine" / "1.json").stat().st_mode & 0o077 == 0


def test_it_is_json_that_a_person_can_read(home: Home) -> None:
    """A line a value; and the same again when it is read by anything else."""
    attempt = record(home, begin(home, "mine"), marked(PASS, ERROR), FILES)
    text = Path(home.path / "exercises" / "practice" / "mine" / "1.json").read_text()
    assert '\n  "exercise": "mine",\n' in text
    assert attempt == msgspec.json.decode(text, type=Attempt)


def test_now_is_in_utc_to_the_second() -> None:
    """As it is stored."""
    assert progress.now().endswith("+00:00") and len(progress.now()) == len("2026-05-01T08:00:00+00:00")
