"""Saves of a container: a copy of its own layer, and an empty one over it; and never a half of either."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import CommandFailed, EnvironmentProblem, UsageError
from lab.machines import layers
from lab.machines.lxc import Lxc
from tests.unit.containers import GUEST, Containers, containers

__all__ = ["containers"]

ONE, TWO, THREE = "11111111", "22222222", "33333333"


@pytest.fixture
def made(containers: Containers) -> Containers:
    """One container that runs, with a file in its layer, and lines around the one with its root."""
    containers.make("lxc.uts.name = voxy", containers.overlay, "lxc.net.0.type = veth")
    return containers


def _own(made: Containers) -> Path:
    """The container's own layer."""
    return layers.stack_of(GUEST, "read").own


def _write(made: Containers, text: str) -> None:
    """What somebody writes in the container; what is under its own layer is not touched."""
    (_own(made) / "etc").mkdir(exist_ok=True)
    (_own(made) / "etc" / "mine").write_text(text)


def _seen(made: Containers) -> str | None:
    """What the container has in that file: the uppermost layer's."""
    stack = layers.stack_of(GUEST, "read")
    for layer in (stack.own, *(stack.save(id) / "layer" for id in stack.saved)):
        if (layer / "etc" / "mine").exists():
            return (layer / "etc" / "mine").read_text()
    return None


def _root(made: Containers) -> str:
    """The container's root as it is configured, from the folder of all containers."""
    lines = (made.folder / "config").read_text().splitlines()
    assert [lines[0], lines[2]] == ["lxc.uts.name = voxy", "lxc.net.0.type = veth"]
    assert len(lines) == 3
    return lines[1].replace(f"{made.root}/", "")


def test_a_save_is_a_copy_made_while_the_container_is_frozen(made: Containers) -> None:
    """What thaws it is settled before it is frozen; its mark is written when the copy is on the disk."""
    (made.folder / "delta" / "etc").chmod(0o710)
    assert Lxc().save([GUEST], ONE) > 0
    copied = made.folder / "saves" / ONE / "layer"
    assert (copied / "etc" / "mine").read_text() == "a student's"
    assert (copied / "etc").stat().st_mode & 0o777 == 0o710
    assert (made.folder / "saves").stat().st_mode & 0o777 == 0o700
    steps = [line for line in made.told if line.startswith(("will", "lxc-fr", "lxc-un", "lxc-st", "cp", "sync", "mv"))]
    save = f"{GUEST}/saves/{ONE}"
    assert steps == [
        f"will lxc-unfreeze --name {GUEST}", f"lxc-freeze --name {GUEST}",
        f"cp --archive --reflink=auto {GUEST}/delta {save}/layer", f"lxc-unfreeze --name {GUEST}",
        f"sync --file-system {save}", f"mv -T {save}/lowers.new {save}/lowers",
    ]  # fmt: skip
    assert Lxc().saves(GUEST) == {ONE}


def test_a_container_without_power_is_not_frozen(made: Containers) -> None:
    """Nor started."""
    made.said["lxc-ls -1 --active"] = ""
    Lxc().save([GUEST], ONE)
    assert [line for line in made.told if "freeze" in line or "lxc-st" in line] == []
    assert Lxc().saves(GUEST) == {ONE}


@pytest.mark.parametrize("command", ["lxc-freeze", "cp", "sync", "mv"])
def test_a_save_that_fails_is_none_and_the_container_goes_on(made: Containers, command: str) -> None:
    """Wherever it fails; what is left of it goes with the next tidying."""
    made.codes[command] = [1]
    with pytest.raises(CommandFailed):
        Lxc().save([GUEST], ONE)
    assert f"lxc-unfreeze --name {GUEST}" in made.told
    assert Lxc().saves(GUEST) == frozenset()
    Lxc().prune(GUEST, [])
    assert not (made.folder / "saves" / ONE).exists()
    assert _seen(made) == "a student's"


def test_a_restored_container_stands_on_the_save(made: Containers) -> None:
    """With an empty layer, whose mode is that of its `/`; the configuration changes in that line alone."""
    (made.folder / "work" / "work").mkdir(parents=True)
    (made.folder / "delta").chmod(0o711)
    Lxc().save([GUEST], ONE)
    _write(made, "lost")
    (made.folder / "config").chmod(0o640)
    made.told.clear()
    Lxc().restore(GUEST, ONE)
    own = _own(made)
    assert _root(made) == f"lxc.rootfs.path = overlay:{GUEST}/saves/{ONE}/layer:box:{GUEST}/{own.name}"
    assert (list(own.iterdir()), own.stat().st_mode & 0o777) == ([], 0o711)
    assert (made.folder / "config").stat().st_mode & 0o777 == 0o640
    assert not (made.folder / "work").exists()
    steps = [line for line in made.told if line.startswith(("lxc-st", "mv"))]
    assert steps == [
        f"lxc-stop --name {GUEST} --kill", f"mv -T {GUEST}/config.new {GUEST}/config",
        f"lxc-start --name {GUEST} --daemon",
    ]  # fmt: skip
    assert _seen(made) == "a student's"


@pytest.mark.parametrize(
    ("command", "failures", "expected"),
    [("cat", [0, 1], "new"), ("mkdir", [1], "new"), ("lxc-stop", [1], "new"), ("mv", [1], "new"),
     ("rm", [1], "a student's"), ("lxc-start", [1], "a student's")],
)  # fmt: skip
def test_a_restore_that_fails_leaves_the_old_or_the_saved_whole(
    made: Containers, command: str, failures: list[int], expected: str
) -> None:
    """And never something between; done again it arrives, and leaves nothing over."""
    Lxc().save([GUEST], ONE)
    _write(made, "new")
    made.codes[command] = failures
    with pytest.raises(CommandFailed):
        Lxc().restore(GUEST, ONE)
    assert _seen(made) == expected
    Lxc().restore(GUEST, ONE)
    Lxc().prune(GUEST, [ONE])
    assert _seen(made) == "a student's"
    assert sorted(path.name for path in made.folder.iterdir()) == sorted(["config", "saves", _own(made).name])


def test_saves_of_restored_containers_stand_on_each_other(made: Containers) -> None:
    """A save holds what came after; every point can be gone back to, in any order."""
    lxc = Lxc()
    for id, text in ((ONE, "1"), (TWO, "2"), (THREE, "3")):
        _write(made, text)
        lxc.save([GUEST], id)
        lxc.restore(GUEST, id)
    for id, text, under in ((ONE, "1", ()), (THREE, "3", (TWO, ONE)), (TWO, "2", (ONE,)), (THREE, "3", (TWO, ONE))):
        lxc.restore(GUEST, id)
        lxc.prune(GUEST, [ONE, TWO, THREE])
        assert _seen(made) == text
        assert layers.stack_of(GUEST, "read").saved == (id, *under)


def test_a_removed_save_stays_while_something_stands_on_it(made: Containers) -> None:
    """The container, or a save that is kept; then it goes."""
    lxc = Lxc()
    _write(made, "1")
    lxc.save([GUEST], ONE)
    lxc.restore(GUEST, ONE)
    lxc.prune(GUEST, [])
    assert (lxc.saves(GUEST), _seen(made)) == (frozenset(), "1")
    lxc.save([GUEST], TWO)
    lxc.renew(GUEST)
    lxc.prune(GUEST, [TWO])
    assert lxc.saves(GUEST) == {TWO}
    assert _seen(made) is None
    lxc.restore(GUEST, TWO)
    assert _seen(made) == "1"
    lxc.renew(GUEST)
    lxc.prune(GUEST, [])
    assert list((made.folder / "saves").iterdir()) == []


def test_a_renewed_container_stands_on_its_box_alone(made: Containers) -> None:
    """Whatever it stood on; its saves are kept."""
    Lxc().save([GUEST], ONE)
    Lxc().restore(GUEST, ONE)
    Lxc().renew(GUEST)
    assert _root(made) == f"lxc.rootfs.path = overlay:box:{GUEST}/{_own(made).name}"
    assert _seen(made) is None
    assert Lxc().saves(GUEST) == {ONE}
    Lxc().restore(GUEST, ONE)
    assert _seen(made) == "a student's"


def test_a_list_that_cannot_be_read_prunes_nothing(made: Containers) -> None:
    """To find no save would be to remove them all."""
    Lxc().save([GUEST], ONE)
    made.codes["find"] = [1]
    with pytest.raises(CommandFailed):
        Lxc().prune(GUEST, [ONE])
    assert Lxc().saves(GUEST) == {ONE}


def test_a_container_that_is_gone_has_no_saves(made: Containers) -> None:
    """And nothing to tidy."""
    assert Lxc().saves("lab-1-gone") == frozenset()
    Lxc().prune("lab-1-gone", [])
    Lxc().prune(GUEST, [])


def test_without_room_nothing_is_touched(made: Containers) -> None:
    """What is needed and what is there is said; some is left for the lab itself."""
    made.said[f"df --block-size=1 --output=avail {made.root}"] = f"Avail\n{layers.SPARE}\n"
    before = made.files()
    with pytest.raises(EnvironmentProblem, match=r"only 0\.5 GiB are free in .*; the save needs 0\.5 GiB") as caught:
        Lxc().save([GUEST], ONE)
    assert caught.value.mend == "make room there, or `lab saves --remove` an old one"
    assert made.files() == before
    assert not [line for line in made.told if "freeze" in line]


def test_what_the_kernel_would_not_mount_is_not_made(made: Containers) -> None:
    """The paths of all layers must fit into one page."""
    ids = [f"{number:08x}" for number in range(layers.MOST)]
    lowers = ":".join(f"{made.folder}/saves/{id}/layer" for id in ids)
    text = (made.folder / "config").read_text()
    (made.folder / "config").write_text(text.replace("overlay:", f"overlay:{lowers}:"))
    before = made.files()
    with pytest.raises(UsageError, match=f"{GUEST} stands on 40 saves"):
        Lxc().save([GUEST], ONE)
    assert made.files() == before
    longest = "/var/lib/lxc/lab-12345678-" + "x" * 32
    assert (len(f"{longest}/saves/12345678/layer") + 1) * layers.MOST < 4096 - 3 * 100


@pytest.mark.parametrize(
    "lower", ["ROOT/lab-1-akuma/saves/11111111/layer", "ROOT/lab-1-voxy/saves/../layer", "ROOT/other"]
)
def test_layers_that_are_not_its_own_are_refused(made: Containers, lower: str) -> None:
    """Before anything is touched."""
    text = (made.folder / "config").read_text()
    (made.folder / "config").write_text(text.replace("overlay:", f"overlay:{lower.replace('ROOT', str(made.root))}:"))
    for act, word in ((lambda: Lxc().save([GUEST], ONE), "saved"), (lambda: Lxc().restore(GUEST, ONE), "restored")):
        with pytest.raises(EnvironmentProblem, match=f"{GUEST} cannot be {word}: its root is overlay:"):
            act()
    assert not [line for line in made.told if not line.startswith(("lxc-config", "cat"))]
