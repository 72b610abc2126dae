"""Whether more calls come than can be judged in time."""

import asyncio
from collections.abc import Callable
from typing import Final

from screener.asterisk.settings import OverloadSettings
from screener.policy.phrase import plural

TICK_SECONDS: Final = 0.1


class Load:
    """Knows how far the event loop lags behind; `watch` keeps it going."""

    def __init__(self, settings: OverloadSettings, clock: Callable[[], float]) -> None:
        """`clock` is in seconds and never steps back."""
        self._settings = settings
        self._clock = clock
        self.lag = 0.0
        """Seconds by which the last tick came late."""

    async def watch(self) -> None:
        """Measure the lag until cancelled."""
        while True:
            begun = self._clock()
            # After a stop, a look at once: the calls that come next should not pay for it.
            tick = TICK_SECONDS if self.lag <= self._settings.lag_seconds else TICK_SECONDS / 10
            await asyncio.sleep(tick)
            self.lag = self._clock() - begun - tick

    def excess(self, judging: int) -> str | None:
        """Say what is too much while `judging` calls are being judged, or None."""
        if judging > self._settings.calls:
            return f"{plural(judging, 'call')} are being judged at once, the limit is {self._settings.calls}"
        if self.lag > self._settings.lag_seconds:
            return f"the screener lags {self.lag:.1f} seconds behind, the limit is {self._settings.lag_seconds:g}"
        return None
