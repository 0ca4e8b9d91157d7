"""One lab of three virtual machines for all tests; removed at the end, with proof."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.machines import libvirtd
from lab.machines.libvirt import STORE
from tests.realm import Realm

SUBNET = 71
UP_S = 1800
LIBVIRT = ("/etc/libvirt/qemu", "/etc/libvirt/storage", "/var/lib/libvirt/dnsmasq", "/run/libvirt")


def left_at_libvirt(realm: Realm) -> list[str]:
    """Every file of libvirt's that bears the lab's id, what is in the store, and a daemon that a lab started."""
    found = [str(path) for folder in LIBVIRT for path in Path(folder).glob("**/*") if realm.home.id in path.name]
    found += [str(path) for path in STORE.glob("*")] if STORE.exists() else []
    return found + ([str(libvirtd.MARK)] if libvirtd.MARK.exists() else [])


@pytest.fixture(scope="session")
def realm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Realm]:
    """A lab with the app `hello`, up on libvirt."""
    made = Realm.make(tmp_path_factory.mktemp("vm"), SUBNET).small()
    try:
        done = made.lab("up", "--provider", "libvirt", "--app", "hello", timeout_s=UP_S)
        assert done.returncode == 0, done.stdout + done.stderr
        yield made
    finally:
        made.remove()
        assert left_at_libvirt(made) == []
