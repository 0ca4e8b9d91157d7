"""Before a run: what is not ready is named with the command that mends it, and nothing is sent to strangers."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from lab import journal, nginx_config, readiness
from lab.errors import EnvironmentProblem, LabError, UsageError
from lab.home import Home
from lab.journal import Journal
from lab.ledger import Ledger
from lab.readiness import record_clocks, record_config, require_ready
from lab.records import ClockRecord, ConfigRecord
from lab.sample import Clock
from lab.session import Session
from lab.status import HostStatus, LabStatus
from lab.variants import text_of
from tests.unit.playing import Playing, entry

OWN = "lo UNKNOWN 127.0.0.1/8\neth0@if2 UP 192.168.56.10/24 \n"
Shape = Callable[..., None]


@pytest.fixture
def lab(home: Home) -> Playing:
    """A lab whose balancer has its own address."""
    made = Playing(home)
    made.hosts["akuma"].script["ip -brief"] = OWN
    return made


@pytest.fixture(autouse=True)
def voxy_is(monkeypatch: pytest.MonkeyPatch) -> Shape:
    """Every host is well; called, it changes what voxy is like."""
    like: dict[str, object] = {"state": "running", "reachable": True, "app": "serving"}

    def status(session: Session) -> LabStatus:
        well = [
            HostStatus("akuma", ("balancer",), "192.168.56.10", "running", True, None),
            HostStatus("voxy", ("backend",), "192.168.56.11", **like),  # type: ignore[arg-type]  # by name
            HostStatus("zero", ("backend",), "192.168.56.12", "running", True, "serving"),
        ]
        return LabStatus("lab", "lxc", "http://192.168.56.10/", tuple(well))

    monkeypatch.setattr(readiness, "status", status)
    return lambda **more: like.update(more)


def ahead_by(off_s: float, command: str) -> str:
    """What `date` says on a clock that is so far ahead."""
    return f"{time.time() + off_s:.9f}\n"


def refused(lab: Playing) -> LabError:
    """What is said instead of running."""
    with pytest.raises(LabError) as caught:
        require_ready(lab.session, Ledger(lab.home))
    return caught.value


def test_a_lab_that_is_well_is_ready(lab: Playing) -> None:
    """Nothing is changed by looking."""
    require_ready(lab.session, Ledger(lab.home))
    assert lab.machines.told == []
    assert lab.commands("akuma") == ["ip -brief -4 address"]


def test_a_fault_that_is_left_is_healed_first(lab: Playing) -> None:
    """All of them are named."""
    ledger = Ledger(lab.home)
    ledger.write(entry("a"))
    ledger.write(entry("b", "pause zero", "zero"))
    said = refused(lab)
    assert isinstance(said, EnvironmentProblem)
    assert "cut_link voxy" in said.message and "pause zero" in said.message
    assert said.mend == "lab heal"


@pytest.mark.parametrize("state", ["stopped", "absent"])
def test_a_host_without_power_is_named(lab: Playing, voxy_is: Shape, state: str) -> None:
    """And how it gets it."""
    voxy_is(state=state, reachable=False, app="silent")
    said = refused(lab)
    assert isinstance(said, EnvironmentProblem)
    assert said.message == f"voxy is {state}"
    assert "lab start voxy" in said.mend


@pytest.mark.parametrize("app", ["silent", "answers 503"])
def test_an_app_that_does_not_serve_is_named(lab: Playing, voxy_is: Shape, app: str) -> None:
    """With what it does instead."""
    voxy_is(app=app)
    said = refused(lab)
    assert isinstance(said, EnvironmentProblem)
    assert said.message == f"the app on voxy: {app}"
    assert "lab logs voxy" in said.mend


def test_a_host_that_lets_nobody_in_is_named(lab: Playing, voxy_is: Shape) -> None:
    """It serves, but what is done to it could neither be done nor undone."""
    voxy_is(reachable=False)
    assert "voxy" in str(refused(lab))


@pytest.mark.parametrize(
    "held", ["eth0 UP 192.168.56.99/24 ", "", "eth0 UP 192.168.56.101/24 ", "eth0 UP 1192.168.56.10/24 "]
)
def test_an_address_that_is_not_the_balancers_own_gets_no_load(lab: Playing, held: str) -> None:
    """Whoever may have it."""
    lab.hosts["akuma"].script["ip -brief"] = held
    said = refused(lab)
    assert isinstance(said, UsageError)
    assert said.message == "192.168.56.10 is not akuma's own address: it gets no load"


def test_the_network_is_made_sure_of_where_it_is_ours(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """With containers: the fallback route, so that nothing leaves this computer; before the host is asked."""
    lab = Playing(home, provider="lxc")
    lab.hosts["akuma"].script["ip -brief"] = OWN
    ensured: list[int] = []

    class OurNetwork:
        def ensure(self) -> None:
            ensured.append(len(lab.commands("akuma")))

    monkeypatch.setattr(readiness, "network_of", lambda provider, lab, home: OurNetwork())
    require_ready(lab.session, Ledger(home))
    assert ensured == [0]


def test_the_configuration_is_written_down_as_it_runs(lab: Playing, tmp_path: Path) -> None:
    """Read by root from nginx itself, not from our template."""
    text = f"events {{}}\nhttp {{\n{text_of('ghost', lab.lab)}\n}}\n"
    lab.hosts["akuma"].script["nginx -T"] = text
    with Journal(tmp_path / "journal.jsonl") as written:
        record_config(lab.session, written, Clock.start())
    (found,) = journal.read(tmp_path / "journal.jsonl").records
    assert isinstance(found, ConfigRecord)
    assert found.findings == nginx_config.lint(text, "akuma.xyz")
    assert lab.hosts["akuma"].ran[0].root


def test_a_clock_that_is_an_hour_off_is_measured(lab: Playing, tmp_path: Path) -> None:
    """Each host's, to within the time that the question took."""
    ahead = {"akuma": 3600.0, "voxy": 0.0, "zero": -3600.0}
    for name, off in ahead.items():
        lab.hosts[name].script["date"] = partial(ahead_by, off)
    with Journal(tmp_path / "journal.jsonl") as written:
        record_clocks(lab.session, written, Clock.start())
    found = journal.read(tmp_path / "journal.jsonl").records
    measured = {each.host: each for each in found if isinstance(each, ClockRecord)}
    assert measured.keys() == ahead.keys()
    for name, off in ahead.items():
        assert abs(measured[name].offset_s - off) <= measured[name].error_s + 1e-6
        assert measured[name].error_s < 0.1


def test_the_quickest_answer_counts(lab: Playing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A question that took long says little about the clock."""
    instants = iter([t for took in (0.9, 0.5, 0.02, 0.3, 0.7) for t in (100.0, 100.0 + took)] * 3)
    monkeypatch.setattr(time, "time", lambda: next(instants))
    for host in lab.hosts.values():
        host.script["date"] = "103.01\n"
    clock = Clock(0.0, 0.0)
    with Journal(tmp_path / "journal.jsonl") as written:
        record_clocks(lab.session, written, clock)
    found = journal.read(tmp_path / "journal.jsonl").records[0]
    assert isinstance(found, ClockRecord)
    assert (round(found.offset_s, 3), round(found.error_s, 3)) == (3.0, 0.01)


@pytest.mark.parametrize(("driver", "expected"), [("kvm", 5), ("qemu", 8)])
def test_an_emulated_hosts_clock_is_asked_for_until_it_is_known(
    home: Home, monkeypatch: pytest.MonkeyPatch, driver: str, expected: int
) -> None:
    """Elsewhere five questions are enough, and what the gate lets pass is the same for all."""
    lab = Playing(home)
    home.remember(driver=driver)
    answers = iter([(0.0, error) for error in (0.3, 0.2, 0.4, 0.2, 0.3, 0.2, 0.11, 0.04, 0.01)])
    asked: list[float] = []

    def offset(session: object, name: str) -> tuple[float, float]:
        pair = next(answers)
        asked.append(pair[1])
        return pair

    monkeypatch.setattr(readiness, "_offset", offset)
    assert readiness._best_offset(lab.session, "akuma") == (0.0, min(asked))
    assert len(asked) == expected
