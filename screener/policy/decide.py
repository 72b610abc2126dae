"""The judgement: an order of precedence, and at its end a ladder of scores.

Internal and emergency calls are never screened; then what an administrator wrote for this DID comes before what
was written for the whole PBX, and trust that a caller earned stands between the two; only a call that none of
these settles is judged by its score. `PRECEDENCE` is that order as data.
"""

from collections.abc import Callable, Iterable
from typing import Final

from screener.policy.call import Call
from screener.policy.lists import Entry, NumberList
from screener.policy.phrase import duration
from screener.policy.policy import Policy
from screener.policy.remembered import Remembered
from screener.policy.settings import Ladder
from screener.policy.signals import SIGNALS
from screener.policy.verdict import Mode, Reason, Treatment, Verdict

UNSEEN: Final = frozenset({"overloaded", "error"})
"""Reasons of calls that no memory was asked about: no token was taken for them."""
UNJUDGED: Final = UNSEEN | {"late"}
"""Reasons of calls that the policy did not treat."""

Settled = tuple[Treatment, Reason] | None
Step = Callable[[Call, Remembered, Policy, float], Settled]


def decide(call: Call, remembered: Remembered, policy: Policy, now: float) -> Verdict:
    """Judge a call. `now` is in seconds of the clock that `remembered` was read by.

    The verdict carries every reason, also of signals that a list or trust overruled: an administrator who asks
    why a call passed sees what spoke against it.
    """
    signs = tuple(r for r in (signal(call, remembered, policy, now) for signal in SIGNALS) if r is not None)
    score = sum(reason.points for reason in signs)
    line = policy.line(call.did)
    for step in PRECEDENCE:
        settled = step(call, remembered, policy, now)
        if settled is not None:
            treatment, reason = settled
            return Verdict(
                treatment=treatment, mode=line.mode, score=score, decided_by=reason.text, reasons=(reason, *signs)
            )
    treatment, because = climb(line.ladder, score)
    return Verdict(treatment=treatment, mode=line.mode, score=score, decided_by=because, reasons=signs)


def climb(ladder: Ladder, score: float) -> tuple[Treatment, str]:
    """Return the treatment of the highest step that the score reaches, and a sentence that names the step."""
    reached = [rung for rung in ladder if score >= rung.score]
    if reached:
        rung = reached[-1]
        return rung.treatment, f"score {score:g} reaches the step {rung.treatment} at {rung.score:g}"
    if ladder:
        return Treatment.PASS, f"score {score:g} is below the first step, {ladder[0].treatment} at {ladder[0].score:g}"
    return Treatment.PASS, f"score {score:g}; the ladder has no steps"


def unjudged(code: str, text: str, treatment: Treatment = Treatment.PASS, mode: Mode = Mode.LIVE) -> Verdict:
    """Return the verdict of a call that we could not judge; `text` says why."""
    reason = Reason(code=code, points=0, text=text)
    return Verdict(treatment=treatment, mode=mode, score=0, decided_by=text, reasons=(reason,))


def never_screened(call: Call, _remembered: Remembered, policy: Policy, _now: float) -> Settled:
    """Our own phones and the emergency services are none of our business."""
    if call.trunk in policy.settings.never_screen.endpoints:
        text = f"calls from the endpoint {call.trunk} are never screened"
    elif call.caller.key in policy.exempt or (call.caller.raw and call.caller.raw in policy.exempt):
        text = f"calls from {call.caller.raw} are never screened"
    else:
        return None
    return Treatment.PASS, Reason(code="never-screened", points=0, text=text)


def blocked_for_did(call: Call, _remembered: Remembered, policy: Policy, now: float) -> Settled:
    """The administrator blocked the caller for this DID."""
    return _blocked(call, policy.block.find(call.caller.key, call.did, now), f"for calls to {call.did}")


def allowed(call: Call, _remembered: Remembered, policy: Policy, now: float) -> Settled:
    """The administrator allowed the caller."""
    entry = _either(policy.allow, call, now)
    if entry is None:
        return None
    text = f"{call.caller.key} is on the allow list as {entry.label}"
    return Treatment.PASS, Reason(code="allowed", points=0, text=text)


def trusted(call: Call, remembered: Remembered, _policy: Policy, now: float) -> Settled:
    """The caller passed a challenge not long ago."""
    trust = remembered.trust
    if trust is None or not call.caller.personal or not trust.holds(call.attestation, now):
        return None
    text = f"this caller passed a challenge and is trusted for another {duration(trust.until - now)}"
    return Treatment.PASS, Reason(code="trusted", points=0, text=text)


def blocked(call: Call, _remembered: Remembered, policy: Policy, now: float) -> Settled:
    """The administrator blocked the caller for the whole PBX."""
    return _blocked(call, policy.block.find(call.caller.key, None, now), "for the whole PBX")


def rejected_before(_call: Call, remembered: Remembered, policy: Policy, now: float) -> Settled:
    """A rejected call that the provider presents again gets the same answer."""
    at = remembered.rejected_at
    if at is None or not 0 <= now - at < policy.settings.reject.repeat_seconds:
        return None
    text = f"a call of this caller to this number was rejected {duration(now - at)} ago and is presented again"
    return Treatment.REJECT, Reason(code="again", points=0, text=text)


PRECEDENCE: Final[tuple[Step, ...]] = (never_screened, blocked_for_did, allowed, trusted, blocked, rejected_before)


def _blocked(call: Call, entry: Entry | None, where: str) -> Settled:
    if entry is None:
        return None
    text = f"{call.caller.key} is on the block list {where} as {entry.label}"
    return Treatment.REJECT, Reason(code="blocked", points=0, text=text)


def _either(numbers: NumberList, call: Call, now: float) -> Entry | None:
    scopes: Iterable[str | None] = (call.did, None)
    return next((found for scope in scopes if (found := numbers.find(call.caller.key, scope, now))), None)
