"""The judgement: an order of precedence, and at its end a ladder of scores.

Internal and emergency calls are never screened; then what an administrator wrote for this DID comes before what
was written for the whole PBX, and trust that a caller earned stands between the two; only a call that none of
these settles is judged by its score. `PRECEDENCE` is that order as data.
"""

import dataclasses
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from screener.policy.call import Attestation, Call
from screener.policy.feed_steps import allowed_by_feed, blocked_by_feed, contact
from screener.policy.line_settings import Ladder
from screener.policy.lists import Entry, NumberList
from screener.policy.phrase import duration
from screener.policy.policy import Policy
from screener.policy.remembered import STRANGER, History, Remembered, Trust, TrustKind, Window, WindowKind
from screener.policy.signal_settings import RuleMode
from screener.policy.signals import SIGNALS
from screener.policy.verdict import Mode, Reason, Treatment, Verdict

UNSEEN: Final = frozenset({"overloaded", "error"})
"""Reasons of calls that no memory was asked about: no token was taken for them."""
UNJUDGED: Final = UNSEEN | {"late"}
"""Reasons of calls that the policy did not treat."""

GREYLIST: Final = "greylist"

Settled = tuple[Treatment, Reason] | None
Step = Callable[[Call, Remembered, Policy, float], Settled]


def decide(call: Call, remembered: Remembered, policy: Policy, now: float) -> Verdict:
    """Judge a call. `now` is in seconds of the clock that `remembered` was read by.

    The verdict carries every reason, also of signals that a list or trust overruled: an administrator who asks
    why a call passed sees what spoke against it.
    """
    call = proved_by(call, remembered.reused)
    signs = tuple(_signs(call, remembered, policy, now))
    score = sum(reason.points for reason in signs if not reason.shadow)
    line = policy.line(call.did, now)
    for step in PRECEDENCE:
        settled = step(call, remembered, policy, now)
        if settled is not None:
            treatment, reason = settled
            return Verdict(
                treatment=treatment, mode=line.mode, score=score, decided_by=reason.text, reasons=(reason, *signs)
            )
    treatment, because = climb(line.ladder, score)
    if hours := policy.schedule(call.did).says(now):
        because = f"{because}; {hours}"
    if treatment is Treatment.PASS and (busy := next((sign for sign in signs if sign.code == GREYLIST), None)):
        treatment, because = (treatment, because) if busy.shadow else (Treatment.BUSY, busy.text)
    return Verdict(treatment=treatment, mode=line.mode, score=score, decided_by=because, reasons=signs)


def _signs(call: Call, remembered: Remembered, policy: Policy, now: float) -> Iterator[Reason]:
    active = policy.signals
    for rule in SIGNALS:
        section = active.get(rule.section)
        if section is None:
            continue
        found = rule.look(call, remembered, policy, now)
        if found is None:
            continue
        points, text = found
        shadow = section.mode is RuleMode.SHADOW or rule.code in remembered.relaxed
        if not shadow and section.canary < 1:
            shadow = _share(call.caller.key, rule.section) >= section.canary
        yield Reason(code=rule.code, points=points, text=text, shadow=shadow)


def _share(caller: str, section: str) -> float:
    """Return where a caller stands between 0 and 1: always the same for one section, independent between two."""
    return zlib.crc32(f"{section} {caller}".encode()) / (1 << 32)


def proved_by(call: Call, reused: bool) -> Call:
    """Return the call with what its signature proves: nothing if another call has just used it.

    A signature is made for one call (RFC 8224, section 12.1): one that was seen a moment ago is a copy.
    """
    if reused and call.attestation.rank > 0:
        return dataclasses.replace(call, attestation=Attestation.FAILED)
    return call


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


def unwanted(call: Call, remembered: Remembered, _policy: Policy, now: float) -> Settled:
    """The people at this DID were told who calls, and blocked the caller."""
    until = remembered.unwanted_until
    if until is None or now >= until:
        return None
    text = f"the people at {call.did} blocked this caller for another {duration(until - now)}"
    return Treatment.REJECT, Reason(code="unwanted", points=0, text=text)


def allowed(call: Call, _remembered: Remembered, policy: Policy, now: float) -> Settled:
    """The administrator allowed the caller."""
    entry = _either(policy.allow, call, now)
    if entry is None:
        return None
    text = f"{call.caller.key} is on the allow list as {entry.label}"
    return Treatment.PASS, Reason(code="allowed", points=0, text=text)


def emergency(_call: Call, remembered: Remembered, _policy: Policy, now: float) -> Settled:
    """One of ours called an emergency number: whoever calls back gets in, whatever any list says."""
    return next((_open(window, now) for window in remembered.windows if window.kind is WindowKind.EMERGENCY), None)


def expected(call: Call, remembered: Remembered, _policy: Policy, now: float) -> Settled:
    """Somebody said that calls are expected, or switched screening off for a while."""
    there = (window for window in remembered.windows if window.did is None or window.did == call.did)
    return next((_open(window, now) for window in there), None)


def _open(window: Window, now: float) -> tuple[Treatment, Reason]:
    why = {
        WindowKind.EXPECTING: "a call is expected",
        WindowKind.PAUSE: "screening is paused",
        WindowKind.EMERGENCY: "one of our people called an emergency number",
    }[window.kind]
    text = f"{why}: everybody gets in for another {duration(window.until - now)}"
    return Treatment.PASS, Reason(code=str(window.kind), points=0, text=text)


def trusted(call: Call, remembered: Remembered, policy: Policy, now: float) -> Settled:
    """The caller earned trust that this call may spend."""
    if not call.caller.personal:
        return None
    found = trust_in_force(call.attestation, remembered.trust, remembered.history, policy, now)
    if found is None:
        return None
    left = duration(found.until - now)
    past = remembered.history
    text = {
        TrustKind.PASSED: f"this caller passed a challenge and is trusted for another {left}",
        TrustKind.TALKED: f"one of our people talked with this caller (in {past.talked:.0f} of about "
        f"{max(past.calls, past.talked):.0f} calls), who is trusted for another {left}",
        TrustKind.DIALLED: f"one of our people called this number, which is trusted for another {left}",
        TrustKind.HAND: f"this caller was marked as fine and is trusted for another {left}",
    }[found.kind]
    return Treatment.PASS, Reason(code="trusted", points=0, text=text)


def trust_in_force(
    attestation: Attestation, trusts: Sequence[Trust], history: History, policy: Policy, now: float
) -> Trust | None:
    """Return the trust that lasts longest of those that a call with this attestation may spend."""
    best: Trust | None = None
    for trust in trusts:
        if not trust.holds(attestation, now) or (best is not None and best.until >= trust.until):
            continue
        if trust.kind is TrustKind.TALKED and not history.vouches(policy.settings.trust.talked_share):
            continue
        best = trust
    return best


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


PRECEDENCE: Final[tuple[Step, ...]] = (
    never_screened,
    emergency,
    blocked_for_did,
    unwanted,
    allowed,
    allowed_by_feed,
    trusted,
    contact,
    blocked,
    blocked_by_feed,
    rejected_before,
    expected,
)


def known(call: Call, policy: Policy, now: float) -> bool:
    """Return whether the policy alone lets a caller in, whatever is remembered: then it is no stranger."""
    steps = (never_screened, allowed, allowed_by_feed, contact)
    return any(step(call, STRANGER, policy, now) is not None for step in steps)


def _blocked(call: Call, entry: Entry | None, where: str) -> Settled:
    if entry is None:
        return None
    text = f"{call.caller.key} is on the block list {where} as {entry.label}"
    return Treatment.REJECT, Reason(code="blocked", points=0, text=text)


def _either(numbers: NumberList, call: Call, now: float) -> Entry | None:
    scopes: Iterable[str | None] = (call.did, None)
    return next((found for scope in scopes if (found := numbers.find(call.caller.key, scope, now))), None)
