"""Which provider is taken, and why: in one line."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import pytest

from lab import process
from lab.errors import CommandFailed, MissingTool, Result
from lab.home import Home
from lab.machines import choose as module
from lab.machines import libvirtd
from lab.machines.choose import Choice, choose, machines_for
from lab.machines.protocol import State
from lab.topology import Lab


def _findings(monkeypatch: pytest.MonkeyPatch, libvirt: str = "", virtualbox: str = "", lxc: str = "") -> None:
    """Let this be what stands against each provider."""
    monkeypatch.setattr(module, "_libvirt_fault", lambda: libvirt)
    monkeypatch.setattr(module, "_virtualbox_fault", lambda: virtualbox)
    monkeypatch.setattr(module, "_lxc_fault", lambda: lxc)


@pytest.mark.parametrize(
    ("libvirt", "virtualbox", "expected"),
    [
        ("", "", Choice("libvirt", "provider libvirt")),
        ("no kvm", "", Choice("virtualbox", "provider virtualbox (libvirt: no kvm)")),
        ("no kvm", "not installed", Choice("lxc", "provider lxc (libvirt: no kvm; virtualbox: not installed)")),
    ],
)
def test_real_machines_come_before_containers(
    monkeypatch: pytest.MonkeyPatch, libvirt: str, virtualbox: str, expected: Choice
) -> None:
    """The first that works; the line tells why those before it were passed over."""
    _findings(monkeypatch, libvirt, virtualbox)
    assert expected == choose("auto")


def test_when_nothing_works_each_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to do."""
    _findings(monkeypatch, "no kvm", "not installed", "needs Linux")
    with pytest.raises(MissingTool) as caught:
        choose("auto")
    assert caught.value.message.endswith("libvirt: no kvm; virtualbox: not installed; lxc: needs Linux")
    assert caught.value.mend == "lab doctor says what to install"


def test_the_wanted_provider_is_taken_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Preflight says later what it lacks."""
    _findings(monkeypatch, "no", "no", "no")
    assert choose("virtualbox") == Choice("virtualbox", "provider virtualbox, as asked for")


@pytest.mark.parametrize(
    ("missing", "fault", "expected"),
    [
        ("virsh", "_libvirt_fault", "libvirt is not installed"),
        ("VBoxManage", "_virtualbox_fault", "VirtualBox is not installed"),
        ("lxc-start", "_lxc_fault", "LXC is not installed"),
    ],
)
def test_a_missing_program_is_the_reason(
    monkeypatch: pytest.MonkeyPatch, missing: str, fault: str, expected: str
) -> None:
    """For each provider its own."""
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(process, "find", lambda tool: None if tool == missing else f"/usr/bin/{tool}")
    assert expected == getattr(module, fault)()


def test_tools_that_are_there_but_do_not_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon that is off, a kernel module that is not loaded, a user without sudo, another system."""
    monkeypatch.setattr(process, "find", lambda tool: None if tool == "sudo" else f"/usr/bin/{tool}")
    monkeypatch.setattr(process, "run", lambda *argv, **more: Result("", 1, "", ""))
    monkeypatch.setattr(module, "kvm_works", lambda *, believed: believed)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    assert module._libvirt_fault() == "libvirtd is off"
    assert module._virtualbox_fault() == "VBoxManage does not work"
    assert module._lxc_fault() == "containers need root or sudo"
    monkeypatch.setattr(module, "kvm_works", lambda *, believed: False)
    assert module._libvirt_fault() == "KVM does not run guests here"
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    assert module._lxc_fault() == "containers need Linux"


def test_a_daemon_that_hangs_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is there, and says nothing: the next provider is asked."""

    def hangs() -> bool:
        raise CommandFailed("this computer", Result("virsh uri", 124, "", "not done within 20 s"))

    monkeypatch.setattr(process, "find", lambda tool: f"/usr/bin/{tool}")
    monkeypatch.setattr(module, "kvm_works", lambda *, believed: believed)
    monkeypatch.setattr(libvirtd, "answers", hangs)
    assert module._libvirt_fault() == "libvirtd does not answer"


@pytest.mark.parametrize("provider", ["lxc", "libvirt", "virtualbox", "existing"])
def test_every_provider_has_machines(
    tmp_path: Path, home: Home, monkeypatch: pytest.MonkeyPatch, provider: str
) -> None:
    """Their states are asked of the provider's own tool; a lab that was never up has none."""
    monkeypatch.setattr(process, "run", lambda *argv, **more: Result("", 0, "", ""))
    monkeypatch.setattr(process, "as_root", lambda *argv, **more: Result("", 0, "", ""))
    assert machines_for(Lab(), home, provider).states() == dict.fromkeys(["akuma", "voxy", "zero"], State.ABSENT)
