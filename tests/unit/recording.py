"""Writes a history down as its run would have: journal.jsonl and access.jsonl."""

from __future__ import annotations

from pathlib import Path

import msgspec

from lab.access import AccessRecord
from lab.history import History
from lab.journal import Journal
from lab.records import ConfigRecord, FaultRecord, PhaseRecord, Record, Stage

STAGES: tuple[Stage, ...] = ("written", "injected", "confirmed", "healing", "healed", "confirmed-healed")


def record(history: History, folder: Path) -> None:
    """Write the two files of a run."""
    records: list[Record] = [history.run, *history.clocks, *history.lives, *history.posts]
    records += [*history.events, *history.notes]
    records += [PhaseRecord(phase.start, phase.name) for phase in history.phases]
    records += [PhaseRecord(history.seconds, "end")] if history.ended else []
    records += [ConfigRecord(0.05, history.findings)] if history.findings is not None else []
    records += history.leftovers or ()
    for fault in history.faults:
        instants = [(stage, getattr(fault, stage.replace("-", "_"))) for stage in STAGES]
        records += [
            FaultRecord(t, stage, fault.what, fault.host, fault.effect, restarts=fault.restarts)
            for stage, t in instants if t is not None
        ]  # fmt: skip
    with Journal(folder / "journal.jsonl") as journal:
        for record in sorted(records, key=lambda record: record.t):
            journal.append(record)
        for sample in history.samples:
            journal.append(sample)
    (folder / "access.jsonl").write_bytes(b"".join(map(_logged, history.access)))


def _logged(record: AccessRecord) -> bytes:
    """The line as nginx writes it, with the time in quotes."""
    fields = msgspec.to_builtins(record) | {"at": f"{record.at:.3f}"}
    return msgspec.json.encode(fields) + b"\n"
