"""Boxes of virtual machines: their names, the disk's first sector, and what VirtualBox reads."""

from __future__ import annotations

import os
import struct
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from lab import config, content, preflight, process
from lab.boxes import ours, recipe, store
from lab.boxes.disk import ESP, ESP_SECTORS, LINUX, START, Partition, boot_sector
from lab.boxes.recipe import BASE_PACKAGES, HERE, Recipe, VmRecipe
from lab.boxes.vm import _UNMASKED
from lab.context import Context
from lab.errors import MissingTool
from lab.events import silent
from lab.home import Home
from lab.steps import packages
from lab.topology import Lab

BASE = Recipe("bookworm", "", BASE_PACKAGES, (packages("nginx"),))
OVF = {"": "http://schemas.dmtf.org/ovf/envelope/1"}
RASD = "{http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData}"


@pytest.mark.parametrize("provider", ["libvirt", "virtualbox", "lxd"])
def test_the_name_tells_provider_and_recipe(provider: str) -> None:
    """Equal recipes have equal names, in the form that the store accepts; another base, another name."""
    name = VmRecipe(BASE, provider).name
    assert name == VmRecipe(replace(BASE), provider).name
    assert store.provider_of(name) == provider
    assert VmRecipe(replace(BASE, suite="trixie"), provider).name != name


def test_what_makes_the_machine_is_part_of_the_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The script that runs in it, as every file of the builder."""
    before = VmRecipe(BASE, "libvirt").name
    for name in ("lxc-config", "lxc-template.j2", "vm-guest.sh", "vagrant.pub", "box.ovf.j2"):
        (tmp_path / name).write_text((recipe.HERE / name).read_text())
    monkeypatch.setattr(recipe, "HERE", tmp_path)
    assert VmRecipe(BASE, "libvirt").name == before
    (tmp_path / "vm-guest.sh").write_text("other")
    assert VmRecipe(BASE, "libvirt").name != before
    files = (("/etc/motd", "hello"),)
    assert len({VmRecipe(BASE, "lxd", made).name for made in ((), files, (("/etc/motd", "bye"),))}) == 3


def test_a_box_of_somebody_else_has_no_provider() -> None:
    """Whatever it is called."""
    assert [store.provider_of(name) for name in ("debian/bookworm64", "lab-docker-0123456789ab", "lab-lxc-01")] == [
        ""
    ] * 3


def test_the_first_sector_boots_and_names_one_partition() -> None:
    """GRUB's code, one active Linux partition from the first MiB to the end, and the mark of a boot sector."""
    sector = boot_sector(bytes(range(256)) * 2, [Partition(LINUX, START, 8 * 2**21 - START)])
    assert len(sector) == 512
    assert sector[:440] == (bytes(range(256)) * 2)[:440]
    assert sector[510:] == b"\x55\xaa"
    active, _, kind, _, start, length = struct.unpack("<B3sB3sII", sector[446:462])
    assert (active, kind, start, start + length) == (0x80, 0x83, START, 8 * 2**21)
    assert sector[462:510] == bytes(48)


def test_uefi_finds_its_partition_and_the_root_file_system_is_the_first_and_last() -> None:
    """Number 1 wherever it is, for `/dev/sda1` grows; UEFI's is before it, and no code is in the sector."""
    root, esp = Partition(LINUX, START + ESP_SECTORS, 1000), Partition(ESP, START, ESP_SECTORS)
    sector = boot_sector(b"", [root, esp])
    assert (len(sector), sector[:440], sector[510:]) == (512, bytes(440), b"\x55\xaa")
    first, second = (struct.unpack("<B3sB3sII", sector[at : at + 16]) for at in (446, 462))
    assert (first[0], first[2], first[4], first[5]) == (0x80, 0x83, esp.start + esp.sectors, 1000)
    assert (second[0], second[2], second[4], second[5]) == (0, 0xEF, START, ESP_SECTORS)
    assert sector[478:510] == bytes(32)


def test_what_a_container_does_without_is_put_back() -> None:
    """Without udev no card has a name and no disk a label."""
    assert _UNMASKED == (
        "systemd-udevd.service", "systemd-udevd-control.socket", "systemd-udevd-kernel.socket",
    )  # fmt: skip


def test_the_kernel_has_what_the_provider_has() -> None:
    """The small kernel knows virtio only; VirtualBox has a SATA controller and an Intel card, LXD shares by 9p."""
    assert VmRecipe(BASE, "libvirt").kernel == "linux-image-cloud-amd64"
    assert VmRecipe(BASE, "virtualbox").kernel == VmRecipe(BASE, "lxd").kernel == "linux-image-amd64"
    assert [VmRecipe(BASE, each).firmware for each in ("libvirt", "virtualbox", "lxd")] == ["bios", "bios", "uefi"]


def test_the_ovf_has_all_that_virtualbox_asks_for() -> None:
    """One disk on a SATA controller, one card behind NAT, each part with a number, and every reference resolved."""
    text = content.render_file(HERE / "box.ovf.j2", name="lab-virtualbox-1", disk="box.vmdk", disk_bytes=1, capacity=2)
    check_ovf(text, "box.vmdk", 1, 2)
    with pytest.raises(AssertionError):
        check_ovf(text.replace("/disk/vmdisk1", "/disk/other"), "box.vmdk", 1, 2)
    with pytest.raises(AssertionError):
        check_ovf(text.replace("<rasd:Parent>3<", "<rasd:Parent>9<"), "box.vmdk", 1, 2)


def check_ovf(text: str, disk: str, size: int, capacity: int) -> None:
    """Hold an OVF to what VirtualBox reads of it; also called with that of a real box."""
    root = ElementTree.fromstring(text)
    space = "{http://schemas.dmtf.org/ovf/envelope/1}"
    assert root.tag == f"{space}Envelope"
    (file,) = root.findall("./References/File", OVF)
    assert (file.get(f"{space}href"), file.get(f"{space}size")) == (disk, str(size))
    (image,) = root.findall("./DiskSection/Disk", OVF)
    assert image.get(f"{space}fileRef") == file.get(f"{space}id")
    assert image.get(f"{space}capacity") == str(capacity)
    assert str(image.get(f"{space}format")).endswith("#streamOptimized")
    (network,) = root.findall("./NetworkSection/Network", OVF)
    (system,) = root.findall("./VirtualSystem", OVF)
    items = [
        {each.tag.removeprefix(RASD): each.text for each in item}
        for item in system.findall("./VirtualHardwareSection/Item", OVF)
    ]
    assert all(item["ElementName"] for item in items)
    numbers = [item["InstanceID"] for item in items]
    assert len(set(numbers)) == len(numbers)
    kinds = {item["ResourceType"]: item for item in items}
    assert sorted(kinds, key=lambda kind: int(str(kind))) == ["3", "4", "10", "17", "20"]
    assert kinds["17"]["HostResource"] == f"/disk/{image.get(f'{space}diskId')}"
    assert kinds["17"]["Parent"] == kinds["20"]["InstanceID"]
    assert kinds["20"]["ResourceSubType"] == "AHCI"
    assert kinds["10"]["Connection"] == network.get(f"{space}name")


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was built and given to Vagrant; nothing is there before."""
    done: list[str] = []
    monkeypatch.setattr(ours, "recipe_for", lambda context: BASE)
    monkeypatch.setattr(preflight, "check", lambda what: done.append(f"check {what}"))
    monkeypatch.setattr(ours, "build", lambda made, *rest: done.append(f"build {made.name}"))
    monkeypatch.setattr(ours, "build_vm", lambda made, listener: done.append(f"build {made.name}"))
    monkeypatch.setattr(store, "is_added", lambda name: False)
    monkeypatch.setattr(store, "add", lambda name: done.append(f"add {name}"))
    return done


def test_the_base_is_built_once_for_all(built: list[str], home: Home) -> None:
    """A virtual machine's box needs the container's, which is taken where it is there."""
    context = Context(Lab(), None)
    name = VmRecipe(BASE, "libvirt").name
    assert ours.obtain_box("libvirt", context, home, silent) == name == ours.name_of("libvirt", context)
    assert built == ["check vm-box", f"build {BASE.name}", f"build {name}", f"add {name}"]
    built.clear()
    store.box_file(BASE.name).parent.mkdir(parents=True, exist_ok=True)
    store.box_file(BASE.name).touch()
    ours.obtain_box("libvirt", context, home, silent)
    assert built == ["check vm-box", f"build {name}", f"add {name}"]
    built.clear()
    store.box_file(name).touch()
    ours.obtain_box("libvirt", context, home, silent)
    assert built == [f"add {name}"]


def test_vagrant_is_not_given_what_it_makes_nothing_of(built: list[str], home: Home) -> None:
    """LXD's box stays a file."""
    made = VmRecipe(BASE, "lxd")
    assert ours.obtain(made, Context(Lab(), None), home, silent) == made.name
    assert built == ["check vm-box", f"build {BASE.name}", f"build {made.name}"]


def test_what_the_build_lacks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the tools of the provider."""
    monkeypatch.setattr(process, "find", lambda tool: None if tool == "qemu-img" else f"/usr/bin/{tool}")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(MissingTool, match="the box cannot be built: qemu-img: not installed"):
        preflight.check("vm-box")


def test_a_box_that_the_user_names_is_taken() -> None:
    """Nothing named means our own; the public one is a setting too."""
    assert (Lab().box.libvirt, Lab().box.virtualbox, Lab().box.public) == ("", "", "debian/bookworm64")
    own = config.parse({"box": {"libvirt": "generic/debian12", "public": "bento/debian-12"}})
    assert (own.box.libvirt, own.box.public) == ("generic/debian12", "bento/debian-12")
