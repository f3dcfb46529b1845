"""The records of a training that curves need: thinned where they are many, and read on from where one was.

A history of 100,000 epochs is a file of 58 MB. Of each split an even selection is kept, every record at first, and
every second, fourth, … of them when there are more than a screen shows; each look reads only the lines that are new.
"""

from __future__ import annotations

import functools
import json
import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cvae.errors import InputError
from cvae.runs.files import regular
from cvae.runs.folder import Run
from cvae.runs.status import Record, is_record

MOST = 1000  # records of a split
LEAST = 100
NUMBERS = 50_000  # of a split: records with the KL of many dimensions are fewer
SPLIT = re.compile(rb'"split": *"(train|validation)"')


@dataclass(frozen=True)
class Curves:
    """The records of a training that curves are drawn from, each in the order of the file.

    kept: an even selection of each split. It only grows, until it becomes too long and half of it is dropped.
    newest: the last record of each split, where it is not among them.
    """

    kept: list[Record]
    newest: list[Record]

    @property
    def records(self) -> list[Record]:
        """Return all of them."""
        return [*self.kept, *self.newest]


def curves(run: Run) -> Curves:
    """Return the records of a run that curves need; none before the first. A damaged file raises `InputError`."""
    return _reader(run.path.absolute()).read()


class _Selection:
    """An even selection of the records of one split."""

    def __init__(self) -> None:
        self.kept: list[tuple[int, Record]] = []  # with their line numbers
        self.count, self.stride = 0, 1
        self.last: tuple[int, bytes] | None = None  # a line that was not kept

    def add(self, number: int, line: bytes) -> None:
        """Take note of the next line of this split, and read it if it is to be kept."""
        self.last = (number, line)
        if self.count % self.stride == 0:
            self.kept.append((number, _parse(line)))
            self.last = None
        self.count += 1
        if len(self.kept) > self._limit():
            self.kept = self.kept[::2]
            self.stride *= 2

    def _limit(self) -> int:
        width = len(self.kept[0][1].get("kl_per_dim") or ()) + 10
        return min(MOST, max(LEAST, NUMBERS // width))


class _Reader:
    """Reads one history file on from where it was."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = threading.Lock()
        self._begin()

    def _begin(self) -> None:
        self.offset, self.lines, self.end = 0, 0, b""
        self.splits: dict[bytes, _Selection] = {}

    def read(self) -> Curves:
        with self.lock:
            try:
                with open(regular(self.path), "rb") as file:
                    self._read_on(file)
            except FileNotFoundError:
                self._begin()
            except OSError as error:
                raise InputError("run.unreadable", path=self.path) from error
            except ValueError as error:
                self._begin()
                raise InputError("file.damaged", path=self.path) from error
            return self._curves()

    def _read_on(self, file: BinaryIO) -> None:
        # A training that is resumed cuts its history back and writes other lines: the last one that was read tells.
        file.seek(self.offset - len(self.end))
        if file.read(len(self.end)) != self.end:
            self._begin()
            file.seek(0)
        for line in file:
            if not line.endswith(b"\n"):  # still being written
                break
            split = SPLIT.search(line)
            if split is None:
                raise ValueError("a line without a split")
            self.splits.setdefault(split[1], _Selection()).add(self.lines, line)
            self.offset, self.lines, self.end = self.offset + len(line), self.lines + 1, line

    def _curves(self) -> Curves:
        kept = sorted((pair for split in self.splits.values() for pair in split.kept), key=lambda pair: pair[0])
        last = sorted(split.last for split in self.splits.values() if split.last is not None)
        return Curves([record for _, record in kept], [_parse(line) for _, line in last])


@functools.lru_cache(maxsize=16)
def _reader(path: Path) -> _Reader:
    return _Reader(path / "history.jsonl")


def _parse(line: bytes) -> Record:
    try:
        record: Record = json.loads(line)
    except RecursionError as error:
        raise ValueError("too deep") from error
    if not is_record(record):
        raise ValueError("not a record")
    return record
