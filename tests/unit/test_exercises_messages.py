"""What is said of a result: filled without reading anything into the values, in either language, at any time later."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import UsageError
from lab.exercises import progress
from lab.exercises.exercise import Exercise, Language
from lab.exercises.messages import OWN, Told, catalogue, placeholders, tell
from lab.exercises.results import Attempt, CheckResult, Status
from lab.home import Home
from tests.unit.classroom import MINE, found, made, marked

TOKEN = {"token": "abc", "status": "500"}
WRONG = found("works", Status.FAIL, 5, key="no-token", values=TOKEN)


def _saying(folder: Path, actual: str) -> Exercise:
    """`mine` with another text for `no-token`."""
    message = f"[wrong.no-token]\nexpected = ''\nactual = '''{actual}'''\nhints = ['a', 'b', 'c']\n"
    return made(folder, changes={**MINE, "messages.en.toml": message})


def _actual(folder: Path, text: str, **values: str) -> str:
    return tell(_saying(folder, text), found("works", Status.FAIL, 5, key="no-token", values=values), "en").actual


@pytest.mark.parametrize(
    "value",
    ["{token}", "{0.__class__}", "{token.__class__.__mro__}", "{", "}", "{}", "{{}}", "%s", "{token!r:>99}", "$(id)"],
)
def test_a_value_is_only_a_value(tmp_path: Path, value: str) -> None:
    """Whatever a student's page says, no placeholder in it is filled, no attribute read, and nothing breaks."""
    assert _actual(tmp_path, "a page with {page}.", page=value, token="secret") == f"a page with {value}."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{nobody} knows", "{nobody} knows"),
        ("{0.__class__} and {token.__class__}", "{0.__class__} and {token.__class__}"),
        ("{token[0]}", "{token[0]}"),
        ("a {{ block }} with {token}", "a { block } with abc"),
        ("{0} {1}", "{0} {1}"),
        ("{}", "{}"),
    ],
)
def test_what_is_no_value_stays(tmp_path: Path, text: str, expected: str) -> None:
    """An unknown name is shown as it is; two braces are one."""
    assert expected == _actual(tmp_path, text, token="abc")


@pytest.mark.parametrize("text", ["server { listen 80; }", "location / { return 200; }", '{"a": 1}', "a { b", "a } b"])
def test_nginxs_own_braces_do_not_break_a_check(tmp_path: Path, text: str) -> None:
    """A message that its author did not escape is shown as it is; no student sees a bug of ours."""
    assert text == _actual(tmp_path, text, token="abc")


@pytest.mark.parametrize(("tier", "hint"), [(1, "a nudge"), (2, "the place"), (3, "nearly the command"), (9, "nearly")])
def test_the_tiers_of_a_hint(tmp_path: Path, tier: int, hint: str) -> None:
    """There are three; whoever asks for more gets the last again."""
    assert tell(made(tmp_path), WRONG, "en", tier).hint.startswith(hint)


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", Told("It works.", "abc in the page", "a page without it, status 500", "a nudge")),
        ("id", Told("Berhasil.", "abc di dalam halaman", "halaman tanpa token, status 500", "dorongan kecil")),
    ],
)
def test_a_stored_result_prints_in_either_language(
    tmp_path: Path, home: Home, language: Language, expected: Told
) -> None:
    """It holds keys and values alone, so that it was stored in neither."""
    exercise = made(tmp_path)
    progress.record(home, progress.begin(home, "mine"), marked(Status.FAIL, Status.SKIP), ())
    stored = progress.current(home, "mine")
    assert isinstance(stored, Attempt) and stored.best is not None
    assert expected == tell(exercise, stored.best.checks[1], language)


@pytest.mark.parametrize(
    ("result", "english", "indonesian"),
    [
        (found("works", Status.PASS, 5), Told("It works."), Told("Berhasil.")),
        (
            found("lasts", Status.SKIP, 3, key="needs", values={"needs": "works"}),
            Told("It lasts.", actual="first: It works."), Told("Bertahan.", actual="dahulukan: Berhasil."),
        ),
        (
            found("lasts", Status.SKIP, 3, key="needs", values={"needs": "reachable"}),
            Told("It lasts.", actual="first: The machines of this exercise let you in."),
            Told("Bertahan.", actual="dahulukan: Mesin-mesin latihan ini dapat Anda masuki."),
        ),
        (
            found("survives", Status.SKIP, 2, key="needs-full"),
            Told("It survives.", actual="disturbs the machines; runs with --full"),
            Told("Selamat.", actual="mengganggu mesin; dijalankan dengan --full"),
        ),
        (
            found("works", Status.ERROR, 5, key="error", values={"error": "KeyError: '{x}'"}),
            Told("It works.", actual="this check broke, which is our fault and costs no points: KeyError: '{x}'"),
            Told("Berhasil.", actual=OWN["id"]["error"].replace("{error}", "KeyError: '{x}'")),
        ),
        (
            found("reachable", Status.FAIL, 0, key="unreachable", values={"host": "voxy", "error": "no SSH"}),
            Told("The machines of this exercise let you in.", "voxy lets us in over SSH", "no SSH",
                 "`lab start voxy` gives power; locked out: `lab exercise start --again` makes them anew"),
            Told("Mesin-mesin latihan ini dapat Anda masuki.", "voxy dapat dimasuki lewat SSH", "no SSH",
                 "`lab start voxy` menghidupkan; terkunci di luar: `lab exercise start --again`"),
        ),
    ],
)  # fmt: skip
def test_what_the_engine_itself_says(tmp_path: Path, result: CheckResult, english: Told, indonesian: Told) -> None:
    """Of a pass, a skip, a fault of ours, and of machines that let nobody in."""
    exercise = made(tmp_path)
    assert (tell(exercise, result, "en"), tell(exercise, result, "id")) == (english, indonesian)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "there is no such file"),
        ("[wrong", "Expected"),
        ("[wrong.a]\nexpected = 'x'", "missing required field"),
        ("[wrong.a]\nexpected = ''\nactual = ''\nhints = ['a', 'b']", "length 3"),
        ("[wrongs]", "unknown field `wrongs`"),
        ("[wrong.a]\nexpected = 3", "Expected `str`"),
    ],
)
def test_a_bad_catalogue_names_its_file(tmp_path: Path, text: str | None, said: str) -> None:
    """In a sentence with a mend."""
    folder = made(tmp_path, changes={**MINE, "messages.id.toml": text}).folder
    with pytest.raises(UsageError) as caught:
        catalogue(folder, "id")
    assert caught.value.message.startswith(f"{folder}/messages.id.toml: ") and said in caught.value.message
    assert caught.value.mend


def test_the_names_in_a_text() -> None:
    """Each once; escaped braces are none."""
    assert placeholders("{a} and {b}, {a} {{c}}") == {"a", "b"}
