"""Groups of strangers: by trunk, by signer, by name, and by how their calls end.

The same counting as for a caller, over what a campaign cannot change from call to call. A group heats up while far more
strangers than usual call in it and nobody talks with them.
"""

import math
import re
from collections import deque
from collections.abc import Sequence
from typing import Final

from screener.memory.bounded import Bounded
from screener.policy.call import Call
from screener.policy.remembered import Heat
from screener.policy.signal_settings import GroupSettings
from screener.policy.text import printable

GROUPS: Final = 5000
"""Groups that are kept, 600 bytes each; beyond it the one that was called in longest ago is forgotten."""
ENDINGS: Final = 24
"""Latest calls of a group whose ends are looked at."""
HOUR: Final = 3600.0
LEAST_AN_HOUR: Final = 2.0
"""Strangers an hour that any group may have."""
PEAK_KEPT: Final = 0.9
"""Share of a peak that is left after a day."""
KNOWN_AFTER: Final = 24 * 3600.0
"""Seconds after which it is known what is usual for a trunk, a signer or a habit; until then none of these is hot."""
USUAL_COLD: Final = 200
"""Calls over which the usual share of cold ends is taken."""
UNUSUAL: Final = 3.0
"""Standard deviations beyond the usual share of cold ends from which it is not chance."""
NAME: Final = "name"
HABIT_WEIGHT: Final = 3
HABIT: Final = "habit"
DROPPED: Final = "is dropped within seconds"
ABANDONED: Final = "hangs up at once"
SILENT: Final = "says nothing when challenged"
HABITS: Final = (DROPPED, ABANDONED, SILENT)
_DIGITS: Final = re.compile(r"\d+")

Key = tuple[str, str]


class _Group:
    __slots__ = ("at", "cold", "count", "hot_until", "hour", "level", "peak", "since", "usual_cold")

    def __init__(self, now: float, capacity: float) -> None:
        self.since = self.at = now
        self.hour = int(now // HOUR)
        self.count = 0
        """Strangers in this hour."""
        self.peak = 0.0
        """Strangers in an hour when many come, fading."""
        self.level = capacity
        self.cold: deque[bool] = deque(maxlen=ENDINGS)
        self.usual_cold = 0.5
        self.hot_until = 0.0

    def reach(self, now: float) -> None:
        """Learn the hour that has ended."""
        hour = int(now // HOUR)
        if hour <= self.hour:
            return
        if now >= self.hot_until:
            # At most twice what it was: a campaign must not make itself the rule.
            self.peak = max(self.peak, min(self.count, 2 * max(self.peak, LEAST_AN_HOUR)))
        self.peak *= PEAK_KEPT ** ((hour - self.hour) / 24)
        self.hour, self.count = hour, 0

    def unusually_cold(self, least: int, share: float) -> bool:
        """Return whether far more of the latest calls ended cold than is usual."""
        number, cold = len(self.cold), sum(self.cold)
        chance = math.sqrt(number * self.usual_cold * (1 - self.usual_cold))
        return number >= least and cold >= share * number and cold >= number * self.usual_cold + UNUSUAL * chance


class Groups:
    """Counts strangers by group."""

    def __init__(self) -> None:
        self._groups: Bounded[Key, _Group] = Bounded(GROUPS)

    def arrive(self, call: Call, now: float, settings: GroupSettings) -> tuple[Sequence[Key], Heat | None]:
        """Note a stranger's call; return the groups that it belongs to, and the hottest of them or of the habits."""
        keys = keys_of(call)
        heat: Heat | None = None
        for key in keys:
            group = self._count(key, now, settings)
            heat = heat or self._heat(key, group, now, settings)
        for name in HABITS:
            habit = self._groups.get((HABIT, name))
            if heat is None and habit is not None and habit.hot_until > now:
                heat = self._told((HABIT, name), habit)
        return keys, heat

    def end(self, keys: Sequence[Key], now: float, *, talked: float, seconds: float, settings: GroupSettings) -> None:
        """Note how a stranger's call ended: the seconds that somebody talked with the caller, and those in all."""
        cold = talked <= settings.short_seconds
        for key in keys:
            if (group := self._groups.get(key)) is not None:
                group.cold.append(cold)
                if group.hot_until > now and not cold and sum(group.cold) < settings.cold_share * len(group.cold):
                    group.hot_until = now  # people talk with them again
                if now >= group.hot_until:
                    group.usual_cold += (cold - group.usual_cold) / USUAL_COLD
        if 0 < talked <= settings.short_seconds:
            self.behave(DROPPED, now, settings)
        elif not talked and seconds <= settings.abandoned_seconds:
            self.behave(ABANDONED, now, settings)

    def behave(self, habit: str, now: float, settings: GroupSettings) -> None:
        """Note a habit of a stranger."""
        group = self._count((HABIT, habit), now, settings)
        group.cold.append(True)
        self._heat((HABIT, habit), group, now, settings)

    def _count(self, key: Key, now: float, settings: GroupSettings) -> _Group:
        group = self._groups.get(key) or _Group(now, settings.callers)
        self._groups.keep(key, group)
        group.reach(now)
        group.count += 1
        # Robots that are challenged say nothing day by day; it takes more of them to tell of a campaign.
        weight = HABIT_WEIGHT if key[0] == HABIT else 1
        usual = max(group.peak, LEAST_AN_HOUR * weight)
        gone = max(now - group.at, 0)
        group.level = min(group.level + gone * 2 * usual / HOUR, weight * settings.callers + usual / 2) - 1
        group.level = max(group.level, -float(settings.callers))
        group.at = max(group.at, now)
        return group

    def _heat(self, key: Key, group: _Group, now: float, settings: GroupSettings) -> Heat | None:
        kind, _ = key
        known = kind == NAME or now - group.since >= KNOWN_AFTER
        # How a habit's calls end is what makes it a habit.
        cold = kind == HABIT or group.unusually_cold(settings.callers, settings.cold_share)
        if known and group.level < 0 and cold:
            group.hot_until = now + settings.cooling_minutes * 60
        return self._told(key, group) if group.hot_until > now else None

    def _told(self, key: Key, group: _Group) -> Heat:
        kind, name = key
        return Heat(kind=kind, name=name, callers=len(group.cold), cold=sum(group.cold), until=group.hot_until)


def keys_of(call: Call) -> tuple[Key, ...]:
    """Return the groups that a call belongs to."""
    name = _DIGITS.sub("#", call.name.casefold()).strip()
    # A name that is the number, or none, is what carriers put there for everybody.
    named = name if name.strip("#+-() ") else ""
    host, _, origin = call.signer.partition(" ")
    # Some signers draw a new origid for each call: then only the host is shared.
    shared = (("trunk", call.trunk), ("signer", host), ("signer", call.signer if origin else ""), (NAME, named))
    return tuple((kind, printable(value, 80)) for kind, value in shared if value)
