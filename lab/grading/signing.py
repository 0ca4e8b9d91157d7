"""The student's own ed25519 key, the card's proof, and the one file that is handed in.

What a signature that fits proves: whoever held this private key wrote exactly this. The class folder remembers the
key of each student's first hand-in, so a later one by somebody else shows; the proof shows that whoever wrote it had
the card. What neither proves: that the student did the work, or that the program which measured was left as it was,
for it ran on the student's computer. For that there is `lab grade replay`.
"""

from __future__ import annotations

import hmac
import re
import subprocess
import tempfile
from pathlib import Path

import msgspec

from lab import process
from lab.errors import EnvironmentProblem, MissingTool
from lab.exercises.student import Student
from lab.grading.grade import Grade
from lab.home import Home

KEY = Path("student") / "key"
NAMESPACE = "lab-grade"
PUBLIC = re.compile(r"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI[A-Za-z0-9+/]{43}")
_ARMOUR = re.compile(r"-----BEGIN SSH SIGNATURE-----\n(?:[A-Za-z0-9+/=]{1,76}\n){1,12}-----END SSH SIGNATURE-----\n?")
_WHO = "student"
_SECONDS = 30


class HandIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file that is handed in; `grade` is a `Grade` as JSON."""

    grade: msgspec.Raw
    public_key: str
    signature: str


def canonical(document: object) -> bytes:
    """The one JSON text of a value: sorted keys, no spaces, UTF-8."""
    return msgspec.json.encode(document, order="sorted")


def again(document: bytes) -> bytes:
    """The canonical text of a JSON text, with everything that it says.

    Raises:
        msgspec.DecodeError, RecursionError, UnicodeDecodeError: it is none.
    """
    return canonical(msgspec.json.decode(document))


def proof(document: bytes, student: Student) -> str:
    """64 hexadecimal digits that only the card's key gives for a grade; the proof that is in it does not count.

    Args:
        document: the grade's JSON text.
        student: whose card; practice has no proof.
    """
    if not student.key:
        return ""
    fields = {name: value for name, value in msgspec.json.decode(document).items() if name != "proof"}
    return student.digest("grade", canonical(fields).decode()).hex()


def is_proved(document: bytes, student: Student, claimed: str) -> bool:
    """Whether the card's key was there when the grade was written."""
    return bool(student.key) and hmac.compare_digest(proof(document, student).encode(), claimed.encode())


def hand_in(home: Home, grade: Grade, student: Student) -> bytes:
    """The file to hand in: the grade with its proof, signed; made to be read by people too."""
    proved = msgspec.structs.replace(grade, proof=proof(canonical(grade), student))
    document = canonical(proved)
    key = student_key(home, student)
    made = HandIn(msgspec.Raw(document), public_key(key), sign(document, key))
    return msgspec.json.format(msgspec.json.encode(made), indent=2) + b"\n"


def student_key(home: Home, student: Student) -> Path:
    """The private key, made when there is none; it is never replaced."""
    path = home.path / KEY
    if not path.exists():
        home.make()
        path.parent.mkdir(mode=0o700, exist_ok=True)
        process.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"lab-{student.id}", "-f", path)
    return path


def public_key(key: Path) -> str:
    """The public half, without comment."""
    return " ".join(_ran("-y", "-P", "", "-f", str(key), key=key).split()[:2])


def sign(document: bytes, key: Path) -> str:
    """An armoured signature over exactly these bytes."""
    return _ran("-Y", "sign", "-q", "-f", str(key), "-n", NAMESPACE, key=key, stdin=document)


def fits(document: bytes, public: str, signature: str) -> bool:
    """Whether the holder of a public key's private half signed exactly these bytes.

    Args:
        document: the canonical text.
        public: `ssh-ed25519 …` without comment; anything else fits nothing.
        signature: armoured.
    """
    if not (PUBLIC.fullmatch(public) and _ARMOUR.fullmatch(signature)):
        return False
    with tempfile.TemporaryDirectory(prefix="lab-verify-") as folder:
        signers, signed = Path(folder) / "signers", Path(folder) / "signature"
        signers.write_text(f'{_WHO} namespaces="{NAMESPACE}" {public}\n', encoding="ascii")
        signed.write_text(signature, encoding="ascii")
        said = _keygen(
            "-Y", "verify", "-q", "-f", str(signers), "-I", _WHO, "-n", NAMESPACE, "-s", str(signed), stdin=document
        )
    return said.returncode == 0


def _ran(*words: str, key: Path, stdin: bytes = b"") -> str:
    done = _keygen(*words, stdin=stdin)
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["ssh-keygen says nothing"]
        raise EnvironmentProblem(
            f"{key}: cannot be used: {lines[-1].strip()}",
            f"`chmod 600 {key}` when others may read it; with a new key your teacher sees another signature",
        )
    return done.stdout.decode("ascii")


def _keygen(*words: str, stdin: bytes) -> subprocess.CompletedProcess[bytes]:
    """ssh-keygen with bytes for its standard input: what is signed must not depend on a locale."""
    program = process.find("ssh-keygen")
    if program is None:
        raise MissingTool("`ssh-keygen` is not installed", "install the package openssh-client")
    return subprocess.run(
        [program, *words], input=stdin, capture_output=True, timeout=_SECONDS, check=False
    )  # fmt: skip
