"""Which calls came in, which went out, and which stayed in the house: read off what the records show.

A trunk shows many numbers as callers, and they are not ours. A telephone in the house shows its extension, or the
numbers of ours that the trunk is told; and ours are the numbers that are called through the other endpoints.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from screener.replay.record import LOCAL, CallRecord

SHORT: Final = 6
"""Digits of the longest extension; the shortest subscriber numbers have more."""
COMPARED: Final = 9
"""Digits at the end by which two spellings of a number are compared here: with and without country code."""
STRANGERS: Final = 3
"""Different full numbers that a trunk has shown as callers at the least; fewer if no endpoint has shown as many."""
SAMPLE: Final = 40
"""Different callers of an endpoint that are kept."""
OURS: Final = 0.9
"""Share of them that are numbers of ours, from which on the endpoint is one of our telephones."""
ENDPOINTS: Final = 50_000
"""Endpoints that are told apart; calls of further ones are taken for inbound."""
CALLED: Final = 500_000
"""Called numbers that are kept, each with up to three endpoints that they were called through."""
THROUGH: Final = 3

_FULL: Final = re.compile(rf"\+?[0-9]{{{SHORT + 1},20}}", re.ASCII)
_EXTENSION: Final = re.compile(rf"[0-9]{{2,{SHORT}}}", re.ASCII)
_ROUTED: Final = re.compile(r"\+?[0-9*#]{7,30}", re.ASCII)
_FROM_PHONES: Final = "from-internal"
"""FreePBX's context of the telephones in the house; the contexts of inbound calls have other names."""


class Direction(StrEnum):
    """Where a call went."""

    INBOUND = "inbound"
    """It came from outside, and is to be judged."""
    OUTBOUND = "outbound"
    """One of ours called: the called number earns trust."""
    INTERNAL = "internal"
    """From one of ours to another, or a leg of a call inside the PBX: none of our business."""


@dataclass(slots=True)
class Compass:
    """Looks at every record first and settles then: what is a trunk shows in all of them, not in one."""

    inbound: Collection[str] = ()
    """Contexts of inbound calls, as the administrator named them; calls of all others came from the house."""
    outbound: Collection[str] = ()
    """Contexts of the telephones in the house."""
    phones: Collection[str] = ()
    """Endpoints of the telephones in the house."""
    trunks: Collection[str] = ()
    """Endpoints that lead outside; if any are named, they are all of them."""
    _shown: dict[str, set[str]] = field(default_factory=dict)
    _called: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _found: frozenset[str] = frozenset()
    """Endpoints that are trunks by what they show."""

    def look(self, record: CallRecord) -> None:
        """Take a record into account."""
        endpoint, src = record.endpoint, record.src
        shown = self._shown.get(endpoint)
        if shown is None:
            if len(self._shown) >= ENDPOINTS:
                return
            shown = self._shown[endpoint] = set()
        if not _FULL.fullmatch(src):
            return
        if len(shown) < SAMPLE:
            shown.add(src[-COMPARED:])
        called = record.called[-COMPARED:]
        through = self._called.get(called)
        if through is None:
            if len(self._called) < CALLED:
                self._called[called] = (endpoint,)
        elif len(through) < THROUGH and endpoint not in through:
            self._called[called] = (*through, endpoint)

    def settle(self) -> None:
        """Say which endpoints are trunks, now that all records were looked at."""
        strangers = {name: len(shown) for name, shown in self._shown.items() if not self._are_ours(name, shown)}
        enough = min(STRANGERS, max(strangers.values(), default=0)) or STRANGERS
        self._found = frozenset(name for name, count in strangers.items() if count >= enough)

    def _are_ours(self, endpoint: str, shown: set[str]) -> bool:
        ours = sum(self._is_called_through_another(number, endpoint) for number in shown)
        return bool(shown) and ours >= OURS * len(shown)

    def _is_called_through_another(self, number: str, endpoint: str) -> bool:
        through = self._called.get(number[-COMPARED:], ())
        return any(other != endpoint for other in through)

    def direction(self, record: CallRecord) -> Direction:
        """Return where a call went; a call of which nothing says otherwise came in."""
        endpoint = record.endpoint
        if endpoint == LOCAL:
            return Direction.INTERNAL
        if record.context in self.inbound:
            return Direction.INBOUND
        if self.inbound or record.context in self.outbound or endpoint in self.phones:
            return _from_the_house(record)
        if self.trunks and endpoint:
            return Direction.INBOUND if endpoint in self.trunks else _from_the_house(record)
        if record.did or (endpoint and endpoint in self._found):
            return Direction.INBOUND
        return _from_the_house(record) if self._is_ours(record) else Direction.INBOUND

    def _is_ours(self, record: CallRecord) -> bool:
        """Return whether a call through no known trunk came from one of our telephones."""
        endpoint = record.endpoint
        # Whom somebody outside has called is a number of ours, and no call goes out to it.
        through = self._called.get(record.called[-COMPARED:], ())
        called_in = any(other in self._found for other in through)
        if _EXTENSION.fullmatch(record.src):
            return endpoint == record.src or not called_in
        if not endpoint or endpoint not in self._shown or called_in:
            return False
        return (
            record.context.startswith(_FROM_PHONES)
            or _EXTENSION.fullmatch(endpoint) is not None
            or self._is_called_through_another(record.src, endpoint)
        )


def _from_the_house(record: CallRecord) -> Direction:
    return Direction.OUTBOUND if _ROUTED.fullmatch(record.dst) else Direction.INTERNAL
