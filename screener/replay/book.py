"""All calls of all sources, in the order in which they began: a private table on disk that vanishes afterwards.

Asterisk writes a record when a call ends, several for one call that rang several phones, and an administrator names
files in any order. SQLite holds the table in its cache while it is small and spills it to a temporary file when it
is not, so that memory does not grow with the number of rows.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple, Self

from screener.policy.remembered import Outcome, Result
from screener.policy.verdict import Treatment
from screener.replay.compass import Compass, Direction
from screener.replay.record import CallRecord
from screener.replay.times import moment_in

BATCH: Final = 2_000
"""Rows that are put into the table at once."""
WATCHED: Final = 1_000
"""Rows whose times are compared with their unique ids."""
QUARTER: Final = 900
"""Seconds: time zones differ by quarters of an hour."""
CACHE_KIB: Final = 65_536
"""How much of the table SQLite keeps in memory."""

_FIELDS: Final = CallRecord._fields
_FACTS: Final = (
    "start", "written", "src", "dst", "did", "name", "context", "endpoint", "uniqueid", "attestation", "caller"
)  # fmt: skip
"""What is told by the row that began the call."""
_EARLIER: Final = (
    "(excluded.start < start OR (excluded.start = start AND excluded.uniqueid = excluded.linkedid "
    "AND uniqueid <> linkedid))"
)
_TABLES: Final = f"""
CREATE TABLE calls (key TEXT PRIMARY KEY, {", ".join(_FIELDS)});
CREATE TABLE lessons (at, uniqueid, treatment, result, tries, number, wanted);
CREATE TABLE labels (uniqueid TEXT PRIMARY KEY, label) WITHOUT ROWID;
"""
_PUT: Final = (
    f"INSERT INTO calls (key, {', '.join(_FIELDS)}) VALUES (?, {', '.join('?' for _ in _FIELDS)}) "  # noqa: S608
    "ON CONFLICT (key) DO UPDATE SET "
    + ", ".join(f"{name} = CASE WHEN {_EARLIER} THEN excluded.{name} ELSE {name} END" for name in _FACTS)
    + ", ended = max(ended, excluded.ended), talked = max(talked, excluded.talked), busy = max(busy, excluded.busy), "
    "label = coalesce(nullif(label, ''), excluded.label)"
)
_ORDERED: Final = (
    "SELECT "  # noqa: S608 - our own names of columns
    + ", ".join(
        "coalesce(mine.label, whole.label, calls.label)" if name == "label" else f"calls.{name}" for name in _FIELDS
    )
    + " FROM calls LEFT JOIN labels mine ON mine.uniqueid = calls.uniqueid "
    "LEFT JOIN labels whole ON whole.uniqueid = calls.key ORDER BY start, calls.rowid"
)


class Lesson(NamedTuple):
    """What was learned beside the calls themselves, from our own journal."""

    at: float
    """Seconds since the epoch."""
    uniqueid: str = ""
    """The call of which a treatment showed something; empty for what follows."""
    outcome: Outcome | None = None
    number: str = ""
    """The number (E.164) that one of ours called, or said something of."""
    wanted: bool | None = None
    """What a person said of it: fine, or spam; None if it was called."""


class Book:
    """Takes records in any order and gives calls back in order of their beginnings."""

    def __init__(self, compass: Compass | None = None) -> None:
        self.compass = compass or Compass()
        self.rows = 0
        """Records that were put in."""
        # An empty name is a private file in the directory for temporary files, which SQLite has already removed.
        self._shifts: Counter[int] = Counter()
        self._database = sqlite3.connect("")
        self._database.executescript(
            f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -{CACHE_KIB};{_TABLES}"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def fill(self, records: Iterable[CallRecord]) -> Iterator[int]:
        """Put records in; yield now and then how many rows there are, so that somebody may show it.

        Raises sqlite3.Error if there is no room for them.
        """
        batch: list[tuple[object, ...]] = []
        for record in records:
            self.rows += 1
            batch.append((record.linkedid or record.uniqueid or f"row {self.rows}", *record))
            self.compass.look(record)
            if self.rows <= WATCHED:
                self._watch(record)
            if len(batch) == BATCH:
                self._database.executemany(_PUT, batch)
                batch.clear()
                yield self.rows
        self._database.executemany(_PUT, batch)
        yield self.rows

    def _watch(self, record: CallRecord) -> None:
        moment = moment_in(record.uniqueid)
        if moment is not None:
            # A record may begin later than its channel: in a queue, after a transfer.
            self._shifts[round((record.start - moment) / QUARTER) * QUARTER] += 1

    @property
    def shift(self) -> int:
        """How many seconds the records' times lie from the moments in their unique ids, which are UTC: not 0 where
        the times were read by another zone than they were written in."""
        (most, count), *_ = self._shifts.most_common(1) or [(0, 0)]
        return most if count > self._shifts.total() / 2 else 0

    def tell(self, lesson: Lesson) -> None:
        """Put in what was learned beside the calls."""
        outcome = lesson.outcome
        told = ("", "", 0) if outcome is None else (str(outcome.treatment), str(outcome.result), outcome.tries)
        values = (lesson.at, lesson.uniqueid, *told, lesson.number, lesson.wanted)
        self._database.execute("INSERT INTO lessons VALUES (?, ?, ?, ?, ?, ?, ?)", values)

    def label(self, labels: Iterable[tuple[str, str]]) -> int:
        """Put in labels by unique id; the last of several for one id holds. Returns how many ids have one."""
        self._database.executemany("INSERT OR REPLACE INTO labels VALUES (?, ?)", labels)
        return int(self._database.execute("SELECT count(*) FROM labels").fetchone()[0])

    def unmatched(self) -> int:
        """Return how many labels belong to no call that was read."""
        query = (
            "SELECT count(*) FROM labels WHERE uniqueid NOT IN (SELECT uniqueid FROM calls) "
            "AND uniqueid NOT IN (SELECT key FROM calls)"
        )
        return int(self._database.execute(query).fetchone()[0])

    def __len__(self) -> int:
        """Return the number of calls: rows of one call count once."""
        return int(self._database.execute("SELECT count(*) FROM calls").fetchone()[0])

    def span(self) -> tuple[float, float]:
        """Return the beginnings of the first and the last call, in seconds since the epoch."""
        first, last = self._database.execute("SELECT min(start), max(start) FROM calls").fetchone()
        return float(first or 0.0), float(last or 0.0)

    def calls(self) -> Iterator[tuple[CallRecord, Direction]]:
        """Yield all calls in the order of their beginnings, and where each went."""
        self.compass.settle()
        direct = self.compass.direction
        make = CallRecord._make
        for row in self._database.execute(_ORDERED):
            record = make(row)
            yield record, direct(record)

    def lessons(self) -> Iterator[Lesson]:
        """Yield what was learned beside the calls, in the order in which it happened."""
        for at, uniqueid, treatment, result, tries, number, wanted in self._database.execute(
            "SELECT at, uniqueid, treatment, result, tries, number, wanted FROM lessons ORDER BY at, rowid"
        ):
            outcome = Outcome(treatment=Treatment(treatment), result=Result(result), tries=tries) if treatment else None
            yield Lesson(at, uniqueid, outcome, number, None if wanted is None else bool(wanted))
