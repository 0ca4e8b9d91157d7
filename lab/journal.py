"""The append-only record of a run: one JSON object a line. All reports and verdicts read nothing else."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

import msgspec

from lab.errors import EnvironmentProblem
from lab.records import KINDS, FaultRecord, PhaseRecord, Record, RunRecord, SampleRecord
from lab.sample import Sample

BUFFER_BYTES = 1 << 16
_WORDS = {record: word for word, record in KINDS.items()}
_SAMPLE = b'{"kind":"sample"'
_ENCODER = msgspec.json.Encoder()


class Journal:
    """Writes `journal.jsonl`; several threads may append.

    Samples are gathered and written in blocks; every other record is on the disk when `append` returns,
    with all that came before it.

    Args:
        path: the file; an existing one is added to.

    Raises:
        EnvironmentProblem: the file cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock()
        self._waiting = bytearray()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            self._length = os.fstat(self._file).st_size
        except OSError as fault:
            raise EnvironmentProblem(f"{path}: cannot be made: {fault.strerror}") from None

    def append(self, record: Record | Sample) -> None:
        """Add one record.

        Raises:
            EnvironmentProblem: the disk is full or broken; the file then ends with a complete line.
        """
        line = encode(record)
        with self._lock:
            self._waiting += line
            if not isinstance(record, Sample | SampleRecord) or len(self._waiting) >= BUFFER_BYTES:
                self._write(through=isinstance(record, RunRecord | PhaseRecord | FaultRecord))

    def flush(self) -> None:
        """Write what was gathered, down to the disk.

        Raises:
            EnvironmentProblem: as `append`.
        """
        with self._lock:
            self._write(through=True)

    def close(self) -> None:
        """Flush and close; closing twice is harmless.

        Raises:
            EnvironmentProblem: as `append`.
        """
        if self._file < 0:
            return
        try:
            self.flush()
        finally:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _write(self, through: bool) -> None:
        block, self._waiting = bytes(self._waiting), bytearray()
        try:
            written = 0
            while written < len(block):
                written += os.write(self._file, block[written:])
            if through:
                os.fsync(self._file)
        except OSError as fault:
            os.ftruncate(self._file, self._length + _complete(block, written))
            raise EnvironmentProblem(*_cause(self.path, fault)) from None
        self._length += len(block)


def _complete(block: bytes, written: int) -> int:
    """How much of what was written of the block are complete lines."""
    return block.rfind(b"\n", 0, written) + 1


def _cause(path: Path, fault: OSError) -> tuple[str, str]:
    if fault.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{path}: the disk is full; the journal ends here", "make room, then run the scenario again"
    return f"{path}: cannot be written: {fault.strerror}; the journal ends here", ""


def encode(record: Record | Sample) -> bytes:
    """The line of a record, with its end."""
    if isinstance(record, SampleRecord):
        record = record.sample
    if isinstance(record, Sample):
        fields = _ENCODER.encode(record)
        return b'%s,"t":%.6f,%s\n' % (_SAMPLE, record.done, fields[1:])
    return b'{"kind":"%s",%s\n' % (_WORDS[type(record)].encode(), _ENCODER.encode(record)[1:])


@dataclass(frozen=True)
class Recorded:
    """A journal that was read.

    Attributes:
        records: all but the samples, in the order of the file.
        samples: in the order in which they were done.
        torn: whether the last line was incomplete and left out, as after a kill -9 in mid-write.
    """

    records: tuple[Record, ...]
    samples: tuple[Sample, ...]
    torn: bool


def read(path: Path) -> Recorded:
    """Read a journal.

    Raises:
        EnvironmentProblem: there is no such file, or a complete line is no record.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as fault:
        raise EnvironmentProblem(f"{path}: cannot be read: {fault.strerror}") from None
    torn = lines.pop() != b""
    samples = [line for line in lines if line.startswith(_SAMPLE)]
    others = [(number, line) for number, line in enumerate(lines, 1) if not line.startswith(_SAMPLE)]
    try:
        found = msgspec.json.decode(b"[" + b",".join(samples) + b"]", type=list[Sample])
    except msgspec.MsgspecError as fault:
        raise EnvironmentProblem(f"{path}: a sample is not as it should be: {fault}") from None
    return Recorded(tuple(_record(path, number, line) for number, line in others), tuple(found), torn)


def _record(path: Path, number: int, line: bytes) -> Record:
    try:
        word = msgspec.json.decode(line)["kind"]
        return msgspec.json.decode(line, type=KINDS[word])
    except KeyError as fault:
        raise EnvironmentProblem(f"{path}, line {number}: there is no kind {fault}") from None
    except (msgspec.MsgspecError, TypeError) as fault:
        raise EnvironmentProblem(f"{path}, line {number}: {fault}") from None
