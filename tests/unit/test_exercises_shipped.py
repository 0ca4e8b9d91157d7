"""The exercises that ship: each fits together, in both languages, for any student."""

from __future__ import annotations

import ast
import re

import pytest

from lab.exercises.exercise import LANGUAGES, Exercise, everything
from lab.exercises.lint import lint
from lab.exercises.messages import catalogue, tell
from lab.exercises.rehearsal import students
from lab.exercises.results import CheckResult, Status
from lab.exercises.student import PRACTICE, Student
from lab.topology import Lab

ANA = Student("ana", key="ab" * 32)
each = pytest.mark.parametrize("exercise", everything(), ids=lambda exercise: exercise.id)


def test_there_are_fifteen() -> None:
    """Numbered without a gap, by names of their own, for hosts that the built-in lab has."""
    assert [exercise.number for exercise in everything()] == [f"{n:02d}" for n in range(1, 16)]
    assert len({exercise.id for exercise in everything()}) == 15
    for exercise in everything():
        exercise.require_hosts(Lab())


@each
def test_its_files_fit_together(exercise: Exercise) -> None:
    """Lint has nothing to say, of practice's lab nor of a student's own."""
    assert lint(exercise, Lab()) == ()
    assert lint(exercise, ANA.own(Lab())) == ()


@each
def test_the_same_in_both_languages(exercise: Exercise) -> None:
    """The same messages; a translation is no copy of the English."""
    english, indonesian = (catalogue(exercise.folder, language) for language in LANGUAGES)
    assert english.wrong.keys() == indonesian.wrong.keys()
    same = [key for key in english.wrong if english.wrong[key].hints[0] == indonesian.wrong[key].hints[0]]
    assert same == []
    assert exercise.about.title.en != "" != exercise.about.title.id


@each
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_can_be_told(exercise: Exercise, language: str) -> None:
    """With the values that its check gives, no brace of a placeholder is left, and no text is empty."""
    base = exercise.values(ANA.own(Lab()), ANA)
    given = _given(exercise)
    for key in catalogue(exercise.folder, "en").wrong:
        values = base | dict.fromkeys(given.get(key, ()), "7")
        result = CheckResult(exercise.checks[0].id, Status.FAIL, 1, key, values)
        for tier in (1, 2, 3):
            told = tell(exercise, result, language, tier)  # type: ignore[arg-type]  # a language
            for text in (told.sentence, told.expected, told.actual, told.hint):
                assert text.strip() and not (set(re.findall(r"\{(\w+)\}", text)) & set(values)), (key, text)


def _given(exercise: Exercise) -> dict[str, set[str]]:
    """The names that each `Wrong` is given, by key."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(ast.parse((exercise.folder / "checks.py").read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Wrong":
            for word in ast.walk(node.args[0]):
                if isinstance(word, ast.Constant):
                    found.setdefault(str(word.value), set()).update(key.arg for key in node.keywords if key.arg)
    return found


@each
def test_the_task_is_the_students_own(exercise: Exercise) -> None:
    """Nothing of the practice's values is left in a student's texts where theirs are other ones."""
    lab = ANA.own(Lab())
    for language in LANGUAGES:
        for name in ("task", "solution/explanation"):
            assert "akuma.xyz" not in exercise.text(name, language, lab, ANA), f"{name}.{language}"


@each
def test_each_fault_of_it_is_tried(exercise: Exercise) -> None:
    """By the practice, or by one of the students of `lab exercise test`."""
    faults = exercise.about.faults
    tried = {student.choice(exercise.id, faults) for student in (PRACTICE, *students(exercise))}
    assert tried >= set(faults)


@each
def test_no_script_names_a_students_values(exercise: Exercise) -> None:
    """Scripts take domain and addresses from their variables, or a student with other ones fails."""
    for script in (*exercise.setup, *exercise.solution, *(s for m in exercise.mistakes for s in m.scripts)):
        assert not re.search(r"akuma\.xyz|192\.168\.56\.", script.text), script.host


@each
def test_each_file_of_the_student_can_be_made_known(exercise: Exercise) -> None:
    """What is handed in is put on hosts of the exercise, with a command that makes it known."""
    about = exercise.about
    assert set(about.artefacts) == set(about.replay) <= set(about.hosts)
