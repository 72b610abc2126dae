"""Numbers that an administrator wrote down: exact, by prefix or by country, for the whole PBX or for one DID."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Final

from screener.policy.country import country_of


class EntryKind(StrEnum):
    """What an entry names."""

    EXACT = "exact"
    """One number."""
    PREFIX = "prefix"
    """All numbers that begin alike."""
    COUNTRY = "country"
    """All numbers of one country."""


MIDNIGHT: Final = time()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a list."""

    number: str
    """E.164; for a prefix the beginning of one (`+1900`), for a country its two letters."""
    kind: EntryKind = EntryKind.EXACT
    did: str | None = None
    """The DID that the entry is for; None for the whole PBX."""
    note: str = ""
    author: str = ""
    until: datetime | None = None
    """The moment, with its time zone, from which the entry no longer holds; None: it holds for ever."""

    def holds(self, now: float) -> bool:
        """Return whether the entry still counts; `now` is in seconds since 1970 (UTC)."""
        return self.until is None or now < self.until.timestamp()

    @property
    def label(self) -> str:
        """The entry as it is written, with its note, its author and its end."""
        written = f"{self.number}*" if self.kind is EntryKind.PREFIX else self.number
        words = [self.note, f"by {self.author}" if self.author else "", self._end()]
        more = "; ".join(filter(None, words))
        return f"{written} ({more})" if more else written

    def _end(self) -> str:
        if self.until is None:
            return ""
        if self.until.timetz().replace(tzinfo=None) == MIDNIGHT:
            return f"to the end of {self.until.date() - timedelta(days=1)}"
        return f"until {self.until:%Y-%m-%d %H:%M}"


class NumberList:
    """Finds the entry that names a number, in a time that does not grow with the list."""

    __slots__ = ("_entries", "_lengths")

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries: dict[EntryKind, dict[tuple[str, str | None], list[Entry]]] = {kind: {} for kind in EntryKind}
        for entry in entries:
            equal = self._entries[entry.kind].setdefault((entry.number, entry.did), [])
            # Of two equal entries the first one counts, and the second one when that has ended.
            if not equal or equal[-1].until is not None:
                equal.append(entry)
        prefixes = {len(number) for number, _ in self._entries[EntryKind.PREFIX]}
        self._lengths = tuple(sorted(prefixes, reverse=True))

    def __len__(self) -> int:
        """Return the number of different entries."""
        return sum(len(named) for named in self._entries.values())

    def find(self, number: str, did: str | None, now: float) -> Entry | None:
        """Return the entry for exactly this `did` (None: the whole PBX) that names `number` most closely at `now`.

        An exact entry is closer than a prefix, a longer prefix closer than a shorter one, and a country comes last.
        """
        found = self._first(EntryKind.EXACT, number, did, now)
        if found is not None:
            return found
        for length in self._lengths:
            found = self._first(EntryKind.PREFIX, number[:length], did, now)
            if found is not None:
                return found
        if not self._entries[EntryKind.COUNTRY]:
            return None
        return self._first(EntryKind.COUNTRY, country_of(number), did, now)

    def _first(self, kind: EntryKind, key: str, did: str | None, now: float) -> Entry | None:
        return next((entry for entry in self._entries[kind].get((key, did), ()) if entry.holds(now)), None)
