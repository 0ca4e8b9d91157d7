"""A fault counts when a probe from the balancer shows it; what was not probed is never a sign."""

from __future__ import annotations

import pytest

from lab import faults, healing
from lab.errors import EnvironmentProblem, HostUnreachable, LabError, Result
from lab.faults import Fault, Sign
from lab.healing import confirm, listeners
from lab.home import Home
from lab.quantities import Duration, seconds
from lab.topology import Lab
from tests.unit.playing import Playing


@pytest.fixture
def lab(home: Home) -> Playing:
    """A lab that runs."""
    return Playing(home)


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A deadline of tests."""
    monkeypatch.setattr(healing, "CONFIRM_S", 0.05)


def probe(lab: Playing, code: int, status: int = 0, took_s: float = 0.01) -> None:
    """What curl on the balancer shows: its exit code, the HTTP status and the seconds."""
    lab.hosts["akuma"].script["curl"] = lambda command: Result(command, code, f"{status:03d} {took_s:.6f}", "")


@pytest.mark.parametrize(
    ("sign", "code", "status", "took_s", "said"),
    [
        (Sign.REFUSED, 7, 0, 0.001, "refused"),
        (Sign.SILENT, 28, 0, 1.0, "no answer within 1 s"),
        (Sign.GONE, 7, 0, 0.001, "refused"),
        (Sign.GONE, 28, 0, 1.0, "no answer within 1 s"),
        (Sign.GONE, 56, 0, 0.1, "curl ended with 56"),
        (Sign.FAILING, 0, 503, 0.001, "answers 503"),
        (Sign.FAILING, 0, 500, 0.001, "answers 500"),
        (Sign.SLOW, 0, 200, 0.2, "0.200 s for an answer"),
        (Sign.SLOW, 28, 0, 1.0, "1.000 s for an answer"),
    ],
)
def test_a_sign_that_shows(lab: Playing, sign: Sign, code: int, status: int, took_s: float, said: str) -> None:
    """What the probe showed is told; it went from the balancer to the victim's own port."""
    probe(lab, code, status, took_s)
    fault = Fault("x", "voxy", faults.pause("voxy").effect, sign, Duration(1))
    assert confirm(lab.session, fault, "") == said
    assert "http://192.168.56.11:3000/" in lab.commands("akuma")[0]
    assert "--max-time 1 -w '%{http_code} %{time_total}'" in lab.commands("akuma")[0]


@pytest.mark.parametrize(
    ("sign", "code", "status", "took_s"),
    [
        (Sign.REFUSED, 0, 200, 0.001),
        (Sign.REFUSED, 28, 0, 1.0),
        (Sign.SILENT, 0, 200, 0.9),
        (Sign.SILENT, 7, 0, 0.001),
        (Sign.GONE, 0, 200, 0.001),
        (Sign.GONE, 0, 503, 0.001),
        (Sign.FAILING, 0, 499, 0.001),
        (Sign.FAILING, 7, 0, 0.001),
        (Sign.SLOW, 0, 200, 0.199),
    ],
)
def test_another_sign_is_none(lab: Playing, sign: Sign, code: int, status: int, took_s: float) -> None:
    """The wait ends by its deadline, and says what it was for."""
    probe(lab, code, status, took_s)
    fault = Fault("x", "voxy", faults.pause("voxy").effect, sign, Duration(1))
    with pytest.raises(HostUnreachable, match="x voxy: a sign that it bites: not there after"):
        confirm(lab.session, fault, "")


@pytest.mark.parametrize("code", [126, 127, 255, 2, 3])
def test_a_probe_that_could_not_be_made_is_no_sign(lab: Playing, code: int) -> None:
    """No curl on the balancer, or no connection to it: that is not measured, and never confirmed."""
    lab.hosts["akuma"].script["curl"] = code
    with pytest.raises(LabError):
        confirm(lab.session, faults.power_off("voxy").bound_to(Lab()), "")


def test_a_refusal_that_takes_long_is_not_slowness(lab: Playing) -> None:
    """A slow backend answers."""
    probe(lab, 7, 0, 0.5)
    with pytest.raises(EnvironmentProblem):
        confirm(lab.session, faults.answer_slowly("voxy", by=seconds(1)), "")


def test_a_sign_may_take_a_moment(lab: Playing, monkeypatch: pytest.MonkeyPatch) -> None:
    """The probe is asked until it shows."""
    monkeypatch.setattr(healing, "CONFIRM_S", 5)
    shown = iter([(0, "200 0.001"), (0, "200 0.001"), (7, "000 0.001")])

    def answer(command: str) -> Result:
        code, text = next(shown)
        return Result(command, code, text, "")

    lab.hosts["akuma"].script["curl"] = answer
    assert confirm(lab.session, faults.stop_app("voxy").bound_to(Lab()), "") == "refused"
    assert len(lab.commands("akuma")) == 3


def test_where_the_command_is_all_there_is_no_probe_goes(lab: Playing) -> None:
    """Lost packets are a matter of chance."""
    assert confirm(lab.session, faults.lose_packets("voxy").bound_to(Lab()), "") == "the command succeeded"
    assert lab.commands("akuma") == []


def test_another_process_is_a_rebirth(lab: Playing) -> None:
    """As many as listen."""
    lab.hosts["voxy"].script["ss -Hltnp"] = "pid=77\n"
    assert listeners(lab.session, "voxy") == "pid=77"
    assert confirm(lab.session, faults.kill_process("voxy").bound_to(Lab()), "pid=5") == "pid=5 became pid=77"


@pytest.mark.parametrize("now", ["pid=5", ""])
def test_the_same_process_or_none_is_no_rebirth(lab: Playing, now: str) -> None:
    """A dead process that nobody has brought back yet is not another process."""
    lab.hosts["voxy"].script["ss -Hltnp"] = now
    with pytest.raises(HostUnreachable, match="kill_process voxy"):
        confirm(lab.session, faults.kill_process("voxy").bound_to(Lab()), "pid=5")


def test_a_host_that_is_no_backend_is_not_asked_for_listeners(lab: Playing) -> None:
    """akuma has no app."""
    assert listeners(lab.session, "akuma") == ""
    assert lab.commands("akuma") == []
