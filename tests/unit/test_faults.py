"""Faults are values: bound to a lab, every command of theirs is whole, quoted and can be undone twice."""

from __future__ import annotations

import inspect
import re
import shlex
import subprocess
from collections.abc import Callable
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path

import pytest

import lab
from lab import config, faults
from lab.errors import UsageError
from lab.faults import Fault, Sign
from lab.quantities import seconds
from lab.records import Effect
from lab.topology import Lab
from tests.fakes import default_hosts

NEEDED: dict[str, object] = {"by": seconds(0.5)}
"""What a fault must be told besides its host."""


def made(maker: Callable[..., Fault], host: str) -> Fault:
    """A fault with its defaults."""
    asked = inspect.signature(maker).parameters.values()
    return maker(host, **{each.name: NEEDED[each.name] for each in asked if each.kind is each.KEYWORD_ONLY
                          and each.default is each.empty})  # fmt: skip


ALL: dict[str, Callable[[str], Fault]] = {
    name: partial(made, maker) for name, maker in vars(faults).items()
    if inspect.isfunction(maker) and maker.__annotations__.get("return") == "Fault" and name[0] != "_"
}  # fmt: skip
"""Every fault that there is: one that is added is tested here too."""
COURSES = ("crash_loop", "flap_link", "limit_cpu")
NFT = ("cut_link", "reject_link", "lose_packets")


def own_lab() -> Lab:
    """A lab in which no address, port or user is the default."""
    return config.parse({"host": default_hosts(), "app": {"name": "hello", "port": 8123, "user": "runner"}})


def test_the_faults_of_the_course_are_among_them() -> None:
    """By the names that scenarios use."""
    course = "power_off stop_app kill_process pause cut_link reject_link lose_packets slow_link limit_cpu fill_disk"
    assert {*course.split(), "answer_errors", "break_config", "stop_nginx", "reload_nginx", "drain"} <= set(ALL)
    assert set(ALL) <= set(lab.__all__)


@pytest.mark.parametrize("name", ALL)
def test_a_fault_says_what_it_does_and_to_whom(name: str) -> None:
    """The same words in journal, ledger and report."""
    fault = ALL[name]("voxy")
    assert (fault.name, fault.what, fault.host) == (name, f"{name} voxy", "voxy")
    assert fault.lasting == seconds(10)
    assert bool(fault.inject) == (fault.kind == "command")


@pytest.mark.parametrize("name", ALL)
def test_nothing_is_left_unfilled(name: str) -> None:
    """No template's braces, neither in what injects nor in what undoes."""
    bound = ALL[name]("voxy").bound_to(own_lab())
    for text in (bound.inject, bound.undo):
        assert "{{" not in text and "}}" not in text
        for word in ("{balancer}", "{port}", "{user}", "{control}", "{verb}", "{verdict}", "{address}"):
            assert word not in text


@pytest.mark.parametrize("name", [name for name in ALL if name != "power_off"])
def test_every_command_is_a_shell_script(name: str) -> None:
    """`sh -n` finds no fault in it; also inside `systemd-run … sh -c`."""
    bound = ALL[name]("voxy").bound_to(own_lab())
    for text in (bound.inject, bound.undo):
        subprocess.run(["sh", "-n"], input=text, text=True, check=True)


def test_the_lab_is_filled_in() -> None:
    """The balancer's address, the app's port, its control port and its user."""
    own = own_lab()
    assert "ip saddr 192.168.56.10 drop" in faults.cut_link("voxy").bound_to(own).inject
    assert "sport = :8123 " in faults.pause("voxy").bound_to(own).inject
    assert "su - runner -c 'pm2 stop all'" in faults.stop_app("voxy").bound_to(own).inject
    assert faults.stop_app("voxy").bound_to(own).undo == "su - runner -c 'pm2 start all'"
    errors = faults.answer_errors("voxy", status=500).bound_to(own)
    assert "'http://127.0.0.1:8124/fail?status=500'" in errors.inject
    assert "http://127.0.0.1:8124/reset" in errors.undo
    slow = faults.answer_slowly("voxy", by=seconds(1.5)).bound_to(own)
    assert "'http://127.0.0.1:8124/slow?ms=1500'" in slow.inject


def test_binding_changes_nothing_else() -> None:
    """The rest is as it was declared."""
    fault = faults.cut_link("voxy", lasting=seconds(3))
    bound = fault.bound_to(own_lab())
    kept = ("name", "host", "effect", "sign", "lasting", "kind")
    assert [getattr(bound, each) for each in kept] == [getattr(fault, each) for each in kept]
    assert IPv4Address("192.168.56.10") == own_lab().balancer.address


def test_a_host_that_the_lab_lacks_is_refused() -> None:
    """With those that there are."""
    with pytest.raises(UsageError) as caught:
        faults.power_off("voxi").bound_to(Lab())
    assert str(caught.value) == "power_off voxi: there is no host voxi\n  → the lab has akuma, voxy, zero"


@pytest.mark.parametrize("name", NFT)
def test_the_filter_is_a_rule_of_its_own_table(name: str) -> None:
    """Single braces around the hook, and only what the balancer sends is hit."""
    bound = ALL[name]("voxy").bound_to(Lab())
    assert "'{ type filter hook input priority -10; }'" in bound.inject
    assert "ip saddr 192.168.56.10 " in bound.inject
    no_table = "nft delete table inet lab_fault 2>/dev/null || true"
    assert no_table in bound.undo
    assert no_table + "; nft add table" in bound.inject


NO_NETEM = "tc() { return 2; }"


def told(fault: Fault, tc: str) -> list[str]:
    """What injecting says to tc, nft and curl, and to us, in a shell in which none of them is real."""
    said = "; ".join(f'{name}() {{ echo "{name} $*"; }}' for name in ("nft", "curl"))
    tools = f'{said}; ip() {{ echo "192.168.56.10 dev eth0 src 192.168.56.11"; }}; {tc}'
    script = f"{tools}; {fault.bound_to(Lab()).inject}"
    return subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout.splitlines()


def rule(fault: Fault) -> str:
    """What the shell hands to nft last, after the balancer's address, where the kernel has no netem."""
    lines = [line for line in told(fault, NO_NETEM) if line.startswith("nft ")]
    return lines[-1].partition("ip saddr 192.168.56.10 ")[2]


def test_netem_does_it_where_the_kernel_has_it(tmp_path: Path) -> None:
    """On the card that leads to the balancer; and it says so."""
    record = f'tc() {{ echo "tc $*" >> {tmp_path}/told; }}'
    assert told(faults.lose_packets("voxy", percent=30), record) == ["by netem"]
    assert told(faults.slow_link("voxy", by=seconds(0.5)), record) == ["by netem"]
    assert (tmp_path / "told").read_text().splitlines() == [
        "tc qdisc replace dev eth0 root netem loss random 30%",
        "tc qdisc replace dev eth0 root netem delay 500ms limit 100000",
    ]


def test_without_netem_another_way_is_taken_and_named() -> None:
    """The same pause for a page: a late packet is felt twice, the app's switch once."""
    slow = told(faults.slow_link("voxy", by=seconds(0.5)), NO_NETEM)
    assert "/slow?ms=1000" in slow[0]
    assert slow[1] == "by the app's own switch, for the kernel of this host has no netem"
    assert told(faults.lose_packets("voxy"), NO_NETEM)[-1] == "by nftables, for the kernel of this host has no netem"


def test_each_filter_has_its_verdict() -> None:
    """Silence, a reset, or chance; as it comes out of a shell, for which `<` is no word."""
    said = [rule(ALL[name]("voxy")) for name in NFT]
    assert said == ["drop", "meta l4proto tcp reject with tcp reset", "numgen random mod 100 < 20 drop"]


@pytest.mark.parametrize("percent", [0, -1, 91, 100, 1000])
def test_a_percentage_out_of_range_is_refused(percent: int) -> None:
    """0 is no fault, and 100 is cut_link's."""
    with pytest.raises(UsageError, match=f"lose_packets: {percent} % is out of range"):
        faults.lose_packets("voxy", percent=percent)
    with pytest.raises(UsageError, match=f"limit_cpu: {percent} % is out of range"):
        faults.limit_cpu("voxy", percent=percent)


@pytest.mark.parametrize("percent", [1, 90])
def test_the_ends_of_the_range_are_taken(percent: int) -> None:
    """As the message says."""
    assert rule(faults.lose_packets("voxy", percent=percent)) == f"numgen random mod 100 < {percent} drop"


@pytest.mark.parametrize("name", [name for name in ALL if name != "power_off"])
def test_undo_is_harmless_where_nothing_is_to_be_undone(name: str) -> None:
    """The dead-man timer, the runner and `lab heal` may all run it: it forgives what is gone already."""
    undo = ALL[name]("voxy").bound_to(Lab()).undo
    forgiving = ("|| true", "rm -f", "systemctl start", "/reset", "pm2 start", "systemctl reload")
    assert undo == "true" or any(part in undo for part in forgiving)


@pytest.mark.parametrize("name", ["pause", "break_config"])
def test_undo_runs_twice_on_a_computer_without_the_fault(name: str) -> None:
    """Really run, as this user: exit code 0 both times. Nothing listens on port 1, and there is no such file."""
    own = config.parse({"host": default_hosts(), "app": {"name": "hello", "port": 1}})
    for _ in range(2):
        subprocess.run(["sh", "-c", ALL[name]("voxy").bound_to(own).undo], check=True)


@pytest.mark.parametrize(
    ("name", "effect", "sign"),
    [
        ("power_off", Effect.SILENT, Sign.GONE),
        ("stop_app", Effect.SILENT, Sign.REFUSED),
        ("kill_process", Effect.BRIEF, Sign.REBORN),
        ("pause", Effect.SILENT, Sign.SILENT),
        ("cut_link", Effect.SILENT, Sign.SILENT),
        ("reject_link", Effect.SILENT, Sign.REFUSED),
        ("answer_slowly", Effect.SLOW, Sign.SLOW),
        ("answer_errors", Effect.FAILING, Sign.FAILING),
    ],
)
def test_the_sign_is_what_the_balancer_would_see(name: str, effect: Effect, sign: Sign) -> None:
    """Silence is not refusal, and a hang is not a death."""
    fault = ALL[name]("voxy")
    assert (fault.effect, fault.sign) == (effect, sign)


@pytest.mark.parametrize("name", COURSES)
def test_a_course_is_a_bounded_unit_that_the_undo_stops(name: str) -> None:
    """It ends by itself after three minutes; stopping it is harmless where it is gone."""
    bound = ALL[name]("voxy").bound_to(own_lab())
    unit = f"lab-{name.replace('_', '-')}"
    words = shlex.split(bound.inject)
    assert f"--unit={unit}" in words and "--property=RuntimeMaxSec=180" in words
    assert words[-3:-1] == ["sh", "-c"]
    subprocess.run(["sh", "-n"], input=words[-1], text=True, check=True)
    assert bound.undo.startswith(f"systemctl stop {unit} 2>/dev/null || true; ")


def test_the_cpu_is_given_and_taken_by_the_percent() -> None:
    """A quarter of each second runs, the rest of it is stopped, and the undo lets it run."""
    bound = faults.limit_cpu("voxy", percent=25).bound_to(Lab())
    assert "sleep 0.75" in bound.inject and "sleep 0.25" in bound.inject
    assert "kill -CONT" in bound.undo


def test_draining_is_done_on_the_balancer() -> None:
    """The victim's line and no other is marked down; twice marks it once, and the undo clears it."""
    bound = faults.drain("voxy").bound_to(Lab())
    assert bound.by_balancer and bound.effect is Effect.WITHDRAWN
    mark, clear = (re.findall(r"sed -i '([^']*)'", bound.inject)[n] for n in (1, 0))
    line = "server 192.168.56.11:3000 weight=1;\nserver 192.168.56.110:3000 weight=1;\n"

    def edited(script: str, text: str) -> str:
        return subprocess.run(["sed", script], input=text, capture_output=True, text=True, check=True).stdout

    drained = edited(mark, line)
    assert drained == line.replace("weight=1;", "weight=1 down;", 1)
    assert edited(mark, edited(clear, drained)) == drained
    assert edited(clear, edited(clear, drained)) == line
    assert f"sed -i '{clear}'" in bound.undo


@pytest.mark.parametrize("name", ["stop_nginx", "reload_nginx", "break_config", "fill_disk"])
def test_faults_of_the_balancer_have_no_victim_behind_it(name: str) -> None:
    """Their effect says so."""
    assert ALL[name]("akuma").effect is Effect.BALANCER


def test_a_broken_file_is_really_broken() -> None:
    """One brace that is never closed, and the undo removes the same file."""
    bound = faults.break_config("akuma").bound_to(Lab())
    assert "echo 'upstream {' > /etc/nginx/akuma/lab-broken.conf" in bound.inject
    assert bound.undo == "rm -f /etc/nginx/akuma/lab-broken.conf"
