"""What it means for a call that its caller is on a feed: three steps of the precedence."""

from screener.policy.call import Attestation, Call
from screener.policy.feeds import FeedKind
from screener.policy.policy import Policy
from screener.policy.remembered import Remembered
from screener.policy.verdict import Reason, Treatment


def allowed_by_feed(call: Call, _remembered: Remembered, policy: Policy, now: float) -> tuple[Treatment, Reason] | None:
    """A feed that the administrator chose allows the caller."""
    hit = policy.feeds.find(call.caller.key, FeedKind.ALLOW, now)
    if hit is None:
        return None
    text = f"{call.caller.key} is on the allow feed {hit.label}"
    return Treatment.PASS, Reason(code="feed-allowed", points=0, text=text)


def contact(call: Call, _remembered: Remembered, policy: Policy, now: float) -> tuple[Treatment, Reason] | None:
    """The caller is somebody we know, and nothing shows that the number is another's."""
    if call.attestation is Attestation.FAILED:
        return None
    hit = policy.feeds.find(call.caller.key, FeedKind.CONTACT, now)
    if hit is None:
        return None
    return Treatment.PASS, Reason(code="contact", points=0, text=f"{call.caller.key} is a contact of {hit.label}")


def blocked_by_feed(call: Call, _remembered: Remembered, policy: Policy, now: float) -> tuple[Treatment, Reason] | None:
    """A feed that the administrator chose blocks the caller."""
    hit = policy.feeds.find(call.caller.key, FeedKind.BLOCK, now)
    if hit is None:
        return None
    text = f"{call.caller.key} is on the block feed {hit.label}"
    return Treatment.REJECT, Reason(code="feed-blocked", points=0, text=text)
