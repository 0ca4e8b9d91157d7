"""Signatures and proofs, with the real ssh-keygen: whatever is changed must show."""

from __future__ import annotations

import json
import random
from pathlib import Path

import msgspec
import pytest

from lab.errors import EnvironmentProblem, MissingTool
from lab.exercises.exercise import Exercise
from lab.exercises.student import PRACTICE
from lab.grading import signing
from lab.grading.signing import again, canonical, fits, hand_in, is_proved, proof, public_key, sign, student_key
from lab.home import Home
from tests.unit.test_grading_grade import ana_grade, exercises, student

__all__ = ["exercises"]


def test_a_signature_fits_what_was_signed_and_nothing_else(home: Home) -> None:
    """Not another text, not another key, not an empty signature."""
    key = student_key(home, student())
    public, signature = public_key(key), sign(b"a grade", key)
    assert fits(b"a grade", public, signature)
    assert not fits(b"a grade.", public, signature)
    assert not fits(b"a grade", public, "")
    other = student_key(Home(home.folder / "other"), student("budi"))
    assert not fits(b"a grade", public_key(other), signature)


def test_a_signature_for_another_purpose_does_not_fit(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """A student may be talked into signing a text for git; that is no grade."""
    key = student_key(home, student())
    monkeypatch.setattr(signing, "NAMESPACE", "git")
    signature = sign(b"a grade", key)
    monkeypatch.undo()
    assert not fits(b"a grade", public_key(key), signature)


def test_every_change_of_one_character_is_caught(home: Home, exercises: tuple[Exercise, ...]) -> None:
    """Two hundred changes, each of one character of the grade, somewhere: none fits."""
    found = msgspec.json.decode(hand_in(home, ana_grade(exercises), student()), type=signing.HandIn)
    document = again(bytes(found.grade))
    assert fits(document, found.public_key, found.signature)
    chance = random.Random(7)
    for _ in range(200):
        place = chance.randrange(len(document))
        letter = bytes([(document[place] + chance.randrange(1, 255)) % 256])
        assert not fits(document[:place] + letter + document[place + 1 :], found.public_key, found.signature)


def test_spaces_and_order_are_no_change(home: Home, exercises: tuple[Exercise, ...]) -> None:
    """A file that was saved again by an editor still fits; what it says is the same."""
    content = json.loads(hand_in(home, ana_grade(exercises), student()))
    turned = dict(reversed(list(content["grade"].items())))
    assert fits(again(json.dumps(turned, indent=7).encode()), content["public_key"], content["signature"])


def test_the_key_is_made_once(home: Home) -> None:
    """It stays the student's; without its .pub file too."""
    key = student_key(home, student())
    before = key.read_bytes()
    first = public_key(key)
    key.with_suffix(".pub").unlink()
    assert public_key(student_key(home, student())) == first
    assert key.read_bytes() == before and len(first.split()) == 2


def test_a_damaged_key_is_a_sentence(home: Home) -> None:
    """And is not replaced: a new key is another signature."""
    key = student_key(home, student())
    key.write_text("nonsense\n")
    with pytest.raises(EnvironmentProblem, match=r"student/key: cannot be used: .*\n  → "):
        sign(b"a grade", student_key(home, student()))


def test_without_ssh_keygen_it_says_so(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the package that brings it."""
    key = student_key(home, student())
    monkeypatch.setenv("PATH", str(home.folder))
    monkeypatch.setattr("lab.process.SBIN", str(home.folder))
    with pytest.raises(MissingTool, match="openssh-client"):
        sign(b"a grade", key)


@pytest.mark.parametrize(
    "public",
    [
        "ssh-rsa AAAA", "ssh-ed25519 AAAAC3", "cert-authority ssh-ed25519 AAAA", "",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43 + "\n* ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "B" * 43,
    ],
)  # fmt: skip
def test_only_one_plain_key_is_ever_asked_about(public: str, home: Home) -> None:
    """What a hand-in calls a key goes into a file that ssh-keygen believes."""
    assert not fits(b"a grade", public, sign(b"a grade", student_key(home, student())))


def test_a_second_line_is_no_second_key(home: Home) -> None:
    """Ana's key, and behind a line break the one that really signed: that would be Ana's signature by Budi."""
    mine = student_key(home, student())
    other = public_key(student_key(Home(home.folder / "other"), student("budi")))
    assert not fits(b"a grade", f"{other}\nstudent {public_key(mine)}", sign(b"a grade", mine))


def test_the_proof_needs_the_card(exercises: tuple[Exercise, ...]) -> None:
    """Of the right student, for exactly this grade; practice has none."""
    made = ana_grade(exercises)
    document = canonical(made)
    shown = proof(document, student())
    assert len(shown) == 64
    assert is_proved(canonical(msgspec.structs.replace(made, proof=shown)), student(), shown)
    assert not is_proved(document, student("budi"), shown)
    assert not is_proved(canonical(msgspec.structs.replace(made, name="Budi")), student(), shown)
    assert proof(document, PRACTICE) == "" and not is_proved(document, PRACTICE, "")


def test_a_grade_says_the_same_after_it_was_read(exercises: tuple[Exercise, ...]) -> None:
    """Writing, reading and writing again give the same bytes, or nothing would fit."""
    document = canonical(ana_grade(exercises))
    assert again(document) == document
    assert canonical(msgspec.json.decode(document, type=type(ana_grade(exercises)))) == document


def test_an_old_signature_does_not_fit_a_new_grade(home: Home, exercises: tuple[Exercise, ...], tmp_path: Path) -> None:
    """The signature cannot be moved from one hand-in to another."""
    first = json.loads(hand_in(home, ana_grade(exercises), student()))
    other = json.loads(hand_in(home, msgspec.structs.replace(ana_grade(exercises), name="B"), student()))
    assert not fits(again(json.dumps(other["grade"]).encode()), first["public_key"], first["signature"])
