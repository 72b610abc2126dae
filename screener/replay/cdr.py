"""Call detail records in a file: Master.csv, cdr_custom, or whatever has a header."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Final

from screener.replay.columns import RowReader, known_order, named
from screener.replay.faults import Faults, UnreadableError
from screener.replay.lines import Lines
from screener.replay.record import CallRecord
from screener.replay.times import LocalTimes

SEPARATORS: Final = ",\t;|"
SHAPES: Final = 32
"""Lengths of rows for which the columns are kept at hand: Master.csv grows columns when its settings change."""
HELP: Final = (
    "neither a header with start, src and dst nor the columns of Master.csv or cdr_custom: "
    "name them with --columns, for example --columns start,src,dst,duration,billsec,disposition"
)


def separator(line: str) -> str:
    """Return the character that separates the columns of a line."""
    return max(SEPARATORS, key=line.count)


def split(line: str, between: str = ",") -> list[str]:
    """Return the columns of one line. Raises csv.Error."""
    return next(iter(csv.reader([line], delimiter=between)), [])


def looks_like_cdr(row: Sequence[str]) -> bool:
    """Return whether a file that begins with this row holds call detail records."""
    return named(row) is not None or known_order(row) is not None


class CdrFile:
    """Reads a file of call detail records."""

    def __init__(self, name: str, times: LocalTimes, faults: Faults, columns: Sequence[str] | None = None) -> None:
        """`columns` are what the administrator says they are; None to find out."""
        self._name = name
        self._times = times
        self._faults = faults
        self._given = None if columns is None else RowReader(columns, times)
        self._readers: dict[int, RowReader] = {}

    def records(self, stream: io.BufferedIOBase) -> Iterator[CallRecord]:
        """Yield the records of a stream. Raises UnreadableError where the first row says nothing."""
        with Lines(stream, self._name, self._faults) as lines:
            yield from self._records(lines)

    def _records(self, lines: Lines) -> Iterator[CallRecord]:
        texts = iter(lines)
        first = next(texts, "")
        between = separator(first)
        header = self._given
        try:
            begin = split(first, between)
        except csv.Error:
            begin = []
        names = named(begin)
        if names is not None:
            header = header or RowReader(names, self._times)
        else:
            texts = _again(first, texts)
            if header is None and known_order(begin) is None:
                raise UnreadableError(f"{self._name}: {HELP}")
        rows = csv.reader(texts, delimiter=between)
        while True:
            try:
                row = next(rows)
                yield (header or self._reader(row)).read(row)
            except StopIteration:
                return
            except (ValueError, csv.Error) as error:
                self._faults.add(self._name, lines.number, str(error))

    def _reader(self, row: Sequence[str]) -> RowReader:
        reader = self._readers.get(len(row))
        if reader is None:
            columns = known_order(row)
            if columns is None:
                raise ValueError(f"{len(row)} columns are not those of a call")
            reader = RowReader(columns, self._times)
            if len(self._readers) < SHAPES:
                self._readers[len(row)] = reader
        return reader


def _again(first: str, rest: Iterator[str]) -> Iterator[str]:
    if first:
        yield first
    yield from rest
