"""A student's and a teacher's way through exercises, by the commands that they type, on real machines."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.realm import Realm, interrupt, wait_for_line

SITE = "/etc/nginx/akuma/my.reverse-proxy.conf"
MEND = f"sudo sed -i 's|proxy_pass .*;|proxy_pass http://domain;|' {SITE} && sudo systemctl reload nginx"
WATCHED_S = 20


@pytest.fixture(autouse=True)
def no_card(classroom: Realm) -> Iterator[None]:
    """Whatever a test does, the next begins as practice."""
    yield
    (classroom.folder / "student.toml").unlink(missing_ok=True)


def check(realm: Realm, *argv: str) -> tuple[int, dict[str, Any]]:
    """The exit code of a check, and what it printed."""
    done = realm.lab("exercise", "check", *argv, "--json")
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def statuses(marked: dict[str, Any]) -> dict[str, str]:
    """Each check's status by its id."""
    return {each["id"]: each["status"] for each in marked["checks"]}


def points(realm: Realm, name: str) -> int:
    """What the grade has for an exercise."""
    grade = realm.json("grade", "--no-check")["grade"]
    return next(int(each["earned"]) for each in grade["exercises"] if each["id"] == name)


def test_the_ghost_is_found_mended_and_graded(classroom: Realm) -> None:
    """Zero requests reached voxy; no scenario says HELD; mended, it does; after a reset the pass does not count."""
    assert classroom.json("exercise", "start", "ghost-upstream")["attempt"] >= 1
    code, marked = check(classroom)
    voxy = next(each for each in marked["checks"] if each["id"] == "voxy_is_asked")
    assert (code, marked["passed"], voxy["status"]) == (1, False, "FAIL")
    assert voxy["actual"].startswith("0 of 30 requests reached voxy")

    done = classroom.lab("scenario", "kill-voxy", "--duration", "2", "--json")
    verdict = json.loads(done.stdout)
    assert (done.returncode, verdict["outcome"]) == (3, "INCONCLUSIVE")
    assert any("is declared but the site's proxy_pass" in each["claim"] for each in verdict["evidence"])

    hints = [classroom.lab("exercise", "hint").stdout for _ in range(4)]
    assert [text.splitlines()[-1] for text in hints] == [f"hint {tier} of 3" for tier in (1, 2, 3, 3)]
    assert "petunjuk 3 dari 3" in classroom.lab("exercise", "hint", "--lang", "id").stdout
    refused = classroom.lab("exercise", "solve")
    assert refused.returncode == 2 and "you have not passed ghost-upstream yet" in refused.stderr

    classroom.ssh("akuma", MEND)
    classroom.ssh("akuma", "printf '1: c\\n2: b\\n3: b\\n' > ~/answers.txt")
    code, marked = check(classroom)
    assert (code, marked["passed"], statuses(marked)["voxy_may_die"]) == (0, True, "SKIP")
    code, marked = check(classroom, "--full")
    assert (code, statuses(marked)["voxy_may_die"]) == (0, "PASS")
    assert points(classroom, "ghost-upstream") == 10
    assert "proxy_pass http://domain;" in classroom.lab("exercise", "solve").stdout

    assert classroom.lab("exercise", "reset", "ghost-upstream").returncode == 0
    assert points(classroom, "ghost-upstream") == 0
    states = {each["id"]: each["state"] for each in classroom.json("exercise", "list")}
    assert states["ghost-upstream"] == "started"


def test_giving_up_shows_the_solution_and_earns_nothing(classroom: Realm) -> None:
    """It is on the machines, checks pass, and the grade is 0 until a reset."""
    assert classroom.lab("exercise", "reset", "include-dir").returncode == 0
    done = classroom.lab("exercise", "solve", "include-dir", "--give-up", "--lang", "id")
    assert done.returncode == 0, done.stderr
    assert "Penyelesaian sekarang ada di mesin" in done.stdout and "server_name akuma.xyz;" in done.stdout
    code, marked = check(classroom)
    assert (code, marked["passed"], marked["state"]) == (0, True, "gave-up")
    assert points(classroom, "include-dir") == 0


def test_from_any_state(classroom: Realm) -> None:
    """A machine without its programs, one without power: a start makes them anew, and it takes no `lab up`."""
    classroom.json("exercise", "start", "hosts-file")
    classroom.lab(
        "ssh", "akuma", "--", "sudo rm -rf /etc/nginx /etc/ssh /usr/sbin/sshd /root /home/vagrant; sudo pkill -f sshd"
    )
    assert classroom.lab("halt", "--force", "voxy").returncode == 0
    code, marked = check(classroom)
    assert (code, statuses(marked).pop("reachable")) == (1, "FAIL")
    assert {each["status"] for each in marked["checks"][1:]} == {"SKIP"}
    number = marked["attempt"]
    assert "lab exercise start --again" in marked["checks"][0]["hint"]
    assert classroom.json("exercise", "start", "--again")["attempt"] == number
    code, marked = check(classroom)
    assert [each["id"] for each in marked["checks"] if each["status"] == "FAIL"] == ["voxy_knows_the_name"]


def test_a_machine_without_power_is_named_and_the_work_is_kept(classroom: Realm) -> None:
    """The hint gives the command; after it the check goes on where it was."""
    classroom.lab("exercise", "reset", "include-dir")
    assert classroom.lab("halt", "akuma").returncode == 0
    code, marked = check(classroom)
    assert code == 1
    assert marked["checks"][0]["actual"] == "akuma is stopped"
    assert "lab start akuma" in marked["checks"][0]["hint"]
    assert classroom.lab("start", "akuma").returncode == 0
    code, marked = check(classroom)
    assert statuses(marked)["reachable"] == "PASS" and statuses(marked)["nginx_answers"] == "PASS"


def test_an_interrupted_start_is_begun_again(classroom: Realm) -> None:
    """Ctrl-C in the middle: exit 130, a check says what to do, and the next start is whole."""
    running = classroom.start("exercise", "reset", "server-name")
    wait_for_line(running, "machines anew")
    said = interrupt(running, signal.SIGINT)
    assert running.returncode == 130 and "Traceback" not in said
    refused = classroom.lab("exercise", "check", "server-name")
    assert refused.returncode in (1, 2), refused.stdout
    assert classroom.lab("exercise", "start", "server-name").returncode == 0
    _, marked = check(classroom, "server-name")
    assert [each["id"] for each in marked["checks"] if each["status"] == "FAIL"] == ["domain_gives_its_page"]


def test_another_exercise_on_the_machines_is_said(classroom: Realm) -> None:
    """A check of what is not there would tell lies; an unknown name gets a suggestion."""
    classroom.lab("exercise", "start", "include-dir")
    classroom.lab("exercise", "start", "server-name")
    refused = classroom.lab("exercise", "check", "include-dir")
    assert refused.returncode == 2
    assert (
        "the machines are not at include-dir" in refused.stderr and "lab exercise start include-dir" in refused.stderr
    )
    unknown = classroom.lab("exercise", "start", "ghost-upstraem")
    assert unknown.returncode == 2 and "did you mean ghost-upstream?" in unknown.stderr


def test_watch_sees_the_mend_and_ends(classroom: Realm) -> None:
    """Without a terminal it checks at each change, and ends with the pass; nothing of it stays on the host."""
    classroom.lab("exercise", "reset", "nginx-t")
    running = classroom.start("exercise", "watch", "nginx-t")
    wait_for_line(running, "watching akuma")
    solution = Path(__file__).parents[2] / "exercises" / "02-nginx-t" / "solution" / "akuma.sh"
    env = "DOMAIN=akuma.xyz PORT=3000 TOKEN=x FAULT=missing-semicolon"
    subprocess.run(
        ["ssh", "-F", classroom.home.ssh_config, "akuma", f"{env} bash -s"], stdin=solution.open(), check=True,
        capture_output=True, timeout=60,
    )  # fmt: skip
    said, _ = running.communicate(timeout=WATCHED_S)
    assert running.returncode == 0, said
    assert "10 of 10 points" in said and "Passed." in said
    assert classroom.ssh("akuma", "pgrep -x perl || echo none") == "none"


def test_a_class_its_cards_a_hand_in_and_its_replay(classroom: Realm, tmp_path: Path) -> None:
    """Own domain and port; replayed on clean machines it agrees; changed on its way it is told, and differs."""
    course = tmp_path / "class"
    (tmp_path / "roster.csv").write_text("id,name\nayu,Ayu\nbudi,Budi\n")
    made = classroom.lab("class", "init", tmp_path / "roster.csv", "--folder", course, "--course", "devops")
    assert made.returncode == 0, made.stderr
    (classroom.folder / "student.toml").write_bytes((course / "cards" / "ayu" / "student.toml").read_bytes())
    assert {each["state"] for each in classroom.json("exercise", "list")} == {"open"}, "another's work is not Ayu's"
    task = classroom.json("exercise", "start", "include-dir")["task"]
    assert "akuma.xyz" not in task
    solved = classroom.lab("exercise", "check", "include-dir")
    assert solved.returncode == 1
    typed = classroom.lab("exercise", "solve", "include-dir", "--give-up").stdout
    script = typed[typed.index("# akuma") :]
    assert classroom.lab("exercise", "reset", "include-dir").returncode == 0
    subprocess.run(
        ["ssh", "-F", classroom.home.ssh_config, "akuma", "bash -s"], input=script, text=True, check=True,
        capture_output=True, timeout=60,
    )  # fmt: skip
    code, _ = check(classroom)
    assert code == 0
    hand_in = tmp_path / "hand-ins" / "grade-ayu.json"
    hand_in.parent.mkdir()
    assert classroom.lab("grade", "--out", hand_in).returncode == 0
    (classroom.folder / "student.toml").unlink()

    collected = classroom.lab("grade", "collect", hand_in.parent, "--class", course, "--csv", tmp_path / "grades.csv")
    assert collected.returncode == 0, collected.stdout + collected.stderr
    assert (tmp_path / "grades.csv").read_text().splitlines()[1].startswith("ayu,Ayu,devops,")
    replayed = classroom.lab("grade", "replay", hand_in, "--class", course, "--yes", "--json")
    outcomes = {each["exercise"]: each["outcome"] for each in json.loads(replayed.stdout)["exercises"]}
    assert outcomes["include-dir"] == "agrees", replayed.stdout

    changed = tmp_path / "changed.json"
    changed.write_text(hand_in.read_text().replace("return 200", "return 404"))
    refused = classroom.lab("grade", "replay", changed, "--class", course, "--yes", "--json")
    assert refused.returncode == 1
    assert json.loads(refused.stdout)["signature"] == "changed"
    outcomes = {each["exercise"]: each["outcome"] for each in json.loads(refused.stdout)["exercises"]}
    assert outcomes["include-dir"] == "differs"
