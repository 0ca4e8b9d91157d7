"""What is written is read back; a full disk or a kill -9 leaves complete lines."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from threading import Thread

import pytest

from lab import journal
from lab.errors import EnvironmentProblem
from lab.journal import Journal
from lab.records import (
    ClockRecord,
    ConfigRecord,
    Effect,
    EventRecord,
    FaultRecord,
    LeftoverRecord,
    NoteRecord,
    PhaseRecord,
    PostsRecord,
    Record,
    SampleRecord,
)
from lab.sample import Sample
from tests.unit.histories import MEMBERS, RUN, USED

ONE_OF_EACH: tuple[Record, ...] = (
    RUN,
    ConfigRecord(0.1, (USED, MEMBERS)),
    ClockRecord(0.2, "akuma", -3600.25, 0.0002),
    PhaseRecord(0.3, "steady-again"),
    EventRecord(0.4, "voxy", "pm2: „dumbplay“ is online"),
    FaultRecord(0.5, "confirmed-healed", "power_off voxy", "voxy", Effect.SILENT),
    PostsRecord(0.6, "zero", ("run1-000001",)),
    LeftoverRecord(0.7, ("akuma",), ()),
    NoteRecord(0.8, "a note\nof two lines"),
)


def sample(n: int) -> Sample:
    """The n-th request."""
    return Sample(f"run1-{n:06d}", n / 100, n / 100 + 0.0001, None, n / 100 + 0.25, None, "refused")


def test_there_and_back(tmp_path: Path) -> None:
    """One line a record, `kind` and `t` first; all kinds are read back as they were."""
    with Journal(tmp_path / "runs" / "journal.jsonl") as written:
        for record in ONE_OF_EACH:
            written.append(record)
        written.append(sample(1))
        written.append(SampleRecord(0.27, sample(2)))
    lines = written.path.read_bytes().splitlines()
    assert len(lines) == len(ONE_OF_EACH) + 2
    assert all(line.startswith(b'{"kind":"') and b'"t":' in line[:28] for line in lines)
    read = journal.read(written.path)
    assert read.records == ONE_OF_EACH
    assert read.samples == (sample(1), sample(2))
    assert read.torn is False


def test_every_line_but_samples_is_on_the_disk_at_once(tmp_path: Path) -> None:
    """And with it all samples before it: a kill -9 in a phase loses nothing of the phases before."""
    with Journal(tmp_path / "journal.jsonl") as written:
        written.append(RUN)
        written.append(sample(1))
        assert len(journal.read(written.path).samples) == 0
        written.append(PhaseRecord(1, "observe"))
        assert len(journal.read(written.path).samples) == 1


def test_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    """At whatever byte the writer was killed, the complete lines are read and the reader is told."""
    path = tmp_path / "journal.jsonl"
    whole = journal.encode(RUN)
    line = journal.encode(sample(1))
    for cut in range(1, len(line)):
        path.write_bytes(whole + line[:cut])
        read = journal.read(path)
        assert (read.records, read.samples, read.torn) == ((RUN,), (), True)


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says so and what to do; the file ends with a complete line; closing afterwards is harmless."""
    written = Journal(tmp_path / "journal.jsonl")
    written.append(RUN)
    real, room = os.write, [400]

    def write(file: int, block: bytes) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        count = real(file, block[: room[0]])
        room[0] -= count
        return count

    monkeypatch.setattr(os, "write", write)
    for n in range(9):
        written.append(sample(n))
    with pytest.raises(EnvironmentProblem, match=r"the disk is full; the journal ends here\n.*make room"):
        written.append(PhaseRecord(1, "observe"))
    written.close()
    written.close()
    read = journal.read(written.path)
    assert read.torn is False
    assert read.samples == tuple(sample(n) for n in range(len(read.samples)))
    assert 0 < len(read.samples) < 9


def test_a_broken_disk_says_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any other error keeps the system's words."""

    def write(file: int, block: bytes) -> int:
        raise OSError(errno.EIO, "Input/output error")

    with Journal(tmp_path / "journal.jsonl") as written:
        monkeypatch.setattr(os, "write", write)
        with pytest.raises(EnvironmentProblem, match="Input/output error"):
            written.append(RUN)


def test_threads_do_not_mix_lines(tmp_path: Path) -> None:
    """The load's thread and the runner's append at once."""
    with Journal(tmp_path / "journal.jsonl") as written:
        written.append(RUN)

        def write() -> None:
            for n in range(500):
                written.append(sample(n))

        threads = [Thread(target=write) for _ in range(4)]
        for thread in threads:
            thread.start()
        for n in range(100):
            written.append(EventRecord(n, "voxy", "x"))
        for thread in threads:
            thread.join(10)
    read = journal.read(written.path)
    assert (len(read.samples), len(read.records)) == (2000, 101)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b'{"kind":"sample","t":1}\n', "a sample is not as it should be"),
        (b'{"kind":"rumour","t":1}\n', "line 1: there is no kind 'rumour'"),
        (b'{"t":1}\n', "line 1: there is no kind 'kind'"),
        (b"[]\n", "line 1"),
        (b"nonsense\n", "line 1"),
        (b'{"kind":"phase","t":"soon","name":"steady"}\n', "line 1"),
    ],
)
def test_what_is_no_journal(tmp_path: Path, text: bytes, sentence: str) -> None:
    """A complete line that is no record is an error with its place."""
    path = tmp_path / "journal.jsonl"
    path.write_bytes(text)
    with pytest.raises(EnvironmentProblem, match=sentence):
        journal.read(path)


def test_no_journal(tmp_path: Path) -> None:
    """Neither a missing file nor a folder that cannot be made is a traceback."""
    with pytest.raises(EnvironmentProblem, match="cannot be read"):
        journal.read(tmp_path / "journal.jsonl")
    (tmp_path / "file").touch()
    with pytest.raises(EnvironmentProblem, match="cannot be made"):
        Journal(tmp_path / "file" / "journal.jsonl")
