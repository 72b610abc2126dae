"""What speaks for or against a call: each signal looks at one thing and says it in a sentence.

A signal is a function of a call, what is remembered, the policy and the time; its reason's code is its name in
CDRs and never changes. `SIGNALS` is their order, which is the order of the reasons in a verdict.
"""

from collections.abc import Callable
from typing import Final

from screener.policy.call import Attestation, Call
from screener.policy.caller import CallerKind
from screener.policy.phrase import duration, plural
from screener.policy.policy import Policy
from screener.policy.remembered import Remembered
from screener.policy.verdict import Reason

Signal = Callable[[Call, Remembered, Policy, float], Reason | None]

FAILURES_COUNTED: Final = 3
"""Failed challenges beyond the third add nothing: by then the ladder has no higher step to reach."""


def rate(call: Call, remembered: Remembered, policy: Policy, _now: float) -> Reason | None:
    """The token bucket of the caller: calls too often."""
    if remembered.rate.admitted:
        return None
    bucket = policy.bucket
    who = "this caller" if call.caller.personal else f"{call.caller.kind} callers to this number, taken together,"
    verb = "is" if bucket.capacity == 1 else "are"
    text = (
        f"{who} called too often: {plural(bucket.capacity, 'call')} at once {verb} free and one more "
        f"every {duration(3600 / bucket.refill_per_hour)}; the next is free in {duration(remembered.rate.free_in)}"
    )
    return Reason(code="rate", points=policy.settings.points.rate, text=text)


def withheld(call: Call, _remembered: Remembered, policy: Policy, _now: float) -> Reason | None:
    """The caller hides the number."""
    if call.caller.kind is not CallerKind.WITHHELD:
        return None
    return Reason(code="withheld", points=policy.settings.points.withheld, text="the caller withholds the number")


def malformed(call: Call, _remembered: Remembered, policy: Policy, _now: float) -> Reason | None:
    """The caller ID is no number."""
    if call.caller.kind is not CallerKind.MALFORMED:
        return None
    text = f"the caller ID {call.caller.raw!r} is not a number of any numbering plan"
    return Reason(code="malformed", points=policy.settings.points.malformed, text=text)


def foreign_script(call: Call, _remembered: Remembered, policy: Policy, _now: float) -> Reason | None:
    """The caller ID is written in another script than the digits 0 to 9."""
    if call.caller.kind is not CallerKind.FOREIGN_SCRIPT:
        return None
    text = f"the caller ID {call.caller.raw!r} holds characters that no telephone can dial"
    return Reason(code="foreign-script", points=policy.settings.points.foreign_script, text=text)


def challenge_failed(_call: Call, remembered: Remembered, policy: Policy, now: float) -> Reason | None:
    """The caller failed earlier challenges."""
    failures, points = remembered.failures, policy.settings.points
    if failures is None or now - failures.last_at >= points.forget_failures_hours * 3600:
        return None
    times = min(failures.count, FAILURES_COUNTED)
    text = f"this caller failed {plural(failures.count, 'challenge')}, last {duration(now - failures.last_at)} ago"
    return Reason(code="challenge-failed", points=times * points.challenge_failed, text=text)


def attestation(call: Call, _remembered: Remembered, policy: Policy, _now: float) -> Reason | None:
    """What STIR/SHAKEN says of the caller ID (RFC 8224, ATIS-1000074)."""
    level = call.attestation
    points = policy.settings.points.attestation.get(level, 0)
    if level is Attestation.NONE and not points:
        return None
    said = {
        Attestation.NONE: "the caller ID is not signed",
        Attestation.FAILED: "the caller ID is signed, but the signature did not verify",
    }.get(level, f"the caller ID is signed with attestation {level}")
    return Reason(code="attestation", points=points, text=said)


SIGNALS: Final[tuple[Signal, ...]] = (rate, withheld, malformed, foreign_script, challenge_failed, attestation)
