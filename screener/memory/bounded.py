"""A table that forgets who was written longest ago."""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Bounded(Generic[K, V]):
    """Keeps at most `limit` values by key; beyond it the one that was kept longest ago is forgotten."""

    __slots__ = ("_limit", "_table")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._table: OrderedDict[K, V] = OrderedDict()

    def __len__(self) -> int:
        """Return how many are kept."""
        return len(self._table)

    def __contains__(self, key: K) -> bool:
        """Return whether something is kept for `key`."""
        return key in self._table

    def __iter__(self) -> Iterator[K]:
        """Return the keys, the one that was kept longest ago first."""
        return iter(self._table)

    def get(self, key: K) -> V | None:
        """Return what is kept for `key`."""
        return self._table.get(key)

    def keep(self, key: K, value: V) -> V:
        """Keep the newest last, forget the oldest beyond the limit, and return the value."""
        table = self._table
        table[key] = value
        table.move_to_end(key)
        if len(table) > self._limit:
            table.popitem(last=False)
        return value

    def pop(self, key: K) -> V | None:
        """Forget `key`, and return what was kept for it."""
        return self._table.pop(key, None)

    def oldest(self) -> tuple[K, V] | None:
        """Return what was kept longest ago."""
        for key in self._table:
            return key, self._table[key]
        return None
