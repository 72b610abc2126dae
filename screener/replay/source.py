"""Where records come from: told by what is in a file, not by its name."""

import csv
import gzip
import io
import os
import shutil
import sqlite3
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from screener.memory.history import FARTHEST, Dialled, Marked
from screener.memory.reader import JournalReader
from screener.memory.rows import Told
from screener.replay.book import Book, Lesson
from screener.replay.cdr import CdrFile, looks_like_cdr, separator, split
from screener.replay.cel import CelFile, looks_like_cel
from screener.replay.faults import Faults, UnreadableError
from screener.replay.ours import record_of
from screener.replay.record import CallRecord
from screener.replay.times import LocalTimes

GZIP: Final = b"\x1f\x8b"
SQLITE: Final = b"SQLite format 3\x00"
PASSWORD_VARIABLE: Final = "SCREENER_CDR_PASSWORD"  # noqa: S105 - a name
"""Where the password of a database may stand: an address is seen by everybody who lists processes."""
HEAD: Final = 65_536
"""Bytes of a file that are looked at to see what it is."""
CEL_NAMES: Final = frozenset({"eventtype", "eventtime"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How to read sources."""

    times: LocalTimes
    faults: Faults
    columns: Sequence[str] | None = None
    """The columns of files that have no header, as the administrator names them; None to find out."""
    table: str = "cdr"
    """The table of a database."""


class Source:
    """A file or a database of calls."""

    def __init__(self, given: str, reading: Reading) -> None:
        """`given` is a path, or an address that SQLAlchemy knows."""
        self._given = given
        self._reading = reading
        self.is_address = "://" in given
        self.name = given.partition("://")[0] if self.is_address else given
        self.size = 0 if self.is_address else _size(given)
        """Bytes; 0 if it is not to be known."""
        self._file: io.BufferedReader | None = None

    @property
    def position(self) -> int:
        """Bytes of the file that have been read."""
        return self._file.tell() if self._file is not None and not self._file.closed else 0

    def records(self, book: Book) -> Iterator[CallRecord]:
        """Yield the records; what treatments had shown goes into the book. Raises UnreadableError."""
        if self.is_address:
            yield from self._database(self._given, "")
            return
        try:
            with Path(self._given).open("rb") as opened:
                self._file = opened
                yield from self._file_records(opened, book)
        except (OSError, EOFError, zlib.error) as error:
            said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise UnreadableError(f"{self.name}: cannot be read: {said}") from None

    def _file_records(self, opened: io.BufferedReader, book: Book) -> Iterator[CallRecord]:
        head = opened.peek(len(SQLITE))
        if head.startswith(SQLITE):
            yield from self._sqlite(Path(self._given).absolute(), book)
            return
        stream: io.BufferedIOBase = opened
        if head.startswith(GZIP):
            stream = cast("io.BufferedIOBase", gzip.GzipFile(fileobj=opened))
            if _peek(stream, len(SQLITE)).startswith(SQLITE):
                with tempfile.NamedTemporaryFile(suffix=".sqlite") as unpacked:
                    shutil.copyfileobj(stream, unpacked)
                    unpacked.flush()
                    yield from self._sqlite(Path(unpacked.name), book)
                return
        reading = self._reading
        columns = reading.columns
        if self._is_cel(stream):
            cel = columns if columns is not None and set(columns) >= CEL_NAMES else None
            yield from CelFile(self.name, reading.times, reading.faults, cel).records(stream)
        else:
            yield from CdrFile(self.name, reading.times, reading.faults, columns).records(stream)

    def _is_cel(self, stream: io.BufferedIOBase) -> bool:
        if self._reading.columns is not None:
            return set(self._reading.columns) >= CEL_NAMES
        head = _peek(stream, HEAD)[:HEAD].decode("utf-8-sig", "replace")
        # The first lines may be damaged: the first that looks like anything decides.
        for line in head.splitlines()[:20]:
            try:
                row = split(line, separator(line))
            except csv.Error:
                continue
            if looks_like_cel(row):
                return True
            if looks_like_cdr(row):
                return False
        return False

    def _sqlite(self, path: Path, book: Book) -> Iterator[CallRecord]:
        try:
            with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
                tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if {"calls", "outcomes"} <= tables:
                yield from self._journal(path, book)
                return
        except sqlite3.Error as error:
            raise UnreadableError(f"{self.name}: cannot be read: {error}") from None
        if self._reading.table not in tables:
            raise UnreadableError(f"{self.name}: neither our journal nor a database with a table {self._reading.table}")
        yield from self._database(f"sqlite:///{path}", self.name)

    def _journal(self, path: Path, book: Book) -> Iterator[CallRecord]:
        with JournalReader(path) as journal:
            for one in journal.replay():
                if isinstance(one, Told):
                    book.tell(Lesson(one.at, one.call.id, one.outcome))
                else:
                    yield record_of(one, self._reading.times)
            for happened in journal.history(since=FARTHEST):
                if isinstance(happened, Dialled):
                    book.tell(Lesson(happened.at, number=happened.number))
                elif isinstance(happened, Marked):
                    book.tell(Lesson(happened.at, number=happened.number, wanted=happened.wanted))

    def _database(self, url: str, name: str) -> Iterator[CallRecord]:
        # It takes a third of a second to load, and most administrators have files.
        from screener.replay.table import CdrTable  # noqa: PLC0415

        reading, password = self._reading, os.environ.get(PASSWORD_VARIABLE)
        table = CdrTable(url, reading.table, reading.times, reading.faults, password)
        self.name = table.name = name or table.name
        yield from table.records()


def _peek(stream: io.BufferedIOBase, size: int) -> bytes:
    # Files and gzip's streams both have it; their common type does not say so.
    return cast("io.BufferedReader", stream).peek(size)


def _size(given: str) -> int:
    try:
        return Path(given).stat().st_size
    except OSError:
        return 0
