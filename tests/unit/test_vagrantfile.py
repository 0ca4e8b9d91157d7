"""The Vagrantfile: golden files for every provider, and names that nobody would choose.

When a change of the template is wanted: `UPDATE_GOLDEN=1 python -m pytest tests/unit`, then read the diff.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from lab import config, content
from lab.home import Home
from lab.names import container_prefix
from lab.topology import Lab
from lab.vagrantfile import render
from tests.fakes import five_hosts, host_table

GOLDEN = Path(__file__).parent / "golden"


def expect_golden(name: str, actual: str) -> None:
    """The text equals the golden file; with UPDATE_GOLDEN it becomes it."""
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(actual, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == actual


def _without_this_computer(text: str, home: Home) -> str:
    """The text with placeholders for what differs between checkouts."""
    named = {str(home.folder): "FOLDER", str(content.root()): "CHECKOUT", home.id: "LABID"}
    for value, name in named.items():
        text = text.replace(value, f"<{name}>")
    return re.sub(r"'02:1a(:[0-9a-f]{2}){4}'", "'<MAC>'", text)


def _home(folder: Path) -> Home:
    home = Home(folder)
    home.write("keys/lab.pub", "ssh-ed25519 AAAA lab\n")
    return home


def _ruby_strings(text: str) -> list[str]:
    """Ruby's single-quoted strings: a backslash is one only before another or before a quote."""
    found = re.findall(r"'((?:[^'\\]|\\.)*)'", text, re.DOTALL)
    return [re.sub(r"\\([\\'])", r"\1", each) for each in found]


@pytest.mark.parametrize("provider", ["lxc", "libvirt", "virtualbox"])
def test_the_vagrantfile_of_the_default_lab(tmp_path: Path, provider: str) -> None:
    """One template, one loop over the hosts, for every provider."""
    home = _home(tmp_path)
    box = "debian/bookworm64" if provider == "virtualbox" else f"lab-{provider}-0123456789ab"
    actual = _without_this_computer(render(Lab(), provider, box, home, root=False), home)
    expect_golden(f"Vagrantfile.{provider}", actual)


def test_root_needs_no_sudo_for_lxc(tmp_path: Path) -> None:
    """And nothing else differs."""
    home = _home(tmp_path)
    ours, theirs = (render(Lab(), "lxc", "box", home, root=root).splitlines() for root in (True, False))
    changed = [pair for pair in zip(ours, theirs, strict=True) if pair[0] != pair[1]]
    different = [tuple(line.partition("#")[0].strip() for line in pair) for pair in changed]
    assert different == [("lxc.privileged = false", "lxc.privileged = true")] * 3


def test_emulation_names_a_processor(tmp_path: Path) -> None:
    """Under KVM the computer's own is taken."""
    home = _home(tmp_path)
    assert 'cpu_mode = "custom"' in render(Lab(), "libvirt", "box", home, driver="qemu")
    assert "cpu_mode" not in render(Lab(), "libvirt", "box", home, driver="kvm")


def test_every_host_of_a_big_lab_is_there(tmp_path: Path) -> None:
    """Each once, with an address and a card of its own."""
    text = render(five_hosts(), "lxc", "box", _home(tmp_path), root=True)
    assert re.findall(r"config\.vm\.define '(\w+)'", text) == ["akuma", "voxy", "zero", "luna", "nova"]
    cards = re.findall(r'net\.0\.hwaddr", (\S+)', text)
    assert len(cards) == len(set(cards)) == 5


@pytest.mark.parametrize("provider", ["lxc", "libvirt", "virtualbox"])
def test_a_name_like_an_id_is_another_for_vagrant_and_the_same_for_the_provider(tmp_path: Path, provider: str) -> None:
    """Vagrant would take `db` for any lab's machine whose id begins so; libvirt's guest bears prefix and name."""
    home = _home(tmp_path)
    hosts = [host_table("akuma", 10, "balancer"), host_table("db", 11, "backend"), host_table("zero", 12, "backend")]
    text = render(config.parse({"host": hosts}), provider, "box", home)
    called = re.findall(r"config\.vm\.define '([\w-]+)'", text)
    assert called == ["akuma", f"{container_prefix(home)}db", "zero"]
    if provider == "libvirt":
        prefixes = re.findall(r"default_prefix = '([\w-]*)'", text)
        guests = [prefix + name for prefix, name in zip(prefixes, called, strict=True)]
        assert guests == [f"{container_prefix(home)}{name}" for name in ("akuma", "db", "zero")]


def test_a_folder_with_nasty_characters_stays_one_name(tmp_path: Path) -> None:
    """Quotes, backslashes, spaces and #{…} in a folder's name reach Vagrant as they are."""
    home = _home(tmp_path / 'it\'s "a" \\ #{1+1} $HOME folder\\')
    text = render(Lab(), "lxc", "box", home, root=True)
    strings = _ruby_strings("\n".join(line for line in text.splitlines() if not line.strip().startswith("#")))
    assert str(home.keys / "lab") in strings
    assert f"lab-{home.id}-voxy" in strings
    assert "192.168.56.12/24" in strings


def test_before_the_first_up_the_key_is_not_made() -> None:
    """`lab render vagrantfile` boots nothing and makes nothing."""
    home = Home(Path("/nonexistent/folder"))
    assert "(made by lab up)" in render(Lab(), "virtualbox", "box", home)
    assert not home.path.exists()
