"""Reads an exercise's folder as its author would want a colleague to: what is missing, or does not fit together?"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

from jinja2 import TemplateError

from lab.errors import LabError
from lab.exercises.exercise import LANGUAGES, Exercise
from lab.exercises.messages import OWN_KEYS, Catalogue, catalogue, placeholders
from lab.exercises.own_computer import OWN_COMPUTER, faults_of
from lab.exercises.student import PRACTICE
from lab.machines.capabilities import Capability
from lab.topology import Lab

TEXTS = ("task", "solution/explanation")


def lint(exercise: Exercise, lab: Lab) -> tuple[str, ...]:
    """Everything that is to be said, a sentence each; nothing when all is well."""
    try:
        return tuple(
            sentence
            for look in (_checks, _imports, _points, _texts, _languages, _keys, _scripts, _artefacts, _mistakes)
            for sentence in look(exercise, lab)
        )
    except LabError as fault:
        return (str(fault),)


def _checks(exercise: Exercise, lab: Lab) -> Iterator[str]:
    seen: set[str] = set()
    for check in exercise.checks:
        if not check.sentence.endswith(".") or "\n" in check.sentence:
            yield f"checks.py: {check.id}: its docstring is what the student reads: one sentence on one line"
        for needed in check.after:
            if needed not in seen:
                yield f"checks.py: {check.id}: depends on {needed}, which is no check above it"
        seen.add(check.id)
    for name in exercise.about.fails:
        if name not in seen:
            yield f"exercise.toml: fails: there is no check {name}"
    if not seen:
        yield "checks.py: has no check"


def _imports(exercise: Exercise, lab: Lab) -> Iterator[str]:
    """Content uses the public names of `lab`, and Python's own library."""
    for node in ast.walk(_tree(exercise)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            if name != "lab" and name.partition(".")[0] not in sys.stdlib_module_names:
                yield f"checks.py: imports {name}; it may use `from lab import …` and Python's own library"


def _tree(exercise: Exercise) -> ast.Module:
    return ast.parse((exercise.folder / "checks.py").read_text(encoding="utf-8"))


def _points(exercise: Exercise, lab: Lab) -> Iterator[str]:
    total = sum(check.points for check in exercise.checks)
    if total != exercise.about.points:
        yield f"exercise.toml: points = {exercise.about.points}, and the checks are worth {total}"


def _texts(exercise: Exercise, lab: Lab) -> Iterator[str]:
    for name in TEXTS:
        for language in LANGUAGES:
            try:
                if not exercise.text(name, language, lab, PRACTICE).strip():
                    yield f"{name}.{language}.md: is empty"
            except FileNotFoundError:
                yield f"{name}.{language}.md: is missing"
            except TemplateError as fault:
                yield f"{name}.{language}.md: {fault}"


def _languages(exercise: Exercise, lab: Lab) -> Iterator[str]:
    english, indonesian = (catalogue(exercise.folder, language) for language in LANGUAGES)
    yield from _only_in("messages.en.toml", english.wrong.keys() - indonesian.wrong.keys())
    yield from _only_in("messages.id.toml", indonesian.wrong.keys() - english.wrong.keys())
    ids = {check.id for check in exercise.checks}
    for missing in sorted(ids - indonesian.checks.keys()):
        yield f"messages.id.toml: [checks] lacks {missing}"
    for extra in sorted((indonesian.checks.keys() - ids) | english.checks.keys()):
        yield f"[checks] has {extra}, which is no check, or is said by its docstring"
    for key in sorted(english.wrong.keys() & indonesian.wrong.keys()):
        if _named(english, key) != _named(indonesian, key):
            yield f"messages: {key}: the languages name other values: {_named(english, key) ^ _named(indonesian, key)}"


def _only_in(file: str, keys: set[str]) -> Iterator[str]:
    for key in sorted(keys):
        yield f"{file}: {key} is in no other language"


def _named(messages: Catalogue, key: str) -> set[str]:
    message = messages.wrong[key]
    return set().union(*(placeholders(text) for text in (message.expected, message.actual, *message.hints)))


def _keys(exercise: Exercise, lab: Lab) -> Iterator[str]:
    """Each message that the checks name is there with its values, and each that is there is named."""
    known = catalogue(exercise.folder, "en")
    base = set(exercise.values(lab, PRACTICE))
    raised = _raised(exercise)
    for key in sorted(raised.keys() & OWN_KEYS):
        yield f"checks.py: raises {key}, and {key} is a key of the engine's own"
    for key, values in sorted(raised.items()):
        if key not in known.wrong:
            yield f"checks.py: raises {key}, which messages.en.toml does not have"
        elif values is not None and (unknown := _named(known, key) - values - base):
            yield f"messages.en.toml: {key}: nothing gives {', '.join(sorted(unknown))}"
    for key in sorted(known.wrong.keys() - raised.keys()):
        yield f"messages.en.toml: {key} is raised nowhere"


def _raised(exercise: Exercise) -> dict[str, set[str] | None]:
    """The keys of every `Wrong("key", name=…)`, with the values that each of its places gives; None after a `**`."""
    found: dict[str, set[str] | None] = {}
    for node in ast.walk(_tree(exercise)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Wrong" and node.args:
            given = [word.arg for word in node.keywords if word.arg != "evidence"]
            names = None if None in given else {name for name in given if name}
            for key in _strings(node.args[0]):
                before = found.get(key, names)
                found[key] = before & names if before is not None and names is not None else None
    return found


def _strings(node: ast.expr) -> tuple[str, ...]:
    """What an expression may come to: a string, or one of two."""
    if isinstance(node, ast.IfExp):
        return (*_strings(node.body), *_strings(node.orelse))
    return (node.value,) if isinstance(node, ast.Constant) and isinstance(node.value, str) else ()


def _scripts(exercise: Exercise, lab: Lab) -> Iterator[str]:
    parts = [("setup", exercise.setup), ("solution", exercise.solution)]
    parts += [(f"mistakes/{mistake.name}", mistake.scripts) for mistake in exercise.mistakes]
    for name, scripts in parts:
        for script in scripts:
            if script.host == OWN_COMPUTER:
                yield from (f"{name}: {fault}" for fault in faults_of(script.text, exercise.about.hosts))
                if "lab start" in script.text and Capability.POWER_ON not in exercise.about.needs:
                    yield f'{name}: gives power back, so exercise.toml must say needs = ["power_on"]'
            elif script.host not in exercise.about.hosts:
                yield f"{name}: has a script for {script.host}, which is none of the exercise's hosts"
        if not scripts and name != "setup":
            yield f"{name}: has no script HOST.sh"


def _artefacts(exercise: Exercise, lab: Lab) -> Iterator[str]:
    for table, hosts in (("artefacts", exercise.about.artefacts), ("replay", exercise.about.replay)):
        for host in hosts:
            if host not in exercise.about.hosts:
                yield f"exercise.toml: {table}: {host} is none of the exercise's hosts"
    for patterns in exercise.about.artefacts.values():
        for pattern in patterns:
            if not pattern.startswith("/") or ".." in pattern or any(sign in pattern for sign in " '\"$;&|`"):
                yield f"exercise.toml: artefacts: {pattern} is no plain absolute path; only * may stand for something"


def _mistakes(exercise: Exercise, lab: Lab) -> Iterator[str]:
    if not exercise.mistakes:
        yield "mistakes: there is none, and so nothing shows that a wrong answer is caught"
    ids, keys = {check.id for check in exercise.checks}, catalogue(exercise.folder, "en").wrong
    for mistake in exercise.mistakes:
        if mistake.caught.fails not in ids:
            yield f"mistakes/{mistake.name}: there is no check {mistake.caught.fails}"
        if mistake.caught.message not in keys:
            yield f"mistakes/{mistake.name}: there is no message {mistake.caught.message}"
