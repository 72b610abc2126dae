"""Which calls came in, which went out, and which stayed in the house: read off what the records show."""

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Self

from screener.replay.record import LOCAL, CallRecord

SHORT: Final = 6
"""Digits of the longest extension; the shortest subscriber numbers have more."""
STRANGERS: Final = 3
"""Different full numbers that an endpoint has shown as callers before it counts as a trunk: a phone shows its
extension, and the one number of ours that the trunk is told."""
ENDPOINTS: Final = 50_000
"""Endpoints that are told apart; calls of further ones are taken for inbound."""
CALLED: Final = 1_000_000
"""Called numbers that are remembered as ours."""

_FULL: Final = re.compile(rf"\+?[0-9]{{{SHORT + 1},20}}", re.ASCII)
_EXTENSION: Final = re.compile(rf"[0-9]{{2,{SHORT}}}", re.ASCII)
_ROUTED: Final = re.compile(r"\+?[0-9*#]{7,30}", re.ASCII)
_OURS: Final = "from-internal"
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
    _shown: dict[str, set[str]] = field(default_factory=dict)
    _trunks: frozenset[str] = frozenset()
    _called: set[str] = field(default_factory=set)

    def look(self, record: CallRecord) -> None:
        """Take a record into account."""
        shown = self._shown.get(record.endpoint)
        if shown is None:
            if len(self._shown) >= ENDPOINTS:
                return
            shown = self._shown[record.endpoint] = set()
        if len(shown) < STRANGERS and record.src not in shown and _FULL.fullmatch(record.src):
            shown.add(record.src)

    def settle(self, called_from: Callable[[Iterable[str]], Iterable[str]]) -> Self:
        """Say which endpoints are trunks; `called_from` returns what was called through endpoints."""
        enough = min(STRANGERS, max((len(shown) for shown in self._shown.values()), default=0)) or STRANGERS
        self._trunks = frozenset(name for name, shown in self._shown.items() if len(shown) >= enough)
        self._called.clear()
        for number in called_from(self._trunks):
            self._called.add(number)
            if len(self._called) >= CALLED:
                break
        return self

    def direction(self, record: CallRecord) -> Direction:
        """Return where a call went; a call of which nothing says otherwise came in."""
        if record.endpoint == LOCAL:
            return Direction.INTERNAL
        if record.context in self.inbound:
            return Direction.INBOUND
        if self.inbound or record.context in self.outbound or record.endpoint in self.phones:
            return _from_the_house(record)
        if record.did or (record.endpoint and record.endpoint in self._trunks):
            return Direction.INBOUND
        if self._is_ours(record):
            return _from_the_house(record)
        return Direction.INBOUND

    def _is_ours(self, record: CallRecord) -> bool:
        endpoint = record.endpoint
        if _EXTENSION.fullmatch(record.src):
            # A short number, not through a trunk: a phone if the endpoint has its name or nobody outside calls there.
            return endpoint == record.src or record.called not in self._called
        if not endpoint or endpoint not in self._shown:
            return False
        # A trunk is told our own number and not the extension, so a phone may show a full one: but not several.
        return record.context == _OURS or (
            _EXTENSION.fullmatch(endpoint) is not None and record.called not in self._called
        )


def _from_the_house(record: CallRecord) -> Direction:
    return Direction.OUTBOUND if _ROUTED.fullmatch(record.dst) else Direction.INTERNAL
