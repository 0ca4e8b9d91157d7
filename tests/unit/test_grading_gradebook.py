"""CSV, JSON, JUnit and the page: what is in them, and that nothing a student wrote can act in them."""

from __future__ import annotations

import csv
import io
import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import msgspec
import pytest

from lab.exercises.exercise import Exercise
from lab.exercises.results import CheckResult, Marked, Status
from lab.grading.collect import Collection, Entry, Flag, LeftOut
from lab.grading.grade import grade
from lab.grading.gradebook import as_csv, harmless, merged, verified
from lab.grading.junit import junit
from lab.grading.page import page
from lab.grading.roster import Enrolled
from lab.grading.telling import told
from tests.unit.test_grading_grade import NOW, ana_grade, attempt, exercises, run, student

__all__ = ["exercises"]
EVIL = '<script>alert("1")</script>'
LOADING = {"src", "srcset", "data", "action", "poster", "xlink:href"}


def _collection(exercises: tuple[Exercise, ...], name: str = "Ana") -> Collection:
    """Ana, who passed the first; Budi, who did not and is flagged; Citra, who did not hand in."""
    budi = attempt(run(Status.FAIL, Status.SKIP))
    return Collection(
        (
            Entry("grade-ana.json", ana_grade(exercises, who=student("ana", name)), "ok"),
            Entry("grade-budi.json", ana_grade(exercises, budi, student("budi", "=1+1")), "changed", (Flag.TAMPERED,)),
        ),
        (LeftOut(f"x{EVIL}.json", f"is no hand-in: {EVIL}", True),),
        (Enrolled("citra", "@Citra"),),
    )


def test_csv_has_a_row_a_student_and_a_column_an_exercise(exercises: tuple[Exercise, ...]) -> None:
    """With what is wrong; an exercise that was never started is empty, not 0."""
    rows = list(csv.reader(io.StringIO(as_csv(_collection(exercises), exercises))))
    assert rows == [
        ["student", "name", "course", "first", "second", "total", "possible", "signature", "remarks"],
        ["ana", "Ana", "devops", "10", "", "10", "20", "ok", ""],
        ["budi", "'=1+1", "devops", "0", "", "0", "20", "changed", "changed after it was signed"],
        ["citra", "'@Citra", "", "", "", "", "", "missing", "no hand-in"],
    ]


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", " =1", "\n=1", "＝1", "=cmd|' /C calc'!A0"]
)
def test_no_cell_is_a_formula(cell: str) -> None:
    """A spreadsheet on the teacher's computer would run it."""
    assert harmless(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["Ana", "10", "", "a=1", "Ana-Maria", "o'Neill"])
def test_other_cells_stay(cell: str) -> None:
    """A gradebook finds the student by them."""
    assert harmless(cell) == cell


def test_csv_quotes(exercises: tuple[Exercise, ...]) -> None:
    """A comma and a quote in a name stay in their cell."""
    name = 'A, "B" c'
    rows = list(csv.reader(io.StringIO(as_csv(_collection(exercises, name), exercises))))
    assert len(rows) == 4 and rows[1][1] == name


def test_an_exercise_that_is_left_out_still_counts(exercises: tuple[Exercise, ...]) -> None:
    """Whoever hands in one exercise of two has not done all."""
    made = grade(student(), exercises[:1], {}, NOW)
    found = Collection((Entry("a.json", made, "ok"),))
    assert next(iter(list(csv.reader(io.StringIO(as_csv(found, exercises))))[1:]))[3:7] == ["", "", "0", "20"]


def test_merged_json(exercises: tuple[Exercise, ...]) -> None:
    """Versioned, with every grade, what is wrong with it, who is missing and what was left out."""
    found = json.loads(merged(_collection(exercises), exercises, NOW))
    assert found["format"] == "lab-gradebook/1" and found["made_at"] == NOW and found["missing"] == ["citra"]
    assert [(each["earned"], each["flags"]) for each in found["students"]] == [(10, []), (0, ["tampered"])]
    assert found["students"][0]["grade"]["format"] == "lab-grade/1" and len(found["left_out"]) == 1
    said = json.loads(verified(_collection(exercises).entries[0], exercises))
    assert (said["student"], said["earned"], said["possible"], said["signature"]) == ("ana", 10, 20, "ok")


def test_junit(exercises: tuple[Exercise, ...]) -> None:
    """A suite a student, a case a check, and one for an exercise that was never started."""
    root = ElementTree.fromstring(junit(_collection(exercises), exercises))
    ana, budi = root.findall("testsuite")
    assert (ana.get("name"), ana.get("tests"), ana.get("failures"), ana.get("skipped")) == ("ana", "3", "0", "1")
    assert (budi.get("tests"), budi.get("failures"), budi.get("errors"), budi.get("skipped")) == ("3", "1", "0", "2")
    case = budi.findall("testcase")[0]
    failure = case.find("failure")
    assert (case.get("classname"), case.get("name")) == ("budi.first", "A web server on akuma answers.")
    assert failure is not None and failure.get("message") == "refused" and failure.text == "an answer\nrefused"
    said = junit(_collection(exercises), exercises, "id")
    assert "Server web menjawab." in said


def test_junit_carries_no_forbidden_character(exercises: tuple[Exercise, ...]) -> None:
    """XML 1.0 has none for NUL or escape; a parser would refuse the whole class."""
    odd = CheckResult("answers", Status.ERROR, 6, "error", {"error": "\x00\x1b\ufffe"}, "\x08")
    made = ana_grade(exercises, attempt(Marked("first", 2, NOW, False, (odd,))))
    made = msgspec.structs.replace(made, name="\x00", student="a\x0b")
    first = msgspec.structs.replace(made.exercises[0], checks=(odd,))
    made = msgspec.structs.replace(made, exercises=(first,))
    root = ElementTree.fromstring(junit(Collection((Entry("a", made, "ok"),)), exercises))
    assert root.find("testsuite/testcase/error") is not None


class _Page(HTMLParser):
    """The tags of a page and what it would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.handlers: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note it."""
        self.tags.append(tag)
        self.loads += [str(value) for name, value in attrs if name in LOADING]
        self.loads += [str(value) for name, value in attrs if name == "href" and not str(value).startswith("#student-")]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


def test_the_page_is_whole_in_itself(exercises: tuple[Exercise, ...]) -> None:
    """It loads nothing, and says so to the browser."""
    text = page(_collection(exercises), exercises, NOW, "devops")
    found = _Page(text)
    assert found.loads == [] and found.handlers == [] and found.tags.count("script") == 1
    assert "default-src 'none'" in text and "http://" not in text and "https://" not in text
    assert not re.search(r"url\(|@import", text)


def test_the_page_shows_the_class_in_both_languages(exercises: tuple[Exercise, ...]) -> None:
    """Students, exercises, states, remarks, who is missing, what each check found."""
    text = page(_collection(exercises), exercises, NOW, "devops")
    for said in ("<h1>devops</h1>", "The first", "Yang first", "changed after it was signed", "@Citra",
                 "A web server on akuma answers.", "Server web menjawab.", "sebuah jawaban", "2026-05-01 08:00:00 UTC",
                 'class="cell passed"', 'class="cell started"', 'class="cell open"', "/etc/nginx/akuma/"):  # fmt: skip
        assert said in text


def test_nothing_that_a_student_wrote_acts_in_the_page(exercises: tuple[Exercise, ...]) -> None:
    """Names, ids, courses, check names, values, evidence, paths, file names: each is text."""
    odd = CheckResult("answers", Status.FAIL, 6, "silent", {"error": EVIL}, EVIL)
    unknown = CheckResult(EVIL, Status.FAIL, 0, EVIL)
    made = ana_grade(exercises, attempt(Marked("first", 2, NOW, False, (odd, unknown))), student("ana", EVIL))
    files = tuple(msgspec.structs.replace(file, path=EVIL, host=EVIL) for file in made.exercises[0].artefacts)
    first = msgspec.structs.replace(made.exercises[0], artefacts=files, at=EVIL)
    made = msgspec.structs.replace(made, student=EVIL, course=EVIL, made_at=EVIL, exercises=(first,))
    found = Collection((Entry(EVIL, made, "ok"),), _collection(exercises).left_out, (Enrolled("c", EVIL),))
    for title in ("", EVIL):
        text = page(found, exercises, NOW, title)
        assert EVIL not in text and "&lt;script&gt;" in text
        assert _Page(text).tags.count("script") == 1


def test_an_empty_collection_is_a_page_too(exercises: tuple[Exercise, ...]) -> None:
    """Nobody handed in; nothing is divided by that."""
    text = page(Collection(()), exercises, NOW)
    assert "Nobody has handed in." in text
    assert as_csv(Collection(()), exercises).count("\n") == 1


@pytest.mark.parametrize(
    ("check", "sentence"),
    [
        (CheckResult("unheard_of", Status.FAIL, 1, "silent"), "unheard of"),
        (CheckResult("answers", Status.FAIL, 1, "unheard-of"), "A web server on akuma answers."),
        (CheckResult("answers", Status.SKIP, 1, "needs"), "A web server on akuma answers."),
        (CheckResult("answers", Status.SKIP, 1, "needs", {"needs": "unheard_of"}), "A web server on akuma answers."),
    ],
)
def test_a_result_of_another_time_is_told_by_its_bare_names(
    check: CheckResult, sentence: str, exercises: tuple[Exercise, ...]
) -> None:
    """A check or a message that is not here any more stops no page."""
    said = told(exercises, "first", check, "en")
    assert (said.sentence, said.actual) == (sentence, check.key)
    assert told(exercises, "first", check, "id").actual == check.key
    assert told((), "first", check, "en").sentence == check.id.replace("_", " ")
