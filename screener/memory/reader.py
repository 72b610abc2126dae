"""Reads the journal: for people who ask, for `explain`, and for a daemon that starts."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from screener.memory.history import FARTHEST, Happened, history, past, strangers
from screener.memory.journal import LOCKED_SECONDS
from screener.memory.rows import Told, read_call, read_outcome, read_told, read_verdict
from screener.memory.schema import update
from screener.memory.standing import Past
from screener.policy.call import Call
from screener.policy.policy import Policy
from screener.policy.remembered import Notice, Outcome, Window, WindowKind
from screener.policy.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A call as the journal has it."""

    row: int
    call: Call
    verdict: Verdict
    at: float
    took: float
    policy_version: str
    outcomes: tuple[Outcome, ...]
    ended_at: float | None
    cause: int | None
    cause_text: str
    seconds: float | None
    talked: float
    busy: bool


class JournalReader:
    """Reads a journal, also while a daemon writes it. All methods raise sqlite3.Error for a file that is none."""

    def __init__(self, path: Path) -> None:
        """Raises sqlite3.OperationalError if there is no such file, sqlite3.DatabaseError if it is not one of ours."""
        # A reader of a WAL database must be able to write its index beside it, so no mode=ro here.
        self._database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=LOCKED_SECONDS)
        self._database.row_factory = sqlite3.Row
        try:
            update(self._database)
        except sqlite3.Error:
            self._database.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def calls(self, *, caller: str | None = None, limit: int = 50, after_row: int = 0) -> list[Recorded]:
        """Return the newest calls, oldest of them first; of one caller key, or after a row, if asked."""
        rows = self._database.execute(
            "SELECT * FROM calls WHERE row > ? AND (? IS NULL OR caller = ?) ORDER BY row DESC LIMIT ?",
            (after_row, caller, caller, limit),
        ).fetchall()
        return [self._recorded(row) for row in reversed(rows)]

    def outcomes(self, *, caller: str | None = None, after_row: int = 0) -> list[tuple[int, Told]]:
        """Return what treatments showed, each with its row, oldest first."""
        rows = self._database.execute(
            "SELECT calls.*, outcomes.row AS o_row, outcomes.at AS o_at, outcomes.treatment AS o_treatment, result, "
            "tries FROM outcomes JOIN calls ON calls.id = outcomes.call "
            "WHERE outcomes.row > ? AND (? IS NULL OR caller = ?) ORDER BY outcomes.row",
            (after_row, caller, caller),
        )
        return [(row["o_row"], read_told(row)) for row in rows]

    def last_rows(self) -> tuple[int, int]:
        """Return the last row of the calls and of the outcomes, 0 for none."""
        (call,) = self._database.execute("SELECT coalesce(max(row), 0) FROM calls").fetchone()
        (outcome,) = self._database.execute("SELECT coalesce(max(row), 0) FROM outcomes").fetchone()
        return call, outcome

    def replay(
        self, *, since: float = 0.0, told_since: float = 0.0, until: float = FARTHEST, caller: str | None = None
    ) -> Iterator[Recorded | Told]:
        """Yield calls since `since` and outcomes since `told_since` in the order in which they happened.

        Times are seconds since the epoch.
        """
        happened = self._database.execute(
            "SELECT at, row, 0 AS what FROM calls WHERE at BETWEEN ? AND ? AND (? IS NULL OR caller = ?) "
            "UNION ALL SELECT outcomes.at, outcomes.row, 1 FROM outcomes JOIN calls ON calls.id = outcomes.call "
            "WHERE outcomes.at BETWEEN ? AND ? AND (? IS NULL OR caller = ?) ORDER BY 1, 3, 2",
            (since, until, caller, caller, told_since, until, caller, caller),
        )
        for _, row, what in happened:
            if what:
                yield read_told(self._one(
                    "SELECT calls.*, outcomes.at AS o_at, outcomes.treatment AS o_treatment, result, tries "
                    "FROM outcomes JOIN calls ON calls.id = outcomes.call WHERE outcomes.row = ?", row))  # fmt: skip
            else:
                yield self._recorded(self._one("SELECT * FROM calls WHERE row = ?", row))

    def strangers(self, since: float, until: float) -> list[tuple[int, str, int]]:
        """See `screener.memory.history.strangers`."""
        return strangers(self._database, since, until)

    def past(self, since: float, until: float, policy: Policy) -> list[Past]:
        """See `screener.memory.history.past`."""
        return past(self._database, since, until, policy)

    def newest(self, count: int) -> float:
        """Return when the oldest of the newest `count` calls came, in seconds since the epoch; 0 if there are less."""
        query = "SELECT at FROM calls ORDER BY at DESC LIMIT 1 OFFSET ?"
        found = self._database.execute(query, (count - 1,)).fetchone()
        return 0.0 if found is None else float(found["at"])

    def unended(self, since: float) -> list[Recorded]:
        """Return the calls since then of whose end nothing was heard, oldest first."""
        rows = self._database.execute("SELECT * FROM calls WHERE at >= ? AND ended_at IS NULL ORDER BY at", (since,))
        return [self._recorded(row) for row in rows.fetchall()]

    def windows(self, now: float) -> list[Window]:
        """Return the windows that are open at `now`, oldest first; their ends are in seconds since the epoch."""
        rows = self._database.execute(
            "SELECT * FROM windows WHERE until > ?1 AND opened_at <= ?1 AND (closed_at IS NULL OR closed_at > ?1) "
            "ORDER BY row",
            (now,),
        )
        return [Window(kind=WindowKind(row["kind"]), until=row["until"], did=row["did"]) for row in rows]

    def notices(self, limit: int = 50) -> list[Notice]:
        """Return the newest notices, oldest of them first; their times are seconds since the epoch."""
        rows = self._database.execute("SELECT * FROM notices ORDER BY row DESC LIMIT ?", (limit,)).fetchall()
        return [Notice(code=r["code"], about=r["about"], text=r["text"], at=r["at"]) for r in reversed(rows)]

    def history(
        self, *, since: float = 0.0, taught_since: float = 0.0, until: float = FARTHEST, caller: str | None = None
    ) -> Iterator[Happened]:
        """Yield all that memory must be told again: see `screener.memory.history`."""
        return history(self._database, since=since, taught_since=taught_since, until=until, caller=caller)

    def _one(self, query: str, row: int) -> sqlite3.Row:
        found: sqlite3.Row = self._database.execute(query, (row,)).fetchone()
        return found

    def _recorded(self, row: sqlite3.Row) -> Recorded:
        shown = self._database.execute("SELECT * FROM outcomes WHERE call = ? ORDER BY row", (row["id"],))
        return Recorded(
            row=row["row"],
            call=read_call(row),
            verdict=read_verdict(row),
            at=row["at"],
            took=row["took"],
            policy_version=row["policy"],
            outcomes=tuple(read_outcome(one["treatment"], one) for one in shown),
            ended_at=row["ended_at"],
            cause=row["cause"],
            cause_text=row["cause_text"] or "",
            seconds=row["seconds"],
            talked=row["talked"] or 0.0,
            busy=bool(row["busy"]),
        )
