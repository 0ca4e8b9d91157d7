"""The card of a student: what is on it, in whose language, and that no name can change it."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
import segno

from lab import cli, config, keys
from lab.classes import rendering, seats
from lab.classes.cards import WORDS, Card, card_of, page, write_cards
from lab.classes.seats import Seat, Seats
from lab.classes.settings import Settings
from lab.errors import USAGE, EnvironmentProblem, UsageError
from lab.grading import classroom
from lab.grading.classroom import Classroom
from lab.grading.roster import Enrolled
from lab.home import Home

EVIL = '"><script>alert(1)</script><img src=x onerror=y>{{ 7*7 }}</section>'
SEAT = Seat(42, "m1", "10.88.0.1")


class Elements(HTMLParser):
    """The names of all elements, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        self.names.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        """Text between elements."""
        self.text += data


@pytest.fixture
def course(tmp_path: Path) -> Classroom:
    """Three students; two have a lab, whose keys are made; one has a hostile name."""
    roster = (Enrolled("ayu", "Ayu", language="id"), Enrolled("budi", EVIL), Enrolled("citra", "Citra"))
    made, _ = classroom.init(roster, tmp_path / "class", "devops & co")
    book = Seats({"ayu": SEAT, "budi": Seat(43, "m2", "10.88.0.2")})
    seats.save(made.folder, book)
    for id, seat in book.seats.items():
        folder = rendering.write_lab(made, Settings(), id, seat)
        keys.make_guest_files(config.load(folder / "lab.toml"), Home(folder), "")
    return made


def card(course: Classroom, id: str = "ayu", seat: Seat = SEAT) -> Card:
    """A student's card."""
    return card_of(course, Settings(), id, seat)


def test_a_card_says_how_to_get_in(course: Classroom) -> None:
    """Member, ports, site, and fingerprints as ssh shows them; the key is in no repr."""
    made = card(course)
    assert (made.language, made.url, made.student.course) == ("id", "http://10.88.0.1:20428/", "devops & co")
    assert [made.command(machine) for machine in made.machines] == [
        f"ssh -i key -p {port} vagrant@10.88.0.1" for port in (20420, 20421, 20422)
    ]
    for machine in made.machines:
        public = course.folder / "labs/ayu/.lab/keys/guests" / machine.name / "ssh_host_ed25519_key.pub"
        said = subprocess.run(["ssh-keygen", "-lf", public], capture_output=True, text=True, check=True).stdout
        assert said.split()[1] == machine.fingerprint
        assert machine.fingerprint in page([made])
    assert "PRIVATE KEY" in made.key and "PRIVATE KEY" not in repr(made)


def test_the_codes_are_the_site_and_the_key(course: Classroom, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exactly these two, drawn in the page as segno draws them."""
    encoded: list[str] = []

    def make(content: str, **options: object) -> segno.QRCode:
        encoded.append(content)
        return plainly(content, **options)  # type: ignore[arg-type]

    plainly = segno.make
    monkeypatch.setattr(segno, "make", make)
    made = card(course)
    text = page([made])
    assert encoded == [made.url, made.key] and text.count("<svg") == 2
    assert plainly(made.url, error="m", micro=False).svg_inline(omitsize=True, border=4, light="#fff") in text


def test_no_name_changes_the_page(course: Classroom) -> None:
    """It is shown as it was written; there is no script, nothing that is fetched, and the page says so too."""
    found = Elements(page([card(course, "budi", Seat(43, "m2", "10.88.0.2")), card(course)]))
    assert not {"script", "img", "link", "iframe", "a", "form"} & set(found.names)
    assert not {"src", "href", "onerror", "onload"} & found.attributes
    assert found.text.count(EVIL) == 1 and found.names.count("section") == 2
    assert "default-src 'none'" in page([card(course)])


def test_each_speaks_its_language(course: Classroom) -> None:
    """The roster's; where it tells none, the one that is asked for."""
    assert WORDS["id"].first in page([card(course)]) and WORDS["en"].first not in page([card(course)])
    other = card_of(course, Settings(), "budi", SEAT, "id")
    assert other.language == "id" and card(course, "budi").language == "en"


def test_the_files_of_a_student(course: Classroom) -> None:
    """Private; ssh reads the configuration, and takes what the card says; the key is the lab's."""
    whole = write_cards(course, [card(course), card(course, "budi")])
    folder = course.folder / "cards" / "ayu"
    assert {path.name for path in folder.iterdir()} == {"student.toml", "card.html", "key", "ssh_config", "known_hosts"}
    assert {path.stat().st_mode & 0o777 for path in (*folder.iterdir(), whole)} == {0o600}
    assert (folder / "key").read_bytes() == (course.folder / "labs/ayu/.lab/keys/lab").read_bytes()
    said = subprocess.run(
        ["ssh", "-F", "ssh_config", "-G", "voxy"], cwd=folder, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert {"hostname 10.88.0.1", "port 20421", "user vagrant", "identityfile key"} <= set(said)
    known = subprocess.run(
        ["ssh-keygen", "-F", "[10.88.0.1]:20421", "-f", folder / "known_hosts"], capture_output=True, check=True
    ).stdout
    assert b"ssh-ed25519" in known
    assert str(course.folder) not in (folder / "ssh_config").read_text()
    assert whole.read_text().count('<section class="card"') == 2


def test_a_lab_that_is_not_ready_has_no_card(course: Classroom) -> None:
    """Without keys, with a damaged one, without an address; each sentence names the place and the mend."""
    with pytest.raises(EnvironmentProblem, match="m1 has no address that students reach"):
        card(course, seat=replace(SEAT, address=""))
    public = course.folder / "labs/ayu/.lab/keys/guests/voxy/ssh_host_ed25519_key.pub"
    for damaged in ("", "ssh-ed25519", "ssh-ed25519 %%%"):
        public.write_text(damaged)
        with pytest.raises(EnvironmentProblem, match=r"key\.pub: is no public key\n  → `lab class up ROSTER`"):
            card(course)
    public.write_bytes(b"\xff")
    with pytest.raises(EnvironmentProblem, match="is no key"):
        card(course)
    public.unlink()
    with pytest.raises(EnvironmentProblem, match="cannot be read"):
        card(course)


def _run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        cli.main(["class", "cards", *words])
    said = capsys.readouterr()
    return int(str(ended.value.code)), said.out + said.err


def test_the_command(course: Classroom, capsys: pytest.CaptureFixture[str]) -> None:
    """All who have a lab, and who has none; or one; and refusals."""
    folder = str(course.folder)
    code, said = _run(capsys, "--folder", folder)
    assert code == 0 and "2 cards" in said and str(course.folder / "cards/all.html") in said
    assert "without a card: citra" in said
    code, said = _run(capsys, "--folder", folder, "--student", "ayu")
    assert code == 0 and "1 cards" not in said and "1 card," in said and "citra" not in said
    assert (course.folder / "cards/all.html").read_text().count('<section class="card"') == 1
    code, said = _run(capsys, "--folder", folder, "--member", "m2")
    assert code == 0 and "1 card," in said and (course.folder / "cards/budi/key").exists()
    for words, sentence in ((("--student", "zoe"), "no student 'zoe'"), (("--member", "m3"), "no lab on the member")):
        code, said = _run(capsys, "--folder", folder, *words)
        assert code == USAGE and sentence in said
    seats.save(course.folder, Seats())
    code, said = _run(capsys, "--folder", folder)
    assert code == USAGE and "no lab of this class is up" in said


def test_a_stranger_has_no_card(course: Classroom) -> None:
    """The keys of a lab do not make its owner a student."""
    folder = course.folder / "labs"
    (folder / "ayu").rename(folder / "zoe")
    with pytest.raises(UsageError, match="has no student 'zoe'"):
        card(course, "zoe")
