"""The picture of a run: who answered, and how long each user waited, over one axis of time."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from lab.failover import STALL_S, struck
from lab.history import History
from lab.sample import Sample

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#8C6D31")
"""Told apart by the colour-blind, too (Okabe and Ito)."""
FAILED, INK, SOFT = "#C8102E", "#1F2933", "#8A94A0"
SHADES = {"inject": "#F6D9D5", "observe": "#FBECE9", "heal": "#DDEBDA", "recover": "#EDF5EB"}
HALO = {"facecolor": "white", "alpha": 0.85, "edgecolor": "none", "pad": 2}
POINTS = 8000
"""How many of the fast, good answers are drawn; every failed and every slow one is."""
BINS = 160
PEAK = 2.0
"""The upper panel ends at so many times the rate: what a heal sets free at once would flatten everything else."""
STEPS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
STYLE: Any = {
    "font.family": "sans-serif", "font.size": 13, "svg.fonttype": "none", "svg.hashsalt": "lab",
    "text.parse_math": False, "axes.edgecolor": SOFT, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK,
    "text.color": INK, "axes.spines.top": False, "axes.spines.right": False,
}  # fmt: skip


def colours(history: History) -> dict[str, str]:
    """A colour for each backend, in the order of the topology."""
    return {
        backend.name: PALETTE[index % len(PALETTE)] for index, backend in enumerate(history.run.backends)
    }  # fmt: skip


def drawn(samples: tuple[Sample, ...], limit: int = POINTS) -> tuple[Sample, ...]:
    """The requests that the latency plot shows: every failed and slow one, and of the others an even choice."""
    notable = [sample for sample in samples if sample.failed or sample.latency_s > STALL_S / 5]
    plain = [sample for sample in samples if not sample.failed and sample.latency_s <= STALL_S / 5]
    step = max(1, -(-len(plain) // limit))
    return tuple(notable + plain[::step])


def plot(history: History) -> str:
    """Both panels as one SVG element."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(STYLE):
        figure = Figure(figsize=(14, 7.6), layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(1, 1.1))
        _answers(above, history)
        _latencies(below, history)
        for axes in (above, below):
            _phases(axes, history)
            axes.set_xlim(0, max(history.seconds, 1.0))
            axes.grid(axis="y", color="#E4E7EB", linewidth=0.8)
            axes.set_axisbelow(True)
        _names(above, history)
        if history.samples:
            figure.legend(loc="outside upper right", ncols=8, frameon=False, borderaxespad=0.2, handlelength=1.2)
        below.set_xlabel("seconds since the start of the run")
        file = io.BytesIO()
        figure.savefig(
            file, format="svg", dpi=130, metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
        )
    text = file.getvalue().decode()
    return text[text.index("<svg") :]


def _answers(axes: Axes, history: History) -> None:
    """Stacked: good answers a second by backend, and failed requests on top, at the instant of their end."""
    import numpy as np

    step = next((step for step in STEPS if history.seconds / step <= BINS), STEPS[-1])
    edges = np.arange(0.0, max(history.seconds, step) + step, step)
    colour = colours(history)
    groups = [(name, colour[name], [s.done for s in history.samples if s.backend == name and not s.failed])
              for name in colour]  # fmt: skip
    groups.append(("failed", FAILED, [s.done for s in history.samples if s.failed]))
    base = np.zeros(len(edges) - 1)
    for name, fill, instants in groups:
        rate = np.histogram(instants, edges)[0] / step
        if not instants:
            continue
        axes.stairs(base + rate, edges, baseline=base, fill=True, color=fill, label=name, linewidth=0)
        base = base + rate
    axes.set_ylabel("answers per second")
    peak, top = float(base.max()), PEAK * history.run.rate
    axes.set_ylim(0, max(1.25 * min(peak, top), 1.0))
    if peak > top:
        at = edges[int(base.argmax())]
        axes.annotate(f"peak {peak:.0f}/s ↑", (at, 0.84), xycoords=("data", "axes fraction"), xytext=(18, 0),
                      textcoords="offset points", color=SOFT, fontsize=12)  # fmt: skip


def _latencies(axes: Axes, history: History) -> None:
    """A point for each request, at the instant at which it was due; crosses for those that failed."""
    from matplotlib.ticker import FuncFormatter

    shown = drawn(history.samples)
    colour = colours(history)
    good = sorted((s for s in shown if not s.failed), key=lambda s: s.done)
    axes.scatter([s.scheduled for s in good], [1000 * s.latency_s for s in good], s=10, alpha=0.75, linewidths=0,
                 c=[colour.get(s.backend, SOFT) for s in good], rasterized=True)  # fmt: skip
    lost = [s for s in shown if s.failed]
    axes.scatter([s.scheduled for s in lost], [max(1000 * s.latency_s, 0.1) for s in lost], s=26, color=FAILED,
                 marker="x", linewidths=1.1, rasterized=True)  # fmt: skip
    axes.axhline(1000 * STALL_S, color=FAILED, linewidth=1, linestyle=(0, (4, 4)))
    axes.annotate("stall", (1, 1000 * STALL_S), xycoords=("axes fraction", "data"), xytext=(-4, 4),
                  textcoords="offset points", ha="right", color=FAILED, fontsize=11)  # fmt: skip
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, 0.5), max(1.5 * high, 2000 * STALL_S))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda ms, _: f"{ms / 1000:g} s" if ms >= 1000 else f"{ms:g} ms"))
    axes.set_ylabel("latency of each request")


def _phases(axes: Axes, history: History) -> None:
    for phase in history.phases:
        if phase.name in SHADES:
            axes.axvspan(phase.start, phase.end, color=SHADES[phase.name], zorder=-2, linewidth=0)
    begin = struck(history)
    if begin is not None:
        axes.axvline(begin, color=FAILED, linewidth=2)
    for fault in history.faults[-1:]:
        if fault.healed is not None:
            axes.axvline(fault.healed, color="#3A7D2C", linewidth=2)


def _names(axes: Axes, history: History) -> None:
    """The phases' names along the top, those too short for theirs left out; the marks' names beside them."""
    for phase in history.phases:
        if phase.seconds > history.seconds * 0.065:
            axes.annotate(phase.name.replace("-", " "), ((phase.start + phase.end) / 2, 1.03), color=SOFT,
                          xycoords=("data", "axes fraction"), ha="center", fontsize=12)  # fmt: skip
    marks = [(struck(history), "fault", FAILED)]
    marks += [(fault.healed, "healed", "#3A7D2C") for fault in history.faults[-1:]]
    for instant, word, colour in marks:
        if instant is not None:
            axes.annotate(word, (instant, 0.97), xycoords=("data", "axes fraction"), xytext=(5, 0), fontweight="bold",
                          textcoords="offset points", va="top", color=colour, bbox=HALO)  # fmt: skip
