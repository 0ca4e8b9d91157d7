"""Points of a lesson on virtual machines: whole systems that are shut down, kept, broken, and put back."""

from __future__ import annotations

import pytest

from lab.machines.libvirt import STORE
from lab.waiting import wait_for
from tests.realm import Realm

pytestmark = pytest.mark.timeout(3600)
LONG_S = 1200


def kept(realm: Realm) -> set[str]:
    """What belongs to saves in the store, without the names of guests."""
    return {path.name.partition(".")[2] for path in STORE.glob(f"lab-{realm.home.id}-*.*")} - {"img", "layer.img"}


def test_a_lesson_goes_back(realm: Realm) -> None:
    """All three serve as they did, and `lab provision` agrees; of a removed save only what is stood on stays."""
    realm.ssh("zero", "echo one | sudo tee /etc/mine")
    done = realm.lab("save", "whole", "--json", timeout_s=LONG_S)
    assert done.returncode == 0, done.stderr
    (mark,) = (name for name in kept(realm) if name.endswith(".save"))
    assert realm.ssh("zero", "cat /etc/mine") == "one"
    realm.ssh("akuma", "sudo rm -r /etc/nginx/akuma && sudo systemctl disable --now nginx")
    realm.ssh("voxy", "pm2 delete all && pm2 save --force; rm -rf ~/hello")
    realm.ssh("zero", "echo two | sudo tee /etc/mine")
    done = realm.lab("restore", "whole", timeout_s=LONG_S)
    assert done.returncode == 0, done.stderr
    assert realm.ssh("zero", "cat /etc/mine") == "one"
    wait_for("answers from both", lambda: realm.ask(4).keys() >= {"voxy", "zero"}, within_s=300)
    assert [host["changed"] for host in realm.json("provision")["hosts"]] == [0, 0, 0]
    assert [(each["name"], each["missing"]) for each in realm.json("saves")] == [("whole", [])]
    assert realm.lab("saves", "--remove", "whole").returncode == 0
    assert kept(realm) == {mark.replace(".save", ".under.img")}
