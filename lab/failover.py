"""When the fault struck, when the balancer noticed, when users were safe: the instants of a failover.

All are seconds on the run's clock. The balancer's log is brought onto it with the measured offset.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from lab.history import History, Window
from lab.records import Effect
from lab.sample import Sample
from lab.verdict import Timings

STALL_S = 0.5
"""A request that takes longer is one that a user notices: a stall."""
SETTLE_S = 3.0
"""How long a balancer may take to notice before a claim with `settled=True` counts against it."""
ALIVE_S = 5.0
"""How far back to look for a request whose answer was the victim's last."""


def before(history: History) -> Window | None:
    """The steady state, measured before the fault."""
    return history.phase("steady")


def disturbed(history: History) -> Window | None:
    """From the injection to the return of the steady state: what users may feel of the fault and of its healing."""
    return history.phase("inject", "observe", "heal", "recover")


def after(history: History) -> Window | None:
    """The steady state after the healing."""
    return history.phase("steady-again")


def in_force(history: History) -> Window | None:
    """From the instant at which the first fault struck to the healing of the last one."""
    begin, heal = struck(history), history.phase("heal", "recover", "steady-again")
    if begin is None:
        return history.phase("inject", "observe")
    healing = [fault.healing for fault in history.faults if fault.healing is not None]
    return Window(begin, max(healing, default=heal.start if heal else history.seconds))


def settled(history: History, limit_s: float = SETTLE_S) -> Window | None:
    """The time in force without the detection: from the reroute, or from `limit_s` after the fault if that is earlier.

    The limit keeps the claim falsifiable: a balancer that never reroutes must not settle when the fault is over.
    """
    window = in_force(history)
    if window is None:
        return None
    rerouted = _last_bad(history, window)
    return Window(min(window.start + limit_s, max(window.start, rerouted or 0.0)), window.end)


def struck(history: History) -> float | None:
    """When the first fault bit.

    That is when its command ended; but where the balancer noticed earlier, the fault bit while its command
    was still running, and the victim's last good answer before that sign is the last proof of its life.
    """
    fault = next((fault for fault in history.faults if fault.injected is not None), None)
    if fault is None or fault.injected is None:
        return None
    sign = first_sign(history)
    if sign is None or sign >= fault.injected:
        return fault.injected
    answers = _by_victims(history, Window(fault.written - ALIVE_S, sign))
    alive = [sample.done for sample in answers if fault.written <= sample.done < sign]
    return max(alive, default=fault.written)


def first_sign(history: History) -> float | None:
    """When the first attempt at a victim failed after a fault was written down; None when none did."""
    if not history.faults:
        return None
    since = history.faults[0].written
    return next((t for t, _ in history.failed_attempts if t >= since), None)


def stalled(sample: Sample, over_s: float = STALL_S) -> bool:
    """Whether the user had to wait too long, whatever came in the end."""
    return sample.latency_s > over_s


def timings(history: History) -> Timings:
    """Detect, reroute and recover; None for each that did not happen."""
    begin = struck(history)
    window = in_force(history)
    if begin is None or window is None:
        return Timings()
    sign = first_sign(history)
    last = _last_bad(history, window)
    return Timings(
        detect_s=None if sign is None else _ms(sign - begin),
        reroute_s=_ms(last - begin) if last is not None else (0.0 if sign is not None else None),
        recover_s=_recover(history),
    )


def _last_bad(history: History, window: Window) -> float | None:
    silenced = {fault.host for fault in history.faults if fault.effect in (Effect.SILENT, Effect.WITHDRAWN)}
    bad = [
        sample.done for sample in history.samples_in(window)
        if sample.failed or sample.latency_s > STALL_S or sample.backend in silenced
    ]  # fmt: skip
    return max(bad, default=None)


def _recover(history: History) -> float | None:
    healed = [fault.healed for fault in history.faults if fault.healed is not None]
    healing = [fault.healing for fault in history.faults if fault.healing is not None]
    if not healed or not healing:
        return None
    back = min((sample.done for sample in _by_victims(history, Window(max(healing), inf))), default=None)
    return None if back is None else _ms(back - max(healed))


def _by_victims(history: History, window: Window) -> Iterator[Sample]:
    """The good answers of whoever was hit: the victims, or the balancer and so everybody."""
    names = set(history.run.victims)
    return (s for s in history.samples_in(window) if not s.failed and (s.backend in names or not names))


def _ms(seconds: float) -> float:
    return round(max(0.0, seconds), 3)
