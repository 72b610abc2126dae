"""What people ask of a running daemon by the journal: windows, and what a caller is.

A command writes its wish into the journal, in a short transaction of its own, and the daemon sees within a second that
another process has written there. No daemon needs to run for it, and none loses it by a restart.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from screener.memory.history import FARTHEST, Marked
from screener.memory.journal import CLOSED, LOCKED_SECONDS, MARKED, OPENED
from screener.memory.schema import update
from screener.policy.remembered import Window, WindowKind

LOOK_SECONDS: Final = 0.3
"""How often to look."""
NEVER: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A window was opened."""

    window: Window
    """Its end is in seconds since the epoch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """A window was closed before its end."""

    kind: WindowKind
    did: str | None


Wish = Opened | Closed | Marked
Ends = Mapping[tuple[str, str | None], float]
"""When windows end, by their kind and DID."""


def open_window(path: Path, window: Window, at: float) -> None:
    """Write that a window is open; both times are in seconds since the epoch. Raises sqlite3.Error."""
    with _writing(path) as database:
        # One that is open already is replaced: two ends of one window would be one too many.
        database.execute(CLOSED, (at, str(window.kind), window.did, at))
        database.execute(OPENED, (str(window.kind), window.did, window.until, at))


def close_window(path: Path, kind: WindowKind, did: str | None, at: float) -> bool:
    """Write that a window is closed; returns whether it was open. Raises sqlite3.Error."""
    with _writing(path) as database:
        return database.execute(CLOSED, (at, str(kind), did, at)).rowcount > 0


def mark(path: Path, number: str, *, wanted: bool, at: float, note: str, author: str) -> None:
    """Write what a person said of a caller (E.164). Raises sqlite3.Error."""
    with _writing(path) as database:
        database.execute(MARKED, (number, wanted, at, note, author))


class Wishes:
    """Sees what was written since it last looked. To be used by one thread."""

    def __init__(self, path: Path, since: float) -> None:
        """What was written until `since` (seconds since the epoch) is known already."""
        self._path = path
        self._since = since
        self._database: sqlite3.Connection | None = None
        self._file = NEVER
        self._version = NEVER
        self._mark: int | None = None
        self._windows: Ends | None = None

    def look(self, now: float) -> list[Wish]:
        """Return what is new at `now`. Raises sqlite3.Error and OSError; the next look makes up for it."""
        try:
            database = self._open()
            (version,) = database.execute("PRAGMA data_version").fetchone()
            if version == self._version:
                return []
            last, marks = self._marks(database)
            before, after = self._changes(database, now)
            # Only now is it seen: what came before a failure is not lost.
            self._mark, self._windows, self._version = last, after, version
        except (sqlite3.Error, OSError):
            self.close()
            raise
        return [*marks, *_difference(before, after, now)]

    def close(self) -> None:
        """Let go of the file."""
        if self._database is not None:
            self._database.close()
        self._database, self._version = None, NEVER

    def _open(self) -> sqlite3.Connection:
        # A journal that was damaged is another file now.
        if self._database is not None and self._path.stat().st_ino != self._file:
            self.close()
            self._mark, self._since = 0, 0.0
        if self._database is None:
            self._file = self._path.stat().st_ino
            self._database = _connect(self._path)
        return self._database

    def _marks(self, database: sqlite3.Connection) -> tuple[int, list[Marked]]:
        """Return the last row, and what came since the last look."""
        last = self._mark
        if last is None:
            query = "SELECT coalesce(max(row), 0) FROM marks WHERE at <= ?"
            (last,) = database.execute(query, (self._since,)).fetchone()
        rows = database.execute(
            "SELECT row, number, wanted, at FROM marks WHERE row > ? ORDER BY row", (last,)
        ).fetchall()
        found = [Marked(number=number, wanted=bool(wanted), at=at) for _, number, wanted, at in rows]
        return rows[-1][0] if rows else last, found

    def _changes(self, database: sqlite3.Connection, now: float) -> tuple[Ends, Ends]:
        """Return the windows that were open at the last look, and those that are open."""
        before = self._windows
        if before is None:
            before = _open_windows(database, self._since, self._since)
        return before, _open_windows(database, now, FARTHEST)


def _difference(before: Ends, after: Ends, now: float) -> Iterator[Opened | Closed]:
    for (kind, did), until in after.items():
        if before.get((kind, did)) != until:
            yield Opened(window=Window(kind=WindowKind(kind), until=until, did=did))
    for (kind, did), until in before.items():
        if (kind, did) not in after and until > now:
            yield Closed(kind=WindowKind(kind), did=did)


def _open_windows(database: sqlite3.Connection, at: float, written_until: float) -> dict[tuple[str, str | None], float]:
    """Return the ends of the windows that are open at `at` by what was written until then."""
    found = database.execute(
        "SELECT kind, did, until FROM windows WHERE until > ?1 AND opened_at <= ?2 "
        "AND (closed_at IS NULL OR closed_at > ?2) ORDER BY row",
        (at, written_until),
    )
    return {(kind, did): until for kind, did, until in found}


def _connect(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=LOCKED_SECONDS)
    try:
        update(database)
    except BaseException:
        database.close()
        raise
    return database


@contextmanager
def _writing(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(_connect(path)) as database, database:
        yield database
