"""The journal: every verdict and its outcome, in SQLite, written by a thread of its own.

Nobody who records waits for the disk, and a disk that fails costs entries of the journal and never a call.
"""

import json
import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from screener.memory.schema import prepare
from screener.memory.settings import JournalSettings
from screener.policy.call import Call
from screener.policy.remembered import Notice, Outcome, Window, WindowKind
from screener.policy.verdict import Verdict

log = logging.getLogger(__name__)

QUEUED: Final = 10_000
"""Entries that wait for the disk; beyond it the oldest is dropped and counted."""
FLUSH_SECONDS: Final = 0.5
"""How far the file is behind at the most while the disk keeps up."""
RETRY_SECONDS: Final = 2.0
"""How long to leave a disk alone that refused a write."""
PRUNE_SECONDS: Final = 600.0
LOCKED_SECONDS: Final = 5.0
"""How long to wait for another process that holds the file."""

KEPT: Final = 100_000
"""Marks, windows and notices that are kept, of each the newest."""
DIALLED_DAYS: Final = 3650.0
"""Days after which a call of ours is deleted: no trust that it earned lasts longer."""

_JUDGED: Final = (
    "INSERT OR REPLACE INTO calls (id, at, caller, kind, personal, raw, name, did, trunk, attestation, language, "
    "diversion, signer, identity, treatment, acted, mode, score, decided_by, reasons, policy, took) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_OUTCOME: Final = "INSERT INTO outcomes (call, at, treatment, result, tries) VALUES (?, ?, ?, ?, ?)"
_ENDED: Final = (
    "UPDATE calls SET ended_at = ?, cause = ?, cause_text = ?, seconds = ?, talked = ?, busy = ? WHERE id = ?"
)
_DIALLED: Final = "INSERT INTO dialled (number, at) VALUES (?, ?)"
MARKED: Final = "INSERT INTO marks (number, wanted, at, note, author) VALUES (?, ?, ?, ?, ?)"
OPENED: Final = "INSERT INTO windows (kind, did, until, opened_at) VALUES (?, ?, ?, ?)"
CLOSED: Final = "UPDATE windows SET closed_at = ? WHERE kind = ? AND did IS ? AND closed_at IS NULL AND until > ?"
_NOTICED: Final = "INSERT INTO notices (code, about, text, at) VALUES (?, ?, ?, ?)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A call and its verdict."""

    call: Call
    verdict: Verdict
    at: float
    """Seconds since the epoch."""
    took: float
    """Seconds from the event to Asterisk's last answer."""
    policy_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The end of a call."""

    at: float
    """Seconds since the epoch."""
    cause: int
    """ITU-T Q.850."""
    cause_text: str
    seconds: float
    """From the channel's creation to its end."""
    talked: float = 0.0
    """Seconds in conversation with one of our people."""
    busy: bool = False
    """Our people or our lines were busy."""


Statement = tuple[str, Sequence[Any]]


class Journal:
    """Writes; made, started and closed by the daemon."""

    def __init__(self, settings: JournalSettings) -> None:
        self._settings = settings
        self._waiting: deque[Statement] = deque(maxlen=QUEUED)
        self._unwritten: list[Statement] = []
        """A batch that the writer has taken and the disk has not."""
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._write_until_closed, name="journal", daemon=True)
        self.dropped = 0
        """Entries lost because the disk did not keep up."""

    def start(self) -> None:
        """Start the writer. A file that cannot be opened is tried again for ever."""
        self._thread.start()

    def close(self, seconds: float = 5.0) -> None:
        """Write what waits and stop, in at most `seconds`."""
        self._closing.set()
        self._wake.set()
        self._thread.join(seconds)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def behind(self) -> int:
        """Entries that are not on the disk yet."""
        return len(self._waiting) + len(self._unwritten)

    def judged(self, judged: Judged) -> None:
        """Record a verdict."""
        call, caller, verdict = judged.call, judged.call.caller, judged.verdict
        # The fourth says that a rule was in shadow mode, and stands there only if it was.
        reasons = [[one.code, one.points, one.text, *([True] if one.shadow else [])] for one in verdict.reasons]
        self._put(_JUDGED, (
            call.id, judged.at, caller.key, str(caller.kind), caller.personal, caller.raw, call.name, call.did,
            call.trunk, str(call.attestation), call.language, call.diversion, call.signer, call.identity,
            str(verdict.treatment), str(verdict.acted), str(verdict.mode), verdict.score, verdict.decided_by,
            json.dumps(reasons), judged.policy_version, judged.took,
        ))  # fmt: skip

    def outcome(self, call_id: str, outcome: Outcome, at: float) -> None:
        """Record what a treatment showed."""
        self._put(_OUTCOME, (call_id, at, str(outcome.treatment), str(outcome.result), outcome.tries))

    def ended(self, call_id: str, ended: Ended) -> None:
        """Record the end of a call."""
        talked, busy = ended.talked, ended.busy
        self._put(_ENDED, (ended.at, ended.cause, ended.cause_text, ended.seconds, talked, busy, call_id))

    def dialled(self, number: str, at: float) -> None:
        """Record that one of our people called a number (E.164)."""
        self._put(_DIALLED, (number, at))

    def mark(self, number: str, *, wanted: bool, at: float, note: str = "", author: str = "") -> None:
        """Record what a person said of a caller (E.164)."""
        self._put(MARKED, (number, wanted, at, note, author))

    def opened(self, window: Window, at: float) -> None:
        """Record a window; its end is in seconds since the epoch."""
        self._put(OPENED, (str(window.kind), window.did, window.until, at))

    def closed(self, kind: WindowKind, did: str | None, at: float) -> None:
        """Record that a window was closed before its end."""
        self._put(CLOSED, (at, str(kind), did, at))

    def notice(self, notice: Notice, at: float) -> None:
        """Record what the administrator should know."""
        self._put(_NOTICED, (notice.code, notice.about, notice.text, at))

    def _put(self, statement: str, values: Sequence[Any]) -> None:
        if len(self._waiting) == QUEUED:
            self.dropped += 1
        self._waiting.append((statement, values))

    def _write_until_closed(self) -> None:
        while True:
            try:
                with _opened(self._settings.path) as database:
                    self._serve(database)
                return
            except (sqlite3.Error, OSError) as error:
                log.warning("the journal cannot be written (%s); %d entries wait", error, self.behind)
                # Its subclasses tell of a disk that is full or a file that is locked, and not of a damaged one.
                if type(error) is sqlite3.DatabaseError and _move_aside(self._settings.path):
                    continue
                if self._closing.wait(RETRY_SECONDS):
                    return

    def _serve(self, database: sqlite3.Connection) -> None:
        prune_at = 0.0
        while True:
            closing = self._closing.is_set()
            self._write(database)
            if time.monotonic() >= prune_at:
                self._prune(database)
                prune_at = time.monotonic() + PRUNE_SECONDS
            if closing and not self._waiting:
                return
            self._wake.wait(FLUSH_SECONDS)

    def _write(self, database: sqlite3.Connection) -> None:
        while self._waiting and len(self._unwritten) < QUEUED:
            self._unwritten.append(self._waiting.popleft())
        if not self._unwritten:
            return
        with database:
            for statement, values in self._unwritten:
                try:
                    database.execute(statement, values)
                except (UnicodeError, OverflowError, sqlite3.IntegrityError, sqlite3.ProgrammingError) as error:
                    # No later try would go better, and what comes after it must not wait.
                    self.dropped += 1
                    log.warning("an entry of the journal cannot be written and is dropped: %s", error)
        self._unwritten.clear()

    def _prune(self, database: sqlite3.Connection) -> None:
        with database:
            database.execute("DELETE FROM calls WHERE at < ?", (time.time() - self._settings.days * 86_400,))
            database.execute("DELETE FROM calls WHERE row <= (SELECT max(row) FROM calls) - ?", (self._settings.rows,))
            database.execute("DELETE FROM outcomes WHERE call NOT IN (SELECT id FROM calls)")
            database.execute("DELETE FROM dialled WHERE at < ?", (time.time() - DIALLED_DAYS * 86_400,))
            bounds = {"dialled": self._settings.rows, "marks": KEPT, "windows": KEPT, "notices": KEPT}
            for table, rows in bounds.items():
                database.execute(f"DELETE FROM {table} WHERE row <= (SELECT max(row) FROM {table}) - ?", (rows,))  # noqa: S608


class _opened:  # noqa: N801 - used like a function
    """The database, with its tables, closed afterwards."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.touch(mode=0o640)
        self._database = sqlite3.connect(path, timeout=LOCKED_SECONDS)

    def __enter__(self) -> sqlite3.Connection:
        try:
            self._database.execute("PRAGMA journal_mode = WAL")
            # With WAL, NORMAL never damages the file; a power cut may cost the last moments.
            self._database.execute("PRAGMA synchronous = NORMAL")
            prepare(self._database)
        except BaseException:
            self._database.close()
            raise
        return self._database

    def __exit__(self, *_: object) -> None:
        self._database.close()


def _move_aside(path: Path) -> bool:
    """Keep a file that is no database for whoever can repair it, and make room for a new one; whether it worked."""
    aside = path.with_name(f"{path.name}.damaged-{time.time():.0f}")
    log.error("the journal %s cannot be used: it is kept as %s, and a new one begins", path, aside)
    try:
        path.rename(aside)
        for ending in ("-wal", "-shm"):
            path.with_name(path.name + ending).unlink(missing_ok=True)
    except OSError as error:
        log.warning("it cannot be moved: %s", error)
        return False
    return True
