"""Writes docs/scale.md: what was measured of a class on a cluster, and what follows from it for larger classes.

    python bench/scale.py

It reads bench/results/class.json, which bench/class.py writes, and plays the loss of members over 1,000 seeds.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.scale_fit import Measured, line_of, load
from bench.scale_loss import MEMORIES, SEEDS, Losses, losses
from lab.classes.placement import Need
from lab.classes.settings import PORTS, ROLES, Settings
from lab.errors import LabError

PAGE = Path(__file__).parent.parent / "docs" / "scale.md"
PLANNED = (30, 300, 3000)
UIDS = 10_000_001
"""What Debian's package gives root in /etc/subuid for its containers."""
UIDS_EACH = 65_536
"""What a container has of them, none shared with another one."""
BY_UIDS = UIDS // UIDS_EACH // len(ROLES)
"""So many labs a member has user ids for, as it is installed."""


@dataclass(frozen=True)
class Plan:
    """A size of class.

    Attributes:
        labs: how many.
        losses: the members that it needs, and what falls with one of them.
        isolated: the same, where every machine has user ids of its own.
        bare: the same without a spare member.
        need: of one lab.
        measured: of smaller classes.
    """

    labs: int
    losses: Losses
    isolated: Losses
    bare: Losses
    need: Need
    measured: Measured

    @property
    def bridges(self) -> int:
        """A lab's network is made on every member."""
        return self.labs * self.losses.members

    @property
    def api_calls(self) -> float:
        """By the line, and one for each network on each member more than were there."""
        more = max(self.losses.members - self.measured.members, 0)
        return line_of(self.measured, "api_calls").at(self.labs) + self.labs * more

    @property
    def heal_s(self) -> tuple[float, float] | None:
        """Seconds until all serve again after a loss: the usual one, and the largest; None where none was measured."""
        if not self.measured.healed:
            return None
        each = max(one.seconds / one.labs for one in self.measured.healed)
        return self.losses.usual_fallen * each, self.losses.fallen * each


ON_PROCESSORS = (
    "Where the processors' time goes, by the accounts of the cgroups, once, with 12 labs on 2 cores, when each machine "
    "still had a snapshot of before",
    "its first start: of 158 s, 57 s were the 36 machines' own, 56 s were LXD, 18 s the teacher's `lab`s, and the rest "
    "the kernel's. LXD looks at every",
    "file of the image twice for a copy and twice for a snapshot (46,000 looks each). So a class's machines are made "
    "without one.",
    "",
    "With the quotas that LXD turns on by itself, which follow what is shared, 30 labs took 664 s, once, on 2 cores, "
    "when each machine still had that snapshot;",
    "with simple quotas 222 s then ([lxd.md](lxd.md)).",
)


def plans(measured: Measured, settings: Settings, seeds: int = SEEDS) -> tuple[Plan, ...]:
    """The sizes for which the page plans."""
    need = settings.need
    return tuple(
        Plan(
            labs, losses(labs, need, seeds), losses(labs, need, seeds, BY_UIDS),
            losses(labs, need, seeds, spare=False), need, measured,
        ) for labs in PLANNED
    )  # fmt: skip


def page(measured: Measured, settings: Settings, planned: Sequence[Plan]) -> str:
    """The text of docs/scale.md."""
    seeds = len(planned[0].losses.seeds)
    return "\n".join([
        "# How far a class on a cluster goes", "",
        "Written by `python bench/scale.py`; no figure in a table was typed by hand. *Measured* is what "
        "`python bench/class.py` found. *Planned* is",
        "the straight line through it, and a simulation with the lab's own placement: "
        "no class of that size was brought up.", "",
        "## Measured", "",
        f"On {measured.machine}, {measured.members} members on it, {measured.when}.", "",
        _measured(measured), "", *(f"- {note}" for note in measured.notes), *([""] if measured.notes else []),
        "The straight lines through it, by least squares:", "", _lines(measured), "",
        "## The loss of a member", "", *_on_losses(settings, seeds), "", _lost(planned), "", *_on_grades(settings), "",
        "## Planned", "", _planned(planned, measured), "", *_on_plans(settings), "",
        "## What stops growth first, and what removes it", "",
        "Reasoned from the tables above, not measured.", "", _bottlenecks(planned, settings), "",
        *ON_PROCESSORS, "",
    ])  # fmt: skip


def _measured(measured: Measured) -> str:
    rows = [
        (f"{point.labs}", f"{point.seconds:.1f} s", f"{point.seconds / point.labs:.1f} s",
         _size(point.memory_bytes), _size(point.disk_bytes), f"{point.api_calls:,}")
        for point in sorted(measured.points, key=lambda point: point.labs)
    ]  # fmt: skip
    return _table(("labs", "until all are up", "a lab", "memory", "disk", "API calls"), rows)


def _lines(measured: Measured) -> str:
    rows = []
    for name, title in (
        ("seconds", "seconds"), ("memory_bytes", "memory"), ("disk_bytes", "disk"), ("api_calls", "API calls"),
    ):  # fmt: skip
        line = line_of(measured, name)
        show = {"seconds": _seconds, "api_calls": _number}.get(name, _size)
        rows.append((title, show(line.fixed), show(line.each), show(line.residual), f"{line.worst:.0%}"))
    return _table(
        ("of a class", "fixed", "each lab", "residual (root mean square)", "worst, of what was measured"), rows
    )


def _on_losses(settings: Settings, seeds: int) -> list[str]:
    memories = ", ".join(map(str, MEMORIES))
    return [
        f"{seeds:,} seeds. Members of {memories} GiB at random; a lab counts for {_size(settings.need.memory)}. "
        "Students come one by one; at a random moment",
        "the largest member is gone, and its labs are placed on the others, among those who come later. With "
        f"`isolated`, a member has at most {BY_UIDS} labs:",
        f"{len(ROLES)} containers each have {UIDS_EACH:,} of the {UIDS:,} user ids that Debian's LXD gets.",
    ]


def _lost(planned: Sequence[Plan]) -> str:
    rows = []
    for plan in planned:
        found, heal = plan.losses, plan.heal_s
        rows.append((
            f"{plan.labs:,}", f"{found.usual_members:g}; {found.members}", f"{found.fitted:.1%}",
            f"{plan.bare.members}; {plan.bare.fitted:.1%}; {plan.bare.left_over:,}",
            f"{plan.isolated.usual_members:g}; {plan.isolated.members}", f"{found.usual_fallen:g}; {found.fallen}",
            f"{_seconds(heal[0])}; {_seconds(heal[1])}" if heal else "not measured",
        ))  # fmt: skip
    return _table((
        "labs", "members: enough in half of the seeds; in all", "seeds in which all labs found room again",
        "without a spare: members; seeds with room; most labs without", "with `isolated`: members, half; all",
        "labs lost: median; most", "until they serve again: median; most",
    ), rows)  # fmt: skip


def _on_grades(settings: Settings) -> list[str]:
    saves = (
        f"A save is at most {settings.save_minutes} minutes old (`save_minutes`), and the time that saving all takes."
        if settings.save_minutes else "Nothing is saved by itself (`save_minutes` is 0)."
    )  # fmt: skip
    return [
        "Time to serve again is the labs lost times the slowest measured time of a lab, so it holds for members as "
        "they were measured.",
        "Grades lost: none, by construction: results and progress lie in the class folder at the teacher's, and no "
        f"member has them. {saves}",
        "What a student did on the machines since is lost with the member.",
    ]


def _planned(planned: Sequence[Plan], measured: Measured) -> str:
    def row(title: str, cells: list[str]) -> tuple[str, ...]:
        return (title, *cells)

    lines = {name: line_of(measured, name) for name in ("seconds", "memory_bytes", "disk_bytes")}
    rows = [
        row("members", [f"{plan.losses.members}" for plan in planned]),
        row("memory promised", [_size(plan.labs * plan.need.memory) for plan in planned]),
        row("memory used, by the line", [_size(lines["memory_bytes"].at(plan.labs)) for plan in planned]),
        row("disk promised", [_size(plan.labs * plan.need.disk) for plan in planned]),
        row("disk used, by the line", [_size(lines["disk_bytes"].at(plan.labs)) for plan in planned]),
        row("networks × members", [f"{plan.bridges:,}" for plan in planned]),
        row("routes on the teacher's computer", [f"{plan.labs:,}" for plan in planned]),
        row("image, on every member", [_size(measured.image_bytes * plan.losses.members) for plan in planned]),
        row("API calls", [f"{plan.api_calls:,.0f}" for plan in planned]),
        row("until all are up, by the line", [_seconds(lines["seconds"].at(plan.labs)) for plan in planned]),
    ]
    return _table(("", *(f"{plan.labs:,} labs" for plan in planned)), rows)


def _on_plans(settings: Settings) -> list[str]:
    return [
        "- The time is that of one computer which is the teacher's and all members at once, as it was measured.",
        "- Of the image, LXD keeps copies on `cluster.images_minimal_replica` members; any other member copies it from",
        "  one of those when its first machine is made: once a member, not once a lab.",
        "- API calls: the line, and one more for each network on each member beyond those measured.",
        f"- A class has {settings.seats:,} seats: by {settings.subnets}, and by {PORTS} ports a seat from "
        f"{settings.ports_from:,} on.",
    ]


def _bottlenecks(planned: Sequence[Plan], settings: Settings) -> str:
    small, middle, large = planned
    per_member = ceil(large.labs / max(large.losses.members - 1, 1))
    rows = [
        (f"{small.labs}", "the processors of the members, and of the teacher's computer, where a `lab` works for "
         "each student", "members on computers of their own; more processors"),
        (f"{middle.labs}", f"networks: {middle.bridges:,} bridges, each with a dnsmasq; each is a request to its "
         "member, one after the other", "one OVN network for all instead of a bridge a lab"),
        (f"{large.labs:,}", f"networks again: {large.bridges:,} bridges, {large.labs:,} on every member, which has "
         f"machines on about {per_member} of them; and {large.api_calls:,.0f} API calls, of which every write goes to "
         "the one leader of the cluster's database (dqlite)",
         "several clusters, each with a class folder and `subnets` of its own"),
        (f"over {settings.seats:,}", "ports of a member and subnets: a seat's number is one for the whole cluster",
         "several clusters"),
    ]  # fmt: skip
    return _table(("labs", "what stops growth", "what removes it"), rows)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in (columns, ["---"] * len(columns), *rows))


def _size(value: float) -> str:
    """Bytes for people."""
    for unit, size in (("TiB", 1 << 40), ("GiB", 1 << 30)):
        if abs(value) >= 10 * size:
            return f"{value / size:,.1f} {unit}"
    return f"{value / (1 << 20):,.0f} MiB"


def _number(value: float) -> str:
    return f"{value:,.1f}"


def _seconds(value: float) -> str:
    return f"{value:.1f} s" if abs(value) < 120 else f"{value / 60:.0f} min"


def main() -> None:
    """Write the page."""
    try:
        measured = load()
    except LabError as fault:
        sys.exit(str(fault))
    settings = Settings()
    PAGE.write_text(page(measured, settings, plans(measured, settings)), encoding="utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()
