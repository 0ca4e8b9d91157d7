"""The power switch: doing a thing twice is harmless, and every wait ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lab import process
from lab.errors import CommandFailed, HostUnreachable, Result, UsageError
from lab.machines import libvirt
from lab.machines import switch as module
from lab.machines.libvirt import Libvirt
from lab.machines.lxc import Lxc
from lab.machines.protocol import State
from lab.machines.switch import PowerTool, Switch, states_from
from lab.machines.virtualbox import Virtualbox
from tests.fakes import FakePowerTool, FakeRenewer, FakeSaver

RUNNING, STOPPED, ABSENT = State.RUNNING, State.STOPPED, State.ABSENT


def _switch(states: dict[str, State], deaf: tuple[str, ...] = ()) -> tuple[Switch, FakePowerTool]:
    """A switch of the guests of lab `p-`, beside a guest of somebody else."""
    tool = FakePowerTool({**{f"p-{name}": state for name, state in states.items()}, "voxy": RUNNING}, deaf)
    return Switch(tool, "p-"), tool


def test_states_are_those_of_our_own_guests() -> None:
    """A guest of another lab with an equal name is not ours."""
    switch, _ = _switch({"akuma": RUNNING, "zero": STOPPED})
    assert switch.states(["akuma", "voxy", "zero"]) == {"akuma": RUNNING, "voxy": ABSENT, "zero": STOPPED}


@pytest.mark.parametrize(("state", "expected"), [(STOPPED, ["start p-voxy"]), (RUNNING, []), (ABSENT, [])])
def test_on_gives_power_only_where_it_is_off(state: State, expected: list[str]) -> None:
    """Twice is once."""
    switch, tool = _switch({} if state is ABSENT else {"voxy": state})
    switch.on("voxy")
    switch.on("voxy")
    assert expected == tool.told


@pytest.mark.parametrize(("graceful", "expected"), [(True, ["shut_down p-voxy"]), (False, ["cut p-voxy"])])
def test_off_ends_a_running_guest(graceful: bool, expected: list[str]) -> None:
    """Gently or not; twice is once."""
    switch, tool = _switch({"voxy": RUNNING})
    switch.off("voxy", graceful=graceful)
    switch.off("voxy", graceful=graceful)
    assert expected == tool.told
    assert switch.states(["voxy"]) == {"voxy": STOPPED}


def test_off_leaves_the_absent_alone() -> None:
    """There is nothing to switch."""
    switch, tool = _switch({})
    switch.off("voxy", graceful=True)
    assert tool.told == []


def test_a_guest_that_does_not_shut_down_has_a_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait has a name and a deadline; its power is not taken unasked."""
    monkeypatch.setattr(module, "SHUTDOWN_S", 0)
    switch, tool = _switch({"voxy": RUNNING}, deaf=("p-voxy",))
    with pytest.raises(HostUnreachable) as caught:
        switch.off("voxy", graceful=True)
    assert caught.value.message.startswith("power off of voxy: not there after")
    assert caught.value.mend == "`lab halt --force voxy` takes its power"
    assert tool.told == ["shut_down p-voxy"]


def test_a_button_pressed_in_vain_is_pressed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that is still starting does not notice it; and one that goes off by itself meanwhile is no failure."""
    monkeypatch.setattr(module, "PRESS_AGAIN_S", 0)
    switch, tool = _switch({"voxy": RUNNING}, deaf=("p-voxy",))

    def starting(guest: str, press: Callable[[str], None] = tool.shut_down) -> None:
        press(guest)
        if len(tool.told) == 2:
            tool.held[guest] = STOPPED
            raise CommandFailed("this computer", Result("virsh shutdown", 1, "", "domain is not running"))

    monkeypatch.setattr(tool, "shut_down", starting)
    switch.off("voxy", graceful=True)
    assert tool.told == ["shut_down p-voxy"] * 2


@pytest.mark.parametrize(
    ("state", "expected"),
    [(RUNNING, ["cut p-voxy", "remove p-voxy"]), (STOPPED, ["remove p-voxy"]), (ABSENT, [])],
)
def test_forget_removes_whatever_is_left(state: State, expected: list[str]) -> None:
    """And touches no guest but that."""
    switch, tool = _switch({} if state is ABSENT else {"voxy": state})
    switch.forget("voxy")
    switch.forget("voxy")
    assert expected == tool.told
    assert tool.held == {"voxy": RUNNING}


@pytest.mark.parametrize("state", [RUNNING, STOPPED])
def test_renew_is_the_tools_own_command(state: State) -> None:
    """Which deals with every state itself."""
    tool = FakeRenewer({"p-voxy": state, "voxy": STOPPED})
    assert Switch(tool, "p-").renew("voxy") is True
    assert tool.told == ["renew p-voxy"]
    assert tool.held == {"p-voxy": RUNNING, "voxy": STOPPED}


def test_a_tool_without_that_command_does_nothing() -> None:
    """And says so."""
    switch, tool = _switch({"voxy": RUNNING})
    assert switch.renew("voxy") is False
    assert tool.told == []


def test_saves_are_the_tools_own_commands() -> None:
    """A save is of all guests at once, the rest of each; a guest of another lab is left alone."""
    tool = FakeSaver({"p-voxy": STOPPED, "p-zero": RUNNING, "voxy": STOPPED})
    switch = Switch(tool, "p-")
    names = ["voxy", "zero", "luna"]
    assert switch.save(names, "1") == 3
    assert switch.saves(names) == {"voxy": {"1"}, "zero": {"1"}, "luna": frozenset()}
    assert tool.told == ["save p-voxy p-zero p-luna 1"]
    tool.told.clear()
    switch.restore(["voxy", "zero"], "1")
    switch.prune(["voxy"], ["1", "2"])
    assert sorted(tool.told) == ["prune p-voxy 1 2", "restore p-voxy 1", "restore p-zero 1"]
    assert tool.held == {"p-voxy": RUNNING, "p-zero": RUNNING, "voxy": STOPPED}


@pytest.mark.parametrize(
    "act",
    [
        lambda switch: switch.save(["voxy"], "1"),
        lambda switch: switch.restore(["voxy"], "1"),
        lambda switch: switch.saves(["voxy"]),
        lambda switch: switch.prune(["voxy"], []),
    ],
)
def test_a_tool_without_saves_is_named(monkeypatch: pytest.MonkeyPatch, act: Callable[[Switch], object]) -> None:
    """Before anything is done."""
    monkeypatch.setattr(process, "run", None)
    with pytest.raises(UsageError) as caught:
        act(Switch(Virtualbox(), "p-"))
    assert caught.value.message == "the machines of Virtualbox cannot be saved or restored"
    assert caught.value.mend == "the providers lxc and libvirt make machines that can"


def test_states_come_from_two_lists() -> None:
    """All guests, and those that run."""
    assert states_from(["a", "b"], ["b"]) == {"a": STOPPED, "b": RUNNING}


TOOLS: list[tuple[PowerTool, dict[str, str], list[str]]] = [
    (
        Lxc(),
        {"lxc-ls -1": "a\nb\n", "lxc-ls -1 --active": "b\n"},
        [
            "lxc-start --name a --daemon", "lxc-stop --name a --timeout 20", "lxc-stop --name a --kill",
            "lxc-destroy --name a --force",
        ],
    ),
    (
        Libvirt(),
        {
            "list --all": " Id   Name   State\n-----\n 7    b      running\n -    a      shut off\n\n",
            "list --all --name": "a\nb\n\n",
        },
        [
            "start a", "shutdown a", "destroy a", "list --all --name",
            "undefine a --managed-save --snapshots-metadata", "pool-list --name",
        ],
    ),
    (
        Virtualbox(),
        {"VBoxManage list vms": '"a" {11-22}\n"b" {33-44}\n', "VBoxManage list runningvms": '"b" {33-44}\n'},
        [
            "VBoxManage startvm a --type headless", "VBoxManage controlvm a acpipowerbutton",
            "VBoxManage controlvm a poweroff", "VBoxManage unregistervm a --delete",
        ],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("tool", "lists", "expected"), TOOLS, ids=["lxc", "libvirt", "virtualbox"])
def test_each_provider_has_its_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool: PowerTool, lists: dict[str, str], expected: list[str]
) -> None:
    """Its lists give the states; four verbs switch."""
    told: list[str] = []

    def run(*argv: str, check: bool = True, timeout_s: float = 0) -> Result:
        line = " ".join(argv).removeprefix("virsh --connect qemu:///system ")
        told.append(line)
        return Result(line, 0, lists.get(line, ""), "")

    monkeypatch.setattr(process, "run", run)
    monkeypatch.setattr(process, "as_root", run)
    monkeypatch.setattr(libvirt, "STORE", tmp_path)
    assert tool.guests() == {"a": STOPPED, "b": RUNNING}
    told.clear()
    for verb in (tool.start, tool.shut_down, tool.cut, tool.remove):
        verb("a")
    assert expected == told
