"""The store of libvirt's guests: what nobody stands on goes, and the store with the last of it."""

from __future__ import annotations

import pytest

from lab import process
from lab.machines import libvirt, pool

OLD, NEW = (f"lab-libvirt-0123456789ab_vagrant_box_image_0_{stamp}_box.img" for stamp in (1, 2))


class Store:
    """libvirt's store in memory: each volume with what it stands on."""

    def __init__(self, volumes: dict[str, str], *, defined: bool = True, active: bool = True) -> None:
        self.volumes = volumes
        self.defined, self.active = defined, active
        self.networks = ["default"]
        self.told: list[str] = []

    def virsh(self, *words: str) -> str:
        """What virsh prints; what changes something is told."""
        match words:
            case ("pool-list", "--all", "--name"):
                return "default\n" + ("lab\n" if self.defined else "")
            case ("pool-list", "--name"):
                return "lab\n" if self.active else ""
            case ("net-list", "--name"):
                return "\n".join(self.networks)
            case ("pool-refresh", _):
                return ""
            case ("vol-list", _):
                return "Name Path\n----\n" + "".join(f" {name} /p/{name}\n" for name in self.volumes)
            case ("vol-dumpxml", "--pool", "lab", name):
                ground = self.volumes[name]
                stands = f"<backingStore><path>/p/{ground}</path></backingStore>" if ground else ""
                return f"<volume><name>{name}</name>{stands}</volume>"
        self.told.append(" ".join(words))
        return ""


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    """Two images of one box; a guest stands on the new one, with a layer on top."""
    made = Store({OLD: "", NEW: "", "lab-1-voxy.img": NEW, "lab-1-voxy.layer.img": "lab-1-voxy.img"})
    for each in (libvirt, pool):
        monkeypatch.setattr(each, "virsh", made.virsh)
    monkeypatch.setattr(process, "as_root", lambda *argv, **more: made.told.append(" ".join(map(str, argv))))
    return made


def test_only_the_images_that_nobody_needs_go(store: Store) -> None:
    """Old ones stay behind under the time of their box."""
    pool.clear()
    assert store.told == [f"vol-delete --pool lab {OLD}"]


def test_while_another_lab_is_there_nothing_is_cleared(store: Store) -> None:
    """It may be about to make its first guest, on an image on which nothing stands yet."""
    store.networks = ["default", "lab0a1b2c3d"]
    store.volumes = {NEW: ""}
    pool.clear()
    assert store.told == []


def test_with_the_last_guest_the_store_goes(store: Store) -> None:
    """And its folder."""
    store.volumes = {NEW: ""}
    pool.clear()
    assert store.told == [
        f"vol-delete --pool lab {NEW}", "pool-destroy lab", "pool-undefine lab", f"rmdir {libvirt.STORE}",
    ]  # fmt: skip


def test_a_store_with_a_disk_of_somebody_stays(store: Store) -> None:
    """Whoever put it there."""
    store.volumes = {NEW: "", "precious.qcow2": ""}
    pool.clear()
    assert store.told == [f"vol-delete --pool lab {NEW}"]


def test_without_a_store_nothing_is_cleared(store: Store) -> None:
    """Nor made."""
    store.defined = store.active = False
    pool.clear()
    assert store.told == []


@pytest.mark.parametrize(
    ("defined", "active", "expected"),
    [
        (True, True, []),
        (True, False, ["pool-start lab"]),
        (
            False,
            False,
            [f"mkdir -p {libvirt.STORE}", f"pool-define-as lab dir --target {libvirt.STORE}", "pool-start lab"],
        ),
    ],
)
def test_what_is_missing_of_the_store_is_made(
    store: Store, defined: bool, active: bool, expected: list[str]
) -> None:  # fmt: skip
    """Twice is once."""
    store.defined, store.active = defined, active
    pool.ensure()
    assert store.told == expected
