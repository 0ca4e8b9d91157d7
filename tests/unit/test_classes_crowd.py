"""Many commands at once: what fails, dies, hangs or is interrupted harms no other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.classes import crowd
from lab.classes.crowd import Errand, Outcome, Progress, Stopped, run, worst

SHELL = ("sh", "-c")
"""Errands of these tests are shell scripts."""


@pytest.fixture
def errand(tmp_path: Path) -> Callable[[str, str], Errand]:
    """Makes an errand for a student: a script, in a folder of the student's."""

    def make(student: str, script: str) -> Errand:
        (tmp_path / student).mkdir()
        return Errand(student, tmp_path / student, (script,))

    return make


Make = Callable[[str, str], Errand]


def test_outcomes_come_in_the_order_of_the_errands_with_what_was_printed(errand: Make) -> None:
    """The slow one is the first all the same."""
    both = [errand("ana", """sleep 0.3; echo '{"url": 1}'"""), errand("budi", "pwd; exit 0")]
    ana, budi = run(both, "up", program=SHELL)
    assert (ana.student, ana.code, ana.result, ana.said) == ("ana", 0, {"url": 1}, "")
    assert (budi.student, budi.code, budi.result) == ("budi", 0, None)
    assert ana.seconds >= 0.3


def test_each_works_in_its_folder_without_a_keyboard_and_writes_its_own_log(errand: Make) -> None:
    """A command that asks gets the end of the file, not the teacher's terminal."""
    one = errand("ana", "pwd >&2; cat; echo over >&2; exit 1")
    (ana,) = run([one], "save", program=SHELL)
    assert ana.code == 1 and ana.said == "over"
    log = (one.folder / ".lab/logs/class-save.log").read_text()
    assert log == f"{one.folder}\nover\n"


def test_a_failure_is_told_by_the_sentence_of_its_error(errand: Make) -> None:
    """Notes around it and the mend below it are in the log."""
    script = "echo note >&2; echo 'lab: voxy: no room' >&2; echo '  → lab destroy' >&2; exit 4"
    (ana,) = run([errand("ana", script)], "up", program=SHELL)
    assert (ana.code, ana.said) == (4, "voxy: no room")


def test_what_fails_or_dies_or_cannot_begin_stops_no_other(errand: Make, tmp_path: Path) -> None:
    """Each outcome says its own cause."""
    (tmp_path / "file").write_text("in the way")
    errands = [
        errand("ana", "exit 2"), errand("budi", "kill -9 $$"), Errand("cici", tmp_path / "file", ("true",)),
        errand("dewi", "true"),
    ]  # fmt: skip
    ana, budi, cici, dewi = run(errands, "up", parallel=1, program=SHELL)
    assert (ana.code, budi.code, cici.code, dewi.code) == (2, 70, 4, 0)
    assert "signal 9" in budi.said
    assert "cannot be begun" in cici.said


def test_one_that_hangs_is_interrupted_at_its_deadline(errand: Make) -> None:
    """It may heal; then it counts as late, whatever code it ends with."""
    script = "trap 'touch healed; exit 0' TERM; while :; do sleep 0.05; done"
    one, other = errand("ana", script), errand("budi", "true")
    ana, budi = run([one, other], "up", within_s=0.5, program=SHELL)
    assert ana.code == 4 and "not finished after 0 s" in ana.said
    assert (one.folder / "healed").exists()
    assert budi.ok


def test_one_that_does_not_heed_the_interrupt_is_killed_with_what_it_started(errand: Make) -> None:
    """A grandchild that holds nothing open would stay for ever."""
    one = errand("ana", "trap '' TERM; sleep 60 & echo $! >child; wait; sleep 60")
    began = time.monotonic()
    (ana,) = run([one], "up", within_s=0.3, last_breath_s=0.3, program=SHELL)
    assert ana.code == 4
    assert time.monotonic() - began < 20
    child = int((one.folder / "child").read_text())
    assert _ends(child)


def test_no_more_than_so_many_run_at_once(errand: Make) -> None:
    """Each is seen running at some time."""
    seen: list[int] = []
    names: set[str] = set()

    def watch(progress: Progress) -> None:
        seen.append(len(progress.running))
        names.update(progress.running)
        assert progress.total == 5

    done = run([errand(f"s{i}", "sleep 0.2") for i in range(5)], "up", parallel=2, watch=watch, program=SHELL)
    assert max(seen) == 2
    assert names == {f"s{i}" for i in range(5)}
    assert all(outcome.ok for outcome in done)


def test_an_interrupt_ends_those_under_way_in_order_and_begins_no_other(errand: Make) -> None:
    """They heal, then the interrupt goes on with what each has come to."""
    healing = "trap 'sleep 0.3; touch healed; exit 130' TERM; touch begun; while :; do sleep 0.05; done"
    errands = [errand("ana", "true"), errand("budi", healing), errand("cici", "touch begun")]

    def watch(progress: Progress) -> None:
        if (errands[1].folder / "begun").exists():
            raise KeyboardInterrupt

    with pytest.raises(Stopped) as stopped:
        run(errands, "up", parallel=1, watch=watch, program=SHELL)
    ana, budi, cici = stopped.value.outcomes
    assert (ana.code, budi.code, cici.code) == (0, 130, 130)
    assert (errands[1].folder / "healed").exists()
    assert cici.said == "was not begun" and not (errands[2].folder / "begun").exists()


def test_a_bug_of_ours_leaves_no_command_running(errand: Make) -> None:
    """It is raised when they have ended."""
    one = errand("ana", "echo $$ >child; sleep 60")

    def watch(progress: Progress) -> None:
        if (one.folder / "child").exists() and (one.folder / "child").read_text():
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run([one], "up", watch=watch, program=SHELL)
    assert _ends(int((one.folder / "child").read_text()))


def test_sigterm_ends_a_crowd_of_a_real_process_and_its_children_heal(errand: Make, tmp_path: Path) -> None:
    """Only we get the signal; the children are in groups of their own and get it from us, once."""
    healing = "trap 'echo x >>healed; exit 130' TERM; touch begun; while :; do sleep 0.05; done"
    one = errand("ana", healing)
    program = tmp_path / "crowd.py"
    program.write_text(
        "import sys\nfrom pathlib import Path\nfrom lab.classes.crowd import Errand, Stopped, run\n"
        "from lab.signals import heed\nheed()\n"
        f"try:\n    run([Errand('ana', Path({str(one.folder)!r}), ({healing!r},))], 'up', program=('sh', '-c'))\n"
        "except Stopped as stopped:\n    sys.exit(stopped.outcomes[0].code)\n"
    )
    running = subprocess.Popen([sys.executable, program], cwd=Path(__file__).parents[2])
    _wait_for((one.folder / "begun").exists)
    running.send_signal(signal.SIGTERM)
    assert running.wait(timeout=30) == 130
    assert (one.folder / "healed").read_text() == "x\n"


def test_the_signals_of_the_caller_are_put_back(errand: Make) -> None:
    """A crowd shields its own bookkeeping, and nothing after it."""
    before = signal.getsignal(signal.SIGINT)
    run([errand("ana", "true")], "up", program=SHELL)
    assert signal.getsignal(signal.SIGINT) is before
    assert threading.current_thread() is threading.main_thread()


def test_the_worst_code_counts() -> None:
    """A deviation is less than an environment's fault, and that is less than a bug."""
    assert worst(()) == 0
    assert worst([Outcome("a", 0), Outcome("b", 1), Outcome("c", 4), Outcome("d", 2)]) == 4
    assert worst([Outcome("a", 4), Outcome("b", 70)]) == 70


def test_our_own_program_runs_and_no_file_of_the_folder_takes_its_place(tmp_path: Path) -> None:
    """A lab.py in a student's folder is not imported."""
    (tmp_path / "lab.py").write_text("raise SystemExit(9)")
    (told,) = run([Errand("ana", tmp_path, ("exercise", "list", "--json"))], "list")
    assert told.code == 0, told.said
    assert told.result[0]["id"]


def test_no_name_of_another_lab_leaks_in(errand: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """LAB_NAME names a lab of the teacher's own folder."""
    monkeypatch.setenv("LAB_NAME", "b")
    (ana,) = run([errand("ana", '[ -z "${LAB_NAME-}" ]')], "up", program=SHELL)
    assert ana.ok


def test_as_many_as_processors_and_one_more() -> None:
    """Unless another number is asked for."""
    assert crowd.usual_parallel() == (os.cpu_count() or 1) + 1


def _ends(pid: int) -> bool:
    def is_gone() -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            return True

    return _wait_for(is_gone)


def _wait_for(condition: Callable[[], bool]) -> bool:
    until = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < until, "did not happen"
        time.sleep(0.02)
    return True
