"""Stranger: nobody here knows the caller.

Greylisting is postgrey's idea for mail: what a person does as a matter of course, calling again when it is busy, a
campaign that goes through its list does not.
"""

from typing import Final

from screener.policy.call import Attestation, Call
from screener.policy.phrase import duration
from screener.policy.policy import Policy
from screener.policy.remembered import Remembered
from screener.policy.signals.rule import Finding

SIGNED: Final = {Attestation.A: 1, Attestation.B: -1, Attestation.C: -1, Attestation.FAILED: -1}
"""What a signature says of a stranger in a crowd: of calls signed B and C a quarter to a third are robocalls."""


def speaks_for(call: Call, remembered: Remembered) -> int:
    """Return how many things speak for a stranger that a crowd should not be held against: its number is shown to be
    real, it comes from where our callers come from, and it goes where new customers go."""
    return SIGNED.get(call.attestation, 0) + remembered.familiar + remembered.frequented


def stranger(call: Call, remembered: Remembered, policy: Policy, _now: float) -> Finding | None:
    """A stranger without attestation A: presses one key once, then is trusted."""
    if not remembered.stranger or remembered.welcome or call.attestation is Attestation.A:
        return None
    text = "nobody here knows this caller, and no attestation A shows that the number is real"
    return policy.settings.signals.stranger.points, text


def greylist(call: Call, remembered: Remembered, policy: Policy, now: float) -> Finding | None:
    """A stranger's first call. The points are none: it is the treatment that differs."""
    if not remembered.stranger or not call.caller.personal:
        return None
    settings = policy.settings.signals.greylist
    first, last = remembered.first_at, remembered.last_at
    within = duration(settings.within_minutes * 60)
    if first is None or last is None:
        return 0, f"the first call of a stranger: busy once, welcome when it calls again within {within}"
    if now - first < settings.after_seconds:
        return 0, "the first call of a stranger is presented again at once: busy, as before"
    if first == last and now - last > settings.within_minutes * 60:
        return 0, f"a stranger's second call came {duration(now - last)} after the first, and not within {within}"
    return None
