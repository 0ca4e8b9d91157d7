"""KVM is tried, not looked up; and a trial that took too long is believed for a while."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path

import pytest

from lab import process
from lab.errors import CommandFailed, Result
from lab.machines import kvm as module
from lab.machines.kvm import BELIEVED_S, kvm_works


def _kvm(monkeypatch: pytest.MonkeyPatch, *, emulator: bool = True, device: bool = True, code: int = 33) -> None:
    """Let the emulator and /dev/kvm be there or not, and the probe end with a code."""
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(process, "find", lambda tool: f"/usr/bin/{tool}" if emulator else None)
    monkeypatch.setattr(os, "access", lambda path, mode: device and path == "/dev/kvm")
    monkeypatch.setattr(process, "run", lambda *argv, **more: Result(" ".join(map(str, argv)), code, "", ""))


def _kvm_too_slow(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let the probe take too long; the emulators that were started."""
    started: list[str] = []

    def hangs(*argv: object, **more: object) -> Result:
        started.append(str(argv[0]))
        raise CommandFailed("this computer", Result("qemu", 124, "", ""))

    _kvm(monkeypatch)
    monkeypatch.setattr(process, "run", hangs)
    return started


def test_kvm_works_when_a_guest_has_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """The probe's own exit code proves it."""
    _kvm(monkeypatch)
    assert kvm_works()


@pytest.mark.parametrize("code", [0, 1, 255])
def test_kvm_does_not_work_when_the_guest_did_not_run(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """Also when the emulator ended well."""
    _kvm(monkeypatch, code=code)
    assert not kvm_works()


def test_kvm_needs_its_device_and_an_emulator(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without either nothing is started."""
    _kvm(monkeypatch, device=False)
    assert not kvm_works()
    _kvm(monkeypatch, emulator=False)
    assert not kvm_works()


def test_a_probe_that_hangs_is_a_no(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not an error; and who may believe it does, for the next lab would wait as long."""
    started = _kvm_too_slow(monkeypatch)
    assert [kvm_works(), kvm_works(believed=True)] == [False, False]
    assert started == ["/usr/bin/qemu-system-x86_64"]
    assert not kvm_works()
    assert len(started) == 2


def test_kvm_that_was_only_busy_works_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trial that goes well takes back what was believed."""
    _kvm_too_slow(monkeypatch)
    kvm_works()
    _kvm(monkeypatch)
    assert [kvm_works(believed=True), kvm_works(), kvm_works(believed=True)] == [False, True, True]


def test_a_slow_probe_is_tried_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """The computer may only have been busy."""
    _kvm_too_slow(monkeypatch)
    kvm_works()
    _kvm(monkeypatch)
    later = time.time() + BELIEVED_S + 1
    monkeypatch.setattr(time, "time", lambda: later)
    assert kvm_works(believed=True)


def test_a_slow_probe_is_tried_again_after_a_restart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Virtualization may have been switched on in the firmware."""
    _kvm_too_slow(monkeypatch)
    kvm_works()
    _kvm(monkeypatch)
    (tmp_path / "boot_id").write_text("another")
    monkeypatch.setattr(module, "_BOOT", tmp_path / "boot_id")
    assert kvm_works(believed=True)


@pytest.mark.parametrize("code", [0, 33])
def test_a_probe_that_ended_is_not_remembered(monkeypatch: pytest.MonkeyPatch, own_cache: Path, code: int) -> None:
    """It costs nothing to ask again."""
    _kvm(monkeypatch, code=code)
    kvm_works()
    assert not (own_cache / "kvm-too-slow").exists()
