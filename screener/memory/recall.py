"""A memory at its start is told what the journal knows."""

import logging
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from screener.memory.history import HOUR, rebuild
from screener.memory.local import LocalMemory
from screener.memory.reader import JournalReader, Recorded
from screener.policy.policy import Policy

log = logging.getLogger(__name__)

DAY: Final = 86_400.0
RECENT_SECONDS: Final = DAY
"""The past of which everything is told again, at the least."""
RECENT_CALLS: Final = 20_000
"""Calls of it at the most: a flood of yesterday must not keep today's callers waiting."""
USUAL_SECONDS: Final = 28 * DAY
"""The past by which it is known how many strangers are usual at an hour of the week."""


def recall(memory: LocalMemory, path: Path, policy: Policy, now: float) -> Sequence[Recorded]:
    """Put a memory whose clock counts seconds since the epoch into the state that the journal tells of.

    Returns the calls of whose end nothing was heard: they may be under way. A journal that cannot be read leaves all
    callers strangers, and says so.
    """
    if not path.exists():
        return ()
    try:
        with JournalReader(path) as journal:
            since = max(now - _recent(policy), journal.newest(RECENT_CALLS))
            # Whole hours: memory counts the calls of the others itself.
            memory.prime(journal.strangers(now - USUAL_SECONDS, since // HOUR * HOUR), policy)
            begin = now - _longest(policy)
            for past in journal.past(begin, since, policy):
                memory.restore(past, policy)
            happened = journal.history(since=since, taught_since=begin, until=now)
            count = rebuild(memory, happened, policy)
            for window in journal.windows(now):
                memory.open_window(window)
            under_way = journal.unended(since)
    except (sqlite3.Error, ValueError) as error:
        log.warning("all callers are strangers: the journal %s cannot be read (%s)", path, error)
        return ()
    log.info("remembered %d calls and outcomes from %s", count, path)
    return under_way


def _recent(policy: Policy) -> float:
    """Return for how many seconds anything matters that teaches nothing by itself: a bucket that had the time to fill
    is full, whatever was taken before."""
    buckets = [bucket.fills_in_seconds for bucket in (policy.bucket, policy.sustained) if bucket is not None]
    return max(RECENT_SECONDS, policy.settings.reject.repeat_seconds, *buckets)


def _longest(policy: Policy) -> float:
    """Return for how many seconds anything is remembered of a caller."""
    trust, failed = policy.settings.trust, policy.settings.signals.challenge_failed
    days = (trust.days, trust.talked_days, trust.dialled_days, trust.hand_days, trust.blocked_days)
    return max(max(days) * DAY, failed.hours * HOUR)
