"""Numbers that an administrator wrote down: exact or by prefix, for the whole PBX or for one DID."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a list."""

    number: str
    """E.164, or the beginning of one (`+1900`) if `prefix` is true."""
    prefix: bool = False
    did: str | None = None
    """The DID that the entry is for; None for the whole PBX."""
    note: str = ""

    @property
    def label(self) -> str:
        """The entry as it is written, with its note."""
        written = f"{self.number}{'*' if self.prefix else ''}"
        return f"{written} ({self.note})" if self.note else written


class NumberList:
    """Finds the entry that names a number, in a time that does not grow with the list."""

    __slots__ = ("_entries", "_lengths")

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries: dict[tuple[str, bool, str | None], Entry] = {}
        for entry in entries:
            self._entries.setdefault((entry.number, entry.prefix, entry.did), entry)
        prefixes = {len(entry.number) for entry in self._entries.values() if entry.prefix}
        self._lengths = tuple(sorted(prefixes, reverse=True))

    def __len__(self) -> int:
        """Return the number of different entries."""
        return len(self._entries)

    def find(self, number: str, did: str | None) -> Entry | None:
        """Return the entry for exactly this `did` (None: the whole PBX) that names `number` most closely."""
        found = self._entries.get((number, False, did))
        if found is not None:
            return found
        for length in self._lengths:
            found = self._entries.get((number[:length], True, did))
            if found is not None:
                return found
        return None
