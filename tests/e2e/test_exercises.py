"""The content of the exercises, in full and on real machines: every starting state, solution, mistake and reset.

No exercise is left out: the list is the one that ships. They are tried in two labs side by side, each in a process of
its own, for most of their time goes by in waiting: for boots, for nginx, for a fault to last. Those that send a
scenario's load come afterwards, one by one: a load that shares its processors with another lab is not sent in time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from queue import SimpleQueue
from subprocess import CompletedProcess

import pytest

from lab.exercises.exercise import load, names
from tests.e2e.conftest import with_hello
from tests.realm import Realm

LONGEST_S = 900
Tried = Future[CompletedProcess[str]]


@pytest.fixture(scope="module")
def tried(
    classroom: Realm, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[dict[str, Tried]]:
    """`lab exercise test` of each exercise that is asked for, in whichever of the two labs is free."""
    asked = {item.callspec.params.get("name") for item in request.session.items if hasattr(item, "callspec")}
    wanted = [name for name in names() if name in asked]
    with (
        with_hello(tmp_path_factory.mktemp("second"), 66) as second,
        ThreadPoolExecutor(2) as together, ThreadPoolExecutor(1) as alone,
    ):  # fmt: skip
        free: SimpleQueue[Realm] = SimpleQueue()
        for each in (classroom, second):
            free.put(each)

        def attempt(name: str) -> CompletedProcess[str]:
            realm = free.get()
            try:
                return realm.lab("exercise", "test", name, "--json", timeout_s=LONGEST_S)
            finally:
                free.put(realm)

        quiet = {name: together.submit(attempt, name) for name in wanted if not sends_load(name)}

        def attempt_alone(name: str) -> CompletedProcess[str]:
            wait(quiet.values())
            return attempt(name)

        try:
            yield {**quiet, **{name: alone.submit(attempt_alone, name) for name in wanted if sends_load(name)}}
        finally:
            together.shutdown(cancel_futures=True)
            alone.shutdown(cancel_futures=True)


def sends_load(name: str) -> bool:
    """Whether a check of the exercise runs a scenario."""
    return "run_scenario(" in (load(name).folder / "checks.py").read_text(encoding="utf-8")


@pytest.mark.timeout(LONGEST_S)
@pytest.mark.parametrize("name", names())
def test_an_exercise_is_as_it_says(tried: dict[str, Tried], name: str) -> None:
    """Start fails what it lists, the solution passes twice, mistakes are caught, reset = start, three students."""
    done = tried[name].result()
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    wrong = [f"{finding['what']}\n{finding['seen']}" for finding in found if not finding["ok"]]
    assert (done.returncode, wrong) == (0, []), "\n".join([*wrong, done.stderr])
    assert len(found) >= 1 + 2 + 1 + 1 + 4, "files, start and solution, a mistake, reset, two more students"


def test_there_are_fifteen() -> None:
    """None is lost, and their order is the course's."""
    assert names() == [
        "hello-web", "nginx-t", "include-dir", "server-name", "hosts-file", "see-502", "run-app", "pm2", "backends",
        "upstream", "ghost-upstream", "kill-voxy", "voxy-dark", "hardening", "capstone",
    ]  # fmt: skip
