"""Rhythm: calls that come, last or end as a machine makes them.

People call at irregular distances; the figures are ours, tried on traffic: five starts with less than 8 % spread in
their distances do not come about by chance.
"""

import math
from collections.abc import Sequence

from screener.policy.call import Call
from screener.policy.phrase import every
from screener.policy.policy import Policy
from screener.policy.remembered import Remembered
from screener.policy.signals.rule import Finding

ALIKE_SECONDS = 1.0
"""Calls of the same length differ by no more than this."""
HABIT_SECONDS = 6 * 3600.0
"""Calls that lie so far apart are a habit: a courier rings each morning at nine, an office each Monday."""


def rhythm(_call: Call, remembered: Remembered, policy: Policy, _now: float) -> Finding | None:
    """Calls come at too regular a distance."""
    settings = policy.settings.signals.rhythm
    beat = remembered.beat
    if beat is None or not remembered.stranger or len(beat.distances) < settings.calls - 1:
        return None
    distances = beat.distances[-(settings.calls - 1) :]
    mean = sum(distances) / len(distances)
    if not 0 < mean < HABIT_SECONDS or _deviation(distances, mean) > settings.spread * mean:
        return None
    text = f"the last {settings.calls} calls of this caller came {every(mean)}, like a clock's"
    return settings.points, text


def alike(_call: Call, remembered: Remembered, policy: Policy, _now: float) -> Finding | None:
    """Calls last the same few seconds."""
    settings = policy.settings.signals.rhythm
    beat = remembered.beat
    if beat is None or not remembered.stranger or len(beat.lasted) < settings.calls:
        return None
    lasted = beat.lasted[-settings.calls :]
    if max(lasted) > settings.alike_seconds or max(lasted) - min(lasted) > ALIKE_SECONDS:
        return None
    return settings.alike_points, f"the last {settings.calls} calls of this caller all lasted {max(lasted):.0f} seconds"


def hang_up(_call: Call, remembered: Remembered, policy: Policy, _now: float) -> Finding | None:
    """The caller hangs up in the prompt."""
    settings = policy.settings.signals.rhythm
    if remembered.beat is None or not remembered.stranger or remembered.beat.hang_ups < settings.hang_ups:
        return None
    text = f"this caller hung up in the prompt of a challenge {remembered.beat.hang_ups} times"
    return settings.hang_up_points, text


def _deviation(values: Sequence[float], mean: float) -> float:
    return math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))
