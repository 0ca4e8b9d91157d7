"""After a run: the log's own lines, the POSTs that were executed, and what the faults left."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from lab import aftermath, journal
from lab.aftermath import LOG, collect_log, record_leftovers, record_posts
from lab.errors import CommandFailed, EnvironmentProblem
from lab.home import Home
from lab.journal import Journal
from lab.ledger import Ledger
from lab.records import LeftoverRecord, PostsRecord, Record
from lab.run_folder import RunFolder
from lab.sample import Clock
from tests.unit.playing import Playing, entry

RUN = "20260101-120000-kill-voxy"


@pytest.fixture
def lab(home: Home) -> Playing:
    """A lab that runs."""
    return Playing(home)


@pytest.fixture
def folder(home: Home) -> RunFolder:
    """The run's folder."""
    path = home.path / "runs" / RUN
    path.mkdir(parents=True)
    return RunFolder(RUN, path)


def records(folder: RunFolder) -> tuple[Record, ...]:
    """What was written down."""
    return journal.read(folder.journal).records


def posts(lab: Playing, host: str, **executed: int) -> None:
    """What a backend says it executed: the id's end → how often."""
    said = [{"id": f"{RUN}-{id}", "count": count} for id, count in executed.items()]
    lab.hosts[host].script["/posts"] = json.dumps([*said, {"id": "other-run-1", "count": 9}])


def test_the_log_is_copied_and_the_copy_on_the_host_removed(lab: Playing, folder: RunFolder) -> None:
    """Byte by byte: its judge reads it."""
    picked = f"/tmp/lab-{RUN}.jsonl"
    lab.hosts["akuma"].files[picked] = b'{"id":"x"}\n'
    collect_log(lab.session, folder, RUN)
    assert (folder.path / "access.jsonl").read_bytes() == b'{"id":"x"}\n'
    assert lab.commands("akuma")[-1] == f"rm -f {picked}"
    assert all(ran.root for ran in lab.hosts["akuma"].ran)


def test_only_this_runs_lines_are_picked(lab: Playing, folder: RunFolder, tmp_path: Path) -> None:
    """Also those that were rotated away in the middle; really run, on files of the test."""
    lab.hosts["akuma"].files[f"/tmp/lab-{RUN}.jsonl"] = b""
    collect_log(lab.session, folder, RUN)
    command = lab.commands("akuma")[0]
    log, picked = tmp_path / "akuma.log", tmp_path / "picked"
    log.with_name("akuma.log.1").write_text(f'{{"id":"{RUN}-000001"}}\n{{"id":"other-000001"}}\n')
    log.write_text(f'{{"id":"{RUN}-000002"}}\n{{"id":"{RUN}x-000001"}}\n{{"x":"{RUN}-000003"}}\n')
    command = command.replace(LOG, str(log)).replace(f"/tmp/lab-{RUN}.jsonl", str(picked))
    subprocess.run(["sh", "-c", command], check=True)
    assert picked.read_text() == f'{{"id":"{RUN}-000001"}}\n{{"id":"{RUN}-000002"}}\n'


def test_of_others_those_who_met_a_failure_are_picked(lab: Playing, folder: RunFolder, tmp_path: Path) -> None:
    """By one of them nginx may have found out; a line of ours is picked once, and of others the last thousand."""
    lab.hosts["akuma"].files[f"/tmp/lab-{RUN}.jsonl"] = b""
    collect_log(lab.session, folder, RUN)
    log, picked = tmp_path / "akuma.log", tmp_path / "picked"
    ours = f'{{"id":"{RUN}-000001","status":200,"upstream_addr":"10.0.0.1:3000, 10.0.0.2:3000"}}\n'
    served = '{"id":"","status":200,"upstream_addr":"10.0.0.1:3000"}\n'
    retried = '{"id":"","status":200,"upstream_addr":"10.0.0.1:3000, 10.0.0.2:3000"}\n'
    failed = served.replace("200", "502")
    log.write_text(f"{ours}{served}{retried}{failed}{served.replace('200', '404')}{served.replace('200', '499')}")
    command = lab.commands("akuma")[0].replace(LOG, str(log)).replace(f"/tmp/lab-{RUN}.jsonl", str(picked))
    subprocess.run(["sh", "-c", command], check=True)
    assert picked.read_text() == ours + retried + failed
    log.write_text(ours + 5 * served + 1001 * retried)
    subprocess.run(["sh", "-c", command], check=True)
    assert picked.read_text() == ours + 1000 * retried


def test_a_log_without_a_line_of_ours_is_empty_and_no_error(lab: Playing, folder: RunFolder, tmp_path: Path) -> None:
    """As when the balancer was dead all the time: a gate says so."""
    lab.hosts["akuma"].files[f"/tmp/lab-{RUN}.jsonl"] = b""
    collect_log(lab.session, folder, RUN)
    picked = tmp_path / "picked"
    command = lab.commands("akuma")[0].replace(LOG, str(tmp_path / "none"))
    subprocess.run(["sh", "-c", command.replace(f"/tmp/lab-{RUN}.jsonl", str(picked))], check=True)
    assert picked.read_bytes() == b""


def test_a_full_disk_here_is_a_sentence(lab: Playing, folder: RunFolder) -> None:
    """The log is the second biggest file of a run."""
    lab.hosts["akuma"].files[f"/tmp/lab-{RUN}.jsonl"] = b"x" * 100
    (folder.path / "access.jsonl").symlink_to("/dev/full")
    with pytest.raises(EnvironmentProblem, match=r"access\.jsonl"):
        collect_log(lab.session, folder, RUN)


def test_posts_are_counted_by_run_and_by_execution(lab: Playing, folder: RunFolder) -> None:
    """An id once for each time that it was executed; those of other runs are not ours."""
    posts(lab, "voxy", a=1, b=2)
    posts(lab, "zero", b=1)
    with Journal(folder.journal) as written:
        record_posts(lab.session, written, Clock.start(), RUN)
    voxy, zero = records(folder)
    assert isinstance(voxy, PostsRecord) and isinstance(zero, PostsRecord)
    assert (voxy.host, voxy.ids) == ("voxy", (f"{RUN}-a", f"{RUN}-b", f"{RUN}-b"))
    assert (zero.host, zero.ids) == ("zero", (f"{RUN}-b",))
    assert "http://127.0.0.1:3001/posts" in lab.commands("voxy")[0]


def test_a_run_whose_name_begins_like_ours_is_not_ours(lab: Playing, folder: RunFolder) -> None:
    """`…-kill` and `…-kill-voxy` may be in the same second."""
    lab.hosts["voxy"].script["/posts"] = json.dumps([{"id": f"{RUN}2-000001", "count": 1}])
    posts(lab, "zero")
    with Journal(folder.journal) as written:
        record_posts(lab.session, written, Clock.start(), RUN)
    voxy = records(folder)[0]
    assert isinstance(voxy, PostsRecord) and voxy.ids == ()


def test_a_backend_that_cannot_say_is_an_error(lab: Playing, folder: RunFolder) -> None:
    """Never an empty list: not measured is not zero."""
    lab.hosts["voxy"].script["/posts"] = 7
    with Journal(folder.journal) as written, pytest.raises(CommandFailed):
        record_posts(lab.session, written, Clock.start(), RUN)


def test_every_host_is_looked_at(lab: Playing, folder: RunFolder) -> None:
    """Nothing found is written down too, with who was asked."""
    with Journal(folder.journal) as written:
        record_leftovers(lab.session, written, Clock.start(), Ledger(lab.home))
    (found,) = records(folder)
    assert isinstance(found, LeftoverRecord)
    assert (found.hosts, found.found) == (("akuma", "voxy", "zero"), ())
    assert all(host.ran[0].root for host in lab.hosts.values())


def test_what_is_left_is_told_with_its_host(lab: Playing, folder: RunFolder) -> None:
    """And what the ledger still has."""
    lab.hosts["voxy"].script["nft list"] = "nftables: table lab_fault\n  stopped process: (node)\n"
    ledger = Ledger(lab.home)
    ledger.write(entry())
    with Journal(folder.journal) as written:
        record_leftovers(lab.session, written, Clock.start(), ledger)
    (found,) = records(folder)
    assert isinstance(found, LeftoverRecord)
    assert found.found == (
        "ledger: cut_link voxy", "voxy: nftables: table lab_fault", "voxy: stopped process: (node)"
    )  # fmt: skip


def test_the_look_is_a_shell_script_that_succeeds() -> None:
    """Its last word is true, so that nothing found is no failure."""
    subprocess.run(["sh", "-n"], input=aftermath._LOOK, text=True, check=True)
    assert aftermath._LOOK.rstrip().endswith("\ntrue")


def test_the_look_finds_a_stopped_process() -> None:
    """Really run on this computer, with a process of the test."""
    sleeper = subprocess.Popen(["sleep", "60"])
    try:
        sleeper.send_signal(19)
        subprocess.run(["sh", "-c", f"until grep -q ' T ' /proc/{sleeper.pid}/stat; do :; done"], timeout=5, check=True)
        look = aftermath._LOOK.replace("/proc/[0-9]*", f"/proc/{sleeper.pid}")
        found = subprocess.run(["sh", "-c", look], capture_output=True, text=True, check=True, timeout=30).stdout
        assert "stopped process: (sleep)" in found
    finally:
        sleeper.kill()
        sleeper.wait(5)
