"""A container put back to its box: only its own layer is removed, and nothing where it has none."""

from __future__ import annotations

import shutil

import pytest

from lab.errors import CommandFailed, EnvironmentProblem
from lab.machines.lxc import Lxc
from tests.unit.containers import GUEST, Containers, containers

__all__ = ["containers"]


def _emptied(containers: Containers) -> bool:
    return containers.files() == {"box", "box/of-the-box", GUEST, f"{GUEST}/config", f"{GUEST}/delta"}


def test_the_layer_is_empty_and_the_guest_is_started(containers: Containers) -> None:
    """Its power first; the box stays as it is. The old layer goes away only after the start."""
    containers.make(containers.overlay)
    Lxc().renew(GUEST)
    assert _emptied(containers)
    assert (containers.folder / "delta").stat().st_mode & 0o777 == 0o755
    steps = [line for line in containers.told if line.startswith(("lxc-st", "mv", "rm"))]
    assert steps == [
        f"lxc-stop --name {GUEST} --kill", f"rm -rf {GUEST}/aside", f"mv -T {GUEST}/delta {GUEST}/aside",
        f"lxc-start --name {GUEST} --daemon", f"rm -rf {GUEST}/aside",
    ]  # fmt: skip


def test_a_guest_without_power_is_renewed_too(containers: Containers) -> None:
    """LXC says 2 where there is nothing to stop."""
    containers.make(containers.overlay)
    containers.codes["lxc-stop"] = [2]
    Lxc().renew(GUEST)
    assert _emptied(containers)


def test_nothing_is_removed_while_the_guest_may_run(containers: Containers) -> None:
    """When its power cannot be taken."""
    containers.make(containers.overlay)
    before = containers.files()
    containers.codes["lxc-stop"] = [1]
    with pytest.raises(CommandFailed):
        Lxc().renew(GUEST)
    assert containers.files() == before


@pytest.mark.parametrize("left", ["layer moved", "layer made", "half removed"])
def test_an_interrupted_renewal_is_mended_by_the_next(containers: Containers, left: str) -> None:
    """Wherever it was cut off."""
    containers.make(containers.overlay)
    delta, aside = containers.folder / "delta", containers.folder / "aside"
    if left == "half removed":
        shutil.copytree(delta, aside)
    else:
        delta.rename(aside)
    if left == "layer made":
        delta.mkdir()
    Lxc().renew(GUEST)
    assert _emptied(containers)


def test_a_renewal_whose_start_fails_is_mended_by_the_next(containers: Containers) -> None:
    """The error is told; the old layer goes with it."""
    containers.make(containers.overlay)
    containers.codes["lxc-start"] = [1, 0]
    with pytest.raises(CommandFailed):
        Lxc().renew(GUEST)
    Lxc().renew(GUEST)
    assert _emptied(containers)


@pytest.mark.parametrize("command", ["mv", "rm"])
def test_files_that_root_of_the_guest_has_frozen_go_too(containers: Containers, command: str) -> None:
    """The flags of `chattr +i` and `+a` are taken off where a command fails, and it is run again."""
    containers.make(containers.overlay)
    containers.codes[command] = [1, 0]
    Lxc().renew(GUEST)
    assert _emptied(containers)
    path = f"{GUEST}/delta" if command == "mv" else f"{GUEST}/aside"
    assert f"chattr -R -f -i -a {path}" in containers.told


@pytest.mark.parametrize(
    "path",
    [
        "dir:ROOT/lab-1-voxy/delta",
        "ROOT/lab-1-voxy/delta",
        "overlay:ROOT/box:ROOT/lab-1-akuma/delta",
        "overlay:ROOT/box:ROOT/lab-1-voxy/../lab-1-akuma",
        "overlay:ROOT/box:ROOT/lab-1-voxy/..",
        "overlay:ROOT/box:ROOT/lab-1-voxy/",
        "overlay:ROOT/box:ROOT/lab-1-voxy",
        "overlay:ROOT/box:ROOT/lab-1-voxy/delta/etc",
        "overlay:ROOT/box:ROOT/lab-1-voxy/aside",
        "overlay:ROOT/box:delta",
        "overlay:ROOT/box:/",
        "overlay:",
        "",
    ],
)
def test_anything_but_a_layer_in_the_guests_own_folder_is_refused(containers: Containers, path: str) -> None:
    """Its power stays on, nothing is removed."""
    containers.make(containers.overlay, f"lxc.rootfs.path={path.replace('ROOT', str(containers.root))}")
    before = containers.files()
    with pytest.raises(EnvironmentProblem, match="lab-1-voxy cannot be made anew") as caught:
        Lxc().renew(GUEST)
    assert caught.value.mend == "`lab destroy` and `lab up` make it again"
    assert containers.files() == before
    assert [line for line in containers.told if not line.startswith(("lxc-config", "cat"))] == []


def test_a_configuration_without_a_root_is_refused(containers: Containers) -> None:
    """A comment is none."""
    containers.make("# " + containers.overlay, "lxc.uts.name = voxy")
    with pytest.raises(EnvironmentProblem, match="its root is nothing"):
        Lxc().renew(GUEST)
