"""All calls of a business over some weeks, in the order of time."""

from collections import Counter, deque

from tests.traffic import spam, wanted
from tests.traffic.business import Business, Lines
from tests.traffic.records import MONDAY, Kind, Label, Record

WEEKS = {5: 4, 40: 4, 300: 2}
"""Weeks by the number of DIDs: the largest business has the most calls, and fewer weeks of them say as much."""


def traffic(seed: int, weeks: int | None = None) -> list[Record]:
    """Return the calls of the business of this seed, by their start."""
    business = Business.draw(seed)
    days = 7 * (weeks or WEEKS[len(business.dids)])
    records: list[Record] = []
    for author in wanted.AUTHORS:
        author(lines := Lines(business, days, author.__name__))
        records += lines.records
    calls = sum(one.label is Label.WANTED for one in records)
    for author in spam.AUTHORS:
        author(lines := Lines(business, days, author.__name__, calls))
        records += lines.records
    end = MONDAY + days * 86_400
    return sorted((one for one in records if one.start < end), key=lambda one: one.start)


FROM = {Kind.WALK: 6, Kind.CAMPAIGN: 20}
"""From which call of an episode on a person could know what it is."""
FLOOD_KNOWN = 30.0
HAMMER_KNOWN, HAMMER_SECONDS = 4, 3600.0


def knowable(records: list[Record]) -> list[bool]:
    """Return for each call whether a person who saw all calls could tell by then that it is spam.

    A hammering number from its 4th call within an hour, a walk from its 6th call, a campaign from its 20th call, a
    flood from its 30th second; everything else from the first call. Wanted calls always count.
    """
    seen: Counter[str] = Counter()
    began: dict[str, float] = {}
    hour: dict[str, deque[float]] = {}
    known = []
    for one in records:
        counts = True
        if one.label is Label.SPAM and one.episode:
            seen[one.episode] += 1
            start = began.setdefault(one.episode, one.start)
            if one.kind is Kind.HAMMER:
                last = hour.setdefault(one.number, deque())
                last.append(one.start)
                while last[0] <= one.start - HAMMER_SECONDS:
                    last.popleft()
                counts = len(last) >= HAMMER_KNOWN
            elif one.kind is Kind.FLOOD:
                counts = one.start - start >= FLOOD_KNOWN
            else:
                counts = seen[one.episode] >= FROM.get(one.kind, 1)
        known.append(counts)
    return known
