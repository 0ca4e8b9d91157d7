"""A container for a few minutes, in which an app's dependencies and build are made when no lab has made them yet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from lab import process
from lab.apps.source import Source
from lab.apps.states import app_states, made_of
from lab.boxes import store
from lab.boxes.scratch import booted
from lab.events import Listener, phase
from lab.home import Home
from lab.host import Host as Connection
from lab.network import Network
from lab.provisioning import bring_about
from lab.topology import Lab

GUEST = "lab-workshop"
_UNPACK = (
    'tar -xOf "$1" ./rootfs.tar.gz | '
    'tar --numeric-owner --xattrs --xattrs-include=\'*\' -C "$2/rootfs" -xzf - && touch "$2/complete"'
)


def make_missing(lab: Lab, home: Home, box: str, sources: tuple[Source, ...], listener: Listener) -> None:
    """Make every dependencies folder and build that the cache does not have, in a guest of the box.

    Args:
        lab: whose network the guest uses, at an address that no host has.
        home: the lab's folder.
        box: an LXC box with Node in it.
        sources: the apps.
        listener: told of the phases and steps.

    Raises:
        EnvironmentProblem: a step failed. The guest is gone then too.
    """
    missing = [(source, [made for made in made_of(lab, source) if made.network]) for source in sources]
    what = ", ".join(made.what for _, steps in missing for made in steps)
    if not what:
        return
    with phase(listener, "workshop", what), _guest(lab, home, box) as host:
        for source, steps in missing:
            if steps:
                clone = next(iter(app_states(lab, source, start=False)))
                for step in (clone, *steps):
                    bring_about(step, host, listener)


@contextmanager
def _guest(lab: Lab, home: Home, box: str) -> Iterator[Connection]:
    """A guest that is in no list: an overlay on the box, which is thrown away at the end."""
    delta = store.BASES / f"{GUEST}-{home.id}"
    with ExitStack() as undo:
        undo.enter_context(Network(lab, home).lent())
        _unpack_base(box)
        process.as_root("rm", "-rf", delta)
        undo.callback(process.as_root, "rm", "-rf", delta)
        process.as_root("mkdir", "-p", delta / "delta")
        root = f"overlay:{store.base_folder(box)}/rootfs:{delta}/delta"
        yield undo.enter_context(booted(lab, home, GUEST, root))


def _unpack_base(box: str) -> None:
    """Unpack the box where its guests' overlays stand on it, as its own template does for the first guest."""
    base = store.base_folder(box)
    if not (base / "complete").exists():
        process.as_root("rm", "-rf", base / "rootfs")
        process.as_root("mkdir", "-p", base / "rootfs")
        process.as_root("sh", "-c", _UNPACK, "sh", store.box_file(box), base, timeout_s=600)
