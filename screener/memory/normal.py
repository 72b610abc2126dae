"""What is usual at an hour of the week, learned as it goes."""

from array import array
from typing import Final

HOUR: Final = 3600.0
WEEK: Final = 168
"""Hours. They are counted in UTC: where clocks change, two hours of one day are judged by their neighbours."""
NEWEST: Final = 0.35
"""What the newest week weighs against those before it."""
LONGEST_GAP: Final = 4 * WEEK
"""Hours without a call after which nothing is usual any more."""
UNKNOWN_PEAK: Final = 3.0
"""In the first week an hour may have this many times the mean of all hours."""
PRIOR_HOURS: Final = 6.0
"""Hours that the mean before anything is known weighs."""
LEARNING_HOURS: Final = 24
LEARNING_FACTOR: Final = 6.0
"""In the first day, when every caller is a stranger, this many times what is assumed is taken as usual."""


class Normal:
    """The number of calls that is usual, for each hour of the week."""

    __slots__ = ("_count", "_expected", "_hour", "_hours", "_known", "_mean", "_prior", "_usual", "_weeks")

    def __init__(self, prior: float) -> None:
        """`prior` is how many an hour are usual before anything is known."""
        self._usual = array("f", bytes(4 * WEEK))
        self._weeks = bytearray(WEEK)
        self._mean = prior
        self._hours = PRIOR_HOURS
        self._prior = prior
        self._known = 0
        """Hours that were learned from."""
        self._hour = -1
        self._count = 0.0
        self._expected = LEARNING_FACTOR * prior

    def count(self, now: float, weight: float = 1) -> None:
        """Count one, or one of this weight, at `now`."""
        self.reach(now)
        self._count += weight

    def add(self, hour: int, count: float) -> None:
        """Take over what is known of a whole hour (hours since the epoch), in ascending order."""
        self.reach(hour * HOUR)
        self._count += count

    def reach(self, now: float) -> None:
        """Learn the hours that have ended by `now`."""
        hour = int(now // HOUR)
        if hour <= self._hour:
            return
        if self._hour >= 0:
            gap = min(hour - self._hour, LONGEST_GAP)
            self._learn(self._hour, self._count)
            for empty in range(hour - gap + 1, hour):
                self._learn(empty, 0)
        self._hour, self._count = hour, 0
        self._expected = self._expect(hour)

    def _learn(self, hour: int, count: float) -> None:
        slot = hour % WEEK
        # A flood teaches little: at most twice what was usual, so that a new usual is learned in some weeks.
        learned = min(count, 2 * self._at(slot) + 5)
        if self._weeks[slot]:
            self._usual[slot] += NEWEST * (learned - self._usual[slot])
        else:
            self._usual[slot] = learned
        self._weeks[slot] = min(self._weeks[slot] + 1, 255)
        self._known += 1
        self._hours = min(self._hours + 1, 2 * WEEK)
        self._mean += (learned - self._mean) / self._hours

    def _at(self, slot: int) -> float:
        weeks = self._weeks[slot]
        if not weeks:
            return UNKNOWN_PEAK * self._mean
        # Few weeks say little, so the mean of all hours counts as one more.
        return (weeks * self._usual[slot] + self._mean) / (weeks + 1)

    def expected(self, now: float) -> float:
        """Return how many an hour are usual at `now`: the hour's own, or most of a neighbour's."""
        self.reach(now)
        return self._expected

    def _expect(self, hour: int) -> float:
        slot = hour % WEEK
        beside = max(self._at((slot - 1) % WEEK), self._at((slot + 1) % WEEK))
        least = LEARNING_FACTOR * self._prior if self._known < LEARNING_HOURS else self._prior
        return max(self._at(slot), 0.8 * beside, least)
