"""Lists that others keep, as the core sees them: numbers to look up, put in place whole and never changed."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from screener.policy.lists import NumberList


class FeedKind(StrEnum):
    """What it means to be on a feed."""

    BLOCK = "block"
    """Rejected, as by a block for the whole PBX."""
    ALLOW = "allow"
    """Let through, as by the allow list."""
    CONTACT = "contact"
    """Trusted as somebody we know, unless the caller ID is shown to be false."""
    LISTED = "listed"
    """Points: what strangers think of a number is a reason to ask, and none to refuse."""


class Numbers(Protocol):
    """Something in which a number can be looked up."""

    def __len__(self) -> int:
        """Return how many entries there are."""

    def entry(self, number: str, now: float) -> str | None:
        """Return the entry that names a number, in words, or None; `now` is in seconds since 1970 (UTC)."""


class NumberSet:
    """Very many numbers in eight bytes each, and a few prefixes; a look-up takes a microsecond or two."""

    __slots__ = ("_lengths", "_numbers", "_prefixes")

    def __init__(self, numbers: "array[int]", prefixes: Iterable[str] = ()) -> None:
        """`numbers` are the digits of E.164 numbers as integers in an array of type Q, ascending.

        An E.164 number has at most 15 digits and begins with none but 1 to 9, so it is one integer below 2**64.
        """
        self._numbers = numbers
        self._prefixes = frozenset(prefixes)
        """With their `+`."""
        self._lengths = tuple(sorted({len(prefix) for prefix in self._prefixes}, reverse=True))

    def __len__(self) -> int:
        return len(self._numbers) + len(self._prefixes)

    def entry(self, number: str, _now: float = 0.0) -> str | None:
        """Return the number, or the longest prefix that names it, or None."""
        digits = number[1:]
        if number[:1] != "+" or not digits.isdecimal():
            return None
        wanted, numbers = int(digits), self._numbers
        place = bisect_left(numbers, wanted)
        if place < len(numbers) and numbers[place] == wanted:
            return number
        for length in self._lengths:
            if number[:length] in self._prefixes:
                return f"{number[:length]}*"
        return None


class EntrySet:
    """A list of entries, each with its own note: what another program keeps, such as Asterisk's blacklist."""

    __slots__ = ("_entries",)

    def __init__(self, entries: NumberList) -> None:
        self._entries = entries

    def __len__(self) -> int:
        return len(self._entries)

    def entry(self, number: str, now: float) -> str | None:
        """Return the entry that names the number, with its note, or None."""
        found = self._entries.find(number, None, now)
        return None if found is None else found.label


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """One list with its meaning."""

    name: str
    kind: FeedKind
    numbers: Numbers
    note: str = ""
    points: float = 0.0
    """What it adds to the score (kind `listed`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedHit:
    """A number was found on a feed."""

    feed: str
    entry: str
    note: str = ""
    points: float = 0.0

    @property
    def label(self) -> str:
        """The feed and the entry, in words."""
        note = f" ({self.note})" if self.note else ""
        return f"{self.feed}{note} as {self.entry}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Feeds:
    """All feeds as they are now; when one changes, the shell puts another `Feeds` in its place."""

    feeds: tuple[Feed, ...] = ()

    def find(self, number: str, kind: FeedKind, now: float) -> FeedHit | None:
        """Return the first feed of this kind that a number is on."""
        return next(iter(self.hits(number, kind, now)), None)

    def hits(self, number: str, kind: FeedKind, now: float) -> Iterable[FeedHit]:
        """Find all feeds of this kind that a number is on, in the order of the settings."""
        for feed in self.feeds:
            if feed.kind is kind and (entry := feed.numbers.entry(number, now)) is not None:
                yield FeedHit(feed=feed.name, entry=entry, note=feed.note, points=feed.points)


NO_FEEDS = Feeds()
