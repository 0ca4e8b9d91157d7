"""Vagrant itself validates what is rendered, for every provider."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from lab.keys import make_lab_key
from lab.names import vagrant_name
from tests.realm import Realm

PROVIDERS = {
    "lxc": ["validate"],
    "libvirt": ["validate"],
    "virtualbox": ["validate", "--ignore-provider"],  # Vagrant wants VBoxManage to look into its options
}


def validate(folder: Path, provider: str, text: str) -> subprocess.CompletedProcess[str]:
    """`vagrant validate` of a Vagrantfile's text."""
    (folder / "Vagrantfile").write_text(text)
    env = {**os.environ, "VAGRANT_DEFAULT_PROVIDER": provider, "VAGRANT_CHECKPOINT_DISABLE": "1"}
    return subprocess.run(
        ["vagrant", *PROVIDERS[provider]], cwd=folder, env=env, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("provider", PROVIDERS)
def test_vagrant_accepts_the_rendered_file(tmp_path: Path, provider: str) -> None:
    """The file of a lab in a folder with a quote in its name is valid."""
    realm = Realm.make(tmp_path / "o'lab", 61)
    make_lab_key(realm.home)
    text = realm.lab("render", "vagrantfile", "--provider", provider).stdout
    done = validate(tmp_path, provider, text)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("provider", "word"), [("libvirt", "memory"), ("virtualbox", "box_check_update")])
def test_vagrant_refuses_a_misspelt_option(tmp_path: Path, provider: str, word: str) -> None:
    """The validation can fail: a misspelt option is caught."""
    realm = Realm.make(tmp_path / "lab", 61)
    make_lab_key(realm.home)
    text = realm.lab("render", "vagrantfile", "--provider", provider).stdout
    assert word in text
    assert validate(tmp_path, provider, text.replace(word, word + "x")).returncode != 0


def status(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    """`vagrant status` where another lab, whose folder is gone, has a machine whose id begins with b."""
    (folder / "Vagrantfile").write_text(text)
    index = folder / "vagrant-home" / "data" / "machine-index" / "index"
    index.parent.mkdir(parents=True, exist_ok=True)
    gone = str(folder / "gone")
    machine: dict[str, object] = {
        "local_data_path": gone, "name": "voxy", "provider": "lxc", "state": "running",
        "vagrantfile_name": None, "vagrantfile_path": gone, "updated_at": None, "extra_data": {},
    }  # fmt: skip
    index.write_text(json.dumps({"version": 1, "machines": {"b" * 32: machine}}))
    env = {**os.environ, "VAGRANT_DEFAULT_PROVIDER": "lxc", "VAGRANT_HOME": str(folder / "vagrant-home")}
    return subprocess.run(["vagrant", "status"], cwd=folder, env=env, capture_output=True, text=True, check=False)


def test_a_host_called_b_is_not_taken_for_another_labs_machine(tmp_path: Path) -> None:
    """With its bare name it is: Vagrant takes a machine's name for the beginning of an id first."""
    realm = Realm.make(tmp_path / "lab", 61)
    toml = realm.folder / "lab.toml"
    toml.write_text(toml.read_text().replace('"voxy"', '"b"'))
    make_lab_key(realm.home)
    text = realm.lab("render", "vagrantfile", "--provider", "lxc").stdout
    known_as = vagrant_name(realm.home, "b")
    done = status(tmp_path, text)
    assert done.returncode == 0, done.stdout + done.stderr
    assert known_as in done.stdout
    naive = status(tmp_path, text.replace(f"define '{known_as}'", "define 'b'"))
    assert naive.returncode != 0
    assert str(tmp_path / "gone") in naive.stderr
