"""Vagrant itself validates what is rendered, for every provider."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from lab.keys import make_lab_key
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
