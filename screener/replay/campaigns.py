"""Which of the calls that did not pass belong together: one number, one block, one name, one trunk, one reason."""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from screener.policy.call import Call
from screener.policy.caller import CallerKind
from screener.policy.verdict import Verdict

KEPT: Final = 200_000
"""Calls that are looked at, the first ones; some 300 bytes each."""
SMALLEST: Final = 5
"""Calls that make a campaign."""
FOUND: Final = 50
"""Campaigns that are told of."""
PAUSE: Final = 2 * 86_400.0
"""Seconds without a call after which the next ones are another campaign."""
BLOCK_DIGITS: Final = 3
"""Digits at the end of a number that differ within its block: a thousand numbers."""

KINDS: Final = ("number", "block", "name", "trunk", "reason")
"""What calls may have in common, the most telling first: of two that explain as many calls the first is told."""


class _Seen(NamedTuple):
    at: float
    caller: str
    did: str
    keys: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """Calls that have something in common and did not pass."""

    kind: str
    """One of `KINDS`."""
    what: str
    """The number, the block, the name..."""
    calls: int
    numbers: int
    """Different callers."""
    dids: int
    """Different called numbers."""
    first: float
    """Seconds since the epoch."""
    last: float


class Campaigns:
    """Takes calls and finds the campaigns in them."""

    def __init__(self) -> None:
        self._seen: list[_Seen] = []
        self.left_out = 0
        """Calls beyond the bound."""

    def add(self, call: Call, verdict: Verdict, at: float) -> None:
        """Take a call that did not pass."""
        if len(self._seen) >= KEPT:
            self.left_out += 1
            return
        caller = call.caller
        keys = [(0, caller.label)]
        if caller.kind is CallerKind.NUMBER:
            keys.append((1, f"{caller.key[:-BLOCK_DIGITS]}{'x' * BLOCK_DIGITS}"))
        if call.name and call.name != caller.raw:
            keys.append((2, call.name.casefold()))
        if call.trunk:
            keys.append((3, call.trunk))
        loudest = max((r for r in verdict.reasons if not r.shadow), key=lambda reason: reason.points, default=None)
        if loudest is not None:
            keys.append((4, loudest.code))
        self._seen.append(_Seen(at, caller.label, call.did, tuple(keys)))

    def found(self) -> list[Campaign]:
        """Return the campaigns, the largest first. A call belongs to one of them."""
        groups: dict[tuple[int, str, int], list[int]] = defaultdict(list)
        for kind, what, members in self._in_time():
            for run, part in enumerate(_runs(members, self._seen)):
                if len(part) >= SMALLEST:
                    groups[kind, what, run] = part
        taken = bytearray(len(self._seen))
        # The trunk and the reason have nearly all calls in common: they explain only what nothing else does.
        waiting = [(kind >= 3, -len(part), kind, what, run) for (kind, what, run), part in groups.items()]
        heapq.heapify(waiting)
        campaigns: list[Campaign] = []
        while waiting and len(campaigns) < FOUND:
            late, size, kind, what, run = heapq.heappop(waiting)
            left = [member for member in groups[kind, what, run] if not taken[member]]
            if len(left) < SMALLEST:
                continue
            if len(left) < -size:
                groups[kind, what, run] = left
                heapq.heappush(waiting, (late, -len(left), kind, what, run))
                continue
            for member in left:
                taken[member] = 1
            campaigns.append(self._campaign(kind, what, left))
        return sorted(campaigns, key=lambda one: -one.calls)

    def _in_time(self) -> Iterator[tuple[int, str, list[int]]]:
        members: dict[tuple[int, str], list[int]] = defaultdict(list)
        for number, one in enumerate(self._seen):
            for key in one.keys:
                members[key].append(number)
        for (kind, what), found in members.items():
            if len(found) >= SMALLEST:
                yield kind, what, found

    def _campaign(self, kind: int, what: str, members: Iterable[int]) -> Campaign:
        calls = [self._seen[member] for member in members]
        return Campaign(
            kind=KINDS[kind],
            what=what,
            calls=len(calls),
            numbers=len({one.caller for one in calls}),
            dids=len({one.did for one in calls}),
            first=calls[0].at,
            last=calls[-1].at,
        )


def _runs(members: list[int], seen: list[_Seen]) -> Iterator[list[int]]:
    """Yield parts of the calls between which there is no long pause."""
    part: list[int] = []
    for member in members:
        if part and seen[member].at - seen[part[-1]].at > PAUSE:
            yield part
            part = []
        part.append(member)
    yield part
