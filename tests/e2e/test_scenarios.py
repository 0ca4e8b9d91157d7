"""Every scenario that ships, on a real lab: it comes out as its file says, and leaves nothing."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from lab import scenario
from lab.scenario import Variant
from lab.topology import Lab
from tests.realm import CHECKOUT, Realm

FOLDER = CHECKOUT / "scenarios"
NAMES = sorted(path.stem.replace("_", "-") for path in FOLDER.glob("[a-z]*.py"))
SHORT_S = 1.0
LONG_S = {"hang-voxy": 6.0, "duplicate-posts": 6.0, "lossy-voxy": 3.0, "cpu-starved-voxy": 3.0, "flap-voxy": 3.0}
"""A hang and a late answer are noticed only after the read timeout of 5 s; the others need some requests."""

OFF_SCHEDULE = "the load was off its schedule"


@dataclass(frozen=True)
class Case:
    """A scenario with a configuration; None for the scenario's own."""

    name: str
    config: Variant | None = None
    duration_s: float | None = None

    def __str__(self) -> str:
        return f"{self.name}-{self.config}" if self.config else self.name


CASES = [
    *(Case(name) for name in NAMES),
    Case("error-voxy", "tuned"),
    Case("slow-voxy", "tuned", 3.0),  # least_conn asks a slow voxy once a second, and its gate wants two answers
    Case("hang-voxy", "tuned", 3.0),
]


@pytest.fixture(scope="module")
def impatient(realm: Realm) -> Iterator[Realm]:
    """The lab with a `fail_timeout` of 3 s: each run waits that long for its victim, and there are many runs."""
    toml = realm.folder / "lab.toml"
    before = toml.read_text()
    toml.write_text(f"{before}\n[upstream]\nfail_timeout_s = 3\n")
    try:
        realm.json("provision", "akuma")
        yield realm
    finally:
        toml.write_text(before)
        realm.json("provision", "akuma")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_comes_out_as_its_file_says(impatient: Realm, case: Case) -> None:
    """The outcome is that of the file, the exit code says the same, and the lab is as it was."""
    expected = scenario.load(case.name).expected(case.config or scenario.load(case.name).config)

    code, verdict = _measured(impatient, case)

    assert (expected.value, expected.exit_code) == (verdict["outcome"], code), _told(verdict)
    assert verdict["healed"] is True
    _is_as_it_was(impatient)
    if case.name == "ghost-upstream":
        _says_that_nothing_was_failed_over(verdict)


def test_all_are_listed_with_their_questions(realm: Realm) -> None:
    """`lab scenario --json` names each file of the folder, and that it can be run on these machines."""
    listed = realm.json("scenario")

    assert [{"name": name, "question": scenario.load(name).question, "runs_here": True} for name in NAMES] == listed


@pytest.mark.parametrize("name", NAMES)
def test_a_student_can_read_it(name: str) -> None:
    """A file is short, has a docstring, both languages and no mechanism: it imports only from lab."""
    text = (FOLDER / f"{name.replace('-', '_')}.py").read_text()
    tree = ast.parse(text)
    imported = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    found = scenario.load(name)

    assert len(text.splitlines()) <= 40
    assert ast.get_docstring(tree)
    assert [node.module for node in imported if isinstance(node, ast.ImportFrom)] == ["lab"]
    assert len(imported) == 1
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.For)]
    assert found.question.endswith("?")
    assert len(found.lesson.en) > 40
    assert len(found.lesson.id) > 40
    assert found.lesson.en != found.lesson.id


def test_every_fault_is_shown_by_a_scenario() -> None:
    """There is no fault that no student ever meets."""
    from lab import faults

    makers = {
        name for name, value in vars(faults).items()
        if inspect.isfunction(value) and value.__module__ == faults.__name__ and not name.startswith("_")
    }  # fmt: skip

    assert makers == {fault.name for name in NAMES for fault in _faults(name)}


@pytest.mark.parametrize("name", NAMES)
def test_its_faults_fit_the_default_lab(name: str) -> None:
    """Each command can be filled in, and every fault but those for nginx hits a backend."""
    lab = Lab()
    backends = {backend.name for backend in lab.backends}

    for fault in _faults(name):
        bound = fault.bound_to(lab)
        assert "{balancer}" not in bound.inject + bound.undo
        assert (fault.effect.value == "balancer") == (fault.host not in backends)


def _faults(name: str) -> tuple[Any, ...]:
    fault = scenario.load(name).fault
    return fault if isinstance(fault, tuple) else (fault,) if fault else ()


def _measured(realm: Realm, case: Case) -> tuple[int, dict[str, Any]]:
    """The run, again where this computer was too busy to send on time: then nothing was measured, good or bad."""
    code, verdict = _run(realm, case)
    for _ in range(2):
        if not any(each["holds"] is None and each["claim"].startswith(OFF_SCHEDULE) for each in verdict["evidence"]):
            break
        code, verdict = _run(realm, case)
    return code, verdict


def _run(realm: Realm, case: Case) -> tuple[int, dict[str, Any]]:
    argv = ["scenario", case.name, "--json"]
    if _faults(case.name):
        argv += ["--duration", f"{case.duration_s or LONG_S.get(case.name, SHORT_S):g}"]
    done = realm.lab(*argv, *(["--config", case.config] if case.config else []))
    assert done.stdout, done.stderr
    verdict: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, verdict


def _told(verdict: dict[str, Any]) -> str:
    """What did not hold, for the one who reads a red test."""
    return "\n".join(f"{e['claim']}: {e['measured']} {e['unit']}" for e in verdict["evidence"] if not e["holds"])


def _is_as_it_was(realm: Realm) -> None:
    status = realm.json("status")
    assert status["faults"] == []
    assert {"running"} == {host["state"] for host in status["hosts"]}
    assert {"serving"} == {host["app"] for host in status["hosts"] if host["app"]}


def _says_that_nothing_was_failed_over(verdict: dict[str, Any]) -> None:
    sentences = [evidence["claim"] for evidence in verdict["evidence"] if evidence["holds"] is None]
    said = [text for text in sentences if text.startswith("voxy served 0 of ")]
    assert len(said) == 1
    assert said[0].endswith(" requests before the fault: nothing was failed over")
