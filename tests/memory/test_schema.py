"""A journal of an earlier screener becomes one of ours, whole or not at all."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from screener.memory import schema
from screener.memory.journal import Journal
from screener.memory.reader import JournalReader
from screener.memory.schema import VERSION, prepare, update
from screener.memory.settings import JournalSettings
from screener.policy.remembered import Outcome, Result
from screener.policy.verdict import Treatment

FIRST = """
CREATE TABLE calls (
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
CREATE INDEX calls_by_time ON calls (at);
CREATE INDEX calls_by_caller ON calls (caller, at);
CREATE TABLE outcomes (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    call TEXT NOT NULL, at REAL NOT NULL, treatment TEXT NOT NULL, result TEXT NOT NULL, tries INTEGER NOT NULL
);
CREATE INDEX outcomes_by_call ON outcomes (call);
INSERT INTO calls VALUES (
    1, '1.1', {now}, '+12015550123', 'number', 1, '2015550123', 'Ann', '+14155550100', 'trunk', 'none', 'en', '',
    'captcha', 'captcha', 'live', 5, 'score 5 reaches the step captcha at 5',
    '[["rate", 5, "calls too often"]]', '1f3a88c0', 0.002, {now} + 9, 16, 'Normal Clearing', 9.5
);
INSERT INTO outcomes VALUES (1, '1.1', {now} + 5, 'captcha', 'passed', 1);
PRAGMA user_version = 1;
"""
"""A journal as version 1 made it."""


@pytest.fixture
def first(tmp_path: Path) -> Path:
    import time

    path = tmp_path / "j.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(FIRST.format(now=time.time() - 60))
    return path


def columns(path: Path, table: str) -> set[str]:
    with closing(sqlite3.connect(path)) as database:
        return {row[1] for row in database.execute(f"PRAGMA table_info({table})")}


@pytest.mark.parametrize("opened_by", ["reader", "writer"])
def test_a_journal_of_version_1_is_read_and_written_on(first: Path, opened_by: str) -> None:
    if opened_by == "writer":
        with Journal(JournalSettings(path=first)) as journal:
            journal.dialled("+12015550123", 1e9)
    with JournalReader(first) as reader:
        (call,) = reader.calls()
    assert call.outcomes == (Outcome(treatment=Treatment.CAPTCHA, result=Result.PASSED, tries=1),)
    assert (call.call.name, call.call.signer, call.call.identity, call.seconds) == ("Ann", "", "", 9.5)
    assert (call.talked, call.busy, call.verdict.reasons[0].shadow) == (0.0, False, False)
    assert columns(first, "dialled") == {"row", "number", "at"}
    with closing(sqlite3.connect(first)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (VERSION,)


def test_a_journal_that_was_brought_up_to_date_is_like_a_new_one(first: Path, tmp_path: Path) -> None:
    with Journal(JournalSettings(path=tmp_path / "new.sqlite")), Journal(JournalSettings(path=first)):
        pass
    for table in ("calls", "outcomes", "dialled", "marks", "windows", "notices"):
        assert columns(first, table) == columns(tmp_path / "new.sqlite", table)


def test_a_step_that_fails_leaves_the_file_as_it_was(first: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = (*schema.STEPS[:1], schema.STEPS[1] + ";\nCREATE TABLE calls (x)")
    monkeypatch.setattr(schema, "STEPS", broken)
    with closing(sqlite3.connect(first)) as database:
        with pytest.raises(sqlite3.OperationalError, match="already exists"):
            prepare(database)
        assert database.execute("PRAGMA user_version").fetchone() == (1,)
    assert "talked" not in columns(first, "calls")
    monkeypatch.undo()
    with JournalReader(first) as reader:
        assert len(reader.calls()) == 1


def test_two_that_come_at_once_do_it_once(first: Path) -> None:
    with closing(sqlite3.connect(first)) as one, closing(sqlite3.connect(first)) as other:
        prepare(one)
        other.execute("PRAGMA user_version")  # it had seen version 1 before it waited
        prepare(other)
        assert other.execute("SELECT count(*) FROM calls").fetchone() == (1,)


def test_a_database_that_is_none_of_ours_is_not_touched_by_who_only_reads(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.sqlite")) as database:
        database.execute("CREATE TABLE recipes (name)")
        update(database)
        assert database.execute("SELECT name FROM sqlite_master").fetchall() == [("recipes",)]
