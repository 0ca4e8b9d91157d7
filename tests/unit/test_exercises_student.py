"""A student's own values: the same for ever, another's never, and the practice's are the lab's."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import UsageError
from lab.exercises.student import PORTS, PRACTICE, Student, load_student, student_key
from lab.topology import Lab

SECRET = "5e" * 32
CLASS = [Student(f"s{n}", course="devops", key=student_key(SECRET, "devops", f"s{n}")) for n in range(200)]
FAULTS = ("amber", "blue", "coral")


def test_known_values_never_change() -> None:
    """Cards are handed out once: who changes how they are derived makes every student's work another's."""
    ana = Student("ana", key=student_key(SECRET, "devops", "ana"))
    own = ana.own(Lab())
    assert ana.key == "efda4045c27337ac3a31a11370572ada4f25ca30b5466bfcc055a220d25294d0"
    assert (own.domain, own.app.port) == ("akuma-8bd367.xyz", 3408)
    assert (ana.token("hello-web"), ana.choice("nginx-t", FAULTS)) == ("8cbfc3eb4576", "coral")


def test_the_class_is_told_apart() -> None:
    """200 students have 200 domains and tokens, and no token fits another exercise."""
    assert len({student.own(Lab()).domain for student in CLASS}) == 200
    tokens = [student.token(name) for student in CLASS for name in ("hello-web", "nginx-t")]
    assert len(set(tokens)) == 400
    assert all(len(token) == 12 and int(token, 16) >= 0 for token in tokens)


def test_ports_are_in_their_range_and_spread() -> None:
    """None is the lab's own 3000; most of a class has another than its neighbour."""
    ports = [student.own(Lab()).app.port for student in CLASS]
    assert all(port in PORTS for port in ports)
    assert len(set(ports)) > 150


def test_each_fault_is_somebodys() -> None:
    """About evenly, and by exercise: who has the first in one need not have it in the next."""
    given = [student.choice("nginx-t", FAULTS) for student in CLASS]
    assert all(given.count(fault) > 40 for fault in FAULTS)
    assert given != [student.choice("capstone", FAULTS) for student in CLASS]


def test_courses_and_secrets_tell_keys_apart() -> None:
    """The same student in another course, or with another teacher, is another."""
    keys = [student_key(*words) for words in (
        (SECRET, "devops", "ana"), (SECRET, "web", "ana"), ("00" * 32, "devops", "ana"), (SECRET, "devop", "sana"),
    )]  # fmt: skip
    assert len(set(keys)) == 4 and {len(key) for key in keys} == {64}


def test_practice_keeps_the_labs_own() -> None:
    """Its domain, its port, the first fault; it has tokens all the same."""
    lab = Lab()
    assert PRACTICE.own(lab) is lab
    assert (lab.domain, lab.app.port) == ("akuma.xyz", 3000)
    assert (PRACTICE.choice("nginx-t", FAULTS), PRACTICE.choice("hello-web", ())) == ("amber", "")
    assert PRACTICE.token("hello-web") != PRACTICE.token("nginx-t")


@pytest.mark.parametrize(("domain", "ending"), [("akuma.xyz", ".xyz"), ("www.a.b", ".a.b"), ("akuma", ".xyz")])
def test_the_domain_stays_one(domain: str, ending: str) -> None:
    """Only its first label is the student's; nothing else of the lab changes."""
    own = CLASS[0].own(Lab(domain=domain))
    assert own.domain.startswith(domain.partition(".")[0] + "-") and own.domain.endswith(ending)
    assert own.hosts == Lab().hosts and own.upstream == Lab().upstream


def test_without_a_card_it_is_practice(tmp_path: Path) -> None:
    """And with one the student that it names."""
    assert load_student(tmp_path) == PRACTICE
    (tmp_path / "student.toml").write_text(f'id = "ana"\nname = "Ana"\ncourse = "devops"\nkey = "{"ab" * 32}"\n')
    assert Student("ana", "Ana", "devops", "ab" * 32) == load_student(tmp_path)


@pytest.mark.parametrize(
    ("card", "said"),
    [
        (b"id = ", "is no student's card"),
        (b"id = 3", "is no student's card: Expected `str`"),
        (b'id = "\xff"', "is no student's card"),
        (b'id = "ana putri"', "'ana putri' is no student's id"),
        (b'id = "../ana"', "is no student's id"),
        (b'id = ""', "is no student's id"),
        (b'id = "ana\\n"', "is no student's id"),
        (b'id = "ana"\nkey = "AB"', "ana: the key is damaged"),
        (b'id = "ana"\nkey = "' + b"zz" * 32 + b'"', "ana: the key is damaged"),
    ],
)
def test_a_bad_card_is_a_sentence(tmp_path: Path, card: bytes, said: str) -> None:
    """With a mend; an id may become a file's name, so that it is held to its shape."""
    (tmp_path / "student.toml").write_bytes(card)
    with pytest.raises(UsageError) as caught:
        load_student(tmp_path)
    assert said in caught.value.message and caught.value.mend and "\n" not in caught.value.message


def test_a_folder_in_the_cards_place_is_a_sentence(tmp_path: Path) -> None:
    """No traceback."""
    (tmp_path / "student.toml").mkdir()
    with pytest.raises(UsageError, match="is no student's card"):
        load_student(tmp_path)
