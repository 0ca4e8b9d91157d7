"""Host keys of machines that are there already: shown, vouched for, pinned. Uses the real ssh-keygen, no network."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lab import config, process
from lab.errors import HostUnreachable, Result
from lab.home import Home
from lab.machines import host_keys
from lab.machines.host_keys import HostKeyUnknown
from lab.topology import Lab
from tests.fakes import default_hosts


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, str]:
    """A public key, as in a .pub file, by the address of its host."""
    made = {}
    for last in (10, 11, 12):
        path = tmp_path / str(last)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)], check=True)
        made[f"192.168.56.{last}"] = path.with_suffix(".pub").read_text().strip()
    return made


@pytest.fixture
def scans(monkeypatch: pytest.MonkeyPatch, keys: dict[str, str]) -> list[tuple[str, str]]:
    """ssh-keyscan, replaced: the hosts show `keys`, and worse ones before; who was asked, and on which port."""
    asked: list[tuple[str, str]] = []

    def run(*argv: object, check: bool = True, **more: object) -> Result:
        words = [str(word) for word in argv]
        assert words[0] == "ssh-keyscan"
        address, port = words[-1], words[words.index("-p") + 1]
        asked.append((address, port))
        place = address if port == "22" else f"[{address}]:{port}"
        shown = f"# {address}:{port} SSH-2.0\n{place} ssh-rsa AAAAB3Nz\n{place} {keys[address]}\n"
        return Result("", 0, shown if keys[address] else "", "")

    monkeypatch.setattr(process, "run", run)
    return asked


def _lab(**more: object) -> Lab:
    return config.parse({"provider": "existing", "ssh_user": "ubuntu", **more})


def test_the_best_key_is_shown_with_the_fingerprint_that_ssh_keygen_prints(
    home: Home, scans: list[tuple[str, str]], tmp_path: Path
) -> None:
    """So that a teacher can compare it with what the machine's console says."""
    said = subprocess.run(
        ["ssh-keygen", "-l", "-f", str(tmp_path / "11.pub")], capture_output=True, text=True, check=True
    ).stdout
    shown = {key.host: key for key in host_keys.strangers(_lab(), home)}
    assert list(shown) == ["akuma", "voxy", "zero"]
    assert (shown["voxy"].kind, shown["voxy"].fingerprint) == ("ssh-ed25519", said.split()[1])


def test_nobody_is_let_in_unseen(home: Home, scans: list[tuple[str, str]]) -> None:
    """Without consent the first one is named, with the command that takes it; nothing is pinned."""
    with pytest.raises(HostKeyUnknown) as caught:
        host_keys.settle(_lab(), home)
    assert "akuma's host key is not known yet; 192.168.56.10 shows ssh-ed25519 SHA256:" in caught.value.message
    assert "lab up --accept-host-keys" in caught.value.mend
    assert (home.path / "known_hosts").read_text() == ""


def test_a_pinned_key_is_not_asked_for_again(home: Home, scans: list[tuple[str, str]], keys: dict[str, str]) -> None:
    """The file is what ssh reads: place, kind, key."""
    host_keys.pin(_lab(), home, host_keys.strangers(_lab(), home))
    scans.clear()
    path = Path(host_keys.settle(_lab(), home))
    assert scans == []
    assert path.read_text().splitlines() == [f"{address} {key}".strip() for address, key in keys.items()]
    assert host_keys.strangers(_lab(), home) == ()


def test_another_port_is_part_of_the_place(home: Home, scans: list[tuple[str, str]]) -> None:
    """As in OpenSSH's own file."""
    lab = _lab(ssh_port=2222)
    host_keys.pin(lab, home, host_keys.strangers(lab, home))
    assert {port for _, port in scans} == {"2222"}
    assert (home.path / "known_hosts").read_text().startswith("[192.168.56.10]:2222 ssh-ed25519 ")
    assert host_keys.strangers(lab, home) == ()
    assert len(host_keys.strangers(_lab(), home)) == 3


@pytest.mark.parametrize("as_fingerprint", [True, False])
def test_lab_toml_vouches(home: Home, scans: list[tuple[str, str]], keys: dict[str, str], as_fingerprint: bool) -> None:
    """By a fingerprint or by a public key; then nobody is asked, and a wrong one is refused."""
    shown = {key.host: key for key in host_keys.strangers(_lab(), home)}
    tables = default_hosts()
    for table in tables:
        key = shown[str(table["name"])]
        table["host_key"] = key.fingerprint if as_fingerprint else f"{key.kind} {key.key}"
    vouched = _lab(host=tables)
    assert host_keys.strangers(vouched, home) == ()
    host_keys.settle(vouched, home)
    assert len((home.path / "known_hosts").read_text().splitlines()) == 3

    tables[1]["host_key"] = tables[2]["host_key"]
    with pytest.raises(HostKeyUnknown) as caught:
        host_keys.settle(_lab(host=tables), home)
    assert f"voxy shows the host key {shown['voxy'].fingerprint}" in caught.value.message
    assert f"lab.toml says {shown['zero'].fingerprint}" in caught.value.message


def test_who_shows_no_key_is_named(home: Home, scans: list[tuple[str, str]], keys: dict[str, str]) -> None:
    """With address and port, and what to look at."""
    keys["192.168.56.11"] = ""
    with pytest.raises(HostUnreachable) as caught:
        host_keys.strangers(_lab(), home)
    assert caught.value.message == "voxy: nothing at 192.168.56.11, port 22, shows an SSH host key"
    assert "switch voxy on" in caught.value.mend
