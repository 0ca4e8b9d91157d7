"""What a provider's machines can do is known beforehand; the impossible is refused in one sentence."""

from __future__ import annotations

import pytest

from lab.machines.capabilities import EVERYTHING, NOTHING, CannotBeDone, Capability, capabilities_of, require


@pytest.mark.parametrize("provider", ["lxc", "libvirt", "auto"])
def test_whoever_makes_machines_can_do_everything_with_them(provider: str) -> None:
    """Their power is the provider's."""
    assert capabilities_of(provider) == EVERYTHING


def test_what_virtualbox_lacks() -> None:
    """Its disks are not kept yet; everything else is as with the others."""
    assert EVERYTHING - capabilities_of("virtualbox") == {Capability.SAVE}


def test_machines_that_are_there_already_are_their_owners() -> None:
    """The lab makes none, gives none its power back, and has no box of any."""
    assert capabilities_of("existing") == NOTHING


@pytest.mark.parametrize("needed", list(Capability))
def test_what_is_lacking_is_refused(needed: Capability) -> None:
    """With exit code 2, what cannot be done, and what to do instead; where it is there, nothing happens."""
    require("kill-voxy", needed, EVERYTHING, "lab scenario cut-voxy")
    with pytest.raises(CannotBeDone) as caught:
        require("kill-voxy", needed, EVERYTHING - {needed}, "lab scenario cut-voxy")
    assert caught.value.exit_code == 2
    assert caught.value.message.startswith(f"kill-voxy: the lab cannot {needed.verb}, for")
    assert caught.value.mend == "lab scenario cut-voxy"
