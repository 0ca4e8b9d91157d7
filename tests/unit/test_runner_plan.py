"""What a run would do, whom it hits, and what its samples say while they come in."""

from __future__ import annotations

import pytest

from lab import faults
from lab.errors import UsageError
from lab.expectations import during, failed_requests, share_of
from lab.home import Home
from lab.quantities import seconds
from lab.runner import Options, Watch, faults_of, plan
from lab.sample import Clock
from lab.scenario import Lesson, Scenario
from tests.unit.playing import Playing
from tests.unit.staging import sample


@pytest.mark.parametrize(
    ("answers", "failed", "now", "expected"),
    [
        ({"voxy": 9.5, "zero": 9.9}, 0.0, 10.0, True),
        ({"voxy": 8.9, "zero": 9.9}, 0.0, 10.0, False),
        ({"zero": 9.9}, 0.0, 10.0, False),
        ({"voxy": 9.5, "zero": 9.9}, 9.2, 10.0, False),
        ({"voxy": 9.5, "zero": 9.9}, 8.9, 10.0, True),
        ({}, 0.0, 0.5, False),
    ],
)
def test_when_all_is_well(answers: dict[str, float], failed: float, now: float, expected: bool) -> None:
    """Every backend answered in the last second, and nothing failed in it."""
    watch = Watch(Clock(Clock.start().origin - now, 0.0), 100.0)
    for name, t in answers.items():
        watch.take(sample(name, t))
    if failed:
        watch.take(sample("", failed, 502))
    assert watch.is_well(["voxy", "zero"]) is expected


def test_traffic_counts_from_the_last_time() -> None:
    """Answers by backend, failures, the slowest."""
    watch = Watch(Clock.start(), 100.0)
    for each in (sample("voxy", 1.0), sample("voxy", 1.25, scheduled=1.0), sample("zero", 1.0), sample("", 1.0, 502)):
        watch.take(each)
    seen = watch.traffic()
    assert (dict(seen.answers), seen.failed, round(seen.slowest_ms)) == ({"voxy": 2, "zero": 1}, 1, 250)
    again = watch.traffic()
    assert (dict(again.answers), again.failed, again.slowest_ms) == ({}, 0, 0)


def test_the_plan_names_every_phase(home: Home) -> None:
    """With the very commands, and what is expected; nothing is touched."""
    lab = Playing(home)
    scenario = Scenario("Is it?", Lesson("", ""), faults.cut_link("voxy", lasting=seconds(3)),
                        [during(failed_requests()).at_most("0 %")])  # fmt: skip
    (fault,) = faults_of(scenario, lab.session, Options(duration=seconds(2)))
    lines = plan("cut", scenario, (fault,), Options(rate=20, variant="tuned"))
    assert [line.split()[0] for line in lines[:8]] == [
        "scenario", "ready?", "steady", "inject", "observe", "heal", "recover", "steady"]  # fmt: skip
    text = "\n".join(lines)
    for part in ("Is it?", "config tuned", "20 requests a second", fault.inject, fault.undo, "observe       2 s",
                 "expect        during the fault: failed requests at most 0 %"):  # fmt: skip
        assert part in text
    assert all(host.ran == [] for host in lab.hosts.values()) and lab.machines.told == []
    assert "a new connection each" in text
    kept = plan("cut", scenario, (fault,), Options(keepalive=True))
    assert any("connections used again" in line for line in kept)


def test_the_plan_says_on_which_host(home: Home) -> None:
    """Draining voxy is done on the balancer, and power is the provider's."""
    lab = Playing(home).lab
    drained, off = (fault.bound_to(lab) for fault in (faults.drain("voxy"), faults.power_off("voxy")))
    lines = plan("x", Scenario("?", Lesson("", ""), None, []), (drained, off), Options())
    said = [line for line in lines if line.startswith("inject")]
    assert "on voxy: " not in said[0]
    assert said[1] == "inject        power_off voxy: the provider's power switch"


def test_a_fault_of_hellos_switches_needs_hello(home: Home) -> None:
    """Another app has none."""
    lab = Playing(home)
    scenario = Scenario("?", Lesson("", ""), faults.answer_errors("voxy"), [], needs_hello=True)
    assert len(faults_of(scenario, lab.session, Options())) == 1
    home.remember(app="dumbsound")
    with pytest.raises(UsageError, match="the app `hello`") as caught:
        faults_of(scenario, lab.session, Options())
    assert caught.value.mend == "lab up --app hello"


def test_a_verdict_about_an_unknown_backend_is_refused_before_the_run(home: Home) -> None:
    """A load of a minute, and only then the news of a misspelt name, would be unkind."""
    scenario = Scenario("Is it?", Lesson("", ""), None, [during(share_of("zreo")).at_most("0 %")])
    with pytest.raises(UsageError, match="about zreo, which is no backend") as told:
        faults_of(scenario, Playing(home).session, Options())
    assert "there are: voxy, zero" in str(told.value)
