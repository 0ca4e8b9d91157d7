"""A student's card on paper: where their machines are, how to get in, and the first commands, on one page.

FOLDER/cards/ID/card.html     to print; everything is in it, and nothing is fetched
FOLDER/cards/ID/key           the private key of the student's machines
FOLDER/cards/ID/ssh_config    for `ssh -F ssh_config akuma`, called in that folder
FOLDER/cards/ID/known_hosts   what the machines prove themselves by
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lab.classes.seats import Seat, lab_folder
from lab.classes.settings import ROLES, SITE, Settings
from lab.errors import EnvironmentProblem
from lab.exercises.exercise import Language
from lab.exercises.student import Student
from lab.grading.classroom import CARDS, Classroom, keep_private
from lab.home import FOLDER
from lab.host import SshTarget
from lab.keys import LOGIN, ssh_config

ALL = "all.html"
CARD, KEY, CONFIG, KNOWN = "card.html", "key", "ssh_config", "known_hosts"
_MEND = "`lab class up ROSTER` makes the lab's keys"


@dataclass(frozen=True)
class Machine:
    """A machine as its card tells.

    Attributes:
        name: of the host.
        role: balancer or backend.
        port: of the member; it leads to the machine's SSH.
        host_key: its public key, as "ssh-ed25519 AAAA…".
    """

    name: str
    role: str
    port: int
    host_key: str

    @property
    def fingerprint(self) -> str:
        """Of its host key, as ssh shows it."""
        blob = base64.b64decode(self.host_key.split()[1])
        return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


@dataclass(frozen=True)
class Card:
    """All that is on a card.

    Attributes:
        student: whose it is.
        language: in which it speaks.
        address: of the member that the machines are on.
        machines: in the order of the lab.
        site: the port of the member that leads to the site.
        key: the private key's text.
    """

    student: Student
    language: Language
    address: str
    machines: tuple[Machine, ...]
    site: int
    key: str = field(repr=False)

    @property
    def url(self) -> str:
        """Where a browser finds the site."""
        return f"http://{self.address}:{self.site}/"

    def command(self, machine: Machine) -> str:
        """What the student types to get into a machine."""
        return f"ssh -i {KEY} -p {machine.port} {LOGIN}@{self.address}"


def card_of(course: Classroom, settings: Settings, id: str, seat: Seat, otherwise: Language = "en") -> Card:
    """The card of a student whose lab was brought up.

    Args:
        course: with the roster.
        settings: of the class.
        id: the student's.
        seat: the student's.
        otherwise: the language where the roster tells none.

    Raises:
        UsageError: the roster has no such student.
        EnvironmentProblem: the lab's keys are not there, or nobody outside reaches its member.
    """
    if not seat.address:
        raise EnvironmentProblem(
            f"{id}: the member {seat.member} has no address that students reach", "give LXD one: core.https_address"
        )
    keys = lab_folder(course.folder, id) / FOLDER / "keys"
    first = settings.ports(seat.number)
    machines = tuple(
        Machine(name, role, first + index, _host_key(keys / "guests" / name / "ssh_host_ed25519_key.pub"))
        for index, (name, role, _) in enumerate(ROLES)
    )
    language = course.enrolled(id).language or otherwise
    return Card(course.student(id), language, seat.address, machines, first + SITE, _read(keys / "lab"))


def write_cards(course: Classroom, cards: Sequence[Card]) -> Path:
    """Write each student's files, and all cards as one file to print; returns that file.

    Raises:
        EnvironmentProblem: a file cannot be written.
    """
    for card in cards:
        folder = course.folder / CARDS / card.student.id
        keep_private(folder / CARD, page([card]))
        keep_private(folder / KEY, card.key)
        keep_private(folder / CONFIG, ssh_config(_targets(card)))
        keep_private(folder / KNOWN, "".join(_known(card.address, machine) for machine in card.machines))
    whole = course.folder / CARDS / ALL
    keep_private(whole, page(cards))
    return whole


def page(cards: Sequence[Card]) -> str:
    """The cards as HTML, a sheet of A5 each; names are escaped, and nothing is fetched."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("lab.classes", ""), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=StrictUndefined,
    )  # fmt: skip
    codes = [(card, qr(card.url), qr(card.key)) for card in cards]
    return environment.get_template("card.html.j2").render(codes=codes, KEY=KEY, WORDS=WORDS)


def qr(content: str) -> str:
    """A text as a QR code: SVG that fills what it is put in, with its quiet border."""
    import segno
    from markupsafe import Markup

    code = segno.make(content, error="m", micro=False)
    return Markup(code.svg_inline(omitsize=True, border=4, dark="#000", light="#fff"))  # noqa: S704  # segno's own


def _targets(card: Card) -> tuple[SshTarget, ...]:
    return tuple(
        SshTarget(machine.name, card.address, machine.port, LOGIN, KEY, KNOWN) for machine in card.machines
    )  # fmt: skip


def _known(address: str, machine: Machine) -> str:
    return f"[{address}]:{machine.port} {machine.host_key}\n"


def _host_key(path: Path) -> str:
    """Kind and key of a .pub file."""
    words = _read(path).split()
    try:
        base64.b64decode(words[1], validate=True)
    except (IndexError, ValueError):
        raise EnvironmentProblem(f"{path}: is no public key", _MEND) from None
    return " ".join(words[:2])


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as fault:
        said = fault.strerror if isinstance(fault, OSError) else "is no key"
        raise EnvironmentProblem(f"{path}: cannot be read: {said}", _MEND) from None


@dataclass(frozen=True)
class Words:
    """What a card says, in one language; `save` is around the name of the key's file."""

    title: str
    machines: str
    balancer: str
    backend: str
    first: str
    save: tuple[str, str]
    log_in: str
    ask: str
    site: str
    key: str
    warning: str

    def role(self, role: str) -> str:
        """What a machine does."""
        return self.balancer if role == "balancer" else self.backend


WORDS: dict[Language, Words] = {
    "en": Words(
        title="Your lab",
        machines="Your machines",
        balancer="nginx",
        backend="app",
        first="First steps",
        save=(
            "Put the file",
            "that came with this card into an empty folder, and open a terminal there. "
            "Or scan the code of your key and save its text, with the line's end, as",
        ),
        log_in="Make the key yours alone, and log in. The first time, go on only if the same SHA256 is shown as above.",
        ask="In a second terminal, ask your site a few times. Who answers?",
        site="Your site",
        key="Your key",
        warning="Whoever has the key can log in as you. Show it to nobody, and keep this page.",
    ),
    "id": Words(
        title="Lab Anda",
        machines="Mesin-mesin Anda",
        balancer="nginx",
        backend="aplikasi",
        first="Langkah pertama",
        save=(
            "Taruh berkas",
            "yang menyertai kartu ini di folder kosong, lalu buka terminal di sana. "
            "Atau pindai kode kunci Anda dan simpan teksnya, termasuk akhir barisnya, sebagai",
        ),
        log_in="Jadikan kunci itu milik Anda saja, lalu masuk. Pertama kali, lanjutkan hanya jika "
        "SHA256 yang tampil sama dengan yang di atas.",
        ask="Di terminal kedua, tanyai situs Anda beberapa kali. Siapa yang menjawab?",
        site="Situs Anda",
        key="Kunci Anda",
        warning="Siapa pun yang memegang kunci ini bisa masuk sebagai Anda. Jangan perlihatkan, dan simpan kartu ini.",
    ),
}
