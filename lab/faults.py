"""Faults: what is done to a host, what undoes it, and how the balancer's side shows that it bites.

A fault is a value. Its commands run as root on the host that it hits; `undo` is harmless where nothing
is to be undone, so that the runner, a dead-man timer on the host and `lab heal` may all run it.
The commands are templates: `{balancer}`, `{address}` (the victim's), `{port}` and `{user}` are filled in from the
lab. A fault that has a course of its own, as flapping has, is a bounded unit of systemd on the host.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

from lab.errors import UsageError
from lab.quantities import Duration, seconds
from lab.records import Effect
from lab.topology import Lab

_LISTENER = "$(ss -Hltnp sport = :{port} | grep -o 'pid=[0-9]*' | cut -d= -f2 | sort -u)"
_PM2 = "su - {user} -c 'pm2 {verb} all'"
_NFT = (
    "nft add table inet lab_fault && "
    "nft add chain inet lab_fault in '{{ type filter hook input priority -10; }}' && "
    "nft add rule inet lab_fault in ip saddr {balancer} {verdict}"
)
SITE = "/etc/nginx/akuma/my.reverse-proxy.conf"
BROKEN = "/etc/nginx/akuma/lab-broken.conf"
LOGS = "/var/log/nginx"
_NO_TABLE = "nft delete table inet lab_fault 2>/dev/null || true"


class Sign(StrEnum):
    """What the balancer sees of a backend that the fault has hit, and what a probe from there must show."""

    REFUSED = "refused"
    """curl ends with code 7."""
    SILENT = "silent"
    """curl waits in vain: code 28."""
    GONE = "gone"
    """Refused, silent or unreachable: no answer at all."""
    FAILING = "failing"
    """An answer with status 500 or above."""
    SLOW = "slow"
    """An answer that takes at least 0.2 s."""
    REBORN = "reborn"
    """Another process listens on the port than before."""
    DONE = "done"
    """The command's own success is all there is to see."""


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        name: what it does, as "power_off".
        host: whom it hits.
        effect: what the balancer sees of it, for the gates of the verdict.
        sign: what a probe must show before the fault counts as confirmed.
        lasting: how long it is left in force.
        kind: `power` for the provider's switch, `command` for commands on the host.
        inject, undo: shell commands for root on the host; empty for the switch.
        by_balancer: whether the commands run on the balancer, though `host` is the victim.
        restarts: whether the host is started again by it, or by its healing.
    """

    name: str
    host: str
    effect: Effect
    sign: Sign
    lasting: Duration
    kind: Literal["power", "command"] = "command"
    inject: str = ""
    undo: str = "true"
    by_balancer: bool = False
    restarts: bool = False

    @property
    def what(self) -> str:
        """As "power_off voxy"; the same in journal, ledger and report."""
        return f"{self.name} {self.host}"

    def bound_to(self, lab: Lab) -> Fault:
        """The fault with the lab's addresses and ports in its commands.

        Raises:
            UsageError: the lab has no such host.
        """
        names = [host.name for host in lab.hosts]
        if self.host not in names:
            raise UsageError(f"{self.what}: there is no host {self.host}", f"the lab has {', '.join(names)}")
        known = {
            "balancer": lab.balancer.address,
            "address": lab[self.host].address,
            "port": lab.app.port,
            "user": lab.app.user,
            "control": lab.app.port + 1,
        }
        return replace(self, inject=self.inject.format(**known), undo=self.undo.format(**known))


TEN = seconds(10)


def power_off(host: str, *, lasting: Duration = TEN) -> Fault:
    """The machine loses its power, by the provider's own switch: a dead host, not a dead process."""
    return Fault("power_off", host, Effect.SILENT, Sign.GONE, lasting, kind="power", restarts=True)


def stop_app(host: str, *, lasting: Duration = TEN) -> Fault:
    """The app is stopped in order, through pm2: its port refuses."""
    stop, start = (_PM2.replace("{verb}", verb) for verb in ("stop", "start"))
    return Fault("stop_app", host, Effect.SILENT, Sign.REFUSED, lasting, inject=stop, undo=start)


def kill_process(host: str, *, lasting: Duration = TEN) -> Fault:
    """The app's process is killed with -9. pm2 brings it back: this tests pm2, not nginx."""
    return Fault("kill_process", host, Effect.BRIEF, Sign.REBORN, lasting, inject=f"kill -9 {_LISTENER}")


def crash_loop(host: str, *, lasting: Duration = TEN) -> Fault:
    """The app's process is killed each time that it listens; pm2 starts it again, over and over."""
    undo = _PM2.replace("{verb}", "start")
    return _unit("crash_loop", host, Effect.BRIEF, Sign.REFUSED, f"kill -9 {_LISTENER}; sleep 0.1", undo, lasting)


def restart_app(host: str, *, drained: bool = False, lasting: Duration = TEN) -> Fault:
    """The app is restarted in order, through pm2. After `drain` say `drained`: then nobody asks for it meanwhile."""
    effect = Effect.WITHDRAWN if drained else Effect.BRIEF
    return Fault("restart_app", host, effect, Sign.REBORN, lasting, inject=_PM2.replace("{verb}", "restart"))


def reboot(host: str, *, lasting: Duration = TEN) -> Fault:
    """The machine is restarted in order. Nothing starts its app but what starts it at every boot."""
    inject = "systemd-run --quiet --collect --on-active=0.2 --timer-property=AccuracySec=50ms systemctl reboot"
    return Fault("reboot", host, Effect.BRIEF, Sign.GONE, lasting, inject=inject, restarts=True)


def pause(host: str, *, lasting: Duration = TEN) -> Fault:
    """The app's process is stopped by SIGSTOP: the kernel still takes connections, nobody answers them."""
    stop, cont = f"kill -STOP {_LISTENER}", f"kill -CONT {_LISTENER} 2>/dev/null || true"
    return Fault("pause", host, Effect.SILENT, Sign.SILENT, lasting, inject=stop, undo=cont)


def cut_link(host: str, *, lasting: Duration = TEN) -> Fault:
    """What the balancer sends is dropped: silence, as from a cut cable."""
    return _filter("cut_link", host, Effect.SILENT, Sign.SILENT, "drop", lasting)


def reject_link(host: str, *, lasting: Duration = TEN) -> Fault:
    """What the balancer sends is answered with a reset: refused, as by a firewall that says no."""
    verdict = "meta l4proto tcp reject with tcp reset"
    return _filter("reject_link", host, Effect.SILENT, Sign.REFUSED, verdict, lasting)


def lose_packets(host: str, *, percent: int = 20, lasting: Duration = TEN) -> Fault:
    """Some packets are lost at random: of the host's, by netem; without it of the balancer's, by nftables."""
    if not 1 <= percent <= 90:
        raise UsageError(f"lose_packets: {percent} % is out of range", "write a number from 1 to 90")
    verdict = f"numgen random mod 100 '<' {percent} drop"
    dropped = _filter("lose_packets", host, Effect.SLOW, Sign.DONE, verdict, lasting)
    return _by_netem(dropped, f"loss random {percent}%", 0, "by nftables, for the kernel of this host has no netem")


def flap_link(host: str, *, lasting: Duration = TEN) -> Fault:
    """The balancer is rejected for a second and let in for a second, again and again."""
    reject = _NFT.replace("{verdict}", "meta l4proto tcp reject with tcp reset")
    course = f"{reject}; sleep 1; {_NO_TABLE}; sleep 1"
    return _unit("flap_link", host, Effect.BRIEF, Sign.REFUSED, course, _NO_TABLE, lasting)


def limit_cpu(host: str, *, percent: int = 5, lasting: Duration = TEN) -> Fault:
    """The app's process gets this part of each second and is stopped for the rest of it.

    That is how the tool cpulimit does it; a container may have no CPU quota of its own to set.
    """
    if not 1 <= percent <= 90:
        raise UsageError(f"limit_cpu: {percent} % is out of range", "write a number from 1 to 90")
    run, rest = percent / 100, 1 - percent / 100
    course = f"kill -STOP {_LISTENER}; sleep {rest:g}; kill -CONT {_LISTENER}; sleep {run:g}"
    undo = f"kill -CONT {_LISTENER} 2>/dev/null || true"
    return _unit("limit_cpu", host, Effect.SLOW, Sign.SLOW, course, undo, lasting)


def slow_link(host: str, *, by: Duration, lasting: Duration = TEN) -> Fault:
    """Every packet that the host sends is late, by netem.

    A new connection feels that twice: in its first answer and in the page. Where the host's kernel has no netem, the
    app `hello` takes that long for each answer instead.
    """
    otherwise = replace(answer_slowly(host, by=Duration(2 * by.seconds), lasting=lasting), name="slow_link")
    late = f"delay {by.seconds * 1000:.0f}ms limit 100000"
    return _by_netem(otherwise, late, by.seconds, "by the app's own switch, for the kernel of this host has no netem")


def answer_slowly(host: str, *, by: Duration, lasting: Duration = TEN) -> Fault:
    """The app `hello` takes longer for each answer. Its own switch, for containers have no netem."""
    return _switch("answer_slowly", host, Effect.SLOW, Sign.SLOW, f"slow?ms={by.seconds * 1000:.0f}", lasting)


def answer_errors(host: str, *, status: int = 503, lasting: Duration = TEN) -> Fault:
    """The app `hello` answers every request with an error."""
    return _switch("answer_errors", host, Effect.FAILING, Sign.FAILING, f"fail?status={status}", lasting)


def stop_nginx(host: str, *, lasting: Duration = TEN) -> Fault:
    """The balancer itself is stopped: the single point of failure."""
    undo = "systemctl start nginx"
    return Fault("stop_nginx", host, Effect.BALANCER, Sign.DONE, lasting, inject="systemctl stop nginx", undo=undo)


def reload_nginx(host: str, *, times: int = 5, lasting: Duration = TEN) -> Fault:
    """nginx reads its configuration again, some times in a row, under load."""
    inject = f"for n in $(seq {times}); do nginx -t -q && systemctl reload nginx && sleep 0.5; done"
    return Fault("reload_nginx", host, Effect.BALANCER, Sign.DONE, lasting, inject=inject)


def break_config(host: str, *, lasting: Duration = TEN) -> Fault:
    """A broken file is put into nginx's folder and a reload is asked for, as after a typing mistake."""
    inject = f"echo 'upstream {{{{' > {BROKEN}; systemctl reload nginx; ! nginx -t -q 2>/dev/null"
    return Fault("break_config", host, Effect.BALANCER, Sign.DONE, lasting, inject=inject, undo=f"rm -f {BROKEN}")


def drain(host: str, *, lasting: Duration = TEN) -> Fault:
    """The balancer is told to ask the host no more (`down`); what it was asked already, it answers."""
    line = "/server {address}:{port} /"
    mark, clear = f"sed -i '{line}s/;/ down;/' {SITE}", f"sed -i '{line}s/ down;/;/' {SITE}"
    old = "pgrep -P $(cat /run/nginx.pid)"
    inject = (
        f"{clear} && {mark} && nginx -t -q && old=$({old}) && systemctl reload nginx && "
        """timeout 5 sh -c 'while pgrep -f "nginx: worker process$" | grep -qxF "$0"; do sleep 0.02; done' "$old\""""
    )
    undo = f"{clear} && systemctl reload nginx"
    return Fault("drain", host, Effect.WITHDRAWN, Sign.DONE, lasting, inject=inject, undo=undo, by_balancer=True)


def fill_disk(host: str, *, lasting: Duration = TEN) -> Fault:
    """The balancer's log gets a file system of one page, which is full at once."""
    undo = f"while mountpoint -q {LOGS}; do umount -l {LOGS}; done; nginx -s reopen || true"
    inject = f"mount -t tmpfs -o size=4k,mode=755 lab-full {LOGS} && nginx -s reopen"
    return Fault("fill_disk", host, Effect.BALANCER, Sign.DONE, lasting, inject=inject, undo=undo)


def _by_netem(otherwise: Fault, setting: str, held_s: float, how: str) -> Fault:
    """The fault, done by netem where the host's kernel has it; the last line that injecting prints says how it is.

    netem throws away what it still holds when it is removed, so first it is told to hold nothing more.
    """
    device = "$(ip -oneline route get {balancer} | sed 's/.* dev \\([^ ]*\\).*/\\1/')"
    inject = (
        f"if tc qdisc replace dev {device} root netem {setting} 2>/dev/null; then echo 'by netem'; "
        f"else {otherwise.inject} && echo {shlex.quote(how)}; fi"
    )
    undo = (
        f"if tc qdisc change dev {device} root netem delay 0ms 2>/dev/null; "
        f"then sleep {held_s:g}; tc qdisc delete dev {device} root netem; else {otherwise.undo}; fi"
    )
    return replace(otherwise, inject=inject, undo=undo)


def _unit(
    name: str, host: str, effect: Effect, sign: Sign, course: str, undo: str, lasting: Duration
) -> Fault:  # fmt: skip
    """A course that a unit repeats on the host until it is stopped, for three minutes at most."""
    unit, loop = f"lab-{name.replace('_', '-')}", shlex.quote(f"while true; do {course}; done")
    inject = f"systemd-run --quiet --collect --unit={unit} --property=RuntimeMaxSec=180 sh -c {loop}"
    stop = f"systemctl stop {unit} 2>/dev/null || true; {undo}"
    return Fault(name, host, effect, sign, lasting, inject=inject, undo=stop)


def _filter(name: str, host: str, effect: Effect, sign: Sign, verdict: str, lasting: Duration) -> Fault:
    inject = f"{_NO_TABLE}; " + _NFT.replace("{verdict}", verdict)
    return Fault(name, host, effect, sign, lasting, inject=inject, undo=_NO_TABLE)


def _switch(name: str, host: str, effect: Effect, sign: Sign, setting: str, lasting: Duration) -> Fault:
    curl = "curl -sSf --max-time 5 -o /dev/null -X POST"
    inject = f"{curl} 'http://127.0.0.1:{{control}}/{setting}'"
    undo = f"{curl} http://127.0.0.1:{{control}}/reset"
    return Fault(name, host, effect, sign, lasting, inject=inject, undo=undo)
