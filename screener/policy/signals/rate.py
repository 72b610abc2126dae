"""Rate: the token bucket of the caller, the heart of it all.

The bucket is the generic cell rate algorithm (ITU-T I.371, annex A). Of 19,048 identified calls to a bank's call centre
no customer ever made more than two a minute, so a small bucket does not meet them.
"""

from screener.policy.call import Call
from screener.policy.phrase import duration, every, plural
from screener.policy.policy import Policy
from screener.policy.remembered import Remembered
from screener.policy.signals.rule import Finding


def rate(call: Call, remembered: Remembered, policy: Policy, _now: float) -> Finding | None:
    """The caller calls too often: one of its buckets is empty."""
    if not remembered.rate.admitted:
        taken, bucket = remembered.rate, policy.bucket
    elif remembered.sustained is not None and not remembered.sustained.admitted and policy.sustained is not None:
        taken, bucket = remembered.sustained, policy.sustained
    else:
        return None
    who = "this caller" if call.caller.personal else f"{call.caller.kind} callers to this number, taken together,"
    verb = "is" if bucket.capacity == 1 else "are"
    return policy.settings.signals.rate.points, (
        f"{who} called too often: {plural(bucket.capacity, 'call')} at once {verb} free and one more "
        f"{every(3600 / bucket.refill_per_hour)}; the next is free in {duration(taken.free_in)}"
    )
