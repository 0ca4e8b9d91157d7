"""Virtual machines at an LXD: when there are any, what LXD is told of them, and what they are told."""

from __future__ import annotations

import base64
import io
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lab import config, keys
from lab.boxes.recipe import BASE_PACKAGES, Recipe, VmRecipe
from lab.context import Context
from lab.errors import EnvironmentProblem, UsageError
from lab.home import Home
from lab.lxd import health, image, projects, trace
from lab.lxd.client import LxdFailed
from lab.lxd.instances import definition
from lab.lxd.kind import VM_IMAGE, has_vms, with_kind
from lab.lxd.members import members, require_vms
from lab.machines.lxd import TRIES, LxdMachines
from lab.topology import Engine, Lab
from tests.emulated import without_kvm
from tests.unit.lxd_server import LxdServer, Refusal, lxd_server

__all__ = ["lxd_server"]
BASE = Recipe("bookworm", "", BASE_PACKAGES, ())
ALIAS = f"{VM_IMAGE}0123456789ab"
WITH = Lab(provider="lxd", engine=Engine(vm=True))


@pytest.fixture
def made(home: Home) -> Home:
    """The folder of a lab whose image is one of virtual machines."""
    home.make()
    keys.make_guest_files(Lab(), home, "nameserver 9.9.9.9\n")
    trace.leave(home, "here")
    home.remember(box=ALIAS)
    return home


def test_the_kind_is_that_of_the_image(home: Home) -> None:
    """By its name, whatever the topology says by now."""
    assert not has_vms(home)
    home.remember(box="lab-lxd-0123456789ab")
    assert not has_vms(home)
    home.remember(box=ALIAS)
    assert has_vms(home)


def test_a_lab_keeps_its_kind(made: Home) -> None:
    """Virtual machines stay so without being asked for; from containers there is no way but a new lab."""
    assert with_kind(Lab(), made, vm=False).engine.vm
    made.remember(box="lab-lxd-0123456789ab")
    assert not with_kind(Lab(), made, vm=False).engine.vm
    for lab, vm in ((Lab(), True), (WITH, False)):
        with pytest.raises(EnvironmentProblem, match="machines are containers, and virtual ones were asked for"):
            with_kind(lab, made, vm=vm)
    (made.path / trace.FILE).unlink()  # none was ever made of it
    assert with_kind(Lab(), made, vm=True).engine.vm


def test_a_disk_that_the_image_does_not_fit_on(home: Home) -> None:
    """Is told before anything is made, and only where it matters."""
    small = Lab(provider="lxd", engine=Engine(disk_gb=1))
    assert with_kind(small, home, vm=False) == small
    with pytest.raises(UsageError, match=r"engine.disk_gb: a virtual machine cannot do with 1 GiB") as caught:
        with_kind(small, home, vm=True)
    assert "disk_gb = 2" in caught.value.mend


def test_what_lxd_is_told(made: Home) -> None:
    """Whole processors, no signature of the boot loader, and nothing that only containers have."""
    lab = config.parse({"provider": "lxd", "engine": {"cpu": 1.5, "isolated": True}})
    told = definition(lab, made, "voxy")
    assert (told["type"], told["source"]) == ("virtual-machine", {"type": "image", "alias": ALIAS})
    assert {key: value for key, value in told["config"].items() if not key.startswith("user.")} == {
        "limits.memory": "2048MiB", "limits.cpu": "2", "security.secureboot": "false", "security.devlxd": "false",
    }  # fmt: skip
    assert (told["devices"]["root"]["size"], told["devices"]["root"]["size.state"]) == ("3GiB", "100MiB")


def test_what_a_machine_is_told(made: Home) -> None:
    """Its address stands in its identity, for LXD cannot set up the card of another kernel."""
    text = definition(Lab(provider="lxd"), made, "voxy")["config"]["user.identity"]
    with tarfile.open(fileobj=io.BytesIO(base64.b64decode(text))) as archive:
        card = archive.extractfile("etc/systemd/network/10-card.network")
        assert card and card.read().decode().splitlines()[3:6] == [
            "[Network]", "Address=192.168.56.11/24", "Gateway=192.168.56.1",
        ]  # fmt: skip
        assert "etc/ssh/ssh_host_ed25519_key" in archive.getnames()


def test_a_project_has_room_for_one_kind(lxd_server: LxdServer, made: Home) -> None:
    """As many as the lab has hosts, with the small disks beside; processes are not LXD's to count."""
    lxd_server.answers[("POST", "projects")] = None
    projects.ensure(lxd_server.lxd(), Lab(), made)
    limits = {
        key.removeprefix("limits."): value
        for key, value in lxd_server.body("POST", "projects")["config"].items() if key.startswith("limits.")
    }  # fmt: skip
    assert limits == {"containers": "0", "virtual-machines": "3", "memory": "4608MiB", "disk": "9516MiB"}


def test_the_image_is_a_disk_with_the_units_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both kinds of image of one lab are told apart, and a change of a unit makes another disk."""
    monkeypatch.setattr(image, "recipe_for", lambda context: BASE)
    recipe = image._recipe(Context(WITH, None))
    assert isinstance(recipe, VmRecipe) and recipe.provider == "lxd"
    assert [path for path, _ in recipe.files] == [
        "/etc/systemd/system/machine-identity.service", "/etc/systemd/system/fetch-identity.service",
        "/usr/local/sbin/fetch-identity",
    ]  # fmt: skip
    assert image.box_of(Context(WITH, None)) == recipe.name != image.box_of(Context(Lab(), None)) == BASE.name
    alias = image.name_of(Context(WITH, None))
    assert alias.startswith(VM_IMAGE) and not image.name_of(Context(Lab(), None)).startswith(VM_IMAGE)
    monkeypatch.setattr(image, "_text", lambda name: "other")
    assert image.name_of(Context(WITH, None)) != alias


def _answers(server: LxdServer, drivers: dict[str, Any]) -> None:
    """A cluster whose members have these drivers."""

    def info(query: dict[str, str]) -> Any:
        told = drivers[query["target"]]
        return told if isinstance(told, Refusal) else {"environment": {"driver": told}}

    server.info["environment"]["server_clustered"] = True
    server.answers |= {
        ("GET", ""): lambda query: info(query) if query else server.info,
        ("GET", "cluster/members"): [
            {"server_name": name, "url": f"https://10.0.0.{name[1]}:8443", "status": "Online", "message": ""}
            for name in drivers
        ],
        ("GET", "resources"): {"memory": {"total": 9, "used": 4}},
        ("GET", "storage-pools/default/resources"): {"space": {"total": 9}},
    }  # fmt: skip


def test_only_members_that_can_start_virtual_machines_get_some(lxd_server: LxdServer) -> None:
    """The others count as not online, with the reason; for containers nobody is asked."""
    _answers(lxd_server, {"m1": "lxc", "m2": "qemu | lxc", "m3": Refusal(503, "gone")})
    lxd = lxd_server.lxd()
    found = {each.name: (each.online, each.message) for each in members(lxd, vms=True)}
    assert found["m1"] == (False, "LXD starts no virtual machines there")
    assert found["m2"] == (True, "")
    assert not found["m3"][0]
    assert all(each.online for each in members(lxd))
    require_vms(lxd, Engine())
    require_vms(lxd, Engine(member="m2"))
    with pytest.raises(EnvironmentProblem, match="virtual machines cannot be made: m1: LXD starts no") as caught:
        require_vms(lxd, Engine(member="m1"))
    assert "vhost_vsock" in caught.value.mend and "--vm" in caught.value.mend
    with pytest.raises(EnvironmentProblem, match="no such member"):
        require_vms(lxd, Engine(member="m9"))


def test_the_doctor_tells_what_they_lack(lxd_server: LxdServer, tmp_path: Path) -> None:
    """Where the topology asks for them, and nowhere else."""

    def told(lab: Lab) -> list[bool]:
        return [each.ok for each in health.findings(lab, Home(tmp_path)) if each.what == "virtual machines"]

    lxd_server.answers |= {
        ("GET", "storage-pools/default"): {"driver": "dir", "config": {}},
        ("GET", "resources"): {"memory": {"total": 9, "used": 4}},
        ("GET", "storage-pools/default/resources"): {"space": {"total": 9}},
    }
    asked = Lab(provider="lxd", engine=replace(lxd_server.engine, vm=True))
    assert told(asked) == [False]
    assert told(replace(asked, engine=lxd_server.engine)) == []
    lxd_server.info["environment"]["driver"] = "lxc | qemu"
    assert told(asked) == [True]


def test_the_tests_own_lxd_emulates() -> None:
    """Of what LXD asks QEMU for, only KVM and the agent's line are changed."""
    asked = (
        '[machine]\naccel = "kvm"\n\n# Vsock\n[device "qemu_vsock"]\ndriver = "v"\nbus = "b"\n\n[device "dev-eth0"]\n'
    )
    assert without_kvm(asked) == '[machine]\naccel = "tcg"\n\n# Vsock\n\n[device "dev-eth0"]\n'


HASTY = Refusal(400, "Failed creating instance from image: unexpected end of JSON input")


@pytest.mark.parametrize("hasty", [0, 1, TRIES - 1, TRIES])
def test_an_lxd_that_does_not_wait_for_qemu_img_is_asked_again(lxd_server: LxdServer, made: Home, hasty: int) -> None:
    """As often as makes sense; other refusals are told at once."""
    refusals = iter([HASTY] * hasty)
    lxd_server.answers[("POST", "instances")] = lambda query: next(refusals, None)
    machines = LxdMachines(replace(WITH, engine=replace(lxd_server.engine, fresh=False)), made)
    if hasty == TRIES:
        with pytest.raises(LxdFailed, match="unexpected end"):
            machines._make("voxy", "", "")
    else:
        machines._make("voxy", "", "")
    assert len(lxd_server.changes) == min(hasty + 1, TRIES)
    lxd_server.answers[("POST", "instances")] = Refusal(400, "no room")
    with pytest.raises(LxdFailed, match="no room"):
        machines._make("voxy", "", "")
    assert len(lxd_server.changes) == min(hasty + 1, TRIES) + 1
