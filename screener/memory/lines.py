"""The DIDs that new customers call: those at which our people talk with strangers.

A campaign goes to one DID after another, new customers call the number that is on the door. In a crowd a stranger who
calls there is a new customer as on any day, unless that DID is itself called by far more strangers than usual.
"""

import math
from typing import Final, NamedTuple

from screener.memory.bounded import Bounded

DAY: Final = 86_400.0
KEPT_SECONDS: Final = 20 * DAY
"""For how long a conversation counts (then it has faded to a third)."""
LATELY_SECONDS: Final = 1800.0
"""For how long a stranger's call counts as one of lately."""
SHARE_OF_DAY: Final = 1 / 16
"""What half an hour brings of a day's calls: businesses are called in eight hours."""
ENOUGH: Final = 3.0
"""Conversations from which a DID is one that new customers call."""
MARGIN: Final = 5.0
TIMES: Final = 3.0
"""More than usual is more strangers lately than `MARGIN` and so many times the usual."""
DIDS: Final = 4096
"""DIDs that are kept; beyond it the one that was called longest ago is forgotten."""


class Arrival(NamedTuple):
    """What a stranger finds at a DID."""

    frequented: bool
    """Whether new customers call this DID, and no more of them than usual now."""
    crowded: bool
    """Whether more strangers than usual call it now."""
    lately: float
    """Strangers who called it within the last half hour or so, this one not counted."""


class _Line:
    __slots__ = ("at", "lately", "people", "talked_at")

    def __init__(self, now: float) -> None:
        self.at = self.talked_at = now
        self.lately = 0.0
        self.people = 0.0


class Lines:
    """Counts strangers, and conversations with them, by DID."""

    def __init__(self, *, enough: float = ENOUGH, margin: float = MARGIN) -> None:
        self._enough = enough
        self._margin = margin
        self._lines: Bounded[str, _Line] = Bounded(DIDS)
        self._since: float | None = None

    def arrive(self, did: str, now: float) -> Arrival:
        """Note a stranger's call, and return what it finds."""
        self._since = now if self._since is None else self._since
        line = self._lines.keep(did, self._lines.get(did) or _Line(now))
        lately = _faded(line.lately, now - line.at, LATELY_SECONDS)
        line.lately, line.at = lately + 1, now
        people = _faded(line.people, now - line.talked_at, KEPT_SECONDS)
        days = min(max(now - self._since, DAY), KEPT_SECONDS) / DAY
        crowded = lately > self._margin + TIMES * people / days * SHARE_OF_DAY
        return Arrival(people >= self._enough and not crowded, crowded, lately)

    def talked(self, did: str, now: float) -> None:
        """Note that one of our people talked with a stranger."""
        if (line := self._lines.get(did)) is not None:
            line.people = _faded(line.people, now - line.talked_at, KEPT_SECONDS) + 1
            line.talked_at = now


def _faded(count: float, seconds: float, kept: float) -> float:
    return count * math.exp(-max(seconds, 0) / kept)
