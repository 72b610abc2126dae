"""Memory in process: what this daemon remembers of callers since it started."""

from collections import OrderedDict
from typing import TypeVar

from screener.memory.buckets import BucketTable, scatter
from screener.policy.bucket import microseconds
from screener.policy.call import Call
from screener.policy.policy import Policy
from screener.policy.remembered import Failures, Outcome, Remembered, Result, Trust

DEFAULT_CALLERS = 1 << 20
"""Callers whose buckets fit: exact up to some 80,000 new callers a second, in 16 MB."""

DEFAULT_RECORDS = 100_000
"""Callers whose trust, failures and rejections are kept, in a table for each. Only a caller who met a treatment
gets into one; beyond this the one that was written longest ago is forgotten and is a stranger again."""

K = TypeVar("K")
V = TypeVar("V")


class LocalMemory:
    """Remembers callers in tables of fixed size.

    All times are seconds of a clock that never steps back. The policy is an argument and not state: a reload
    changes the size of every bucket at the next call, and forgets nobody.
    """

    def __init__(self, *, seed: int, callers: int = DEFAULT_CALLERS, records: int = DEFAULT_RECORDS) -> None:
        """`seed` is a secret that scatters callers over the table."""
        self._seed = seed
        self._records = records
        self._buckets = BucketTable(callers)
        self._trust: OrderedDict[str, Trust] = OrderedDict()
        self._failures: OrderedDict[str, Failures] = OrderedDict()
        self._rejected: OrderedDict[tuple[str, str], float] = OrderedDict()

    def observe(self, call: Call, policy: Policy, now: float) -> Remembered:
        """Take the call's token and return all that is remembered of its caller: one step, never half done."""
        caller = call.caller
        bucket_key = caller.key if caller.personal else f"{caller.key} {call.did}"
        taken = self._buckets.take(scatter(bucket_key, self._seed), policy.bucket, microseconds(now))
        return Remembered(
            rate=taken,
            trust=self._trust.get(caller.key) if caller.personal else None,
            failures=self._failures.get(caller.key) if caller.personal else None,
            rejected_at=self._rejected.get((caller.key, call.did)) if caller.personal else None,
        )

    def learn(self, call: Call, outcome: Outcome, policy: Policy, now: float) -> None:
        """Remember what a treatment showed of a caller. Callers who share a key earn nothing for each other."""
        if not call.caller.personal:
            return
        key, result = call.caller.key, outcome.result
        if result is Result.REJECTED:
            # The first rejection counts, not the last: who keeps dialling is judged anew after the window.
            window = policy.settings.reject.repeat_seconds
            at = self._rejected.get((key, call.did))
            if at is None or now - at >= window:
                _keep(self._rejected, (key, call.did), now, self._records)
            # They stand in the order of their times; who was rejected before the window is nobody's business any more.
            while self._rejected and now - next(iter(self._rejected.values())) >= window:
                self._rejected.popitem(last=False)
        elif result is Result.PASSED:
            until = now + policy.settings.trust.days * 86_400
            self._failures.pop(key, None)
            _keep(self._trust, key, Trust(until=until, earned_with=call.attestation), self._records)
        elif result in (Result.FAILED, Result.SILENT):
            before, count = self._failures.get(key), 1
            # Failures that no longer count stay forgotten: one more must not bring those of last year back.
            if before is not None and now - before.last_at < policy.settings.points.forget_failures_hours * 3600:
                count += before.count
            _keep(self._failures, key, Failures(count=count, last_at=now), self._records)


def _keep(table: OrderedDict[K, V], key: K, value: V, limit: int) -> None:
    """Put the newest last and forget the oldest beyond the limit."""
    table[key] = value
    table.move_to_end(key)
    if len(table) > limit:
        table.popitem(last=False)
