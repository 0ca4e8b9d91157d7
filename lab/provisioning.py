"""Runs steps on all hosts at once and says what changed. A host that fails does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from time import monotonic

from lab.asking import foreseen
from lab.errors import LabError
from lab.events import Listener, StepEnded, StepStarted
from lab.host import Host
from lab.parallel import workers
from lab.steps import Step


@dataclass(frozen=True)
class HostReport:
    """What provisioning did to one host.

    Attributes:
        name: the host.
        ok: whether it has all its states.
        changed: how many steps changed something.
        failed: how many steps failed: 0 or 1, for a host stops at its first.
        seconds: how long it took.
        error: what failed: host, step, command, exit code and last lines; else empty.
    """

    name: str
    ok: bool
    changed: int
    failed: int
    seconds: float
    error: str = ""


Opener = Callable[[str], Host]


def provision(plan: Mapping[str, Iterable[Step]], open_host: Opener, listener: Listener) -> tuple[HostReport, ...]:
    """Give every host its states.

    Args:
        plan: the steps of each host, in order.
        open_host: gives a host by name; called in that host's own thread.
        listener: told of each step.
    """
    with workers(len(plan)) as pool:
        work = [pool.submit(_provision_one, name, steps, open_host, listener) for name, steps in plan.items()]
        return tuple(done.result() for done in work)


def _provision_one(name: str, steps: Iterable[Step], open_host: Opener, listener: Listener) -> HostReport:
    began = monotonic()
    changed = 0
    doing = "waiting until it answers"
    listener(StepStarted(name, doing))
    try:
        host = open_host(name)
        wanted = list(steps)
        met = foreseen(wanted, host)
        for place, step in enumerate(wanted):
            doing = step.title
            changed += bring_about(step, host, listener, met=None if changed else met.get(place))
    except LabError as fault:
        listener(StepEnded(name, doing, changed=False, ok=False))
        return HostReport(name, False, changed, 1, monotonic() - began, f"{name}, at “{doing}”: {fault}")
    return HostReport(name, True, changed, 0, monotonic() - began)


def bring_about(step: Step, host: Host, listener: Listener, *, met: bool | None = None) -> bool:
    """Ask; change on a difference. Tells whether something was changed.

    Args:
        step: the state.
        host: the host that shall have it.
        listener: told of it.
        met: the answer, where it was asked for before; None asks now.

    Raises:
        LabError: the step did not work.
    """
    listener(StepStarted(host.name, step.title))
    needed = not (step.is_met(host) if met is None else met)
    if needed:
        step.apply(host)
    listener(StepEnded(host.name, step.title, needed))
    return needed
