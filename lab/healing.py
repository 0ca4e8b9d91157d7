"""Injects faults and heals them, always by way of the ledger and with a dead-man timer on the host."""

from __future__ import annotations

from uuid import uuid4

from lab.errors import EnvironmentProblem, LabError
from lab.faults import Fault, Sign
from lab.host import Host
from lab.ledger import Entry, Ledger
from lab.machines.capabilities import Capability
from lab.machines.protocol import State
from lab.proof import require_serving
from lab.session import Session
from lab.topology import Role
from lab.virtual_network import network_of
from lab.waiting import wait_for

CONFIRM_S = 5
BACK_S = 30
DEAD_MAN_MARGIN_S = 30
_PROBE = "curl -sS -o /dev/null --max-time 1 -w '%%{http_code} %%{time_total}' http://%s/"
_REFUSED, _SILENT = 7, 28
_GONE = (_REFUSED, _SILENT, 52, 55, 56)
"""curl's codes for no answer: refused or unreachable, late, empty, and broken in sending or receiving."""


def write_down(fault: Fault, ledger: Ledger, run: str, balancer: str = "") -> Entry:
    """The fault's entry, on the disk when this returns."""
    where = balancer if fault.by_balancer else fault.host
    entry = Entry(uuid4().hex[:12], fault.what, where, fault.kind, fault.undo, run)
    ledger.write(entry)
    return entry


def inject(session: Session, fault: Fault, entry: Entry) -> str:
    """Do it; what it says of how it is done. What runs on the host is armed first with a timer, should we die.

    Raises:
        LabError: it could not be done; the caller heals.
    """
    if fault.kind == "power":
        session.machines.power_off(fault.host, graceful=False)
        return ""
    host = session.host(entry.host)
    host.run(
        "systemd-run --quiet --collect --unit=%s --on-active=%s --timer-property=AccuracySec=100ms sh -c %s",
        _unit(entry), f"{fault.lasting.seconds + DEAD_MAN_MARGIN_S * session.patience:.0f}", fault.undo, root=True,
    )  # fmt: skip
    last = host.run(fault.inject, root=True).stdout.strip().rpartition("\n")[2]
    return last if last.startswith("by ") else ""


def confirm(session: Session, fault: Fault, listeners_before: str) -> str:
    """Wait until a probe from the balancer shows that the fault bites; what it showed.

    Raises:
        EnvironmentProblem: it did not show within 5 s, or longer where the guests are emulated.
    """

    def seen() -> str:
        return _seen(session, fault, listeners_before)

    return wait_for(f"{fault.what}: a sign that it bites", seen, within_s=CONFIRM_S * session.patience, every_s=0.05)


def listeners(session: Session, name: str) -> str:
    """The process ids that listen on the app's port of a host; empty for none or for a host that is no backend."""
    if not session.lab[name].is_a(Role.BACKEND):
        return ""
    command = "ss -Hltnp sport = :%s | grep -o 'pid=[0-9]*' | sort -u || true"
    return session.host(name).run(command, session.lab.app.port, root=True).stdout.strip()


def heal(session: Session, entry: Entry) -> None:
    """Undo a fault; harmless when it is undone already.

    Raises:
        LabError: it could not be undone; the entry stays in the ledger.
    """
    if entry.host not in [host.name for host in session.lab.hosts]:
        raise EnvironmentProblem(f"{entry.host} is no host of this lab any more", "put it back into lab.toml")
    if entry.kind == "power":
        session.host(entry.host).close()
        session.machines.power_on(entry.host)
        session.reachable_host(entry.host, session.boot_s)
        return
    is_off = session.machines.states()[entry.host] is not State.RUNNING
    if is_off and Capability.POWER_ON in session.machines.capabilities:
        session.machines.power_on(entry.host)
    host = session.reachable_host(entry.host, session.boot_s)
    host.run(entry.undo, root=True)
    host.run("systemctl stop %s.timer 2>/dev/null || true", _unit(entry), root=True)


def confirm_healed(session: Session, entry: Entry, ledger: Ledger) -> None:
    """Wait until the host serves again, then take the entry out of the ledger.

    Raises:
        HostUnreachable: it does not serve within 30 s, or longer where the guests are emulated.
    """
    if session.lab[entry.host].is_a(Role.BACKEND):
        require_serving(session.lab, entry.host, BACK_S * session.patience)
    else:
        session.host(entry.host).run("systemctl is-active nginx && nginx -t -q", root=True)
    ledger.remove(entry)


def heal_all(session: Session, ledger: Ledger) -> tuple[Entry, ...]:
    """Undo everything in the ledger, the newest first, as a run does; what was undone.

    Raises:
        EnvironmentProblem: something could not be undone; everything else was.
    """
    if network := network_of(session.provider, session.lab, session.home):
        network.ensure()  # a reboot of this computer has taken the bridge away
    healed, faults = [], []
    for entry in reversed(ledger.entries()):
        try:
            heal(session, entry)
            confirm_healed(session, entry, ledger)
            healed.append(entry)
        except LabError as fault:
            faults.append(f"{entry.what}: {fault}")
    if faults:
        raise EnvironmentProblem("\n".join(faults), "mend the cause, then `lab heal` again")
    return tuple(healed)


def _seen(session: Session, fault: Fault, listeners_before: str) -> str:
    if fault.sign is Sign.DONE:
        return "the command succeeded"
    if fault.sign is Sign.REBORN:
        now = listeners(session, fault.host)
        return f"{listeners_before} became {now}" if now and now != listeners_before else ""
    return _told(fault.sign, *_probe(session.host(session.lab.balancer.name), session, fault.host))


def _probe(balancer: Host, session: Session, name: str) -> tuple[int, int, float]:
    """From the balancer: curl's exit code, the HTTP status, and the seconds it took."""
    shown = balancer.run(_PROBE, f"{session.lab[name].address}:{session.lab.app.port}", check=False)
    status, _, took = shown.stdout.partition(" ")
    return shown.code, int(status or 0), float(took or 0)


def _told(sign: Sign, code: int, status: int, took_s: float) -> str:
    """What the probe showed in words; empty when it is not the sign."""
    words = {_REFUSED: "refused", _SILENT: "no answer within 1 s"}.get(code, f"curl ended with {code}")
    if sign is Sign.FAILING:
        return f"answers {status}" if code == 0 and status >= 500 else ""
    if sign is Sign.SLOW:
        slow = code == _SILENT or (code == 0 and took_s >= 0.2)
        return f"{took_s:.3f} s for an answer" if slow else ""
    wanted = {Sign.REFUSED: code == _REFUSED, Sign.SILENT: code == _SILENT, Sign.GONE: code in _GONE}[sign]
    return words if wanted else ""


def _unit(entry: Entry) -> str:
    return f"lab-undo-{entry.id}"
