"""The two clocks that everything here reads."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from screener.policy.phrase import duration

log = logging.getLogger(__name__)

ASTRAY_SECONDS: Final = 30.0
"""By how much the system's clock must leave ours for a step: what it is slewed by in between stays below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """Two clocks, both in seconds: one that never steps back, to judge by; one that people read, to write down."""

    steady: Callable[[], float]
    wall: Callable[[], float]


class SteadyClock:
    """Seconds since 1970 that never step back.

    It begins as the system's clock and goes at its own pace, but follows it when that steps ahead: a machine without a
    clock of its own boots in the past, a suspended one wakes up in it, and office hours and end dates go by the day.
    A step back it does not follow, because buckets would give no token until the time has come again; it says so.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time) -> None:
        self._monotonic = monotonic
        self._wall = wall
        self._behind = wall() - monotonic()
        self._told = False

    def __call__(self) -> float:
        """Return the time."""
        now = self._monotonic() + self._behind
        ahead = self._wall() - now
        if ahead > ASTRAY_SECONDS:
            self._behind += ahead
            log.warning("the system's clock stepped %s ahead: calls are judged by that time now", duration(ahead))
            return now + ahead
        if ahead >= -ASTRAY_SECONDS:
            self._told = False
        elif not self._told:
            self._told = True
            log.warning(
                "the system's clock stepped %s back: calls are still judged by the old time; restart the screener "
                "for office hours and end dates to go by the new one", duration(-ahead),
            )  # fmt: skip
        return now
