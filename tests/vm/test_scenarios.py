"""The five scenarios of a dead, hanging, cut off, slow and lossy voxy: what they find on LXC, they find here."""

from __future__ import annotations

import pytest

from tests.realm import Realm
from tests.vm.promises import must_come_out_as_on_lxc

pytestmark = pytest.mark.timeout(2400)
NAMES = ("kill-voxy", "hang-voxy", "cut-voxy", "slow-voxy", "lossy-voxy")


@pytest.mark.parametrize("name", NAMES)
def test_comes_out_as_on_lxc(realm: Realm, name: str) -> None:
    """At libvirt."""
    must_come_out_as_on_lxc(realm, name)
