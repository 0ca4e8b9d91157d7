"""A verdict as JUnit XML, for servers that show test results."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from lab.report.figures import measured
from lab.verdict import Evidence, Outcome, Verdict

_FORBIDDEN = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot carry, not even escaped."""


def junit(verdict: Verdict) -> str:
    """One test case for each piece of evidence: a deviation is a failure, what cannot be told an error."""
    pieces = verdict.evidence or (Evidence("the run was judged", None, "", 0, None, ""),)
    failures = sum(piece.outcome is Outcome.DEVIATED for piece in pieces)
    errors = sum(piece.outcome is Outcome.INCONCLUSIVE for piece in pieces)
    suite = Element("testsuite", {
        "name": _text(verdict.scenario), "tests": str(len(pieces)), "failures": str(failures), "errors": str(errors),
        "skipped": "0", "time": f"{verdict.seconds:.3f}",
    })  # fmt: skip
    for piece in pieces:
        kind = "gate" if piece.gate else "claim"
        case = SubElement(
            suite, "testcase", {"classname": _text(f"{verdict.scenario}.{kind}"), "name": _text(piece.claim)}
        )
        said = _text(f"measured {measured(piece)}, n = {piece.n}, source: {piece.source}")
        if piece.outcome is Outcome.DEVIATED:
            SubElement(case, "failure", {"message": said}).text = _text(piece.claim)
        elif piece.outcome is Outcome.INCONCLUSIVE:
            SubElement(case, "error", {"message": said}).text = _text(piece.claim)
        else:
            SubElement(case, "system-out").text = said
    root = Element("testsuites", {"name": "lab"})
    root.append(suite)
    indent(root)
    return tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _text(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
