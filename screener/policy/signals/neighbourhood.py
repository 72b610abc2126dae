"""Neighbourhood: a bucket for each block of numbers, so that a campaign that walks a block is seen as one caller.

Blocks follow the numbering plan: in North America the NPA-NXX and the thousand block (number pooling, FCC 00-104).
"""

from screener.policy.call import Call
from screener.policy.phrase import every, plural
from screener.policy.policy import Policy
from screener.policy.remembered import Remembered
from screener.policy.signals.rule import Finding


def neighbourhood(_call: Call, remembered: Remembered, policy: Policy, _now: float) -> Finding | None:
    """Too many strangers call from one block of numbers."""
    crowded = remembered.crowded
    if crowded is None or not remembered.stranger:
        return None
    return policy.settings.signals.neighbourhood.points, (
        f"too many strangers call from numbers that begin with {crowded.block}: "
        f"{plural(crowded.capacity, 'caller')} at once are free and one more {every(3600 / crowded.per_hour)}"
    )
