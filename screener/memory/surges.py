"""Surges: far more strangers than usual to the whole PBX, or to one DID.

A token bucket again: strangers take tokens, and twice what is usual at this hour of the week comes back. An empty
bucket begins a surge; it is over when some are in it again and nobody found it empty for a while.
"""

import math
from typing import Final

from screener.memory.bounded import Bounded
from screener.memory.normal import HOUR, Normal
from screener.policy.remembered import Notice, Surge
from screener.policy.signal_settings import SurgeSettings

DIDS: Final = 4096
"""DIDs that are watched, 900 bytes each; beyond it the one that was called longest ago is forgotten."""
PBX: Final = "PBX"
OVERDRAWN: Final = 3.0
CALM: Final = 3.0
"""Tokens by which the bucket may be overdrawn, and those that are in it again when a surge may end."""
ENDINGS: Final = 12
"""Strangers' calls over which the share that somebody talked with is taken."""
HEARD_AT_FIRST: Final = 0.5
NOTICES: Final = 1000
"""Notices that wait for somebody to take them; beyond it the newest are dropped."""


class _Watch:
    __slots__ = ("about", "at", "began", "denied", "heard", "heavy", "level", "normal")

    def __init__(self, about: str, floor: float) -> None:
        self.about = about
        self.normal = Normal(floor)
        self.heard = HEARD_AT_FIRST
        """Share of strangers whom somebody talked with, lately."""
        self.level = self.heavy = math.inf
        """Tokens left; and those of a second bucket, into which far more come back."""
        self.at = 0.0
        self.began: float | None = None
        self.denied = 0.0


class Surges:
    """Watches strangers come."""

    def __init__(self) -> None:
        self._dids: Bounded[str, _Watch] = Bounded(DIDS)
        self._pbx: _Watch | None = None
        self._active: dict[str, _Watch] = {}
        self.notices: list[Notice] = []

    def arrive(
        self, did: str, now: float, settings: SurgeSettings, *, weight: float = 1, lately: float = 0
    ) -> Surge | None:
        """Note a stranger's call of a `weight`, and return the surge that it is part of.

        `lately` is how many strangers called this DID a short while ago. To the whole PBX each further one weighs less:
        sixty patients who call one line at eight are that line's busy morning, a campaign goes from line to line.
        """
        pbx = self._pbx = self._pbx or _Watch(PBX, settings.pbx_floor)
        found = self._take(pbx, now, settings.pbx_floor, settings, weight / (1 + lately / settings.crowd))
        watch = self._dids.keep(did, self._dids.get(did) or _Watch(did, settings.did_floor))
        return found or self._take(watch, now, settings.did_floor, settings, weight)

    def during(self, did: str, now: float, settings: SurgeSettings) -> Surge | None:
        """Return the surge that a call that is not counted is part of."""
        self.tick(now, settings)
        for about in (PBX, did):
            if (watch := self._active.get(about)) is not None:
                return _surge(watch, now, settings)
        return None

    def end(self, did: str, *, heard: bool) -> None:
        """A stranger's call ended: whether somebody talked with it, so that this one was a caller like others."""
        for watch in (self._pbx, self._dids.get(did)):
            if watch is not None:
                watch.level += heard
                watch.heavy += heard
                watch.heard += (heard - watch.heard) / ENDINGS

    def tick(self, now: float, settings: SurgeSettings) -> None:
        """End the surges that are over, also when nobody calls."""
        for watch in list(self._active.values()):
            floor = settings.pbx_floor if watch.about == PBX else settings.did_floor
            self._fill(watch, now, floor, settings)

    def prime(self, did: str, hour: int, count: float, settings: SurgeSettings) -> None:
        """Take over how many strangers called a DID in a whole hour (since the epoch); hours in ascending order."""
        pbx = self._pbx = self._pbx or _Watch(PBX, settings.pbx_floor)
        watch = self._dids.keep(did, self._dids.get(did) or _Watch(did, settings.did_floor))
        for one in (pbx, watch):
            one.normal.add(hour, count)

    def _take(self, watch: _Watch, now: float, floor: float, settings: SurgeSettings, weight: float) -> Surge | None:
        watch.normal.count(now, weight)
        self._fill(watch, now, floor, settings)
        watch.level -= weight
        watch.heavy = max(watch.heavy - weight, -1)
        if watch.level < 0:
            watch.level = max(watch.level, -OVERDRAWN)
            watch.denied = now
            if watch.began is None:
                self._begin(watch, now, settings)
        return None if watch.began is None else _surge(watch, now, settings)

    def _fill(self, watch: _Watch, now: float, floor: float, settings: SurgeSettings) -> None:
        """Bring a watch to `now`."""
        usual = max(watch.normal.expected(now), floor)
        capacity = settings.margin + settings.deviations * math.sqrt(usual / 6)
        if watch.about != PBX:
            capacity *= settings.did_margin
        # Many strangers with whom people talk are customers: an advertisement, a practice on Monday at eight.
        capacity *= 1 + settings.heard_margin * watch.heard
        gone = max(now - watch.at, 0)
        watch.level = min(watch.level + gone * settings.allowance * usual / HOUR, capacity)
        watch.heavy = min(watch.heavy + gone * settings.heavy * usual / HOUR, capacity)
        watch.at = max(watch.at, now)
        calm = now - watch.denied >= settings.calm_minutes * 60
        if watch.began is not None and calm and watch.level >= min(CALM, capacity / 2):
            self._end(watch, now)

    def _begin(self, watch: _Watch, now: float, settings: SurgeSettings) -> None:
        watch.began = now
        self._active[watch.about] = watch
        usual = _surge(watch, now, settings).expected
        text = f"far more strangers than usual call {_where(watch)} ({usual:.0f} an hour are usual now)"
        self._notice("surge-began", watch.about, text, now)

    def _end(self, watch: _Watch, now: float) -> None:
        watch.began = None
        self._active.pop(watch.about, None)
        self._notice("surge-ended", watch.about, f"strangers call {_where(watch)} as usual again", now)

    def _notice(self, code: str, about: str, text: str, now: float) -> None:
        if len(self.notices) < NOTICES:
            self.notices.append(Notice(code=code, about=about, text=text, at=now))


def _where(watch: _Watch) -> str:
    return "the PBX" if watch.about == PBX else watch.about


def _surge(watch: _Watch, now: float, settings: SurgeSettings) -> Surge:
    floor = settings.pbx_floor if watch.about == PBX else settings.did_floor
    began = now if watch.began is None else watch.began
    usual = max(watch.normal.expected(now), floor)
    return Surge(
        about=watch.about, since=began, expected=usual, heavy=watch.heavy < 0 or watch.heard < settings.heard_least
    )
