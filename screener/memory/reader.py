"""Reads the journal: for people who ask, for `explain`, and for a daemon that starts."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from screener.memory.journal import LOCKED_SECONDS, check_version
from screener.memory.local import LocalMemory
from screener.policy.call import Attestation, Call
from screener.policy.caller import Caller, CallerKind
from screener.policy.decide import UNSEEN
from screener.policy.policy import Policy
from screener.policy.remembered import Outcome, Result
from screener.policy.verdict import Mode, Reason, Treatment, Verdict

FARTHEST: Final = 1e12
"""A time in seconds after which nothing happens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a treatment showed of a call."""

    call: Call
    outcome: Outcome
    at: float
    """Seconds since the epoch."""


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


class JournalReader:
    """Reads a journal, also while a daemon writes it. All methods raise sqlite3.Error for a file that is none."""

    def __init__(self, path: Path) -> None:
        """Raises sqlite3.OperationalError if there is no such file, sqlite3.DatabaseError if it is not one of ours."""
        # A reader of a WAL database must be able to write its index beside it, so no mode=ro here.
        self._database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=LOCKED_SECONDS)
        self._database.row_factory = sqlite3.Row
        try:
            check_version(self._database)
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
        return [(row["o_row"], _told(row)) for row in rows]

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
                yield _told(self._one(
                    "SELECT calls.*, outcomes.at AS o_at, outcomes.treatment AS o_treatment, result, tries "
                    "FROM outcomes JOIN calls ON calls.id = outcomes.call WHERE outcomes.row = ?", row))  # fmt: skip
            else:
                yield self._recorded(self._one("SELECT * FROM calls WHERE row = ?", row))

    def _one(self, query: str, row: int) -> sqlite3.Row:
        found: sqlite3.Row = self._database.execute(query, (row,)).fetchone()
        return found

    def _recorded(self, row: sqlite3.Row) -> Recorded:
        shown = self._database.execute("SELECT * FROM outcomes WHERE call = ? ORDER BY row", (row["id"],))
        return Recorded(
            row=row["row"],
            call=_call(row),
            verdict=_verdict(row),
            at=row["at"],
            took=row["took"],
            policy_version=row["policy"],
            outcomes=tuple(_outcome(one["treatment"], one) for one in shown),
            ended_at=row["ended_at"],
            cause=row["cause"],
            cause_text=row["cause_text"] or "",
            seconds=row["seconds"],
        )


def rebuild(memory: LocalMemory, happened: Iterable[Recorded | Told], policy: Policy) -> int:
    """Put a memory whose clock counts seconds since the epoch into the state that the journal tells of.

    Returns how many calls and outcomes it took: a restart gives nobody a fresh bucket, and takes nobody's trust.
    """
    count = 0
    for one in happened:
        count += 1
        if isinstance(one, Told):
            memory.learn(one.call, one.outcome, policy, one.at)
        elif not any(reason.code in UNSEEN for reason in one.verdict.reasons):
            memory.observe(one.call, policy, one.at)
            if one.verdict.acted is Treatment.REJECT:
                memory.learn(one.call, Outcome(treatment=Treatment.REJECT, result=Result.REJECTED), policy, one.at)
    return count


def _call(row: sqlite3.Row) -> Call:
    caller = Caller(kind=CallerKind(row["kind"]), key=row["caller"], personal=bool(row["personal"]), raw=row["raw"])
    return Call(
        id=row["id"],
        caller=caller,
        did=row["did"],
        name=row["name"],
        trunk=row["trunk"],
        attestation=Attestation(row["attestation"]),
        language=row["language"],
        diversion=row["diversion"],
    )


def _verdict(row: sqlite3.Row) -> Verdict:
    return Verdict(
        treatment=Treatment(row["treatment"]),
        mode=Mode(row["mode"]),
        score=row["score"],
        decided_by=row["decided_by"],
        reasons=tuple(Reason(code=code, points=points, text=text) for code, points, text in json.loads(row["reasons"])),
    )


def _told(row: sqlite3.Row) -> Told:
    return Told(call=_call(row), outcome=_outcome(row["o_treatment"], row), at=row["o_at"])


def _outcome(treatment: str, row: sqlite3.Row) -> Outcome:
    return Outcome(treatment=Treatment(treatment), result=Result(row["result"]), tries=row["tries"])
