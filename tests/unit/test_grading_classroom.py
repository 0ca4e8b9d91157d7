"""A course: its roster, its secret, and the cards that follow from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import UsageError
from lab.exercises.student import PRACTICE, load_student
from lab.grading import classroom, pinning
from lab.grading.pinning import Pin, Pins
from lab.grading.roster import Enrolled, parse_roster, read_roster
from lab.topology import Lab

FORTY = tuple(Enrolled(f"s{number:02}", f"Student {number}") for number in range(40))
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("id,name\nana,Ana\nbudi,\"Budi, S.\"\n", [("ana", "Ana"), ("budi", "Budi, S.")]),
        ("\ufeffName;ID;group\r\nAna;a.1;x\r\n\r\n", [("a.1", "Ana")]),
        ("id,name\n a , Ana \n", [("a", "Ana")]),
    ],
)  # fmt: skip
def test_a_roster_as_registers_write_it(text: str, found: list[tuple[str, str]], tmp_path: Path) -> None:
    """With other columns, another order, semicolons, a byte order mark, empty lines, spaces."""
    (tmp_path / "roster.csv").write_text(text, encoding="utf-8", newline="")
    assert [(each.id, each.name) for each in read_roster(tmp_path / "roster.csv")] == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("id,name,email,language\nana,Ana,ana@kampus.ac.id,id\n", ("ana@kampus.ac.id", "id")),
        ("E-Mail;Lang;ID;Name\nana+lab@x.id;EN;ana;Ana\n", ("ana+lab@x.id", "en")),
        ("id,name,e-mail,lang,group\nana,Ana,,,7\n", ("", "")),
        ("id,name,lang\nana,Ana, id \n", ("", "id")),
        ("id,name\nana,Ana\n", ("", "")),
    ],
)
def test_e_mail_and_language_may_be_told(text: str, found: tuple[str, str]) -> None:
    """Under either header, in any order, in capitals, or not at all."""
    (ana,) = parse_roster(text, "r.csv")
    assert (ana.email, ana.language) == found


@pytest.mark.parametrize("address", [
    "ana", "ana@", "@x.id", "a b@x.id", "a@b@c", "a@x.id,b@x.id", "<a@x.id>", "a@-x", "a\x1b@x.id", "a@" + "x" * 254,
])  # fmt: skip
def test_an_address_that_is_none_is_refused(address: str) -> None:
    """The sentence names the line."""
    with pytest.raises(UsageError, match=r"^r\.csv: line 2: .* is no e-mail address"):
        parse_roster(f'id,name,email\nana,Ana,"{address}"\n', "r.csv")


@pytest.mark.parametrize(
    "id", ["añà", "ａｎａ", "ana\u200b", "ana putri", "-ana", ".ana", "ana/x", "ana\n", "\u202eana"]
)
def test_an_odd_id_is_refused(id: str) -> None:
    """It names a folder, a machine and a project; 63 letters are the most, and the name may be what it likes."""
    with pytest.raises(UsageError, match=r"^r\.csv: line \d: .* is no student's id"):
        parse_roster(f'id,name\n"{id}x",Ana\n', "r.csv")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "r.csv: line 1: the header lacks"),
        ("ana,Ana\n", "r.csv: line 1: the header lacks"),
        ("id,name\n", "r.csv: names no student"),
        ("id,name\nana,Ana\nbudi,Budi\nana,Other\n", "r.csv: line 4: the id 'ana' is on line 2 too"),
        ("id,name\nana,Ana\nANA,Other\n", "r.csv: line 3: the id 'ANA' is on line 2 too"),
        ("id,name\n../x,X\n", "r.csv: line 2: '../x' is no student's id"),
        ("id,name\n,X\n", "r.csv: line 2: '' is no student's id"),
        ("id,name\na b,X\n", "r.csv: line 2: 'a b' is no student's id"),
        ("id,name\n" + "a" * 64 + ",X\n", "r.csv: line 2: "),
        ("id,name\nana,\x1b[31m\n", "r.csv: line 2: the name is longer"),
        ("id,name\nana," + "a" * 121 + "\n", "r.csv: line 2: the name is longer"),
        ("id,name\nana\n", "r.csv: line 2: has 1 columns, the header has 2"),
        ("id,name,lang\nana,Ana\n", "r.csv: line 2: has 2 columns, the header has 3"),
        ("id,name,lang\nana,Ana,id\nbudi,Budi,de\n", "r.csv: line 3: 'de' is no language of the lab's"),
        ("id,name,lang,language\nana,Ana,id,en\n", "r.csv: line 1: two columns are the language"),
        ("id,name,email,e-mail\nana,Ana,,\n", "r.csv: line 1: two columns are the email"),
    ],
)
def test_each_fault_of_a_roster_names_its_line(text: str, said: str) -> None:
    """And the mend."""
    with pytest.raises(UsageError) as fault:
        parse_roster(text, "r.csv")
    assert fault.value.message.startswith(said) and fault.value.mend


def test_a_roster_that_is_no_text(tmp_path: Path) -> None:
    """Missing, or in another encoding, or with a quote that never ends."""
    for content, said in ((None, "cannot be read"), (b"id,name\n\xe9,X\n", "is not UTF-8"), (b'id,name\n"a', "no CSV")):
        path = tmp_path / "r.csv"
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(UsageError, match=said):
            read_roster(path)


def test_forty_students_have_forty_of_everything(tmp_path: Path) -> None:
    """Own domain, own port, own token; none has the lab's own, which is for practice."""
    made, new = classroom.init(FORTY, tmp_path / "class", "devops")
    assert len(new) == 40
    own = [student.own(Lab()) for student in made.students]
    assert len({lab.domain for lab in own}) == len({lab.app.port for lab in own}) == 40
    assert len({student.token("first") for student in made.students}) == 40
    assert len({student.choice("first", ["a", "b", "c"]) for student in made.students}) == 3
    assert PRACTICE.own(Lab()) == Lab() and (Lab().domain, Lab().app.port) == ("akuma.xyz", 3000)


def test_the_secret_and_the_cards_are_private(tmp_path: Path) -> None:
    """Files and folders are their owner's alone, are kept out of git, and the secret shows in no message."""
    folder = tmp_path / "class"
    made, _ = classroom.init(FORTY[:2], folder, "devops")
    assert [_mode(folder), _mode(folder / "class.toml"), _mode(made.card("s00"))] == [0o700, 0o600, 0o600]
    assert (folder / ".gitignore").read_text() == "*\n"
    assert len(made.secret) == 64 and made.secret not in repr(made)
    assert made.secret not in made.card("s00").read_text()


def test_a_card_is_the_student(tmp_path: Path) -> None:
    """What the teacher derives is what the student's computer reads, with quotes in the name too."""
    made, _ = classroom.init([Enrolled("ana", 'Ana "Nana" \\ Ö')], tmp_path / "class", "devops")
    assert load_student(made.card("ana").parent) == made.student("ana")
    assert classroom.load(tmp_path / "class") == made


def test_a_longer_roster_adds_cards_and_changes_none(tmp_path: Path) -> None:
    """The secret stays; a student who is not on the new roster stays too; a lost card comes back the same."""
    folder = tmp_path / "class"
    before, _ = classroom.init(FORTY[:3], folder, "devops")
    cards = {student.id: before.card(student.id).read_bytes() for student in before.students}
    before.card("s01").unlink()
    after, new = classroom.init(FORTY[1:5], folder)
    assert after.secret == before.secret and [each.id for each in after.roster] == ["s00", "s01", "s02", "s03", "s04"]
    assert new == ("s01", "s03", "s04")
    assert {id: after.card(id).read_bytes() for id in cards} == cards


def test_what_a_roster_tells_later_is_kept(tmp_path: Path) -> None:
    """E-mail and language are learnt from a fuller roster and not forgotten by a shorter; cards and names stay."""
    folder = tmp_path / "class"
    before, _ = classroom.init([Enrolled("ana", "Ana")], folder, "devops")
    card = before.card("ana").read_bytes()
    classroom.init([Enrolled("ana", "Other", "ana@x.id", "id"), Enrolled("budi", "B", language="en")], folder)
    after, _ = classroom.init([Enrolled("ana", "Ana")], folder)
    assert after.roster == (Enrolled("ana", "Ana", "ana@x.id", "id"), Enrolled("budi", "B", "", "en"))
    assert classroom.load(folder) == after and after.card("ana").read_bytes() == card
    assert after.enrolled("ana").language == "id"


def test_a_class_of_before_loads(tmp_path: Path) -> None:
    """Its class.toml tells neither; one with a language that is none is refused."""
    old = f'course = "a"\nsecret = "{"ab" * 32}"\n\n[[student]]\nid = "ana"\nname = "Ana"\n'
    (tmp_path / "class.toml").write_text(old)
    assert classroom.load(tmp_path).roster == (Enrolled("ana", "Ana"),)
    (tmp_path / "class.toml").write_text(old + 'language = "de"\n')
    with pytest.raises(UsageError, match="cannot be used"):
        classroom.load(tmp_path)


def test_another_course_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    """And so is an id that is too much like one that is there."""
    folder = tmp_path / "class"
    classroom.init(FORTY[:1], folder, "devops")
    with pytest.raises(UsageError, match="holds the course 'devops'"):
        classroom.init(FORTY[:1], folder, "other")
    with pytest.raises(UsageError, match="has 's00' already, and 'S00'"):
        classroom.init([Enrolled("S00")], folder)
    with pytest.raises(UsageError, match="is no name for a course"):
        classroom.init(FORTY[:1], tmp_path / "next", "a\nb")


@pytest.mark.parametrize("text", ["", "course = 1", 'course = "a"\nsecret = "zz"', 'course = "a"\nsecret = "00"', "["])
def test_a_damaged_class_is_never_replaced(text: str, tmp_path: Path) -> None:
    """A new secret would make every card another."""
    (tmp_path / "class.toml").write_text(text)
    with pytest.raises(UsageError, match=r"class\.toml: cannot be used: .*\n  → take it from your backup"):
        classroom.init(FORTY, tmp_path)
    assert (tmp_path / "class.toml").read_text() == text


def test_a_folder_without_a_class(tmp_path: Path) -> None:
    """A sentence with the command that makes one; and a student who is not in it."""
    with pytest.raises(UsageError, match="lab class init"):
        classroom.load(tmp_path)
    with pytest.raises(UsageError, match="has no student 'zoe'"):
        classroom.init(FORTY[:1], tmp_path / "c")[0].student("zoe")


def test_keys_are_remembered_and_stay(tmp_path: Path) -> None:
    """The first one of a student counts; an id with a dot is one id."""
    pins = Pins().and_("a.b", KEY).and_("a.b", KEY.replace("AAAAA", "AAAAB"))
    assert pins == Pins((Pin("a.b", KEY),)) and pins.key_of("c") == ""
    pinning.save(tmp_path, pins)
    assert pinning.load(tmp_path) == pins and _mode(tmp_path / "keys.toml") == 0o600
    assert pinning.load(tmp_path / "none") == Pins()
    (tmp_path / "keys.toml").write_text('[keys]\na = "ssh-rsa x"\n')
    with pytest.raises(UsageError, match="a key is no ed25519 key"):
        pinning.load(tmp_path)
