"""Boxes: named after their recipe, and handed on between computers without being mistaken for others."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from lab import process
from lab.apps.steps import Cloned
from lab.boxes import recipe, store
from lab.boxes.recipe import BASE_PACKAGES, Recipe
from lab.context import context_for
from lab.errors import EnvironmentProblem, Result, UsageError
from lab.placing import moved
from lab.steps import file, packages
from lab.topology import Lab

NAME = "lab-lxc-0123456789ab"
CLONE = Cloned("app", "https://x/app.git", "a" * 40, "main", Path("/cache/a.bundle"), "/home/vagrant/app", "vagrant")
RECIPE = Recipe("bookworm", "", BASE_PACKAGES, (packages("nginx"), file("/etc/a", "one"), CLONE))


def test_an_equal_recipe_has_an_equal_name() -> None:
    """In the form that the store accepts."""
    assert RECIPE.name == replace(RECIPE).name
    assert store.NAME.match(RECIPE.name)


@pytest.mark.parametrize(
    "other",
    [
        replace(RECIPE, packages=(*BASE_PACKAGES, "nano")),
        replace(RECIPE, suite="trixie"),
        replace(RECIPE, steps=(packages("nginx", "curl"), *RECIPE.steps[1:])),
        replace(RECIPE, steps=(RECIPE.steps[0], file("/etc/a", "two"), CLONE)),
        replace(RECIPE, steps=(RECIPE.steps[1], RECIPE.steps[0], CLONE)),
        replace(RECIPE, steps=(*RECIPE.steps[:2], replace(CLONE, url="https://y/app.git"))),
    ],
    ids=["packages", "suite", "a step", "a file's content", "order", "another app"],
)
def test_another_recipe_has_another_name(other: Recipe) -> None:
    """Whatever of it differs."""
    assert other.name != RECIPE.name


def test_a_template_is_part_of_the_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So is the format of the builder."""
    before = RECIPE.name
    for name in ("lxc-config", "lxc-template.j2"):
        (tmp_path / name).write_text((recipe.HERE / name).read_text())
    monkeypatch.setattr(recipe, "HERE", tmp_path)
    assert RECIPE.name == before
    (tmp_path / "lxc-template.j2").write_text("other")
    changed = RECIPE.name
    assert changed != before
    monkeypatch.setattr(recipe, "FORMAT", 99)
    assert RECIPE.name not in (before, changed)


def test_a_newer_commit_of_the_app_needs_no_new_box() -> None:
    """As long as its dependencies are equal."""
    newer = replace(CLONE, revision="b" * 40, bundle=Path("/cache/b.bundle"))
    assert replace(RECIPE, steps=(*RECIPE.steps[:2], newer)).name == RECIPE.name


def test_labs_on_different_subnets_stand_on_one_box(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also behind a proxy, from which each lab excepts its own hosts."""
    monkeypatch.setenv("http_proxy", "http://proxy.school:3128")
    monkeypatch.setenv("no_proxy", "intra.school")
    one, other = (context_for(lab, None) for lab in (Lab(), moved(Lab(), IPv4Network("192.168.60.0/24"))))
    assert one.proxies["no_proxy"] != other.proxies["no_proxy"]
    assert recipe.recipe_for(one) == recipe.recipe_for(other)
    monkeypatch.setenv("no_proxy", "elsewhere.school")
    assert recipe.recipe_for(context_for(Lab(), None)).name != recipe.recipe_for(one).name


def _box(path: Path, metadata: str | None = None, member: str = "./metadata.json") -> Path:
    """A box file as the builder packs it."""
    text = json.dumps({"provider": "lxc", "lab": {"name": NAME}}) if metadata is None else metadata
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        entry = tarfile.TarInfo(member)
        entry.size = len(text.encode())
        archive.addfile(entry, io.BytesIO(text.encode()))
    return path


@pytest.fixture
def vagrant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What Vagrant and root's tools are told; no container stands on any box."""
    told: list[str] = []

    def run(*argv: object, **more: object) -> Result:
        told.append(" ".join(map(str, argv)))
        return Result(told[-1], 0, "", "")

    monkeypatch.setattr(process, "run", run)
    monkeypatch.setattr(process, "as_root", run)
    monkeypatch.setenv("VAGRANT_HOME", str(tmp_path / "vagrant.d"))
    return told


def test_a_box_goes_to_another_computer_and_back(vagrant: list[str], tmp_path: Path) -> None:
    """Export, import into an empty cache: the same bytes under the same name, and Vagrant has it."""
    original = _box(store.box_file(NAME)).read_bytes()
    assert store.export(NAME, tmp_path / "usb.box") == tmp_path / "usb.box"
    store.box_file(NAME).unlink()
    assert store.import_(tmp_path / "usb.box") == NAME
    assert store.box_file(NAME).read_bytes() == original
    assert vagrant[-1] == f"vagrant box add --force --name {NAME} {store.box_file(NAME)}"
    assert [(box.name, box.bytes, box.used_by) for box in store.boxes()] == [(NAME, len(original), ())]


@pytest.mark.parametrize(
    "metadata",
    ["{}", "[]", "5", "{", '{"lab": {"name": "debian"}}', '{"lab": {"name": "../../etc/x"}}', '{"lab": null}',
     f'{{"lab": {{"name": "{NAME}\\n"}}}}'],
)  # fmt: skip
def test_a_foreign_box_is_refused(vagrant: list[str], tmp_path: Path, metadata: str) -> None:
    """Whatever its metadata says; nothing of it gets into the cache."""
    with pytest.raises(UsageError) as caught:
        store.import_(_box(tmp_path / "foreign.box", metadata))
    assert str(tmp_path / "foreign.box") in caught.value.message
    assert caught.value.mend == "name a file that lab box export wrote"
    assert store.boxes() == ()
    assert vagrant == []


def test_what_is_no_box_is_refused(vagrant: list[str], tmp_path: Path) -> None:
    """Text, an empty file, half a box, a tar without metadata, a compressed one that breaks off."""
    whole = _box(tmp_path / "whole.box").read_bytes()
    _box(tmp_path / "other.box", member="./other.json")
    (tmp_path / "text.box").write_text("hello")
    (tmp_path / "empty.box").write_bytes(b"")
    (tmp_path / "half.box").write_bytes(whole[:520])
    with tarfile.open(tmp_path / "gz.box", "w:gz") as archive:
        archive.add(tmp_path / "whole.box", "./metadata.json")
    (tmp_path / "cut.box").write_bytes((tmp_path / "gz.box").read_bytes()[:-30])
    for name in ("other", "text", "empty", "half", "cut"):
        with pytest.raises(UsageError, match="is not a box of the lab"):
            store.import_(tmp_path / f"{name}.box")


def test_a_file_that_exists_is_not_overwritten(vagrant: list[str], tmp_path: Path) -> None:
    """Nor is a folder that does not exist a crash."""
    _box(store.box_file(NAME))
    (tmp_path / "mine").write_text("precious")
    with pytest.raises(UsageError, match="exists already"):
        store.export(NAME, tmp_path / "mine")
    assert (tmp_path / "mine").read_text() == "precious"
    with pytest.raises(EnvironmentProblem, match="cannot be written: No such file"):
        store.export(NAME, tmp_path / "no" / "folder.box")


@pytest.mark.parametrize("name", ["lab-lxc-ffffffffffff", "nonsense", "../../x"])
def test_an_unknown_box_is_named_with_the_known(vagrant: list[str], tmp_path: Path, name: str) -> None:
    """By export and by remove."""
    _box(store.box_file(NAME))
    for act in (lambda: store.export(name, tmp_path / "x"), lambda: store.remove(name)):
        with pytest.raises(UsageError) as caught:
            act()
        assert f"there is no box {name!r}; there are: {NAME}" in caught.value.message


def test_a_box_in_use_is_not_removed(vagrant: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Its guests would lose their ground."""
    _box(store.box_file(NAME))
    monkeypatch.setattr(process, "as_root", lambda *argv, check: Result("", 0, "/var/lib/lxc/lab-1-voxy/config\n", ""))
    with pytest.raises(UsageError, match="in use by lab-1-voxy"):
        store.remove(NAME)
    assert store.box_file(NAME).exists()


def test_a_box_is_removed_from_all_three_places(vagrant: list[str], tmp_path: Path) -> None:
    """Vagrant, the lower layer, the cache."""
    _box(store.box_file(NAME))
    added = tmp_path / "vagrant.d" / "boxes" / NAME / "0" / "lxc" / "metadata.json"
    added.parent.mkdir(parents=True)
    added.touch()
    store.remove(NAME)
    assert vagrant[-2:] == [f"vagrant box remove --force --all {NAME}", f"rm -rf {store.BASES / NAME}"]
    assert not store.box_file(NAME).exists()
