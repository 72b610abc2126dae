"""Listed: feeds of what strangers think of a number.

A campaign spoofs numbers that belong to somebody, and the people it calls report those: such a feed is a reason to ask,
and none to refuse. (Lists of complaints would have caught more than half of later unwanted calls, with 0.01 % of the
business numbers on them by mistake: Pandit et al., Towards Measuring the Effectiveness of Telephony Blacklists, 2018.)
"""

from screener.policy.call import Call
from screener.policy.feeds import FeedKind
from screener.policy.policy import Policy
from screener.policy.remembered import Remembered
from screener.policy.signals.rule import Finding


def listed(call: Call, _remembered: Remembered, policy: Policy, now: float) -> Finding | None:
    """The points of each feed that names the caller, together."""
    hits = tuple(policy.feeds.hits(call.caller.key, FeedKind.LISTED, now))
    if not hits:
        return None
    return sum(hit.points for hit in hits), f"the number is on {' and on '.join(hit.label for hit in hits)}"
