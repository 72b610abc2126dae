"""Sweep: strangers who reach many of our DIDs, or reach them in numerical order.

Autodialers walk through a range of numbers, and people call the one that they want; a person who is sent on reaches two
or three. Campaigns on a honeypot of 66,606 lines reached 13 lines on average (Prasad et al., USENIX Security 2020).
"""

from screener.policy.call import Call
from screener.policy.phrase import duration
from screener.policy.policy import Policy
from screener.policy.remembered import Remembered
from screener.policy.signals.rule import Finding


def sweep(_call: Call, remembered: Remembered, policy: Policy, _now: float) -> Finding | None:
    """One stranger, or strangers from one block, reach many of our DIDs."""
    reached = remembered.reached
    if reached is None or not remembered.stranger:
        return None
    settings = policy.settings.signals.sweep
    within = f"within {duration(settings.minutes * 60)}"
    if reached.dids >= settings.dids:
        text = f"this caller reached {reached.dids} of our numbers {within}"
    elif reached.in_order >= settings.dids_in_order:
        text = f"this caller reached {reached.in_order} of our numbers one after another in numerical order"
    elif reached.run >= settings.run:
        text = f"strangers reached {reached.run} of our numbers one after another in numerical order, up to this one"
    elif reached.block_dids >= settings.block_dids:
        text = f"callers from one block of a thousand numbers reached {reached.block_dids} of our numbers {within}"
    else:
        return None
    return settings.points, text
