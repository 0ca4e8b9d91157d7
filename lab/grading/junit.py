"""A collection of hand-ins as JUnit XML, for servers that show test results."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from lab.exercises.exercise import Exercise, Language
from lab.exercises.results import CheckResult, Status
from lab.grading.collect import Collection, Entry, words
from lab.grading.grade import Graded
from lab.grading.telling import told

_FORBIDDEN = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot carry, not even escaped."""
_KIND = {Status.FAIL: "failure", Status.ERROR: "error", Status.SKIP: "skipped"}


def junit(collection: Collection, exercises: Sequence[Exercise], language: Language = "en") -> str:
    """A test suite a student, a test case a check; an exercise that was never started is one that is skipped."""
    root = Element("testsuites", {"name": "lab"})
    for entry in collection.entries:
        root.append(_suite(entry, exercises, language))
    indent(root)
    return tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(entry: Entry, exercises: Sequence[Exercise], language: Language) -> Element:
    grade = entry.grade
    suite = Element("testsuite", {"name": _text(grade.student), "timestamp": _text(grade.made_at)})
    properties = SubElement(suite, "properties")
    said = ", ".join(words(flag)[0] for flag in entry.flags)
    for name, value in (("name", grade.name), ("points", f"{grade.earned}/{grade.possible}"),
                        ("signature", entry.signature), ("remarks", said)):  # fmt: skip
        SubElement(properties, "property", {"name": name, "value": _text(value)})
    seconds = 0.0
    for graded in grade.exercises:
        place = _text(f"{grade.student}.{graded.id}")
        for check in graded.checks:
            _case(suite, place, graded, check, exercises, language)
            seconds += check.seconds
        if not graded.checks:
            case = SubElement(suite, "testcase", {"classname": place, "name": graded.id, "time": "0.000"})
            SubElement(case, "skipped", {"message": graded.state})
    for name, plural in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        suite.set(plural, str(len(suite.findall(f"testcase/{name}"))))
    suite.set("tests", str(len(suite.findall("testcase"))))
    suite.set("time", f"{seconds:.3f}")
    return suite


def _case(
    suite: Element, place: str, graded: Graded, check: CheckResult, exercises: Sequence[Exercise], language: Language
) -> None:
    said = told(exercises, graded.id, check, language)
    names = {"classname": place, "name": _text(said.sentence), "time": f"{check.seconds:.3f}"}
    case = SubElement(suite, "testcase", names)
    if check.status is not Status.PASS:
        found = SubElement(case, _KIND[check.status], {"message": _text(said.actual or check.key)})
        found.text = _text("\n".join(filter(None, (said.expected, said.actual, check.evidence))))


def _text(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
