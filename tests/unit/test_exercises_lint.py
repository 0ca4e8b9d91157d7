"""Lint: for each sentence a folder in which it alone is to be said, and none for one that is well."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.exercises.exercise import load
from lab.exercises.lint import lint
from lab.exercises.skeleton import FILES
from lab.topology import Lab
from tests.unit.classroom import MINE, write

CHECKS = FILES["checks.py"]
EN, ID = FILES["messages.en.toml"], FILES["messages.id.toml"]
MISTAKE = FILES["mistakes/old-page/mistake.toml"]
ABOUT = FILES["exercise.toml"]
EXTRA = '[wrong.extra]\nexpected = "x"\nactual = "y"\nhints = ["a", "b", "c"]\n\n'
Changes = dict[str, str | None]


def said(folder: Path, changes: Changes) -> tuple[str, ...]:
    """What lint says of the skeleton with these changes."""
    return lint(load(str(write(folder, changes=changes))), Lab())


def _put(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)


def test_the_skeleton_is_clean(tmp_path: Path) -> None:
    """And so is what the other tests are made with."""
    assert said(tmp_path, {}) == ()
    assert said(tmp_path / "b", dict(MINE)) == ()


DOC = '"""The front page of akuma bears the student\'s token."""'
BROKEN: list[tuple[Changes, str]] = [
    ({"checks.py": _put(CHECKS, DOC, '"""No full stop"""')}, "serves_the_token: its docstring is what"),
    ({"checks.py": _put(CHECKS, DOC, '"""One.\n\n    Two."""')}, "its docstring is what the student reads: one"),
    ({"checks.py": _put(CHECKS, DOC, "pass")}, "its docstring is what the student reads: one sentence on one line"),
    (
        {"checks.py": _put(CHECKS, "@check(points=10)", "def other(scene): ...\n\n@check(points=10, after=[other])")},
        "checks.py: serves_the_token: depends on other, which is no check above it",
    ),
    (
        {"exercise.toml": _put(ABOUT, '["serves_the_token"]', '["serves_the_token", "lasts"]')},
        "exercise.toml: fails: there is no check lasts",
    ),
    ({"exercise.toml": _put(ABOUT, "points = 10", "points = 11")}, "points = 11, and the checks are worth 10"),
    ({"task.id.md": " \n"}, "task.id.md: is empty"),
    ({"solution/explanation.en.md": ""}, "solution/explanation.en.md: is empty"),
    ({"task.en.md": None}, "task.en.md: is missing"),
    ({"solution/explanation.id.md": None}, "solution/explanation.id.md: is missing"),
    ({"task.en.md": "{{ tokem }}"}, "task.en.md: 'tokem' is undefined"),
    ({"task.id.md": "{% if %}"}, "task.id.md: Expected an expression"),
    ({"messages.id.toml": EXTRA + ID}, "messages.id.toml: extra is in no other language"),
    ({"messages.id.toml": ID.partition("[checks]")[0]}, "messages.id.toml: [checks] lacks serves_the_token"),
    ({"messages.id.toml": ID + 'lasts = "Bertahan."\n'}, "[checks] has lasts, which is no check"),
    ({"messages.en.toml": EN + '[checks]\nserves_the_token = "It."\n'}, "or is said by its docstring"),
    (
        {"messages.id.toml": _put(ID, "tanpa token, status {status}", "tanpa token")},
        "messages: no-token: the languages name other values: {'status'}",
    ),
    (
        {"messages.en.toml": EXTRA + EN, "messages.id.toml": EXTRA + ID},
        "messages.en.toml: extra is raised nowhere",
    ),
    (
        {"checks.py": _put(CHECKS, "        raise Wrong(", '        raise Wrong("new")\n        raise Wrong(')},
        "checks.py: raises new, which messages.en.toml does not have",
    ),
    (
        {"messages.en.toml": _put(EN, "{status}", "{state}"), "messages.id.toml": _put(ID, "{status}", "{state}")},
        "messages.en.toml: no-token: nothing gives state",
    ),
    ({"solution/lab.sh": "rm -rf ~\n"}, "solution: `rm -rf ~` is none of lab halt, lab start"),
    ({"mistakes/old-page/lab.sh": "sleep 31\n"}, "mistakes/old-page: `sleep 31` is longer than 30 s"),
    ({"setup/lab.sh": "lab halt voxy\n"}, "setup: `lab halt voxy`: there is no host voxy"),
    ({"setup/voxy.sh": "true\n"}, "setup: has a script for voxy, which is none of the exercise's hosts"),
    ({"solution/2-zero.sh": "true\n"}, "solution: has a script for zero, which is none of the exercise's hosts"),
    ({"solution/akuma.sh": None}, "solution: has no script HOST.sh"),
    ({"mistakes/old-page/akuma.sh": None}, "mistakes/old-page: has no script HOST.sh"),
    (
        {"mistakes/old-page/mistake.toml": _put(MISTAKE, '"serves_the_token"', '"lasts"')},
        "mistakes/old-page: there is no check lasts",
    ),
    ({"solution/2-lab.sh": "lab start akuma\n"}, 'solution: gives power back, so exercise.toml must say needs = ["pow'),
    (
        {"mistakes/old-page/mistake.toml": _put(MISTAKE, '"no-token"', '"ghost"')},
        "mistakes/old-page: there is no message ghost",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "sentence"), BROKEN, ids=[sentence for _, sentence in BROKEN])
def test_one_thing_is_wrong(tmp_path: Path, changes: Changes, sentence: str) -> None:
    """It is said, and nothing else."""
    (only,) = said(tmp_path, changes)
    assert sentence in only and "\n" not in only


def test_no_check_at_all(tmp_path: Path) -> None:
    """Much else is missing then too."""
    assert "checks.py: has no check" in said(tmp_path, {"checks.py": '"""None."""\n'})


def test_no_mistake_at_all(tmp_path: Path) -> None:
    """Nothing would show that a wrong answer is caught."""
    folder = write(tmp_path, changes={f"mistakes/old-page/{name}": None for name in ("mistake.toml", "akuma.sh")})
    (folder / "mistakes" / "old-page").rmdir()
    (only,) = lint(load(str(folder)), Lab())
    assert only.startswith("mistakes: there is none")


def test_a_message_in_english_alone(tmp_path: Path) -> None:
    """It is in no other language; whether it is raised is another question."""
    found = said(tmp_path, {"messages.en.toml": EXTRA + EN})
    assert found == ("messages.en.toml: extra is in no other language", "messages.en.toml: extra is raised nowhere")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"checks.py": None}, "checks.py: there is no such file"),
        ({"checks.py": "1 / 0"}, "checks.py: does not import: ZeroDivisionError"),
        ({"messages.en.toml": "["}, "messages.en.toml: "),
        ({"messages.id.toml": None}, "messages.id.toml: there is no such file"),
        ({"mistakes/old-page/mistake.toml": "fails = 3"}, "mistake.toml: title: field required"),
        ({"mistakes/old-page/mistake.toml": None}, "mistake.toml: there is no such file"),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, changes: Changes, sentence: str) -> None:
    """Is a sentence too; the rest is not looked at."""
    (only,) = said(tmp_path, changes)
    assert sentence in only


@pytest.mark.parametrize("actual", ["server {", "a }", "{}", "{status:d}", "{0.__class__}"])
def test_braces_never_break_lint(tmp_path: Path, actual: str) -> None:
    """nginx's own are all over such texts; it says something of them or nothing, and ends in order."""
    changes: Changes = {"messages.en.toml": _put(EN, "a page without it", actual)}
    assert all(isinstance(sentence, str) for sentence in said(tmp_path, changes))


@pytest.mark.parametrize("key", ["needs", "needs-full", "error", "unreachable"])
def test_the_engines_own_keys_are_not_an_exercises(tmp_path: Path, key: str) -> None:
    """A FAIL with such a key would be told as something else."""
    changes: Changes = {
        "checks.py": _put(CHECKS, '"no-token"', f'"{key}"'),
        "messages.en.toml": _put(EN, "wrong.no-token", f"wrong.{key}"),
        "messages.id.toml": _put(ID, "wrong.no-token", f"wrong.{key}"),
        "mistakes/old-page/mistake.toml": _put(MISTAKE, "no-token", key),
    }
    (only,) = said(tmp_path, changes)
    assert f"{key} is a key of the engine's own" in only


def test_evidence_is_no_value(tmp_path: Path) -> None:
    """It stands beside the message, and fills no placeholder in it."""
    changes: Changes = {
        "checks.py": _put(CHECKS, "status=answer.status", "evidence=answer.text"),
        "messages.en.toml": _put(EN, "{status}", "{evidence}"),
        "messages.id.toml": _put(ID, "{status}", "{evidence}"),
    }
    assert said(tmp_path, changes) == ("messages.en.toml: no-token: nothing gives evidence",)


def test_a_value_must_come_from_every_place(tmp_path: Path) -> None:
    """Where a key is raised twice, both give what it names; after `**` it is taken on trust."""
    again = '    if not scene.port:\n        raise Wrong("no-token"{})\n    if scene.token not in'
    for more, expected in (("", 1), (", status=1", 0), (", **{}", 0)):
        changes: Changes = {"checks.py": _put(CHECKS, "    if scene.token not in", again.replace("{}", more, 1))}
        found = said(tmp_path / f"n{len(more)}", changes)
        assert (len(found), found[:1]) == (expected, ("messages.en.toml: no-token: nothing gives status",)[:expected])


def test_the_students_values_are_always_given(tmp_path: Path) -> None:
    """Domain, port, token, fault, addresses."""
    every = "{domain} {port} {token} {fault} {akuma} {voxy} {status}"
    changes: Changes = {
        "messages.en.toml": _put(EN, "{status}", every),
        "messages.id.toml": _put(ID, "{status}", every),
    }
    assert said(tmp_path, changes) == ()
