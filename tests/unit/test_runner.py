"""A run from end to end with nothing real in it: its order, and that whatever ends it, nothing stays injected."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from lab import config, faults, healing, runner
from lab.errors import EnvironmentProblem, Interrupted, UsageError
from lab.events import Note, PhaseEnded, Traffic
from lab.home import Home
from lab.ledger import Entry
from lab.machines.capabilities import NOTHING, CannotBeDone
from lab.quantities import seconds
from lab.records import FaultRecord, NoteRecord, PhaseRecord, RunRecord
from lab.run_folder import RunFolder
from lab.scenario import Lesson, Scenario
from tests.fakes import default_hosts
from tests.unit.staging import Stage

ORDER = ["ready", "balanced", "config", "clocks", "lives", "load", "listeners", "inject", "confirm", "heal",
         "confirm-healed", "stop", "lives", "log", "leftovers"]  # fmt: skip


@pytest.fixture
def stage(home: Home, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A lab on which everything works."""
    return Stage(home, monkeypatch)


def test_the_order_of_a_run(stage: Stage) -> None:
    """Ready before load, the fault under load, healed before the load ends; then everything is gathered."""
    ran = stage.run()
    assert stage.calls == ORDER
    assert ran.folder.verdict.read_text() == ran.verdict.to_json()
    assert stage.ledger.entries() == ()


def test_phases_and_stages_are_written_down(stage: Stage) -> None:
    """In their order; the fault is on the disk before it is injected; observed for as long as it was to last."""
    stage.run()
    records = stage.records()
    phases = [record.name for record in records if isinstance(record, PhaseRecord)]
    assert phases == ["steady", "inject", "observe", "heal", "recover", "steady-again", "end"]
    stages = [record.stage for record in records if isinstance(record, FaultRecord)]
    assert stages == ["written", "injected", "confirmed", "healing", "healed", "confirmed-healed"]
    at = {record.name: record.t for record in records if isinstance(record, PhaseRecord)}
    assert at["heal"] - at["observe"] == pytest.approx(4)
    assert at["inject"] - at["steady"] == pytest.approx(runner.STEADY_S)
    assert at["end"] - at["steady-again"] == pytest.approx(runner.AGAIN_S)


def test_the_instants_are_before_and_after_the_deed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the fault does lies between `written` and `injected`, what the healing does before `healed`."""

    def slowly(*words: object) -> None:
        stage.t += 0.5

    monkeypatch.setattr(healing, "inject", slowly)
    monkeypatch.setattr(healing, "heal", slowly)
    stage.run()
    at = {record.stage: record.t for record in stage.records() if isinstance(record, FaultRecord)}
    assert at["injected"] - at["written"] == pytest.approx(0.5)
    assert at["healed"] - at["healing"] == pytest.approx(0.5)


def test_the_entry_is_in_the_ledger_when_the_fault_is_injected(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not after it."""
    seen: list[str] = []
    monkeypatch.setattr(healing, "inject", lambda *words: seen.extend(each.what for each in stage.ledger.entries()))
    stage.run()
    assert seen == ["power_off voxy"]


def test_the_first_line_says_how_to_run_it_again(stage: Stage) -> None:
    """With the options that were chosen, and who is hit."""
    stage.run(rate=50, duration=seconds(2), variant="naive", note="prediction: none")
    first = stage.records()[0]
    assert isinstance(first, RunRecord)
    assert first.command == "lab scenario kill-voxy --rate 50 --duration 2 --config naive"
    assert (first.victims, first.balancer, first.variant, first.rate) == (("voxy",), "akuma", "naive", 50)
    assert "prediction: none" in [record.text for record in stage.records() if isinstance(record, NoteRecord)]
    assert stage.healed == ["power_off voxy", "config naive akuma"]
    assert stage.calls[-2:] == ["log", "leftovers"] and stage.ledger.entries() == ()


def test_what_was_asked_for_is_in_it(stage: Stage) -> None:
    """Posts, paths, clients and connections too, quoted for a shell."""
    stage.run(posts=0.25, paths=("/a?b=1&c", "/c"), clients=("127.0.0.2",), keepalive=True)
    first = stage.records()[0]
    assert isinstance(first, RunRecord)
    assert first.command.endswith("--posts 0.25 --path '/a?b=1&c' --path /c --client 127.0.0.2 --keepalive")


def test_load_goes_to_the_balancer_alone(stage: Stage) -> None:
    """And only the lab's addresses are allowed to it."""
    stage.run()
    assert stage.plan is not None
    assert (stage.plan.address, stage.plan.port, stage.plan.host) == ("192.168.56.10", 80, "akuma.xyz")
    assert stage.allowed["allowed"] == ["192.168.56.10", "192.168.56.11", "192.168.56.12"]
    assert stage.allowed["allowed_subnet"] == "192.168.56.0/24"


@pytest.mark.parametrize("fault", [EnvironmentProblem("no"), UsageError("no"), KeyboardInterrupt()])
def test_a_lab_that_is_not_ready_gets_no_load(stage: Stage, fault: BaseException) -> None:
    """Nor a folder, nor a fault."""
    stage.bombs["ready"] = fault
    with pytest.raises(type(fault)):
        stage.run()
    assert stage.calls == ["ready"]
    assert not (stage.lab.home.path / "runs").exists()


@pytest.mark.parametrize("fault", [EnvironmentProblem("it broke"), ValueError("a bug"), KeyboardInterrupt()])
@pytest.mark.parametrize(
    "when",
    ["config", "clocks", "lives", "load", "in steady", "listeners", "inject", "confirm", "in observe", "heal",
     "confirm-healed", "in steady-again", "stop", "log", "leftovers"],
)  # fmt: skip
def test_whatever_ends_a_run_it_is_healed(stage: Stage, when: str, fault: BaseException) -> None:
    """At each step: the ledger is empty, what was written down was undone, and the error is told as it was."""
    stage.bombs[when] = fault
    with pytest.raises(Interrupted if isinstance(fault, KeyboardInterrupt) else type(fault)) as caught:
        stage.run()
    if isinstance(fault, KeyboardInterrupt):
        assert "what was injected is healed" in str(caught.value) and caught.type is Interrupted
    assert stage.ledger.entries() == ()
    if "inject" in stage.calls:
        assert "power_off voxy" in stage.healed
    if "load" in stage.calls and when != "load":
        assert "stop" in stage.calls


def test_a_fault_that_cannot_be_healed_stays_written_down(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message has the mend, and no verdict is given."""

    def never(session: object, entry: Entry) -> None:
        raise EnvironmentProblem("voxy is gone")

    monkeypatch.setattr(healing, "heal", never)
    with pytest.raises(EnvironmentProblem, match="power_off voxy: voxy is gone") as caught:
        stage.run()
    assert "`lab heal` again" in caught.value.mend
    assert [each.what for each in stage.ledger.entries()] == ["power_off voxy"]
    assert not (stage.lab.home.path / "runs" / "latest" / "verdict.json").exists()


def test_healing_is_announced_and_on_new_connections(stage: Stage) -> None:
    """The old ones may hang."""
    stage.bombs["confirm"] = EnvironmentProblem("no sign")
    with pytest.raises(EnvironmentProblem):
        stage.run()
    assert Note("healing what is still in force", loud=True) in stage.lab.heard.events
    assert PhaseEnded("inject", False, 0.0) in stage.lab.heard.events
    assert all(host.closed for host in stage.lab.hosts.values())


def test_several_faults_are_all_healed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when the second cannot be injected."""
    both = Scenario("?", Lesson("", ""), (faults.pause("voxy"), faults.pause("zero")), [])
    done: list[str] = []

    def second_fails(*words: Any) -> None:
        done.append(words[1].what)
        if len(done) == 2:
            raise EnvironmentProblem("zero: no")

    monkeypatch.setattr(healing, "inject", second_fails)
    with pytest.raises(EnvironmentProblem, match="zero: no"):
        stage.run(both)
    assert done == ["pause voxy", "pause zero"]
    assert sorted(stage.healed) == ["pause voxy", "pause zero"]
    assert stage.ledger.entries() == ()


def test_a_disk_that_fills_up_heals(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal ends with a whole line, and says so."""
    write = os.write

    def full(file: int, block: bytes) -> int:
        if stage.phase == "observe":
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, block)

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(EnvironmentProblem, match="the disk is full; the journal ends here"):
        stage.run()
    assert stage.healed == ["power_off voxy"]
    assert stage.ledger.entries() == ()
    assert [r.name for r in stage.records() if isinstance(r, PhaseRecord)] == ["steady", "inject", "observe"]


def test_a_disk_that_fills_up_at_the_very_end_is_a_sentence(
    stage: Stage, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The verdict is the last file of a run; /dev/full is a disk without room."""
    folder = RunFolder("r1", home.path / "runs" / "r1")
    folder.path.mkdir(parents=True)
    folder.verdict.symlink_to("/dev/full")
    monkeypatch.setattr(runner, "new_run", lambda home, name: folder)
    with pytest.raises(EnvironmentProblem, match=r"verdict\.json"):
        stage.run()


def test_a_victim_that_does_not_come_back_is_noted(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """After fail_timeout and a margin the run goes on."""
    monkeypatch.setattr(healing, "inject", lambda *words: stage.serving.remove("voxy"))
    stage.run()
    notes = [record.text for record in stage.records() if isinstance(record, NoteRecord)]
    assert notes == ["the steady state did not come back by its deadline"]
    at = {record.name: record.t for record in stage.records() if isinstance(record, PhaseRecord)}
    assert at["steady-again"] - at["recover"] == pytest.approx(10 + runner.BACK_MARGIN_S, abs=0.3)


def test_traffic_is_told_once_a_second(stage: Stage) -> None:
    """With what came since."""
    stage.run()
    told = [event for event in stage.lab.heard.events if isinstance(event, Traffic)]
    assert len(told) == pytest.approx(runner.STEADY_S + 4 + runner.AGAIN_S, abs=2)
    assert set(told[1].answers) == {"voxy", "zero"}


def test_posts_are_asked_for_where_there_were_some(stage: Stage) -> None:
    """And only there."""
    stage.run(Scenario("?", Lesson("", ""), None, [], posts=0.5))
    assert "posts" in stage.calls and "inject" not in stage.calls
    assert stage.plan is not None and stage.plan.posts == 0.5


def test_a_scenario_for_another_lab_is_refused_before_anything(stage: Stage) -> None:
    """This lab has no luna."""
    with pytest.raises(UsageError, match="there is no host luna"):
        stage.run(Scenario("?", Lesson("", ""), faults.power_off("luna"), []))
    assert stage.calls == []


def test_a_scenario_that_needs_power_is_refused_before_anything(stage: Stage) -> None:
    """Where nobody could give it back; the sentence names what to run instead, if there is anything like it."""
    stage.lab.machines.capabilities = NOTHING
    with pytest.raises(CannotBeDone) as caught:
        stage.run()
    assert "kill-voxy: the lab cannot give a machine its power back" in caught.value.message
    like_it = [f"lab scenario {name}" for name in ("cut-voxy", "hang-voxy", "reject-voxy", "stop-app-voxy")]
    assert caught.value.mend == f"{' or '.join(like_it)} asks nearly the same"
    with pytest.raises(CannotBeDone) as caught:
        stage.run(Scenario("?", Lesson("", ""), faults.power_off("akuma"), []))
    assert caught.value.mend == "lab scenario marks those that run here"
    assert stage.calls == []


def test_who_is_a_victim(home: Home, stage: Stage) -> None:
    """A fault of the balancer has none, though the balancer may be a backend too."""
    both = config.parse({"host": [{**default_hosts()[0], "roles": ["balancer", "backend"]}, *default_hosts()[1:]]})
    stage.lab.session.lab = both
    stage.run(Scenario("?", Lesson("", ""), faults.reload_nginx("akuma"), []))
    first = stage.records()[0]
    assert isinstance(first, RunRecord) and first.victims == ()
    assert Path(stage.lab.home.path / "runs" / "latest").exists()
