"""When each caller was first and last seen, in a table that is fixed in size at start.

Built like the table of buckets, for the same reasons: 16 bytes a caller, nothing for the garbage collector to walk, and
a flood of new callers forgets first who called longest ago.
"""

from array import array
from typing import NamedTuple

from screener.memory.buckets import WAYS

_LATEST = (1 << 32) - 1


class Seen(NamedTuple):
    """Two moments, in whole seconds of the memory's clock."""

    first: float
    last: float


class SeenTable:
    """Remembers moments for keys of 64 bits. The clock may start anywhere from 0 on."""

    __slots__ = ("_first", "_keys", "_last", "_sets")

    def __init__(self, slots: int) -> None:
        """Make room for `slots` callers, rounded up to a power of two."""
        self._sets = 1 << max((slots - 1) // WAYS, 0).bit_length()
        self._keys = array("Q", bytes(8 * self._sets * WAYS))
        # A moment is kept plus one, so that an empty slot is older than all others.
        self._first = array("I", bytes(4 * self._sets * WAYS))
        self._last = array("I", bytes(4 * self._sets * WAYS))

    def touch(self, key: int, now: float) -> Seen | None:
        """Note that `key` calls at `now`, and return when it was seen before; None if never."""
        keys, last = self._keys, self._last
        moment = min(max(int(now), 0) + 1, _LATEST)
        victim = start = (key % self._sets) * WAYS
        for slot in range(start, start + WAYS):
            if keys[slot] == key and last[slot]:
                seen = Seen(float(self._first[slot] - 1), float(last[slot] - 1))
                last[slot] = moment
                return seen
            if last[slot] < last[victim]:
                victim = slot
        keys[victim] = key
        self._first[victim] = last[victim] = moment
        return None
