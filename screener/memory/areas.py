"""Where the callers come from whom our people talk with."""

from typing import Final

from screener.policy.numbering import plan

AREAS: Final = 5000
"""Areas that are counted; there are some thousands in the world."""
FADING: Final = 10_000
"""Conversations after which all counts are halved."""
LEAST: Final = 5
"""Conversations with callers of an area below which it is not familiar."""
SHARE: Final = 0.03
"""Share of all conversations from which it is: a campaign that draws its numbers at random seldom hits such an area."""


class Areas:
    """Counts conversations by area."""

    def __init__(self) -> None:
        self._talked: dict[str, float] = {}
        self._all = 0.0

    def talked(self, area: str, count: int = 1) -> None:
        """Note a conversation, or several."""
        if area not in self._talked and len(self._talked) >= AREAS:
            return
        self._talked[area] = self._talked.get(area, 0) + count
        self._all += count
        if self._all >= FADING:
            self._talked = {one: count / 2 for one, count in self._talked.items() if count >= 1}
            self._all = sum(self._talked.values())

    def familiar(self, area: str, did: str) -> bool:
        """Return whether callers of an area are usual at a DID: it is the DID's own, or one that people talk with."""
        count = self._talked.get(area, 0)
        if count >= LEAST and count >= SHARE * self._all:
            return True
        return did.startswith("+") and plan(did).area == area
