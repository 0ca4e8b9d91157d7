"""How a check is written: found by its mark, in the order of the file, with what it depends on."""

from __future__ import annotations

from pathlib import Path

import lab
from lab.exercises.checks import Wrong
from lab.exercises.exercise import Exercise
from tests.unit.classroom import MINE, made


def _with(folder: Path, text: str) -> Exercise:
    return made(folder, changes={**MINE, "checks.py": '"""Checks."""\n\nfrom lab import check\n' + text})


def test_checks_as_they_are_written(tmp_path: Path) -> None:
    """The docstring is the sentence; `after` names functions; what bears no mark is none."""
    works, lasts, survives = made(tmp_path).checks
    assert (works.id, works.sentence, works.points, works.after, works.full) == ("works", "It works.", 5, (), False)
    assert (lasts.id, lasts.after, lasts.points) == ("lasts", ("works",), 3)
    assert (survives.id, survives.full) == ("survives", True)


def test_the_functions_stay_functions(tmp_path: Path) -> None:
    """The mark changes nothing about them, and a check without points given is worth one."""
    text = "@check()\ndef f(scene):\n    '''F.'''\n    seen.append(scene)\n\n\nseen = []\n"
    (only,) = _with(tmp_path, text).checks
    only.run(3)  # type: ignore[arg-type]  # whatever it is, it gets there
    assert (only.points, only.run.__globals__["seen"]) == (1, [3])


def test_what_is_imported_is_no_check_of_this_exercise(tmp_path: Path) -> None:
    """A check that another module defines would be counted twice."""
    text = "import types\nother = types.ModuleType('other')\n"
    source = "from lab import check\n@check()\ndef g(scene):\n    'G.'\n"
    text += f"exec({source!r}, other.__dict__)\nborrowed = other.g\n"
    assert _with(tmp_path, text).checks == ()


def test_a_sentence_of_several_lines_is_unindented(tmp_path: Path) -> None:
    """So that `lint` sees it as it is read; without a docstring it is empty."""
    text = "@check()\ndef f(scene):\n    '''One.\n\n    Two.\n    '''\n\n@check()\ndef g(scene): ...\n"
    assert [each.sentence for each in _with(tmp_path, text).checks] == ["One.\n\nTwo.", ""]


def test_wrong_keeps_its_values_as_text() -> None:
    """So that they are stored and printed later; the evidence is apart."""
    wrong = Wrong("no-token", evidence="a page", status=404, first=None)
    assert (wrong.key, wrong.values, wrong.evidence) == ("no-token", {"status": "404", "first": "None"}, "a page")


def test_content_gets_its_names_from_lab() -> None:
    """As every checks.py imports them."""
    assert (lab.Wrong, lab.check.__name__, lab.Scene.__name__) == (Wrong, "check", "Scene")


def test_a_dataclass_in_checks_py(tmp_path: Path) -> None:
    """With annotations that are read later, as every module here has them."""
    text = "from dataclasses import dataclass\n\n@dataclass\nclass Seen:\n    count: int = 0\n"
    exercise = _with(tmp_path, text)
    (exercise.folder / "checks.py").write_text("from __future__ import annotations\n" + text)
    assert exercise.checks == ()
