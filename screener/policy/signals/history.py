"""History: what earlier calls of the caller showed. It fades with a half-life."""

from typing import Final

from screener.policy.call import Attestation, Call
from screener.policy.phrase import duration, plural
from screener.policy.policy import Policy
from screener.policy.remembered import Remembered
from screener.policy.signals.rule import Finding

FAILURES_COUNTED: Final = 3
"""Failed challenges beyond the third add nothing: by then the ladder has no higher step to reach."""
LEAST: Final = 0.25
"""Points below which a faded memory is not worth a sentence."""


def challenge_failed(_call: Call, remembered: Remembered, policy: Policy, now: float) -> Finding | None:
    """The caller failed earlier challenges."""
    failures, settings = remembered.failures, policy.settings.signals.challenge_failed
    if failures is None or now - failures.last_at >= settings.hours * 3600:
        return None
    times = min(failures.count, FAILURES_COUNTED)
    text = f"this caller failed {plural(failures.count, 'challenge')}, last {duration(now - failures.last_at)} ago"
    return times * settings.points, text


def history(call: Call, remembered: Remembered, policy: Policy, _now: float) -> Finding | None:
    """Conversations, challenges passed, messages left, and what people said of the caller.

    What speaks for the number counts only for a call that proves no less than those that earned it.
    """
    past, settings = remembered.history, policy.settings.signals.history
    shown = (
        (past.spam, settings.spam, "marked as spam"),
        (past.fine, settings.fine, "marked as fine"),
        (past.talked, settings.talked, "talked with"),
        (past.passed, settings.passed, "passed a challenge"),
        (past.recorded, settings.recorded, "left a message"),
    )
    counted = [one for one in shown if one[1] > 0 or _may_spend(call, remembered)]
    points = sum(count * each for count, each, _ in counted)
    if abs(points) < LEAST:
        return None
    said = ", ".join(f"{what} {count:.1f} times" for count, _, what in counted if count >= 0.05)
    text = f"earlier calls of this caller, which weigh less with time: {said}"
    return round(max(-settings.most, min(settings.most, points)), 1), text


def _may_spend(call: Call, remembered: Remembered) -> bool:
    """Return whether a call may profit from the past of its number: a number is easy to spoof."""
    earned = [trust.earned_with.rank for trust in remembered.trust]
    return call.attestation.rank >= min(earned, default=Attestation.NONE.rank)
