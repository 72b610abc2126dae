"""What the journal tells again to a memory that starts empty, in the order in which it happened.

Of the recent past everything counts: whose bucket is empty, which block is hot. Of what is older only what taught
something: outcomes, calls of ours, what a person said, and what the conversations of each caller were all together. So
a start takes a few seconds, also with a million calls in the journal.
"""

import heapq
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from screener.memory.local import DEFAULT_RECORDS, LocalMemory
from screener.memory.rows import Told, read_call, read_told, read_verdict
from screener.memory.standing import DAY, Past
from screener.memory.strangers import HEARD_SECONDS
from screener.policy.call import Attestation, Call
from screener.policy.decide import UNSEEN
from screener.policy.policy import Policy
from screener.policy.remembered import Ending
from screener.policy.verdict import Verdict

FARTHEST: Final = 1e12
"""A time in seconds after which nothing happens."""
HOUR: Final = 3600
KNOWN: Final = ("trusted", "allowed", "feed-allowed", "contact", "never-screened")
"""What settled the calls of those who are no strangers, as the first of a call's reasons: see `decide.known`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """A call came and was judged. All times here are seconds since the epoch."""

    call: Call
    verdict: Verdict
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A call ended."""

    call: Call
    ending: Ending
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialled:
    """One of our people called a number (E.164)."""

    number: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """A person said of a caller (E.164): fine, or spam."""

    number: str
    wanted: bool
    at: float


Happened = Came | Told | Finished | Dialled | Marked


def history(
    database: sqlite3.Connection, *, since: float, taught_since: float, until: float, caller: str | None
) -> Iterator[Happened]:
    """Yield what happened until `until`: all of it after `since`, what taught something after `taught_since`.

    `caller` is the key of the only caller of interest, if any.
    """
    # Two of the same moment come in this order: a call comes before anything comes of it.
    return heapq.merge(
        _came(database, since, until, caller),
        _told(database, min(taught_since, since), until, caller),
        _finished(database, since, until, caller),
        _dialled(database, taught_since, until, caller),
        _marked(database, taught_since, until, caller),
        key=attrgetter("at"),
    )


def rebuild(memory: LocalMemory, happened: Iterable[Happened], policy: Policy) -> int:
    """Put a memory whose clock counts seconds since the epoch into the state that the journal tells of.

    Returns how much it was told: a restart gives nobody a fresh bucket, and takes nobody's trust.
    """
    count = 0
    for one in happened:
        count += 1
        match one:
            case Came():
                if not any(reason.code in UNSEEN for reason in one.verdict.reasons):
                    memory.observe(one.call, policy, one.at)
                    memory.judged(one.call, one.verdict, policy, one.at)
            case Told():
                memory.learn(one.call, one.outcome, policy, one.at)
            case Finished():
                memory.ended(one.call, one.ending, policy, one.at)
            case Dialled():
                memory.dialled(one.number, policy, one.at)
            case Marked():
                memory.mark(one.number, one.wanted, policy, one.at)
    memory.take_notices()  # of what is over; whoever was to be told was told then
    return count


def strangers(database: sqlite3.Connection, since: float, until: float) -> list[tuple[int, str, int]]:
    """Return how many callers whom nobody here knew called which DID in which hour (since the epoch), in order."""
    others = " AND ".join(f"reasons NOT LIKE '[[\"{code}\"%'" for code in KNOWN)
    found = database.execute(
        "SELECT CAST(at / ?1 AS INTEGER) AS hour, did, count(DISTINCT caller) FROM calls "  # noqa: S608 - our own codes
        f"WHERE at >= ?2 AND at < ?3 AND {others} GROUP BY hour, did ORDER BY hour",
        (HOUR, since, until),
    )
    return [(hour, did, count) for hour, did, count in found]


def _came(database: sqlite3.Connection, since: float, until: float, caller: str | None) -> Iterator[Came]:
    which, values = ("AND caller = ?", (caller,)) if caller is not None else ("", ())
    query = f"SELECT * FROM calls WHERE at BETWEEN ? AND ? {which} ORDER BY at, row"  # noqa: S608 - nothing of a stranger's
    for row in database.execute(query, (since, until, *values)):
        yield Came(call=read_call(row), verdict=read_verdict(row), at=row["at"])


def _told(database: sqlite3.Connection, since: float, until: float, caller: str | None) -> Iterator[Told]:
    which, values = ("AND caller = ?", (caller,)) if caller is not None else ("", ())
    columns = "calls.*, outcomes.at AS o_at, outcomes.treatment AS o_treatment, result, tries"
    joined = "outcomes JOIN calls ON calls.id = outcomes.call"
    query = f"SELECT {columns} FROM {joined} WHERE outcomes.at BETWEEN ? AND ? {which} ORDER BY outcomes.at"  # noqa: S608
    yield from map(read_told, database.execute(query, (since, until, *values)))


def _finished(database: sqlite3.Connection, since: float, until: float, caller: str | None) -> Iterator[Finished]:
    which, values = ("AND caller = ?", (caller,)) if caller is not None else ("", ())
    query = f"SELECT * FROM calls WHERE ended_at BETWEEN ? AND ? {which} ORDER BY ended_at, row"  # noqa: S608
    for row in database.execute(query, (since, until, *values)):
        ending = Ending(talked=row["talked"] or 0.0, seconds=row["seconds"] or 0.0, busy=bool(row["busy"]))
        yield Finished(call=read_call(row), ending=ending, at=row["ended_at"])


def past(database: sqlite3.Connection, since: float, until: float, policy: Policy) -> list[Past]:
    """Return what the calls that came from `since` until `until` taught of each caller who talked with us.

    Of more callers than memory has room for it is those who talked last; they come last.
    """
    half_life = policy.settings.signals.history.half_life_days * DAY

    def weight(at: float) -> float:
        return float(0.5 ** ((until - at) / half_life))

    database.create_function("weight", 1, weight, deterministic=True)
    found = database.execute(
        "SELECT caller, attestation, sum(weight(at)) AS calls, sum(talked >= :heard) AS heard, "
        "total(CASE WHEN talked >= :heard THEN weight(at) END) AS weighed, "
        "total(CASE WHEN talked >= :enough AND diversion = '' THEN weight(at) END) AS talked, "
        "max(CASE WHEN talked >= :enough AND diversion = '' THEN ended_at END) AS last "
        "FROM calls WHERE at >= :since AND at < :until AND ended_at < :until AND personal "
        "GROUP BY caller, attestation HAVING last IS NOT NULL ORDER BY last DESC LIMIT :most",
        {
            "heard": HEARD_SECONDS, "enough": policy.settings.trust.talked_seconds, "since": since, "until": until,
            "most": DEFAULT_RECORDS,
        },
    ).fetchall()  # fmt: skip
    return [
        Past(**(dict(row) | {"attestation": Attestation(row["attestation"]), "at": until})) for row in reversed(found)
    ]


def _dialled(database: sqlite3.Connection, since: float, until: float, caller: str | None) -> Iterator[Dialled]:
    # Only the last call to a number counts.
    query = (
        "SELECT number, max(at) AS at FROM dialled WHERE at BETWEEN ? AND ? AND (? IS NULL OR number = ?) "
        "GROUP BY number ORDER BY 2"
    )
    for row in database.execute(query, (since, until, caller, caller)):
        yield Dialled(number=row["number"], at=row["at"])


def _marked(database: sqlite3.Connection, since: float, until: float, caller: str | None) -> Iterator[Marked]:
    query = "SELECT number, wanted, at FROM marks WHERE at BETWEEN ? AND ? AND (? IS NULL OR number = ?) ORDER BY at"
    for row in database.execute(query, (since, until, caller, caller)):
        yield Marked(number=row["number"], wanted=bool(row["wanted"]), at=row["at"])
