"""The two clocks that everything here reads."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from screener.policy.phrase import duration

log = logging.getLogger(__name__)

NEVER_SET: Final = 1_735_689_600.0
"""The first moment of 2025: a clock before it has not been set since the machine booted."""
ASTRAY_SECONDS: Final = 30.0
"""By how much the system's clock must leave ours for a step: what it is slewed by in between stays below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """Two clocks, both in seconds: one that never steps back, to judge by; one that people read, to write down."""

    steady: Callable[[], float]
    wall: Callable[[], float]


def since_boot() -> float:
    """Return the seconds since the machine booted, those that it was suspended for among them."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class SteadyClock:
    """Seconds since 1970 that never step back.

    It begins as the system's clock and goes at its own pace: a step of that one, back or ahead, frees no caller and
    flags none. Only a clock that was never set is followed when it learns the time: a machine without a clock of its
    own boots in the past, and office hours and end dates go by the day.
    """

    def __init__(self, monotonic: Callable[[], float] = since_boot, wall: Callable[[], float] = time.time) -> None:
        self._monotonic = monotonic
        self._wall = wall
        self._behind = wall() - monotonic()
        self._told = False

    def __call__(self) -> float:
        """Return the time."""
        now = self._monotonic() + self._behind
        ahead = self._wall() - now
        if now < NEVER_SET <= now + ahead:
            self._behind += ahead
            log.warning("the system's clock was set %s ahead: calls are judged by that time now", duration(ahead))
            return now + ahead
        if abs(ahead) <= ASTRAY_SECONDS:
            self._told = False
        elif not self._told:
            self._told = True
            log.warning(
                "the system's clock stepped %s %s: calls are still judged by the old time; restart the screener "
                "for office hours and end dates to go by the new one",
                duration(abs(ahead)), "ahead" if ahead > 0 else "back",
            )  # fmt: skip
        return now
