"""Group: strangers who share a trunk, a signer, a name or a habit heat up together.

A campaign whose numbers share nothing still comes by one carrier, under one name, or hangs up after the same few
seconds. A group is hot while far more strangers than usual call in it and hardly anybody talks with them.
"""

from screener.policy.call import Call
from screener.policy.phrase import duration
from screener.policy.policy import Policy
from screener.policy.remembered import Remembered
from screener.policy.signals.rule import Finding
from screener.policy.signals.stranger import speaks_for


def group(call: Call, remembered: Remembered, policy: Policy, now: float) -> Finding | None:
    """A stranger belongs to a group that is hot."""
    heat = remembered.heat
    if heat is None or not remembered.stranger or now >= heat.until or speaks_for(call, remembered) > 0:
        return None
    who, left = f"strangers who share the {heat.kind} {heat.name!r}", duration(heat.until - now)
    if 2 * heat.cold >= heat.callers:
        came = f"come in numbers, and hardly anybody talks with them: {heat.cold} of the last {heat.callers} calls "
        came += "led to no conversation"
    else:
        # It cools down by the clock: what made it hot may have ended.
        came = "came in numbers a while ago, and hardly anybody talked with them"
    return policy.settings.signals.group.points, f"{who} {came}; they are suspect for another {left}"
