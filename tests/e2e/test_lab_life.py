"""The life of a lab, as a user lives it: up, status, provision, halt, start, reboot."""

from __future__ import annotations

import stat

from tests.realm import Realm


def test_up_ends_when_each_backend_has_answered(realm: Realm) -> None:
    """Ten requests through akuma name both backends, and nobody else."""
    answers = realm.ask(10)
    assert answers.keys() == {"voxy", "zero"}
    assert answers.total() == 10


def test_status_shows_three_running_hosts(realm: Realm) -> None:
    """State, reachability and app of each host, in the contract's words."""
    shown = realm.json("status")
    assert shown["provider"] == "lxc"
    assert shown["url"] == "http://192.168.57.10/"
    assert shown["faults"] == []
    rows = [(host["name"], host["roles"], host["state"], host["reachable"], host["app"]) for host in shown["hosts"]]
    assert rows == [
        ("akuma", ["balancer"], "running", True, None),
        ("voxy", ["backend"], "running", True, "serving"),
        ("zero", ["backend"], "running", True, "serving"),
    ]


def test_second_up_changes_nothing_and_does_not_call_vagrant(realm: Realm) -> None:
    """Idempotent, and free of Vagrant's slow start."""
    log = realm.home.path / "logs" / "vagrant.log"
    before = log.stat().st_mtime_ns
    report = realm.json("up")
    assert report["booted"] == []
    assert [host["changed"] for host in report["hosts"]] == [0, 0, 0]
    assert log.stat().st_mtime_ns == before


def test_second_provision_changes_nothing(realm: Realm) -> None:
    """0 changed, 0 failed on every host."""
    hosts = realm.json("provision")["hosts"]
    assert [(host["name"], host["ok"], host["changed"], host["failed"]) for host in hosts] == [
        ("akuma", True, 0, 0),
        ("voxy", True, 0, 0),
        ("zero", True, 0, 0),
    ]


def test_provision_mends_exactly_what_was_changed(realm: Realm) -> None:
    """A line that somebody added to the site is gone again, and only that counts as changed."""
    site = "/etc/nginx/akuma/my.reverse-proxy.conf"
    realm.ssh("akuma", f"echo '# somebody was here' | sudo tee -a {site}")
    hosts = realm.json("provision", "akuma")["hosts"]
    assert [(host["name"], host["changed"]) for host in hosts] == [("akuma", 1)]
    assert "somebody" not in realm.ssh("akuma", f"cat {site}")


def test_guests_are_real_machines(realm: Realm) -> None:
    """Own systemd, own address, own name, and neighbours by name; the app is not root's."""
    assert realm.ssh("voxy", "cat /proc/1/comm") == "systemd"
    assert realm.ssh("voxy", "hostname") == "voxy"
    assert "192.168.57.11/24" in realm.ssh("voxy", "ip -br address show dev eth0")
    assert realm.ssh("voxy", "getent hosts akuma.xyz").split()[0] == "192.168.57.10"
    listener = "$(sudo ss -Hltnp sport = :3000 | grep -o 'pid=[0-9]*' | cut -d= -f2)"
    assert realm.ssh("voxy", f"stat -c %U /proc/{listener}") == "vagrant"


def test_the_box_is_small_and_keeps_its_licences(realm: Realm) -> None:
    """Nothing is in it that nobody reads; what comes by apt later is as small; systemd asks no generator in vain."""
    read = "find /usr/share/man /usr/share/locale /usr/share/doc -type f 2> /dev/null"
    assert realm.ssh("voxy", f"{read} ! -name copyright | wc -l") == "0"
    assert "/usr/share/doc/nginx-common/copyright" in realm.ssh("voxy", read).split()
    assert realm.ssh("voxy", "readlink /etc/systemd/system-generators/* | sort -u") == "/dev/null"


def test_halted_backend_is_not_missed_and_comes_back(realm: Realm) -> None:
    """With voxy off zero answers everything; after start both do."""
    try:
        assert realm.lab("halt", "voxy").returncode == 0
        voxy = realm.status()["voxy"]
        assert (voxy["state"], voxy["reachable"], voxy["app"]) == ("stopped", False, "silent")
        assert realm.ask(10).keys() == {"zero"}
    finally:
        assert realm.lab("start", "voxy").returncode == 0
    assert realm.status()["voxy"]["app"] == "serving"


def test_reboot_comes_back_serving_by_itself(realm: Realm) -> None:
    """systemd and pm2 start the app again: nothing has to be provisioned afterwards."""
    before = realm.ssh("voxy", "systemctl show --property UserspaceTimestampMonotonic")
    assert realm.lab("reboot", "voxy").returncode == 0
    assert realm.status()["voxy"]["app"] == "serving"
    assert realm.ssh("voxy", "systemctl show --property UserspaceTimestampMonotonic") != before
    assert [host["changed"] for host in realm.json("provision", "voxy")["hosts"]] == [0]


def test_up_starts_what_was_pulled_out(realm: Realm) -> None:
    """`lab up` after a cut of power is `lab start`."""
    assert realm.lab("halt", "--force", "zero").returncode == 0
    assert realm.json("up")["booted"] == ["zero"]
    assert realm.ask(10).keys() == {"voxy", "zero"}


def test_keys_are_the_labs_own_and_private(realm: Realm) -> None:
    """0600, and only this lab's key opens the guests."""
    key = realm.home.keys / "lab"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    authorized = realm.ssh("voxy", "cat ~/.ssh/authorized_keys")
    assert authorized.split()[:2] == key.with_suffix(".pub").read_text().split()[:2]


def test_changed_host_key_is_refused(realm: Realm) -> None:
    """A host that shows another key than the pinned one is not talked to."""
    known = realm.home.path / "known_hosts"
    text = known.read_text()
    voxy, zero = (line.split()[2] for line in text.splitlines()[1:3])
    known.write_text(text.replace(voxy, zero))
    try:
        done = realm.lab("logs", "voxy")
        assert done.returncode == 4
        assert "voxy" in done.stderr
        assert "Traceback" not in done.stderr
    finally:
        known.write_text(text)


def test_logs_open_and_ssh(realm: Realm) -> None:
    """The small commands say what they promise."""
    realm.ask(1)
    assert '"upstream_addr":"192.168.57.1' in realm.lab("logs", "akuma").stdout
    assert "hello on voxy" in realm.lab("logs", "voxy").stdout or "3000" in realm.lab("logs", "voxy").stdout
    assert realm.lab("open").stdout == "http://192.168.57.10/\n"
    assert realm.lab("ssh", "voxy", "--", "exit 7").returncode == 7
    assert "name one of akuma, voxy, zero" in realm.lab("ssh", "vox").stderr
