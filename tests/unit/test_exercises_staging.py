"""The starting state: what is done to which machines, in which order, and what tells that they are at an exercise."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from lab import content
from lab.apps.profile import resolve
from lab.apps.source import Source
from lab.context import context_for
from lab.errors import EnvironmentProblem, UsageError
from lab.events import PhaseEnded
from lab.exercises import staging
from lab.exercises.exercise import Exercise
from lab.exercises.staging import MARK, Repository, stage
from lab.exercises.student import PRACTICE, Student
from lab.home import Home
from lab.host import SshTarget
from lab.ledger import Ledger
from lab.machines.capabilities import NOTHING, CannotBeDone
from lab.machines.protocol import State
from lab.provisioning import HostReport
from lab.steps import Step
from lab.topology import Host, Role
from lab.up import ProvisionFailed
from tests.unit.classroom import MINE, Desk, about, made
from tests.unit.playing import entry

ALL = '["akuma", "voxy", "zero"]'
ANA = Student("ana", key="ab" * 32)


class Staging(Desk):
    """A lab whose provisioning is only remembered, with the order of everything that is done."""

    def __init__(self, home: Home, patch: pytest.MonkeyPatch) -> None:
        super().__init__(home)
        self.plan: dict[str, tuple[Step, ...]] = {}
        self.order: list[str] = []
        self.fails = ""
        self.source = Source(resolve("hello"), "abc", "main", home.path / "bundle", "")
        patch.setattr(staging, "obtain", lambda profile: self.source)
        patch.setattr(staging, "provision", self._provision)
        renew = self.machines.renew

        def noted(name: str) -> None:
            self.order.append(f"renew {name}, faults {len(Ledger(home).entries())}")
            renew(name)

        patch.setattr(self.machines, "renew", noted)
        for name, host in self.hosts.items():
            host.script["bash -euo"] = partial(self._script, name)
            patch.setattr(host, "put", self._put(name, host.put))

    def _put(self, name: str, put: object) -> object:
        def noted(data: bytes, to: str, **more: str) -> None:
            if to == MARK:
                self.order.append(f"mark {name}")
            put(data, to, **more)  # type: ignore[operator]  # the host's own

        return noted

    def _script(self, name: str, command: str) -> str:
        self.order.append(f"script {name}")
        return ""

    def _provision(self, plan: Mapping[str, tuple[Step, ...]], open_host: object, listener: object) -> object:
        self.plan = dict(plan)
        self.order.append(f"provision {' '.join(plan)}")
        return tuple(HostReport(name, name != self.fails, 0, 0, 0, f"{name}, at “x”: no") for name in plan)

    def titles(self, name: str) -> list[str]:
        """What a host was to be like."""
        return [step.title for step in self.plan[name]]

    def all_of(self, host: Host) -> list[str]:
        """The states that `lab up` gives to a host."""
        return [step.title for step in content.load("provision").plan(context_for(self.lab, self.source), host)]


@pytest.fixture
def lab(home: Home, monkeypatch: pytest.MonkeyPatch) -> Staging:
    """The default lab."""
    return Staging(home, monkeypatch)


def _exercise(folder: Path, scripts: tuple[str, ...] = ("setup/akuma.sh",), **changes: str) -> Exercise:
    changed = {"hosts": ALL, **changes}
    return made(folder, changes={**MINE, "exercise.toml": about(**changed), **dict.fromkeys(scripts, "true\n")})


def test_the_order_of_a_start(lab: Staging, tmp_path: Path) -> None:
    """Faults are forgotten, machines made anew, given their states and the setup, and marked last of all."""
    Ledger(lab.home).write(entry("a", host="voxy"))
    stage(lab.session, _exercise(tmp_path, ("setup/akuma.sh", "setup/zero.sh")), PRACTICE, "a1")
    assert sorted(lab.order[:3]) == [f"renew {name}, faults 0" for name in ("akuma", "voxy", "zero")]
    assert lab.order[3:] == [
        "provision akuma voxy zero", "script akuma", "script zero", "mark akuma", "mark voxy", "mark zero",
    ]  # fmt: skip
    assert [ran.root for ran in lab.hosts["zero"].ran if "bash -euo" in ran.command] == [True]
    mark = json.loads(lab.hosts["zero"].files[MARK])
    assert (mark.keys(), mark["attempt"]) == ({"exercise", "attempt", "since"}, "a1")
    phases = [event.phase for event in lab.heard.events if isinstance(event, PhaseEnded) and event.ok]
    assert phases == ["machines anew", "stage", "setup"]


def test_machines_without_a_box_are_cleaned(lab: Staging, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Undone instead of made anew, and given what a box has before anything else."""
    cleaned: list[str] = []
    lab.machines.capabilities = NOTHING
    monkeypatch.setattr(lab.machines, "clean", cleaned.append, raising=False)
    stage(lab.session, _exercise(tmp_path), PRACTICE, "a1")
    assert sorted(cleaned) == ["akuma", "voxy", "zero"]
    assert not any(each.startswith("renew") for each in lab.order)
    box = [step.title for step in content.load("provision").box_plan(context_for(lab.lab, lab.source))]
    assert lab.titles("akuma")[: len(box)] == box
    assert "service nginx stopped, disabled" in box


def test_what_machines_cannot_do_is_refused_before_anything(lab: Staging, tmp_path: Path) -> None:
    """An exercise in which the student pulls a plug needs somebody who can put it back."""
    lab.machines.capabilities = NOTHING
    with pytest.raises(CannotBeDone, match="exercise mine: the lab cannot give a machine its power back"):
        stage(lab.session, _exercise(tmp_path, needs='["power_on"]'), PRACTICE, "a1")
    assert lab.order == []


def test_only_its_hosts_are_touched(lab: Staging, tmp_path: Path) -> None:
    """Faults of other hosts stay in force, and other machines are as they were."""
    Ledger(lab.home).write(entry("a", host="voxy"))
    Ledger(lab.home).write(entry("b", host="akuma"))
    stage(lab.session, _exercise(tmp_path, hosts='["akuma"]'), PRACTICE, "a1")
    assert [each.host for each in Ledger(lab.home).entries()] == ["voxy"]
    assert (lab.machines.told, list(lab.plan)) == (["renew akuma"], ["akuma"])
    assert lab.hosts["voxy"].ran == [] and lab.hosts["akuma"].closed == 1 and lab.hosts["akuma"].waited


def test_an_absent_guest_is_refused_before_anything(lab: Staging, tmp_path: Path) -> None:
    """Each is named; a stopped one is no hindrance."""
    Ledger(lab.home).write(entry("a", host="voxy"))
    lab.machines._states.update(voxy=State.ABSENT, zero=State.ABSENT, akuma=State.STOPPED)
    with pytest.raises(UsageError, match="voxy, zero does not exist yet\n  → lab up"):
        stage(lab.session, _exercise(tmp_path), PRACTICE, "a1")
    assert (lab.order, lab.heard.events, len(Ledger(lab.home).entries())) == ([], [], 1)
    stage(lab.session, _exercise(tmp_path / "b", hosts='["akuma"]'), PRACTICE, "a1")
    assert lab.order[-1] == "mark akuma"


def test_a_lab_without_its_hosts_is_refused(lab: Staging, tmp_path: Path) -> None:
    """Before anything."""
    with pytest.raises(UsageError, match="needs a host called luna"):
        stage(lab.session, _exercise(tmp_path, hosts='["akuma", "luna"]'), PRACTICE, "a1")
    assert lab.order == []


@pytest.mark.parametrize("name", ["fresh", "apps", "site"])
def test_what_a_stage_is(lab: Staging, tmp_path: Path, name: str) -> None:
    """fresh: what every host has; apps: the application on backends; site: all that `lab up` makes."""
    stage(lab.session, _exercise(tmp_path, stage=f'"{name}"'), PRACTICE, "a1")
    akuma, voxy = lab.lab["akuma"], lab.lab["voxy"]
    provision = content.load("provision")
    base = [step.title for step in provision.base.every_host(context_for(lab.lab, lab.source), akuma)]
    assert lab.titles("akuma") == (lab.all_of(akuma) if name == "site" else base)
    assert lab.titles("voxy") == (base if name == "fresh" else lab.all_of(voxy))
    assert len(base) < len(lab.all_of(voxy))


def test_a_balancer_that_is_a_backend_gets_no_nginx_at_apps(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The application alone."""
    lab = Staging(home, monkeypatch)
    both = replace(lab.lab["akuma"], roles=(Role.BALANCER, Role.BACKEND))
    lab.session.lab = lab.lab = replace(lab.lab, host=(both, *lab.lab.hosts[1:]))
    stage(lab.session, _exercise(tmp_path, stage='"apps"'), PRACTICE, "a1")
    backend = replace(both, roles=(Role.BACKEND,))
    assert lab.titles("akuma") == lab.all_of(backend)


@pytest.mark.parametrize("wanted", [True, False])
def test_the_repository(lab: Staging, tmp_path: Path, wanted: bool) -> None:
    """The last state of each host, where the exercise wants it; it is the user's."""
    stage(lab.session, _exercise(tmp_path, repository=str(wanted).lower()), PRACTICE, "a1")
    expected = Repository(lab.source.bundle, "main", "vagrant")
    assert [expected in steps for steps in lab.plan.values()] == [wanted] * 3
    assert all(steps[-1] == expected for steps in lab.plan.values()) or not wanted


def test_the_repository_is_cloned_from_the_bundle(lab: Staging) -> None:
    """Without an origin, for the user; once."""
    lab.source.bundle.write_bytes(b"bundle")
    host, step = lab.hosts["akuma"], Repository(lab.source.bundle, "main", "vagrant")
    host.script["test -d"] = 1
    assert not step.is_met(host)
    step.apply(host)
    assert host.files == {"/var/tmp/lab-repository.bundle": b"bundle"}
    (ran,) = [ran for ran in host.ran if "clone" in ran.command]
    assert ran.root and "git clone -q --bare -b main /var/tmp/lab-repository.bundle /srv/git/hello.git" in ran.command
    assert "remote remove origin" in ran.command and "chown -R vagrant: /srv/git/hello.git" in ran.command
    host.script["test -d"] = 0
    assert step.is_met(host)


def test_a_host_that_does_not_get_its_states(lab: Staging, tmp_path: Path) -> None:
    """Ends the start: there is no setup and no mark, so that the next start begins from nothing."""
    lab.fails = "voxy"
    with pytest.raises(ProvisionFailed, match="voxy, at “x”: no\n  → mend the cause, then start the exercise again"):
        stage(lab.session, _exercise(tmp_path), PRACTICE, "a1")
    assert lab.order[-1].startswith("provision") and not any(MARK in host.files for host in lab.hosts.values())


def test_a_machine_that_does_not_come_back(lab: Staging, tmp_path: Path) -> None:
    """Ends the start too."""
    lab.hosts["voxy"].dead = True
    with pytest.raises(EnvironmentProblem, match="ssh on voxy"):
        stage(lab.session, _exercise(tmp_path), PRACTICE, "a1")
    assert not any("provision" in done for done in lab.order)


def test_a_machine_made_anew_may_be_reached_otherwise(
    lab: Staging, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A virtual machine that was destroyed has another port; later commands must know of it."""
    now = tuple(SshTarget(host.name, "127.0.0.1", 2200, "vagrant", "/k", "/h") for host in lab.lab.hosts)
    monkeypatch.setattr(lab.machines, "targets", lambda: now)
    stage(lab.session, _exercise(tmp_path), PRACTICE, "a1")
    assert lab.home.state().targets == now
    assert "Port 2200" in lab.home.ssh_config.read_text()
