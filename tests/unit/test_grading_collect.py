"""A class's hand-ins: each kind of cheat is flagged, at the right student, and stops no other."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lab.errors import UsageError
from lab.exercises.exercise import Exercise
from lab.exercises.student import PRACTICE, Student
from lab.grading.classroom import Classroom
from lab.grading.collect import Collection, Entry, Flag, collect
from lab.grading.pinning import Pins
from lab.grading.roster import Enrolled
from tests.unit.test_grading_grade import SECRET, ana_grade, exercises, handed, student

__all__ = ["exercises"]
BUDI = student("budi", "Budi")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the hand-ins lie."""
    made = tmp_path / "in"
    made.mkdir()
    return made


@pytest.fixture
def course(tmp_path: Path) -> Classroom:
    """Ana, Budi and Citra."""
    roster = (Enrolled("ana", "Ana Putri"), Enrolled("budi", "Budi"), Enrolled("citra", "Citra"))
    return Classroom(tmp_path / "class", "devops", SECRET, roster)


def _entry(found: Collection, id: str) -> Entry:
    return next(entry for entry in found.entries if entry.grade.student == id)


def _change(path: Path, **fields: Any) -> None:
    content = json.loads(path.read_bytes())
    content["grade"] |= fields
    path.write_text(json.dumps(content))


def test_a_class_in_order(folder: Path, exercises: tuple[Exercise, ...], course: Classroom) -> None:
    """Each is ok, their keys are remembered, and who is missing is said."""
    handed(folder, exercises)
    handed(folder, exercises, BUDI)
    found = collect(folder, exercises, course)
    assert [(entry.grade.student, entry.signature, entry.flags) for entry in found.entries] == [
        ("ana", "ok", ()), ("budi", "ok", ()),
    ]  # fmt: skip
    assert found.is_sound and [each.id for each in found.missing] == ["citra"]
    assert found.pins.key_of("ana") and found.pins.key_of("ana") != found.pins.key_of("budi")


def test_without_a_class_nobody_knows_whose_key_it_is(folder: Path, exercises: tuple[Exercise, ...]) -> None:
    """The signature fits, and that is all."""
    handed(folder, exercises)
    found = collect(folder, exercises)
    assert (_entry(found, "ana").signature, found.is_sound, found.pins) == ("unknown", True, Pins())


def test_a_tampered_grade(folder: Path, exercises: tuple[Exercise, ...], course: Classroom) -> None:
    """A word is enough; the key is not remembered."""
    _change(handed(folder, exercises), name="Ana Putra")
    found = collect(folder, exercises, course)
    assert _entry(found, "ana").flags == (Flag.TAMPERED, Flag.OTHER_CARD)
    assert _entry(found, "ana").signature == "changed" and not found.is_sound and found.pins == Pins()


def test_a_swapped_key(folder: Path, exercises: tuple[Exercise, ...], course: Classroom) -> None:
    """What was signed with another key than the first time is flagged, and the first one stays remembered."""
    handed(folder, exercises)
    first = collect(folder, exercises, course)
    handed(folder, exercises, key_of="somebody")
    again = collect(folder, exercises, course, first.pins)
    assert (_entry(again, "ana").signature, _entry(again, "ana").flags) == ("changed", (Flag.OTHER_KEY,))
    assert again.pins == first.pins


def test_two_first_hand_ins_with_two_keys(folder: Path, exercises: tuple[Exercise, ...], course: Classroom) -> None:
    """Neither is remembered: nobody can tell which is the student's."""
    handed(folder, exercises).rename(folder / "a.json")
    handed(folder, exercises, key_of="somebody")
    found = collect(folder, exercises, course)
    assert _entry(found, "ana").flags == (Flag.OTHER_KEY,) and found.pins == Pins()


@pytest.mark.parametrize("known", [False, True])
def test_a_shared_key(known: bool, folder: Path, exercises: tuple[Exercise, ...], course: Classroom) -> None:
    """Two students who sign with one key are both flagged, also when one of them handed in long ago."""
    handed(folder, exercises)
    pins = collect(folder, exercises, course).pins if known else Pins()
    handed(folder, exercises, BUDI, key_of="ana")
    found = collect(folder, exercises, course, pins)
    assert {entry.grade.student: entry.flags for entry in found.entries} == {
        "ana": (Flag.SHARED_KEY,), "budi": (Flag.SHARED_KEY,),
    }  # fmt: skip
    assert found.pins == pins


def test_what_was_signed_before_there_was_a_card(
    folder: Path, exercises: tuple[Exercise, ...], course: Classroom
) -> None:
    """A stray hand-in of the practice, with Ana's own key, makes no second student of her."""
    handed(folder, exercises)
    handed(folder, exercises, PRACTICE, key_of="ana")
    found = collect(folder, exercises, course)
    assert {entry.grade.student: entry.flags for entry in found.entries} == {
        "ana": (), "practice": (Flag.NOT_ENROLLED,),
    }  # fmt: skip


def test_a_key_that_was_only_copied_incriminates_nobody(
    folder: Path, exercises: tuple[Exercise, ...], course: Classroom
) -> None:
    """Everybody knows Ana's public key; Budi, who writes it into his file and cannot sign with it, is alone flagged."""
    anas = json.loads(handed(folder, exercises).read_bytes())["public_key"]
    budis = handed(folder, exercises, BUDI)
    budis.write_text(json.dumps(json.loads(budis.read_bytes()) | {"public_key": anas}))
    found = collect(folder, exercises, course)
    assert (_entry(found, "ana").flags, _entry(found, "ana").signature) == ((), "ok")
    assert _entry(found, "budi").flags[0] is Flag.TAMPERED and found.pins.key_of("budi") == ""


def test_a_student_of_no_roster(folder: Path, exercises: tuple[Exercise, ...], course: Classroom) -> None:
    """Is shown, and flagged."""
    handed(folder, exercises, student("zoe"))
    assert _entry(collect(folder, exercises, course), "zoe").flags == (Flag.NOT_ENROLLED,)


@pytest.mark.parametrize("key", ["", "00" * 32])
def test_not_this_card(key: str, folder: Path, exercises: tuple[Exercise, ...], course: Classroom) -> None:
    """Made in practice, or with a card that somebody made up."""
    handed(folder, exercises, Student("ana", "Ana", "devops", key))
    found = collect(folder, exercises, course)
    assert _entry(found, "ana").flags == (Flag.OTHER_CARD,) and found.pins == Pins()


def test_an_impostor_does_not_displace_the_true_one(
    folder: Path, exercises: tuple[Exercise, ...], course: Classroom
) -> None:
    """A newer file under Ana's name, without her card, is named as a lie; hers counts, and her key is remembered."""
    handed(folder, exercises).rename(folder / "true.json")
    liar = Student("ana", "Ana", "devops", "00" * 32)
    later = msgspec.structs.replace(ana_grade(exercises, who=liar), made_at="2026-06-01T08:00:00+00:00")
    handed(folder, exercises, liar, later, key_of="liar")
    found = collect(folder, exercises, course)
    assert (_entry(found, "ana").file, _entry(found, "ana").flags) == ("true.json", ())
    assert [(each.file, each.bad) for each in found.left_out] == [("grade-ana.json", True)]
    assert "claims to be ana's: was not made with this student's card" in found.left_out[0].why
    assert found.pins.key_of("ana") and not found.is_sound


def test_the_newest_counts(folder: Path, exercises: tuple[Exercise, ...]) -> None:
    """Of two sound ones; the other is mentioned, which is no fault."""
    handed(folder, exercises).rename(folder / "old.json")
    later = msgspec.structs.replace(ana_grade(exercises), made_at="2026-06-01T08:00:00+00:00")
    handed(folder, exercises, made=later)
    found = collect(folder, exercises)
    assert _entry(found, "ana").grade.made_at == later.made_at
    assert [(each.file, each.bad) for each in found.left_out] == [("old.json", False)] and found.is_sound


def test_another_version_of_an_exercise(folder: Path, exercises: tuple[Exercise, ...]) -> None:
    """Was marked by other checks than those here."""
    made = ana_grade(exercises)
    first = msgspec.structs.replace(made.exercises[0], version=1)
    handed(folder, exercises, made=msgspec.structs.replace(made, exercises=(first, made.exercises[1])))
    assert _entry(collect(folder, exercises), "ana").flags == (Flag.OTHER_VERSION,)


def test_a_bad_file_stops_no_other(folder: Path, exercises: tuple[Exercise, ...]) -> None:
    """It is reported; links, folders and other files are not looked at; a name with an escape sequence is harmless."""
    handed(folder, exercises)
    (folder / "bad.json").write_text("{}")
    (folder / "evil\x1b[2J.json").write_text("{}")
    (folder / "link.json").symlink_to("/etc/passwd")
    (folder / "more").mkdir()
    shutil.copy(folder / "grade-ana.json", folder / "notes.txt")
    (folder / ".hidden.json").write_text("{}")
    found = collect(folder, exercises)
    assert [entry.grade.student for entry in found.entries] == ["ana"]
    said = {each.file: (each.bad, each.why) for each in found.left_out}
    assert set(said) == {"bad.json", "evil\ufffd[2J.json", "link.json", "more", "notes.txt"}
    assert said["bad.json"][0] and said["bad.json"][1].startswith("is no hand-in") and not said["link.json"][0]
    assert not found.is_sound


def test_a_folder_that_is_none(folder: Path, exercises: tuple[Exercise, ...]) -> None:
    """A sentence; and an empty one is nobody."""
    assert collect(folder, exercises).entries == ()
    with pytest.raises(UsageError, match="cannot be read"):
        collect(folder / "none", exercises)
