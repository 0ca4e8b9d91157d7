"""libvirt's command: what is left of a guest, the layer that renewal throws away, and a daemon that is gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import process
from lab.errors import CommandFailed, EnvironmentProblem, Result
from lab.machines import libvirt as module
from lab.machines.libvirt import Libvirt, LibvirtGone
from lab.machines.protocol import State

BOX = "lab-libvirt-0123456789ab_vagrant_box_image_0_1_box.img"
TABLE = " Name   Path\n-----------\n"


class Virsh:
    """libvirt in memory: domains with their disks, and the store."""

    def __init__(self, domains: dict[str, str], volumes: list[str]) -> None:
        self.domains = domains
        self.disks = {name: f"/pool/{name}.img" for name in domains}
        self.volumes = volumes
        self.snapshots = ["before"]
        self.told: list[str] = []

    def run(self, *argv: object, **more: object) -> Result:
        """What virsh and root's tools answer."""
        words = [str(word) for word in argv]
        words = words[3:] if words[0] == "virsh" else words
        return Result(" ".join(words), 0, self.answer(words), "")

    def answer(self, words: list[str]) -> str:
        """The text that a command prints; what changes something is told."""
        match words:
            case ["list", "--all", "--name"]:
                return "\n".join(self.domains)
            case ["list", "--all"]:
                rows = [
                    f" {'1' if state == 'running' else '-'}   {name}   {state}" for name, state in self.domains.items()
                ]
                return " Id   Name   State\n------\n" + "\n".join(rows) + "\n\n"
            case ["pool-list", "--name"]:
                return "default\nlab\n" if self.volumes else "default\n"
            case ["vol-list", "lab"]:
                return TABLE + "".join(f" {name}   /pool/{name}\n" for name in self.volumes)
            case ["domblklist", guest]:
                return f" Target   Source\n----\n vda      {self.disks[guest]}\n"
            case ["snapshot-list", _, "--name"]:
                return "\n".join(self.snapshots)
            case ["pool-refresh", "lab"]:
                return ""
        self.told.append(" ".join(words))
        return ""


@pytest.fixture
def virsh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Virsh:
    """A lab with a running and a stopped guest, beside a domain of somebody else."""
    made = Virsh(
        {"lab-1-voxy": "running", "lab-1-zero": "shut off", "mine": "running"},
        ["lab-1-voxy.img", "lab-1-zero.img", BOX],
    )
    monkeypatch.setattr(process, "run", made.run)
    monkeypatch.setattr(process, "as_root", made.run)
    monkeypatch.setattr(module, "STORE", tmp_path)
    return made


def test_a_disk_without_a_domain_is_what_is_left_of_a_guest(virsh: Virsh, tmp_path: Path) -> None:
    """It has no power; the image of a box is no guest."""
    for name in (*virsh.volumes, "lab-1-akuma.img", "lab-2-luna.layer.img"):
        (tmp_path / name).touch()
    assert Libvirt().guests() == {
        "lab-1-voxy": State.RUNNING, "lab-1-zero": State.STOPPED, "mine": State.RUNNING,
        "lab-1-akuma": State.STOPPED, "lab-2-luna": State.STOPPED,
    }  # fmt: skip
    assert not virsh.told


def test_a_guest_is_removed_with_all_its_disks(virsh: Virsh) -> None:
    """The layer and what it stands on, the first one last; of a disk without a domain only the disk."""
    more = ["layer.img", "layer.img.new", "0a1b2c3d.under.img", "0a1b2c3d.save"]
    virsh.volumes += [*(f"lab-1-voxy.{name}" for name in more), "lab-1-voxy2.img", "lab-1-akuma.img"]
    Libvirt().remove("lab-1-voxy")
    assert virsh.told == [
        "undefine lab-1-voxy --managed-save --snapshots-metadata",
        "vol-delete --pool lab lab-1-voxy.0a1b2c3d.save",
        "vol-delete --pool lab lab-1-voxy.layer.img.new",
        "vol-delete --pool lab lab-1-voxy.0a1b2c3d.under.img",
        "vol-delete --pool lab lab-1-voxy.layer.img",
        "vol-delete --pool lab lab-1-voxy.img",
    ]
    virsh.told.clear()
    Libvirt().remove("lab-1-akuma")
    assert virsh.told == ["vol-delete --pool lab lab-1-akuma.img"]


def test_the_first_state_is_kept_once(virsh: Virsh) -> None:
    """From then on the guest writes to a layer, which must not become the kept one."""
    Libvirt().keep("lab-1-voxy")
    (told,) = virsh.told
    assert told == (
        "snapshot-create-as lab-1-voxy --disk-only --no-metadata --atomic "
        "--diskspec vda,file=/pool/lab-1-voxy.layer.img"
    )
    virsh.disks["lab-1-voxy"] = "/pool/lab-1-voxy.layer.img"
    Libvirt().keep("lab-1-voxy")
    assert virsh.told == [told]


@pytest.mark.parametrize("guest", ["lab-1-voxy", "lab-1-zero"])
def test_renewal_puts_an_empty_layer_over_what_was_kept(virsh: Virsh, guest: str) -> None:
    """Its power is taken first where it has any; the new layer takes the old one's place in one step."""
    layer = f"/pool/{guest}.layer.img"
    virsh.disks[guest] = layer
    Libvirt().renew(guest)
    assert virsh.told == [
        *(["destroy lab-1-voxy"] if guest == "lab-1-voxy" else []),
        f"snapshot-delete {guest} before --metadata",
        f"qemu-img create -q -f qcow2 -F qcow2 -b /pool/{guest}.img {layer}.new",
        f"chmod 600 {layer}.new",
        f"mv -T {layer}.new {layer}",
        f"start {guest}",
    ]


def test_a_guest_whose_first_state_was_not_kept_is_left_alone(virsh: Virsh) -> None:
    """Not even its power is taken."""
    with pytest.raises(EnvironmentProblem, match="cannot be made anew: its first state was not kept"):
        Libvirt().renew("lab-1-voxy")
    with pytest.raises(EnvironmentProblem, match="cannot be saved: its first state was not kept"):
        Libvirt().save(["lab-1-voxy"], "0a1b2c3d")
    with pytest.raises(EnvironmentProblem, match="cannot be restored: its first state was not kept"):
        Libvirt().restore("lab-1-voxy", "0a1b2c3d")
    assert virsh.told == []


@pytest.mark.parametrize("said", module._DEAF)
def test_a_daemon_that_is_gone_is_one_sentence(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    """With what brings it back; another failure of virsh stays what it is."""

    def fails(*argv: object, **more: object) -> Result:
        raise CommandFailed("this computer", Result("virsh list", 1, "", f"error: {said}"))

    monkeypatch.setattr(process, "run", fails)
    with pytest.raises(LibvirtGone) as caught:
        Libvirt().guests()
    assert str(caught.value).splitlines() == [
        "libvirtd does not answer; the guests that were running go on", "  → lab up starts it, and goes on from there",
    ]  # fmt: skip


def test_another_failure_of_virsh_stays_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """With virsh's own words."""

    def fails(*argv: object, **more: object) -> Result:
        raise CommandFailed("this computer", Result("virsh start", 1, "", "error: Domain is already active"))

    monkeypatch.setattr(process, "run", fails)
    with pytest.raises(CommandFailed, match="virsh start"):
        Libvirt().start("lab-1-voxy")


def test_what_libvirt_tries_emulators_for_may_take_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A definition and a start; a question is answered soon, or not at all."""
    allowed: dict[str, object] = {}

    def run(*argv: object, **more: object) -> Result:
        allowed[str(argv[3])] = more["timeout_s"]
        return Result("", 0, "", "")

    monkeypatch.setattr(process, "run", run)
    for word in ("define", "start", "list"):
        module.virsh(word)
    assert allowed == {"define": 600, "start": 600, "list": 120}
