"""Whatever ends a run, nothing stays injected; and what cannot be run is named with what mends it."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from lab import config, healing
from lab.faults import cut_link
from lab.ledger import Ledger
from lab.quantities import seconds
from lab.session import open_session
from lab.waiting import wait_for
from tests.realm import Realm, interrupt, wait_for_line

KILL = ("scenario", "kill-voxy", "--duration", "2")
ANSWERS_ARE_DUE_S = 20
"""How long a sender may wait for answers after its runner is gone."""
VISITS_S = 60
MINE = '''"""Mine: nothing of voxy's is heard any more."""

from lab import Lesson, Scenario, cut_link, during, failed_requests, seconds

scenario = Scenario(
    question="Is a file of my own a scenario?",
    lesson=Lesson(en="Yes.", id="Ya."),
    fault=cut_link("voxy", lasting=seconds(2)),
    verdict=[during(failed_requests()).at_most("50 %")],
)
'''


@pytest.fixture(autouse=True)
def whole(realm: Realm) -> Iterator[None]:
    """After each test nothing is injected, voxy serves, and nobody sends; what is not so is mended for the next."""
    yield
    left = [entry.what for entry in Ledger(realm.home).entries()]
    if left or realm.status()["voxy"]["app"] != "serving":
        realm.lab("heal")
        realm.lab("start", "voxy")
    assert left == []
    wait_for("the end of the load", lambda: not senders(realm), within_s=ANSWERS_ARE_DUE_S)


@pytest.fixture(scope="module")
def held(realm: Realm) -> tuple[Path, dict[str, Any]]:
    """A run of kill-voxy: its folder, and what it printed."""
    balanced(realm)
    done = realm.lab(*KILL, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    return (realm.home.path / "runs" / "latest").resolve(), json.loads(done.stdout)


def senders(realm: Realm) -> list[int]:
    """The processes that send load from this lab's folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if b"lab.sending" in (entry / "cmdline").read_bytes() and (entry / "cwd").resolve() == realm.folder:
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def balanced(realm: Realm) -> None:
    """Wait until nginx asks both again; it leaves one out that failed for `fail_timeout`, 10 s."""
    wait_for("answers from both", lambda: realm.ask(4).keys() >= {"voxy", "zero"}, within_s=20)


def traces(realm: Realm, host: str) -> str:
    """What a fault leaves on a host: a table of nftables, units of systemd."""
    return realm.ssh(host, "sudo nft list tables; systemctl list-units --all --plain --no-legend 'lab-*'")


def test_a_lab_that_is_not_up_cannot_be_hurt(tmp_path: Path) -> None:
    """The mend is `lab up`; nothing is made."""
    realm = Realm.make(tmp_path / "none", 64)
    done = realm.lab(*KILL)
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no lab in" in done.stderr and "→ lab up" in done.stderr
    assert realm.leftovers() == []


def test_an_unknown_scenario_gets_a_suggestion(realm: Realm) -> None:
    """Before anything is done."""
    done = realm.lab("scenario", "kill-voxi")
    assert done.returncode == 2
    assert "there is no scenario 'kill-voxi'" in done.stderr and "did you mean kill-voxy?" in done.stderr


@pytest.mark.parametrize(
    ("line", "expected"),
    [("steady …", []), ("inject: ", ["power_off voxy"]), ("observe …", ["power_off voxy"]),
     ("heal …", ["power_off voxy"])],
)  # fmt: skip
def test_after_kill_9_heal_heals(realm: Realm, line: str, expected: list[str]) -> None:
    """In each phase: the ledger says what is in force, the load ends, every command warns, `lab heal` mends."""
    running = realm.start(*KILL)
    wait_for_line(running, line)
    if line == "inject: ":
        wait_for("an entry in the ledger", Ledger(realm.home).entries, within_s=5, every_s=0.005)
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate(timeout=30)
    assert running.returncode == -signal.SIGKILL
    assert [fault["what"] for fault in realm.json("status")["faults"]] == expected
    if line == "observe …":
        _warns_everywhere(realm)
    first, second = realm.lab("heal"), realm.lab("heal")
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert first.stdout == ("healed: power_off voxy\n" if expected else "Nothing is injected.\n")
    assert second.stdout == "Nothing is injected.\n"
    assert realm.status()["voxy"]["app"] == "serving"
    assert "still in force" not in realm.lab("status").stderr


def _warns_everywhere(realm: Realm) -> None:
    warning = "! still in force: power_off voxy; `lab heal` undoes it"
    for words in (["status"], ["open"], ["render", "nginx"], ["ssh", "zero", "--", "true"], ["explain"], ["doctor"]):
        assert warning in realm.lab(*words).stderr, words
    refused = realm.lab(*KILL)
    assert refused.returncode == 4
    assert warning in refused.stderr and "still in force: power_off voxy\n  → lab heal" in refused.stderr


def test_a_run_right_after_voxy_is_back_is_held(realm: Realm) -> None:
    """It begins when nginx asks voxy again, not when voxy could be asked: else nothing could be concluded."""
    assert realm.lab("halt", "--force", "voxy").returncode == 0
    realm.ask(4)  # nginx has met the dead voxy just now, and leaves it out for the next 10 s
    assert realm.lab("start", "voxy").returncode == 0
    done = realm.lab("scenario", "kill-voxy", "--duration", "1")
    assert done.returncode == 0, done.stdout


def test_nginx_may_find_out_by_somebody_else(realm: Realm) -> None:
    """Visitors from elsewhere come far oftener than the run's: whoever meets the dead voxy first, it is a sign."""
    over = threading.Event()

    def visit() -> None:
        deadline = monotonic() + VISITS_S
        while not over.is_set() and monotonic() < deadline:
            realm.ask(10)

    with ThreadPoolExecutor(1) as visitors:
        visiting = visitors.submit(visit)
        try:
            done = realm.lab("scenario", "kill-voxy", "--duration", "1", "--rate", "10", "--json")
        finally:
            over.set()
        visiting.result()
    said = [each["claim"] for each in json.loads(done.stdout)["evidence"]]
    assert "the balancer noticed: its log has failed attempts at voxy" in said, said


def test_a_run_is_held_and_says_so(held: tuple[Path, dict[str, Any]]) -> None:
    """After all that."""
    _, said = held
    assert (said["outcome"], said["healed"], said["requests"]["failed"]) == ("HELD", True, 0)


def test_a_log_with_lines_removed_proves_nothing(realm: Realm, held: tuple[Path, dict[str, Any]]) -> None:
    """The second witness is needed: judged again, the same run is INCONCLUSIVE."""
    folder, said = held
    assert realm.json("report", folder.name) == said
    log = folder / "access.jsonl"
    whole = log.read_bytes()
    lines = whole.splitlines(keepends=True)
    try:
        log.write_bytes(b"".join(line for number, line in enumerate(lines) if number % 10))
        again = realm.json("report", folder.name)
    finally:
        log.write_bytes(whole)
    assert again["outcome"] == "INCONCLUSIVE"
    assert again["requests"] == said["requests"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_heals_before_it_leaves(realm: Realm, number: signal.Signals) -> None:
    """Ctrl-C and a closed terminal reach the whole group, SIGTERM only us: exit 130, a sentence, and voxy serves."""
    fault = "power_off voxy"
    if number is signal.SIGTERM:
        (realm.folder / "mine.py").write_text(MINE)
        fault = "cut_link voxy"
    running = realm.start(*(KILL if fault == "power_off voxy" else ("scenario", "./mine.py")))
    wait_for_line(running, f"inject: {fault}")
    wait_for_line(running, "observe …")
    said = interrupt(running, number)
    assert running.returncode == 130, said
    assert "what was injected is healed" in said and "Traceback" not in said
    assert realm.json("status")["faults"] == []
    assert realm.status()["voxy"]["app"] == "serving"
    assert traces(realm, "voxy") == ""


def test_a_file_of_ones_own_and_a_second_scenario_meanwhile(realm: Realm) -> None:
    """The second is told who is at it and touches nothing; the first goes on, and is judged again as it was."""
    (realm.folder / "mine.py").write_text(MINE)
    balanced(realm)
    running = realm.start("scenario", "./mine.py", "--duration", "2")
    wait_for_line(running, "steady …")
    second = realm.lab(*KILL)
    said, _ = running.communicate(timeout=90)
    assert second.returncode == 4
    assert "this lab is busy: `lab scenario ./mine.py`" in second.stderr
    assert running.returncode == 0, said
    assert "HELD   mine" in said
    folder = (realm.home.path / "runs" / "latest").resolve()
    verdict = json.loads((folder / "verdict.json").read_text())
    assert folder.name.endswith("-mine")
    assert verdict["outcome"] == "HELD" and verdict["healed"]
    assert realm.json("report") == verdict


def test_a_guest_that_reboots_in_the_middle(realm: Realm) -> None:
    """Somebody reboots zero while voxy is without power: the run goes to its end, proves nothing, and says why."""
    balanced(realm)
    running = realm.start(*KILL)
    wait_for_line(running, "observe …")
    rebooting = "systemd-run --quiet --collect --on-active=0.1 --timer-property=AccuracySec=50ms systemctl reboot"
    realm.ssh("zero", f"sudo {rebooting}")
    said, _ = running.communicate(timeout=120)
    assert running.returncode == 3, said
    verdict = realm.json("report")
    why = "somebody else restarted zero during the run: the figures have two causes"
    assert why in [each["claim"] for each in verdict["evidence"] if each["holds"] is None]
    assert verdict["healed"] and realm.json("status")["faults"] == []
    assert {host["app"] for host in realm.status().values()} == {None, "serving"}


def test_a_guest_heals_by_itself(realm: Realm, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody undoes the fault: the timer on voxy does, within its deadline, and leaves no trace."""
    monkeypatch.setattr(healing, "DEAD_MAN_MARGIN_S", 1)
    lab, ledger = config.load(realm.folder / "lab.toml"), Ledger(realm.home)
    fault = cut_link("voxy", lasting=seconds(2)).bound_to(lab)
    with open_session(lab, realm.home) as session:
        entry = healing.write_down(fault, ledger, "by-hand")
        try:
            healing.inject(session, fault, entry)
            assert healing.confirm(session, fault, "") == "no answer within 1 s"
            ask = f"curl -sS -o /dev/null --max-time 1 http://{lab['voxy'].address}:{lab.app.port}/"
            wait_for("voxy", lambda: session.host("akuma").run(ask, check=False).ok, within_s=5)
            wait_for("no trace of the fault", lambda: traces(realm, "voxy") == "", within_s=5)
        finally:
            healing.heal(session, entry)
            ledger.remove(entry)


def test_a_host_that_is_down_already_is_named(realm: Realm) -> None:
    """With the command that brings it back; nothing is sent, injected or recorded."""
    runs = realm.home.path / "runs"
    assert realm.lab("halt", "voxy").returncode == 0
    before = sorted(runs.iterdir()) if runs.exists() else []
    try:
        done = realm.lab(*KILL)
        assert done.returncode == 4
        assert "voxy is stopped" in done.stderr and "lab start voxy" in done.stderr
        assert realm.status()["voxy"]["state"] == "stopped"
        assert (sorted(runs.iterdir()) if runs.exists() else []) == before
        assert Ledger(realm.home).entries() == ()
    finally:
        assert realm.lab("start", "voxy").returncode == 0
