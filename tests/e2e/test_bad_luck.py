"""Bad luck on a lab that is up: each ends in one clear sentence, and nothing half done stays behind."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.realm import Realm, wait_for_line

BROKEN = "/etc/nginx/akuma/zz-broken.conf"


def test_broken_config_is_never_left_live(realm: Realm) -> None:
    """`nginx -t` fails: the host's error says so, the site is put back, the other hosts finish, users see nothing."""
    site = "/etc/nginx/akuma/my.reverse-proxy.conf"
    realm.ssh("akuma", f"echo 'upstream {{' | sudo tee {BROKEN}; echo '# old' | sudo tee -a {site}")
    try:
        done = realm.lab("provision", "--json")
        reports = {host["name"]: host for host in json.loads(done.stdout)["hosts"]}
        assert done.returncode == 4
        assert (reports["akuma"]["failed"], reports["voxy"]["ok"], reports["zero"]["ok"]) == (1, True, True)
        for part in ("akuma", f"file {site}", "nginx -t", "exit code 1", BROKEN, "was put back"):
            assert part in reports["akuma"]["error"]
        assert realm.ssh("akuma", f"tail -n 1 {site}") == "# old"
        assert realm.ask(4).keys() == {"voxy", "zero"}
    finally:
        realm.ssh("akuma", f"sudo rm -f {BROKEN}")
    assert [host["changed"] for host in realm.json("provision", "akuma")["hosts"]] == [1]


def test_guest_deleted_behind_our_back_is_made_again(realm: Realm) -> None:
    """`lab up` makes only what is absent."""
    subprocess.run(["lxc-destroy", "--force", "--name", f"lab-{realm.home.id}-voxy"], check=True)
    assert realm.status()["voxy"]["state"] == "absent"
    assert realm.json("up")["booted"] == ["voxy"]
    assert realm.ask(10).keys() == {"voxy", "zero"}


def test_damaged_memory_is_found_out_again(realm: Realm) -> None:
    """A corrupt state.json is set aside, and `lab up` finds the lab as it is."""
    state = realm.home.path / "state.json"
    state.write_text('{"provider": "lx')
    done = realm.lab("up", "--app", "hello")
    assert done.returncode == 0, done.stderr
    assert state.with_suffix(".json.damaged").exists()
    assert realm.ask(10).keys() == {"voxy", "zero"}
    state.with_suffix(".json.damaged").unlink()


def test_frozen_guest_is_named_within_its_deadline(realm: Realm) -> None:
    """A guest that takes connections and never answers fails alone; the others are provisioned."""
    guest = f"lab-{realm.home.id}-voxy"
    subprocess.run(["lxc-freeze", "--name", guest], check=True)
    try:
        done = realm.lab("provision", "--json", timeout_s=60)
        reports = {host["name"]: host for host in json.loads(done.stdout)["hosts"]}
        assert done.returncode == 4
        assert (reports["voxy"]["ok"], reports["zero"]["ok"]) == (False, True)
        assert "voxy: no SSH at 192.168.57.11:22" in reports["voxy"]["error"]
    finally:
        subprocess.run(["lxc-unfreeze", "--name", guest], check=True)


def test_git_url_that_does_not_exist_fails_and_leaves_the_lab_alone(realm: Realm, tmp_path: Path) -> None:
    """An app that was named is never replaced by another."""
    done = realm.lab("up", "--app", f"file://{tmp_path}/nowhere.git")
    assert done.returncode == 4
    assert "cannot be cloned" in done.stderr
    assert "does not" in done.stderr or "not appear" in done.stderr or "no such" in done.stderr.lower()
    assert realm.json("up")["app"] == "hello"


def test_npm_install_that_fails_is_shown_and_tried_once(realm: Realm, tmp_path: Path) -> None:
    """The error has host, step, npm's words; the other backend does not wait for the same; hello goes on."""
    app = tmp_path / "sick"
    app.mkdir()
    (app / "package.json").write_text('{"name": "sick", "dependencies": {"gone": "file:./gone-for-good.tgz"}}')
    try:
        done = realm.lab("up", "--app", app)
        assert done.returncode == 4
        assert "dependencies of sick" in done.stderr
        assert "gone-for-good" in done.stderr
        assert "not tried, for it has just failed on" in done.stderr
        assert realm.ask(4).keys() == {"voxy", "zero"}
    finally:
        assert realm.lab("up", "--app", "hello").returncode == 0


def test_second_command_names_the_holder_of_the_lock(realm: Realm) -> None:
    """Two at once: one works, the other says who does."""
    first = realm.start("reboot", "zero")
    wait_for_line(first, "halt")
    second = realm.lab("up")
    first.communicate(timeout=60)
    assert first.returncode == 0
    assert second.returncode == 4
    assert f"this lab is busy: `lab reboot`, process {first.pid}" in second.stderr


def test_box_in_use_is_not_removed(realm: Realm, tmp_path: Path) -> None:
    """Guests stand on their box; export and import work meanwhile."""
    name = realm.home.state().box
    done = realm.lab("box", "remove", name)
    assert done.returncode == 2
    assert f"box {name} is in use by" in done.stderr
    assert realm.lab("box", "export", tmp_path / "a.box", "--name", name).returncode == 0
    assert realm.lab("box", "import", tmp_path / "a.box").stdout.strip() == name
