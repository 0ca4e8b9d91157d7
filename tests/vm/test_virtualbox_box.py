"""The box for VirtualBox, which cannot run here: its files are held to what VirtualBox reads, and its disk is booted.

QEMU gets the disk behind the controller, and the card, that the OVF names.
"""

from __future__ import annotations

import json
import subprocess
import tarfile
import time
from pathlib import Path

import pytest

from lab.boxes import store
from lab.machines.kvm import kvm_works
from tests.realm import Realm
from tests.unit.test_boxes_vm import check_ovf

pytestmark = pytest.mark.timeout(2400)
LOGIN_S = 900
GIB = 2**30


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The box, unpacked."""
    folder = tmp_path_factory.mktemp("virtualbox")
    realm = Realm.make(folder / "lab", 72)
    done = realm.lab("box", "build", "--provider", "virtualbox", "--app", "hello", timeout_s=1800)
    assert done.returncode == 0, done.stderr
    with tarfile.open(store.box_file(done.stdout.split()[-1])) as archive:
        archive.extractall(folder / "box", filter="data")
    return folder / "box"


def test_the_box_is_whole(box: Path) -> None:
    """Its metadata, an OVF whose every reference resolves, and a disk in the one format that an OVF may carry."""
    assert json.loads((box / "metadata.json").read_text())["provider"] == "virtualbox"
    assert "base_mac" in (box / "Vagrantfile").read_text()
    disk = box / "box.vmdk"
    check_ovf((box / "box.ovf").read_text(), disk.name, disk.stat().st_size, 20 * GIB)
    told = subprocess.run(["qemu-img", "info", "--output=json", disk], capture_output=True, text=True, check=True)
    info = json.loads(told.stdout)
    assert (info["format"], info["virtual-size"]) == ("vmdk", 20 * GIB)
    assert info["format-specific"]["data"]["create-type"] == "streamOptimized"


def test_the_disk_boots_on_the_controller_that_the_ovf_names(box: Path, tmp_path: Path) -> None:
    """To the login prompt, with a SATA controller and an Intel card, and no way out."""
    layer, console = tmp_path / "layer.qcow2", tmp_path / "console"
    command: list[str | Path] = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "vmdk", "-b", box / "box.vmdk", layer]
    subprocess.run(command, check=True)
    driver = ["-accel", "kvm", "-cpu", "host"] if kvm_works() else ["-accel", "tcg"]
    guest = subprocess.Popen(
        ["qemu-system-x86_64", *driver, "-m", "512", "-display", "none", "-serial", f"file:{console}",
         "-device", "ahci,id=sata", "-device", "ide-hd,bus=sata.0,drive=disk",
         "-drive", f"if=none,id=disk,file={layer}", "-nic", "user,restrict=on,model=e1000"],
    )  # fmt: skip
    try:
        deadline = time.monotonic() + LOGIN_S
        while b" login: " not in (console.read_bytes() if console.exists() else b""):
            assert guest.poll() is None
            assert time.monotonic() < deadline, console.read_bytes()[-2000:]
            time.sleep(1)
    finally:
        guest.kill()
        guest.wait()
