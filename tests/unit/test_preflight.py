"""What a provider needs here, and the exact command that brings it."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import pytest

from lab import preflight, process
from lab.errors import MissingTool, NoPermission
from lab.preflight import Finding, check, findings, installation_of, system

RELEASES = {
    "debian": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n',
    "ubuntu": 'NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\n',
    "mint": 'NAME="Linux Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"\n',
    "fedora": 'NAME="Fedora Linux"\nID=fedora\n',
    "rocky": 'NAME="Rocky Linux"\nID="rocky"\nID_LIKE="rhel centos fedora"\n',
    "arch": 'NAME="Arch Linux"\nID=arch\n',
    "manjaro": 'NAME="Manjaro Linux"\nID=manjaro\nID_LIKE=arch\n',
    "nixos": "NAME=NixOS\nID=nixos\n",
}


def _system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, release: str) -> None:
    """Let this computer be a Linux of this release."""
    file = tmp_path / "os-release"
    file.write_text(RELEASES[release])
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(preflight, "Path", lambda name: file if name == "/etc/os-release" else Path(name))


def _tools(monkeypatch: pytest.MonkeyPatch, *missing: str) -> None:
    """Let all tools be there but these; we are root, and all plugins are there."""
    monkeypatch.setattr(process, "find", lambda tool: None if tool in missing else f"/usr/bin/{tool}")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(preflight, "_plugin", lambda name: Finding(name, name not in missing, "", f"plugin {name}"))


@pytest.mark.parametrize(
    ("release", "family", "command"),
    [
        ("debian", "debian", "sudo apt-get install lxc"),
        ("ubuntu", "debian", "sudo apt-get install lxc"),
        ("mint", "debian", "sudo apt-get install lxc"),
        ("fedora", "fedora", "sudo dnf install lxc"),
        ("rocky", "fedora", "sudo dnf install lxc"),
        ("arch", "arch", "sudo pacman -S lxc"),
        ("manjaro", "arch", "sudo pacman -S lxc"),
        ("nixos", "other", "install lxc-start by hand"),
    ],
)
def test_each_system_has_its_own_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, release: str, family: str, command: str
) -> None:
    """Known by /etc/os-release, also where a system only is like another."""
    _system(monkeypatch, tmp_path, release)
    assert system() == family
    assert installation_of("lxc-start") == command


def test_a_mac_uses_brew(monkeypatch: pytest.MonkeyPatch) -> None:
    """And Windows winget."""
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    assert system() == "darwin"
    assert installation_of("VBoxManage") == "brew install --cask virtualbox"
    monkeypatch.setattr(platform, "system", lambda: "Windows")
    assert installation_of("vagrant") == "winget install Hashicorp.Vagrant"


def test_a_plugin_comes_from_vagrant_where_no_package_has_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Debian packs it, Arch does not."""
    _system(monkeypatch, tmp_path, "debian")
    assert installation_of("vagrant-lxc") == "sudo apt-get install vagrant-lxc"
    _system(monkeypatch, tmp_path, "arch")
    assert installation_of("vagrant-lxc") == "vagrant plugin install vagrant-lxc"


def test_all_that_is_missing_is_said_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every tool by name, and the commands that bring them, each once."""
    _system(monkeypatch, tmp_path, "debian")
    _tools(monkeypatch, "ssh", "ssh-keygen", "mmdebstrap", "vagrant-lxc")
    with pytest.raises(MissingTool) as caught:
        check("lxc")
    assert "the provider lxc cannot be used" in caught.value.message
    for tool in ("ssh: not installed", "ssh-keygen: not installed", "mmdebstrap: not installed", "vagrant-lxc"):
        assert tool in caught.value.message
    assert "nft" not in caught.value.message
    expected = "sudo apt-get install openssh-client && sudo apt-get install mmdebstrap && plugin vagrant-lxc"
    assert expected == caught.value.mend


@pytest.mark.parametrize("provider", ["lxc", "libvirt", "virtualbox"])
def test_nothing_is_said_when_all_is_there(monkeypatch: pytest.MonkeyPatch, provider: str) -> None:
    """And every finding says where."""
    _tools(monkeypatch)
    check(provider)
    found = findings(provider)
    assert all(finding.ok for finding in found)
    assert found[0] == Finding("vagrant", True, "/usr/bin/vagrant")


def test_only_containers_need_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither root nor sudo is a problem of permission, not of a tool."""
    _tools(monkeypatch, "sudo")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(NoPermission, match="neither root nor sudo"):
        check("lxc")
    check("virtualbox")


@pytest.mark.parametrize(
    "place", ["gems/3.1.6/gems/vagrant-lxc-1.4.3", "gems/vagrant-lxc", "gems/gems/vagrant-lxc-2.0"]
)
def test_a_plugin_is_found_in_vagrants_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    """Without asking Vagrant, which takes two seconds."""
    monkeypatch.setenv("VAGRANT_HOME", str(tmp_path))
    name = "vagrant-lxc"
    monkeypatch.setattr(
        preflight, "Path", lambda given: Path(given) if str(given).startswith(str(tmp_path)) else tmp_path / "none"
    )
    assert not preflight._plugin(name).ok
    (tmp_path / place).mkdir(parents=True)
    assert preflight._plugin(name) == Finding(name, True, str(tmp_path / place))


def test_who_builds_nothing_needs_no_builder(monkeypatch: pytest.MonkeyPatch) -> None:
    """A computer with a pack's box has Vagrant and LXC, and perhaps no mmdebstrap."""
    found = [
        Finding("vagrant", True, "here"),
        Finding("mmdebstrap", False, "not installed", "apt-get install mmdebstrap"),
    ]
    monkeypatch.setattr(preflight, "findings", lambda provider: tuple(found))
    preflight.check("lxc", builds=False)
    with pytest.raises(MissingTool, match="mmdebstrap"):
        preflight.check("lxc")
