"""libvirt's daemon, where nobody runs it: started for the first lab that needs it, stopped after the last."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from lab import process
from lab.errors import CommandFailed, EnvironmentProblem
from lab.machines.libvirt import URI, virsh
from lab.waiting import wait_for

MARK = Path("/run/lab-libvirtd")
"""Which daemons were started by a lab: a line each, name and process. Gone with a reboot, as they are."""
SYSTEMD = Path("/run/systemd/system")
DAEMONS = ("virtlogd", "libvirtd")
ANSWER_S = 20
START_S = 120
"""A daemon that finds guests running takes them over first, and may try each emulator anew."""


def answers() -> bool:
    """Whether the daemon is there. Where systemd listens in its place, asking starts it.

    It is asked for its own address, for its version it would first try its emulators.

    Raises:
        CommandFailed: it is there, and has not answered for 20 s.
    """
    return process.run("virsh", "--connect", URI, "uri", check=False, timeout_s=ANSWER_S).ok


def ensure() -> bool:
    """Start the daemon when it is not there; whether it had to be.

    Raises:
        EnvironmentProblem: it does not start, or is systemd's to start.
    """
    if _answers_in_time():
        return False
    if SYSTEMD.exists():
        raise EnvironmentProblem("libvirtd does not answer", "sudo systemctl start libvirtd, then try again")
    started = {name: pid for name in DAEMONS if (pid := _started(name))}
    kept = {name: pid for name, pid in _ours().items() if name not in started}
    if started:
        process.as_root("tee", MARK, stdin="".join(f"{name} {pid}\n" for name, pid in {**kept, **started}.items()))
    wait_for("libvirtd", _answers_in_time, within_s=START_S, mend="`libvirtd --verbose` shows what it lacks")
    return bool(started)


def release() -> None:
    """Stop what a lab has started, once no guest and no network of anybody is left."""
    ours = _ours()
    if not ours:
        return
    if answers() and (virsh("list", "--all", "--name").strip() or virsh("net-list", "--name").strip()):
        return
    for name in reversed(DAEMONS):
        if name in ours:
            process.as_root("kill", str(ours[name]), check=False)
            wait_for(f"the end of {name}", lambda name=name: name not in _ours(), within_s=ANSWER_S)  # type: ignore[misc]
    process.as_root("rm", "-f", MARK)


def _answers_in_time() -> bool:
    with suppress(CommandFailed):
        return answers()
    return False


def _started(name: str) -> int:
    """Start a daemon; its process, or 0 where one of somebody else runs already."""
    file = Path("/run") / f"{name}.pid"
    if _is_alive(name, _pid(file)):
        return 0
    process.as_root(name, "--daemon")
    return wait_for(f"{name}'s process", lambda: _pid(file), within_s=ANSWER_S)


def _ours() -> dict[str, int]:
    """The daemons that a lab started and that still run."""
    lines = MARK.read_text(encoding="utf-8").split("\n") if MARK.exists() else []
    found = {name: int(pid) for name, _, pid in (line.partition(" ") for line in lines) if pid.isdigit()}
    return {name: pid for name, pid in found.items() if _is_alive(name, pid)}


def _is_alive(name: str, pid: int) -> bool:
    with suppress(OSError):
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
        return stat.split(" ")[1] == f"({name})" and stat.split(" ")[2] != "Z"
    return False


def _pid(file: Path) -> int:
    text = process.as_root("cat", file, check=False).stdout.strip()
    return int(text) if text.isdigit() else 0
