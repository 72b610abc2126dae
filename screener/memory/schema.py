"""The journal's tables, and how a file that an earlier screener wrote becomes one of ours."""

import sqlite3
from collections.abc import Sequence
from typing import Final

_FIRST: Final = """
CREATE TABLE IF NOT EXISTS calls (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    at REAL NOT NULL,
    caller TEXT NOT NULL, kind TEXT NOT NULL, personal INTEGER NOT NULL, raw TEXT NOT NULL,
    name TEXT NOT NULL, did TEXT NOT NULL, trunk TEXT NOT NULL, attestation TEXT NOT NULL,
    language TEXT NOT NULL, diversion TEXT NOT NULL,
    treatment TEXT NOT NULL, acted TEXT NOT NULL, mode TEXT NOT NULL, score REAL NOT NULL,
    decided_by TEXT NOT NULL, reasons TEXT NOT NULL, policy TEXT NOT NULL, took REAL NOT NULL,
    ended_at REAL, cause INTEGER, cause_text TEXT, seconds REAL
);
CREATE INDEX IF NOT EXISTS calls_by_time ON calls (at);
CREATE INDEX IF NOT EXISTS calls_by_caller ON calls (caller, at);
CREATE TABLE IF NOT EXISTS outcomes (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    call TEXT NOT NULL, at REAL NOT NULL, treatment TEXT NOT NULL, result TEXT NOT NULL, tries INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS outcomes_by_call ON outcomes (call)
"""
_SECOND: Final = """
ALTER TABLE calls ADD COLUMN signer TEXT NOT NULL DEFAULT '';
ALTER TABLE calls ADD COLUMN identity TEXT NOT NULL DEFAULT '';
ALTER TABLE calls ADD COLUMN talked REAL;
ALTER TABLE calls ADD COLUMN busy INTEGER NOT NULL DEFAULT 0;
CREATE INDEX calls_by_end ON calls (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX outcomes_by_time ON outcomes (at);
CREATE TABLE dialled (row INTEGER PRIMARY KEY AUTOINCREMENT, number TEXT NOT NULL, at REAL NOT NULL);
CREATE INDEX dialled_by_time ON dialled (at);
CREATE TABLE marks (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    number TEXT NOT NULL, wanted INTEGER NOT NULL, at REAL NOT NULL, note TEXT NOT NULL, author TEXT NOT NULL
);
CREATE TABLE windows (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL, did TEXT, until REAL NOT NULL, opened_at REAL NOT NULL, closed_at REAL
);
CREATE INDEX windows_by_end ON windows (until);
CREATE TABLE notices (
    row INTEGER PRIMARY KEY AUTOINCREMENT, code TEXT NOT NULL, about TEXT NOT NULL, text TEXT NOT NULL, at REAL NOT NULL
)
"""
STEPS: Final[Sequence[str]] = (_FIRST, _SECOND)
"""What makes each version out of the one before it."""
VERSION: Final = len(STEPS)
"""Of the tables, in the file as `user_version`. A later one is not for us to write, nor to guess at."""


def prepare(database: sqlite3.Connection) -> None:
    """Make the tables, or bring them up to date: all of it, or nothing of it.

    Raises sqlite3.DatabaseError if a later screener wrote the file.
    """
    if _version(database) == VERSION:
        return
    database.execute("BEGIN IMMEDIATE")
    try:
        # Read again: another process may have done it while this one waited for the file.
        for step in STEPS[_version(database) :]:
            for statement in step.split(";\n"):
                database.execute(statement)
        database.execute(f"PRAGMA user_version = {VERSION}")
        database.execute("COMMIT")
    except BaseException:
        database.execute("ROLLBACK")
        raise


def update(database: sqlite3.Connection) -> None:
    """Bring a journal up to date, and leave a database alone that is none of ours.

    Raises sqlite3.DatabaseError if a later screener wrote the file.
    """
    if _version(database) < VERSION and _is_journal(database):
        prepare(database)


def _is_journal(database: sqlite3.Connection) -> bool:
    return (
        database.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'outcomes'").fetchone()
        is not None
    )


def _version(database: sqlite3.Connection) -> int:
    version: int
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise sqlite3.DatabaseError(f"a later screener wrote it (version {version}, we know {VERSION})")
    return version
