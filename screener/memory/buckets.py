"""The buckets of all callers in a table that is fixed in size at start.

A 4-way set-associative table in two flat arrays, after the comparison of twelve stores (resident bytes a caller,
worst stall, who is forgotten under a flood): 16 bytes a slot, nothing for the garbage collector to walk, no
resize, and a full set forgets the caller whose bucket is full soonest. That one matters least: a caller who is
over the rate is, of its set, the last to go.
"""

from array import array

from screener.policy.bucket import Bucket, Taken

WAYS = 4
_MASK = (1 << 64) - 1


class BucketTable:
    """Takes tokens for keys of 64 bits. Times are whole microseconds of one clock that never steps back."""

    __slots__ = ("_full_at", "_keys", "_sets")

    def __init__(self, slots: int) -> None:
        """Make room for `slots` callers, rounded up to a power of two."""
        self._sets = 1 << max((slots - 1) // WAYS, 0).bit_length()
        self._keys = array("Q", bytes(8 * self._sets * WAYS))
        # Zero lies in the past of every clock: an empty slot is a full bucket, and the first to be forgotten.
        self._full_at = array("q", bytes(8 * self._sets * WAYS))

    @property
    def slots(self) -> int:
        """How many callers fit."""
        return len(self._keys)

    def take(self, key: int, bucket: Bucket, now: int) -> Taken:
        """Take a token from the bucket of `key`, remembering the key if it is new."""
        slot = self._find(key)
        full_at = self._full_at[slot] if self._keys[slot] == key else 0
        new_full_at, taken = bucket.take(full_at, now)
        self._keys[slot] = key
        self._full_at[slot] = new_full_at
        return taken

    def give(self, key: int, bucket: Bucket) -> None:
        """Give `key` one token back, if it is remembered."""
        slot = self._find(key)
        if self._keys[slot] == key:
            self._full_at[slot] = bucket.give(self._full_at[slot])

    def level(self, key: int, bucket: Bucket, now: int) -> float:
        """Return the tokens of `key` at `now`, changing nothing."""
        slot = self._find(key)
        return bucket.level(self._full_at[slot] if self._keys[slot] == key else 0, now)

    def _find(self, key: int) -> int:
        """Return the slot that holds `key`, or else the one of its set that may be forgotten for it."""
        first = (key % self._sets) * WAYS
        keys, full_at = self._keys, self._full_at
        victim = first
        for slot in range(first, first + WAYS):
            if keys[slot] == key:
                return slot
            if full_at[slot] < full_at[victim]:
                victim = slot
        return victim


def scatter(key: str, seed: int) -> int:
    """Return 64 bits for a caller's key that nobody outside can aim at a set of the table.

    E.164 numbers map one to one (adding, multiplying by an odd number and shifting are reversible modulo
    2**64), so two of them never share a bucket; other keys go by Python's own keyed hash first.
    """
    number = int(key[1:]) if key[:1] == "+" and key[1:].isascii() and key[1:].isdigit() else hash(key) | 1 << 63
    mixed = ((number + seed) * (seed | 1)) & _MASK
    mixed ^= mixed >> 32
    mixed = mixed * 0x9E3779B97F4A7C15 & _MASK
    # Once more, because a product's low bits know nothing of the number's high ones, and the low bits choose the set.
    return mixed ^ mixed >> 32
