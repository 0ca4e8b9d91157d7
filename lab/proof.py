"""Proves that the site is balanced: the balancer has answered through each backend."""

from __future__ import annotations

import http.client
from collections import Counter
from collections.abc import Callable, Mapping

from lab.errors import HostUnreachable
from lab.session import Session
from lab.topology import Lab
from lab.waiting import wait_for

PROOF_S = 15
ASK_S = 5


def prove(session: Session) -> Mapping[str, int]:
    """Ask the site until each backend has answered through it; the answers of each backend.

    A backup answers only when the others fail, and with ip_hash one client meets one backend; those
    are asked directly from the balancer instead, and counted as 0 answers through the site.

    Raises:
        HostUnreachable: by the deadline a backend had not answered; the message says who had.
    """
    answers: Counter[str] = Counter()
    within_s = PROOF_S * session.patience
    expected = _expected(session.lab)

    def all_answered() -> bool:
        answers[ask_site(session.lab) or ""] += 1
        return answers.keys() >= expected and (bool(expected) or answers.total() > answers[""])

    try:
        wait_for("an answer from each backend", all_answered, within_s=within_s, every_s=0.01)
    except HostUnreachable:
        missing = ", ".join(sorted(expected - answers.keys())) or "any backend"
        raise HostUnreachable(
            f"{session.lab.url} gave no answer from {missing} within {within_s:.0f} s; it gave: {_spoken(answers)}",
            f"`lab status` shows the hosts, `lab logs {session.lab.balancer.name}` what nginx says",
        ) from None
    rest = [backend for backend in session.lab.backends if backend.name not in answers]
    for backend in rest:
        command = "curl -sS -o /dev/null --max-time 5 http://%s/"
        session.host(session.lab.balancer.name).run(command, f"{backend.address}:{session.lab.app.port}")
    return {backend.name: answers[backend.name] for backend in session.lab.backends}


def ask_site(lab: Lab, timeout_s: float = ASK_S) -> str | None:
    """Who answers a GET of the front page; empty when nobody's name is on the answer, None for no good answer."""
    connection = http.client.HTTPConnection(str(lab.balancer.address), 80, timeout=timeout_s)
    try:
        connection.request("GET", "/", headers={"Host": lab.domain})
        answer = connection.getresponse()
        answer.read()
        return (answer.getheader("X-Backend") or "") if is_serving(answer.status) else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _expected(lab: Lab) -> set[str]:
    if lab.upstream.method == "ip_hash":
        return set()
    return {backend.name for backend in lab.backends if not backend.backup}


def _spoken(answers: Counter[str]) -> str:
    return ", ".join(f"{count} × {name or 'an error'}" for name, count in answers.most_common()) or "nothing"


def require_answer(lab: Lab, name: str, within_s: float) -> None:
    """Wait until a backend's own port answers, be it with an error.

    Raises:
        HostUnreachable: it did not by the deadline.
    """
    _wait_for_app(f"the app on {name}", lab, name, within_s, lambda status: status is not None)


def require_serving(lab: Lab, name: str, within_s: float) -> None:
    """Wait until a backend's own port answers, and with no error.

    Raises:
        HostUnreachable: it did not by the deadline.
    """
    _wait_for_app(f"an answer without an error from {name}", lab, name, within_s, is_serving)


def _wait_for_app(what: str, lab: Lab, name: str, within_s: float, good: Callable[[int | None], bool]) -> None:
    mend = f"`lab logs {name}` shows what it says"
    wait_for(what, lambda: good(status_of(lab, name)), within_s=within_s, mend=mend)


def is_serving(status: int | None) -> bool:
    """Whether an app that answers its front page with this HTTP status serves; None is no answer."""
    return status is not None and status < 400


def status_of(lab: Lab, name: str, timeout_s: float = 2) -> int | None:
    """The HTTP status that a backend's own port answers with; None for no answer."""
    connection = http.client.HTTPConnection(str(lab[name].address), lab.app.port, timeout=timeout_s)
    try:
        connection.request("GET", "/", headers={"Host": lab.domain})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
