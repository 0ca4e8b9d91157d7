"""Seats: the book of them, what follows from a number and an id, and the lock of a class."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.classes import seats
from lab.classes.seats import Seat, Seats, free_numbers, home_id, project_name
from lab.errors import EnvironmentProblem, LabBusy, UsageError

SECRET = "ab" * 32
AYU = Seat(42, "m1", "10.88.0.1")
IDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", fullmatch=True)


@given(st.dictionaries(IDS, st.builds(Seat, st.integers(0, 9999), IDS, st.just("10.0.0.1"), st.integers(0, 9))))
def test_the_book_is_read_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, found: dict[str, Seat]) -> None:
    """Whatever the ids; two students with one number are no book."""
    if len({seat.number for seat in found.values()}) < len(found):
        with pytest.raises(ValueError, match="both have seat"):
            Seats(found)
        return
    folder = tmp_path_factory.mktemp("class")
    seats.save(folder, Seats(found))
    assert seats.load(folder) == Seats(found)


def test_the_book_is_private_and_keeps_the_one_before(tmp_path: Path) -> None:
    """Nothing is written when nothing changed; without a file there are no seats."""
    assert seats.load(tmp_path) == Seats()
    one = Seats().with_("ayu", AYU)
    seats.save(tmp_path, one)
    seats.save(tmp_path, one)
    assert not (tmp_path / "seats.json.before").exists()
    seats.save(tmp_path, one.without("ayu"))
    (tmp_path / "seats.json").unlink()
    (tmp_path / "seats.json.before").rename(tmp_path / "seats.json")
    assert seats.load(tmp_path) == one and (tmp_path / "seats.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"seats": 1}', '{"seats": {"a": {"number": -1, "member": "m"}}}', '{"seats": {"a": {}}}',
     '{"seats": {"a": {"number": 1, "member": "m", "address": "x"}}}',
     '{"seats": {"a": {"number": 1, "member": "m", "generation": -1}}}',
     '{"seats": {"a": {"number": 1, "member": "m"}, "b": {"number": 1, "member": "m"}}}'],
)  # fmt: skip
def test_a_damaged_book_is_refused_and_stays(text: str, tmp_path: Path) -> None:
    """One sentence, and where an older one lies."""
    (tmp_path / "seats.json").write_text(text)
    with pytest.raises(UsageError) as fault:
        seats.load(tmp_path)
    assert "\n" not in fault.value.message and "seats.json: cannot be used: " in fault.value.message
    assert "seats.json.before" in fault.value.mend and "backup" in fault.value.mend
    assert (tmp_path / "seats.json").read_text() == text


def test_a_book_that_cannot_be_kept(tmp_path: Path) -> None:
    """A folder lies where the file would be."""
    (tmp_path / "seats.json").mkdir()
    with pytest.raises(EnvironmentProblem, match="cannot be read"):
        seats.save(tmp_path, Seats())


def test_changes_of_the_book() -> None:
    """A seat is added, changed, taken away; another's number is refused."""
    book = Seats().with_("ayu", AYU).with_("budi", Seat(0, "m2"))
    assert book.of("ayu") == AYU and book.of("zoe") is None and book.taken == {0, 42}
    assert book.on("m1") == ("ayu",) and book.with_("ayu", Seat(42, "m2")).on("m2") == ("ayu", "budi")
    assert book.without("ayu").without("ayu").taken == {0} and AYU.network == "labn00042"
    with pytest.raises(ValueError, match="ayu and zoe both have seat 42"):
        book.with_("zoe", AYU)


@given(st.sets(st.integers(0, 60)), st.integers(0, 60))
def test_numbers_are_given_from_below(taken: set[int], count: int) -> None:
    """Each once, none that is taken; and then a sentence."""
    numbers = free_numbers(taken, count)
    expected = sorted(set(range(count)) - taken)
    assert list(itertools.islice(numbers, len(expected))) == expected
    with pytest.raises(UsageError, match=f"all {count} seats are taken"):
        next(numbers)


def test_ids_that_look_alike_have_other_projects() -> None:
    """Dots, capitals and long ids make the same readable part; the rest differs. Another class differs too."""
    alike = ["ana.b", "ana-b", "ana_b", "Ana.B"]
    names = [project_name(SECRET, id) for id in alike]
    assert {name.rsplit("-", 1)[0] for name in names} == {"lab-ana-b"} and len(set(names)) == 4
    long = [project_name(SECRET, "x" * 40 + end) for end in "ab"]
    assert long[0][:25] == long[1][:25] and long[0] != long[1]
    assert project_name("cd" * 32, "ana.b") not in names
    assert project_name(SECRET, "ana.b", 2) == names[0] + "-g2"
    assert names[0] == f"lab-ana-b-{home_id(SECRET, 'ana.b')}"


@given(IDS, st.integers(0, 99))
def test_a_project_is_a_name_that_a_cluster_takes(id: str, generation: int) -> None:
    """Small letters, digits, inner hyphens; 63 at most."""
    name = project_name(SECRET, id, generation)
    assert name.strip("-") == name and len(name) <= 63 and set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_labs_that_cannot_be_told_apart_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirty are apart; two that are not are named."""
    seats.check_distinct(SECRET, [f"s{number}" for number in range(3000)])
    monkeypatch.setattr(seats, "home_id", lambda secret, id: id[:3])
    with pytest.raises(UsageError, match="the labs of 'anabel' and 'anais' cannot be told apart"):
        seats.check_distinct(SECRET, ["anabel", "budi", "anais"])


def test_the_fingerprint_tells_nothing() -> None:
    """Sixteen digits, not of the secret's own."""
    assert len(seats.fingerprint(SECRET)) == 16 and seats.fingerprint(SECRET) not in SECRET
    assert seats.fingerprint(SECRET) != seats.fingerprint("cd" * 32)


def test_one_command_at_a_time(tmp_path: Path) -> None:
    """The other one is told who holds the class; afterwards it is free, and a missing folder is a sentence."""
    busy = pytest.raises(LabBusy, match=r"the class in .* is busy: `lab class up`, process \d+, since")
    with seats.lock(tmp_path, "lab class up"), busy, seats.lock(tmp_path, "lab class heal"):
        pass
    with seats.lock(tmp_path, "lab class heal"):
        assert "lab class heal" in (tmp_path / "lock").read_text()
    with pytest.raises(EnvironmentProblem, match="cannot be written"), seats.lock(tmp_path / "none", "x"):
        pass
    with pytest.raises(FileNotFoundError), seats.lock(tmp_path, "x"):
        (tmp_path / "other").read_text()
