"""The token bucket as one number: the generic cell rate algorithm (ITU-T I.371, annex A).

A bucket holds `capacity` tokens, a call takes one, and one comes back every `interval`. Instead of a level and
the time at which it held, one figure is kept: the moment at which the bucket will be full again. An empty past
means a full bucket, so a caller never seen needs no entry at all, and of two entries the one that is full
earlier says less; that is what lets a table of fixed size forget the caller who matters least.

Times are whole microseconds, because sums of floats would deny the last token of a burst by a rounding error.
"""

from dataclasses import dataclass
from typing import NamedTuple

MICROSECONDS = 1_000_000

LONGEST_REFILL = 1 << 60
"""Microseconds (36,000 years) from empty to full at most, so that each moment fits the 64 bits a table keeps it in."""


def microseconds(seconds: float) -> int:
    """Return `seconds` in the whole microseconds that buckets count in, rounded down."""
    return int(seconds * MICROSECONDS)


class Taken(NamedTuple):
    """What came of asking a bucket for one token. (A tuple: this is made for every call of a flood.)"""

    admitted: bool
    """True if there was a token, which is now gone; False if the bucket was left as it was."""
    tokens: float
    """Tokens left after that."""
    free_in: float
    """Seconds until one token is there again; 0 if one is there now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """The size of a bucket: how many calls at once, and how soon the next one is free."""

    capacity: int
    """Calls that may come at once."""
    refill_per_hour: float
    """Tokens that come back in an hour."""
    rest: int = 0
    """Tokens by which it may be overdrawn: asking an empty bucket takes from the time until it is full, up to this
    many, so that who goes on asking must rest. 0: asking an empty bucket changes nothing."""

    def __post_init__(self) -> None:
        """Refuse a size that no caller could use."""
        if self.capacity < 1 or not 0 < self.refill_per_hour <= 3600 * MICROSECONDS:
            raise ValueError(f"a bucket needs at least one token and some refill, not {self}")
        if (self.capacity + self.rest) * 3600 * MICROSECONDS > self.refill_per_hour * LONGEST_REFILL:
            raise ValueError(f"a bucket must be full again some day, unlike {self}")

    @property
    def interval(self) -> int:
        """Microseconds until the next token, rounded up so that the rate is never exceeded."""
        return -int(-3600 * MICROSECONDS // self.refill_per_hour)

    @property
    def fills_in_seconds(self) -> float:
        """Seconds in which the emptiest bucket is full again."""
        return (self.capacity + self.rest) * self.interval / MICROSECONDS

    def take(self, full_at: int, now: int) -> tuple[int, Taken]:
        """Take one token, if there is one, from the bucket that is full again at `full_at`.

        Both times are in microseconds of one clock. Returns the new `full_at` and what came of it. A clock
        that stands still or steps back gives no token: `full_at` never moves towards the past.
        """
        interval = self.interval
        missing = max(full_at - now, 0)
        room = self.capacity * interval - missing
        if room >= interval:
            room -= interval
            return max(full_at, now) + interval, Taken(True, room / interval, max(interval - room, 0) / MICROSECONDS)
        overdrawn = min(max(full_at, now) + interval, now + (self.capacity + self.rest) * interval) if self.rest else 0
        full_at, room = max(full_at, overdrawn), min(room, self.capacity * interval - max(overdrawn - now, 0))
        return full_at, Taken(False, max(room, 0) / interval, (interval - room) / MICROSECONDS)

    def give(self, full_at: int, tokens: float = 1) -> int:
        """Return the new `full_at` of a bucket that gets tokens back before their time."""
        return full_at - int(tokens * self.interval)

    def level(self, full_at: int, now: int) -> float:
        """Return the tokens in the bucket at `now`, taking none."""
        return max(self.capacity - max(full_at - now, 0) / self.interval, 0.0)
