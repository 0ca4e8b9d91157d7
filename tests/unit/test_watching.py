"""A change on a host is noticed, once, and nothing else is; the script is the real one, on folders of the test."""

from __future__ import annotations

import os
import select
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

import pytest

from lab.errors import MissingTool
from lab.exercises import lookout
from lab.exercises.lookout import GONE, SCRIPT, Lookout
from lab.exercises.watching import PLACES, Watcher
from lab.waiting import wait_for

_SSH = """#!/bin/sh
# Stands for ssh: runs the command here, for a host that is there, in the host's folder.
for last; do host=$command; command=$last; done
cd "$(dirname "$0")/$host" || exit 255
echo $$ >>pids
[ ! -e off ] || exit 255
cat banner 2>/dev/null
exec sh -c "$command"
"""
_TCP = "  sl  local_address rem_address   st\n   0: 00000000:0016 00000000:0000 0A 00000000:00000000\n"
OLD = 1_700_000_000


class Hosts:
    """Two hosts, each a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.ssh = root / "ssh"
        self.ssh.write_text(_SSH)
        self.ssh.chmod(0o755)
        for host in ("akuma", "voxy"):
            self.write(host, "etc/nginx.conf", "listen 80;", OLD)
            self.write(host, "home/vagrant/app/server.js", "//", OLD)
            self.write(host, "proc/net/tcp", _TCP)
            self.write(host, "proc/net/tcp6", "")
            self.write(host, "proc/net/sockstat", "sockets: used 9\nTCP: inuse 2 orphan 0\n")
            self.write(host, "proc/net/sockstat6", "TCP6: inuse 1\n")
            self.write(host, "proc/100/comm", "nginx\n")
            self.write(host, "proc/self/comm", "nginx\n")

    def write(self, host: str, path: str, text: str, at: int = 0) -> None:
        """Write a file, as if at some time."""
        file = self.root / host / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        if at:
            os.utime(file, (at, at))

    def watcher(self) -> Watcher:
        """Of both."""
        return Watcher(self.root / "config", ("akuma", "voxy"), places=("proc", "etc", "home:4"), ssh=str(self.ssh))

    def pids(self, host: str) -> list[int]:
        """Of every ssh that was ever started to a host; it becomes the perl."""
        return [int(pid) for pid in (self.root / host / "pids").read_text().split()]

    def leave(self, host: str) -> None:
        """End the connection, and let no other in."""
        (self.root / host / "off").touch()
        os.kill(self.pids(host)[-1], signal.SIGKILL)

    def alive(self) -> list[int]:
        """Of all that was started, what still is."""
        return [pid for host in ("akuma", "voxy") for pid in self.pids(host) if Path(f"/proc/{pid}").exists()]


@pytest.fixture
def hosts(tmp_path: Path) -> Hosts:
    """As they were for a long time."""
    return Hosts(tmp_path)


@pytest.fixture
def watcher(hosts: Hosts) -> Iterator[Watcher]:
    """That knows how they are."""
    with hosts.watcher() as made:
        made.mark()
        assert GONE not in made.settle().values()
        yield made
    assert hosts.alive() == []


def _add(path: str, text: str = "x") -> Callable[[Hosts], None]:
    return lambda hosts: hosts.write("voxy", path, text)


def _listen(table: str, text: str, count: str) -> Callable[[Hosts], None]:
    def act(hosts: Hosts) -> None:
        hosts.write("voxy", f"proc/net/{table}", text)
        hosts.write("voxy", f"proc/net/{count}", f"{'TCP6' if count[-1] == '6' else 'TCP'}: inuse 7\n")

    return act


def _chmod(hosts: Hosts) -> None:
    (hosts.root / "voxy" / "etc" / "nginx.conf").chmod(0o600)


def _remove(hosts: Hosts) -> None:
    (hosts.root / "voxy" / "etc" / "nginx.conf").unlink()


def _relink(hosts: Hosts) -> None:
    (hosts.root / "voxy" / "etc" / "enabled").symlink_to("nowhere")


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(_add("etc/nginx.conf", "listen 81;"), id="edited, equally long"),
        pytest.param(_add("etc/new/deep/down/site.conf", ""), id="an empty file"),
        pytest.param(_add("home/vagrant/.bash_history", "ls"), id="a shell ended"),
        pytest.param(_add("home/vagrant/.pm2/dump.pm2"), id="pm2 save"),
        pytest.param(_chmod, id="mode"),
        pytest.param(_remove, id="removed"),
        pytest.param(_relink, id="a link to nowhere"),
        pytest.param(_listen("tcp6", _TCP.replace("0016", "0BB8"), "sockstat6"), id="a port"),
        pytest.param(_listen("tcp", "", "sockstat"), id="a port closed"),
        pytest.param(_add("proc/101/comm", "nginx\n"), id="a worker"),
        pytest.param(_add("proc/102/comm", "node /home/vagr\n"), id="an app"),
        pytest.param(_add("proc/103/comm", "PM2 v7.0.4: God\n"), id="pm2"),
    ],
)
def test_each_change_makes_another_number(hosts: Hosts, watcher: Watcher, act: Callable[[Hosts], None]) -> None:
    """On that host; the other is as it was."""
    before = watcher.settle()
    act(hosts)
    after = watcher.settle()
    assert before["akuma"] == after["akuma"]
    assert before["voxy"] != after["voxy"]


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(_add("etc/nginx.conf", "listen 81;"), id="file"),
        pytest.param(_listen("tcp6", _TCP.replace("0016", "0BB8"), "sockstat6"), id="port"),
        pytest.param(_add("proc/101/comm", "nginx\n"), id="process"),
    ],
)
def test_a_change_is_told_once(hosts: Hosts, watcher: Watcher, act: Callable[[Hosts], None]) -> None:
    """Within about a second, unasked."""
    act(hosts)
    assert watcher.wait_for_change(None, 5) == "change"
    assert watcher.wait_for_change(None, 0.7) == "time"


def test_what_is_no_work_is_no_change(hosts: Hosts, watcher: Watcher) -> None:
    """What tools and visitors write, what is too deep, a connection, other programs."""
    for path in (
        "home/vagrant/app/a/b/c", "home/vagrant/.cache/x", "home/vagrant/.pm2/logs/out", "home/vagrant/.git/index",
        "home/vagrant/node_modules/x", "etc/access.log",
    ):  # fmt: skip
        (hosts.root / "voxy" / path).parent.mkdir(parents=True, exist_ok=True)
    watcher.mark()
    hosts.write("voxy", "home/vagrant/app/a/b/c", "too deep")
    for path in ("home/vagrant/.cache/x", "home/vagrant/.pm2/logs/out", "home/vagrant/node_modules/x"):
        hosts.write("voxy", path, "written by a tool")
    hosts.write("voxy", "home/vagrant/.git/index", "by git")
    hosts.write("voxy", "proc/200/comm", "bash\n")
    _listen("tcp", _TCP + _TCP.splitlines()[1].replace("0A", "01") + "\n", "sockstat")(hosts)
    assert watcher.wait_for_change(None, 0.8) == "time"


def test_two_edits_within_a_second_are_two_changes(hosts: Hosts, watcher: Watcher) -> None:
    """Equally long, in the same file: all that the script sees of it is the same, but for its text."""
    found = []
    for text in ("listen 81;", "listen 82;", "listen 83;"):
        hosts.write("voxy", "etc/nginx.conf", text)
        found.append(watcher.settle()["voxy"])
    assert len(set(found)) == 3


def test_what_goes_back_is_no_change(hosts: Hosts, watcher: Watcher) -> None:
    """A process that has come and gone, as `nginx -t`."""
    hosts.write("voxy", "proc/101/comm", "nginx\n")
    wait_for("word of it", lambda: watcher.read() and watcher.differs(), within_s=3, every_s=0.01)
    (hosts.root / "voxy/proc/101/comm").unlink()
    assert watcher.wait_for_change(None, 1) == "time"
    assert not watcher.differs()


@pytest.mark.parametrize("stays", [True, False])
def test_a_check_is_no_change_but_what_the_student_does_meanwhile_is(
    hosts: Hosts, watcher: Watcher, stays: bool
) -> None:
    """Between pause and resume only what is left at the end counts."""
    watcher.pause()
    hosts.write("voxy", "proc/101/comm", "nginx\n")
    sleep(0.6)  # the script has seen it
    if not stays:
        (hosts.root / "voxy/proc/101/comm").unlink()
    watcher.resume()
    assert watcher.differs() is stays
    assert watcher.wait_for_change(None, 0.8) == ("change" if stays else "time")


def test_a_change_before_the_check_belongs_to_the_check(hosts: Hosts, watcher: Watcher) -> None:
    """It has seen it. After a check that changes things, `mark` says so."""
    hosts.write("voxy", "etc/new", "")
    watcher.pause()
    watcher.resume()
    assert watcher.wait_for_change(None, 0.7) == "time"
    hosts.write("voxy", "etc/newer", "")
    watcher.mark()
    assert watcher.wait_for_change(None, 0.7) == "time"


def test_a_key_comes_first_and_the_change_is_kept(hosts: Hosts, watcher: Watcher) -> None:
    """Also while it is not quiet yet."""
    keys, person = os.pipe()
    hosts.write("voxy", "etc/new", "")
    os.write(person, b"h")
    assert watcher.wait_for_change(keys, 5) == "key"
    watcher.settle()
    assert watcher.wait_for_change(keys, 5) == "key"
    os.read(keys, 1)
    assert watcher.wait_for_change(keys, 5) == "change"
    os.close(keys)
    os.close(person)


def test_unrest_does_not_hold_the_change_back(hosts: Hosts, watcher: Watcher, monkeypatch: pytest.MonkeyPatch) -> None:
    """An app that crashes and starts for ever: after a while it is told all the same."""
    monkeypatch.setattr("lab.exercises.watching.QUIET_S", 60)
    monkeypatch.setattr("lab.exercises.watching.UNREST_S", 0.5)
    hosts.write("voxy", "etc/new", "")
    assert watcher.wait_for_change(None, 5) == "change"


def test_a_host_that_goes_and_one_that_comes_have_changed(hosts: Hosts, watcher: Watcher) -> None:
    """It is called again once a second, not more; back as it was it has the number that it had."""
    before = watcher.settle()
    hosts.leave("voxy")
    began = monotonic()
    assert watcher.wait_for_change(None, 5) == "change"
    assert monotonic() - began < 1
    assert watcher.settle() == {**before, "voxy": GONE}
    assert watcher.wait_for_change(None, 2.5) == "time"
    assert len(hosts.pids("voxy")) in (2, 3, 4)
    (hosts.root / "voxy" / "off").unlink()
    assert watcher.wait_for_change(None, 5) == "change"
    assert watcher.settle() == before


def test_a_host_that_is_off_from_the_start_is_gone(hosts: Hosts) -> None:
    """The others are watched; nobody waits for it twice."""
    (hosts.root / "voxy" / "off").touch()
    with hosts.watcher() as watcher:
        watcher.pause()
        began = monotonic()
        assert watcher.settle()["voxy"] == GONE
        assert monotonic() - began < 1
        hosts.write("akuma", "etc/new", "")
        assert watcher.wait_for_change(None, 5) == "change"
    assert hosts.alive() == []


def test_a_host_that_does_not_answer_is_not_waited_for_for_ever(
    hosts: Hosts, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It counts as it was; its late answer is taken when it comes."""
    monkeypatch.setattr("lab.exercises.watching.ANSWER_S", 0.3)
    before = watcher.settle()
    pid = hosts.pids("voxy")[-1]
    os.kill(pid, signal.SIGSTOP)
    hosts.write("voxy", "etc/new", "")
    began = monotonic()
    assert watcher.settle() == before
    assert monotonic() - began < 1
    os.kill(pid, signal.SIGCONT)
    assert watcher.wait_for_change(None, 5) == "change"


def test_what_a_login_shell_says_is_passed_over(hosts: Hosts) -> None:
    """A student may greet themselves."""
    hosts.write("voxy", "banner", "Welcome!\n= not\nHi\n! there\n")
    with hosts.watcher() as watcher:
        watcher.mark()
        assert watcher.wait_for_change(None, 0.7) == "time"


def test_the_first_wait_marks_by_itself(hosts: Hosts) -> None:
    """That the hosts have begun to talk is no change."""
    with hosts.watcher() as watcher:
        assert not watcher.differs()
        assert watcher.wait_for_change(None, 0.7) == "time"
        assert len(watcher.filenos()) == 2
    assert watcher.filenos() == ()


def test_nothing_is_left_when_the_block_breaks(hosts: Hosts) -> None:
    """No process, here or there."""

    def broken() -> None:
        with hosts.watcher() as watcher:
            watcher.mark()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken()
    assert hosts.alive() == []


def test_an_ssh_that_will_not_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a moment."""
    monkeypatch.setattr(lookout, "END_S", 0.2)
    deaf = Lookout(["sh", "-c", "trap '' TERM; echo '! 00000000000000ff'; while :; do sleep 0.1; done"])
    deaf.start()
    wait_for("the first line", lambda: deaf.read(), within_s=5, every_s=0.01)
    assert deaf.number == "00000000000000ff"
    began = monotonic()
    deaf.end()
    deaf.bury()
    assert 0.2 <= monotonic() - began < 2


def test_without_ssh_there_is_a_mend(tmp_path: Path) -> None:
    """Said before anything is started."""
    with pytest.raises(MissingTool, match="`no-such-ssh` is not installed"):
        Watcher(tmp_path, ("voxy",), ssh="no-such-ssh")


@pytest.mark.parametrize("lost", ["stdin", "stdout"])
def test_the_script_ends_when_nobody_listens(hosts: Hosts, lost: str) -> None:
    """Its input ends, or what it prints goes nowhere."""
    script = subprocess.Popen(
        ["perl", "-", "proc", "etc"], cwd=hosts.root / "voxy", stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert script.stdin and script.stdout
    script.stdin.write(SCRIPT.read_bytes())
    script.stdin.flush()
    assert select.select([script.stdout], [], [], 5)[0]
    (script.stdin if lost == "stdin" else script.stdout).close()
    hosts.write("voxy", "etc/new", "")
    script.wait(timeout=3)
    with suppress(OSError):
        script.stdin.close()
    script.stdout.close()


def test_the_script_needs_nothing_but_perl_base() -> None:
    """Digest::MD5 and Time::HiRes are in the package perl, which a host may lack. It starts no program."""
    code = [line.partition("#")[0] for line in SCRIPT.read_text().splitlines()]
    assert {line.split()[1] for line in code if line.strip().startswith("use ")} == {"strict;", "warnings;", "integer;"}
    assert not [line for line in code if any(word in line for word in ("system", "exec ", "`", "fork", "qx"))]
    assert "/etc/nginx" in PLACES
