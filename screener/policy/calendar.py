"""A calendar: whether somebody is there at a moment, and until when that stays so."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final

DAY: Final = timedelta(days=1)
MIDNIGHT: Final = time()
MINUTES: Final = 24 * 60
"""Minutes of a day by the clock on the wall."""
AHEAD_DAYS: Final = 400
"""Days that are looked ahead for the next change: what does not change within a year does not change."""
KEPT_DAYS: Final = 1000
"""Days whose shifts are kept at hand; beyond it all are worked out again."""

Shift = tuple[int, int]
"""Minutes since midnight at which it begins and ends, by the clock on the wall; the end may lie on the next day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A time in which nothing changes, from a moment that was asked about on."""

    begins: float
    ends: float
    open: bool
    change: float | None
    """When it changes; None: not within a year."""
    text: str


class Calendar:
    """Weekly shifts in a time zone, but for some days.

    A shift belongs to the day on which it begins: one that begins before a holiday goes on into it. On the day on
    which clocks go forward a shift begins at the first moment that the clock on the wall shows its beginning, or
    would; on the day on which they go back, what is shown twice counts as the first one.
    """

    __slots__ = ("_closed_on", "_kept", "_last", "_week", "_zone", "name")

    def __init__(
        self, *, name: str, zone: tzinfo, week: tuple[tuple[Shift, ...], ...], closed_on: Callable[[date], bool]
    ) -> None:
        """`week` has the shifts of each day from Monday on, in order."""
        self.name = name
        self._zone = zone
        self._week = week
        self._closed_on = closed_on
        self._kept: dict[date, tuple[tuple[float, float], ...]] = {}
        self._last = Stretch(begins=0.0, ends=0.0, open=False, change=None, text="")

    def open(self, now: float) -> bool:
        """Return whether somebody is there; `now` is in seconds since 1970 (UTC)."""
        return self._stretch(now).open

    def until(self, now: float) -> float | None:
        """Return when that changes next; None if it does not within a year."""
        return self._stretch(now).change

    def says(self, now: float) -> str:
        """Return a sentence: `office is closed until 2026-12-28 08:00`."""
        return self._stretch(now).text

    def _stretch(self, now: float) -> "Stretch":
        """Return the time around `now` in which nothing changes. Calls that come one after another share it."""
        if not self._last.begins <= now < self._last.ends:
            opened = self._open(now)
            change = self._change(now, opened=opened)
            text = f"{self.name} is {'open' if opened else 'closed'}"
            if change is not None:
                text += f" until {datetime.fromtimestamp(change, self._zone):%Y-%m-%d %H:%M}"
            ends = now + DAY.total_seconds() if change is None else change
            self._last = Stretch(begins=now, ends=ends, open=opened, change=change, text=text)
        return self._last

    def _open(self, now: float) -> bool:
        today = self._date(now)
        # A shift is shorter than a day, so that one which has not ended began today or yesterday.
        return any(start <= now < end for day in (today - DAY, today) for start, end in self._shifts(day))

    def _change(self, now: float, *, opened: bool) -> float | None:
        day, end = self._date(now) - DAY, now
        for _ in range(AHEAD_DAYS):
            for begins, ends in self._shifts(day):
                if opened and begins <= end:
                    end = max(end, ends)  # shifts that touch are one
                elif begins > now and begins < ends:
                    return end if opened else begins
            day += DAY
        return end if opened and end < self._midnight(day) else None

    def _date(self, now: float) -> date:
        return datetime.fromtimestamp(now, self._zone).date()

    def _midnight(self, day: date) -> float:
        return _instant(datetime.combine(day, MIDNIGHT), self._zone)

    def _shifts(self, day: date) -> tuple[tuple[float, float], ...]:
        """Return when the shifts that begin on this day begin and end, in seconds since 1970 (UTC)."""
        kept = self._kept.get(day)
        if kept is not None:
            return kept
        if len(self._kept) >= KEPT_DAYS:
            self._kept.clear()
        midnight = datetime.combine(day, MIDNIGHT)
        shifts = () if self._closed_on(day) else self._week[day.weekday()]
        moments = (
            tuple(_instant(midnight + timedelta(minutes=minute), self._zone) for minute in shift) for shift in shifts
        )
        self._kept[day] = found = tuple((start, end) for start, end in moments)
        return found


def _instant(wall: datetime, zone: tzinfo) -> float:
    """Return the first moment at which the clock on the wall of a zone shows this time, or a later one."""
    shown = wall.replace(tzinfo=zone)
    moment = shown.timestamp()
    if datetime.fromtimestamp(moment, zone).replace(tzinfo=None) == wall:
        return moment
    # It is never shown: clocks went forward over it, somewhere between what it would be by the old and by the new time.
    before, after = int(shown.replace(fold=1).timestamp()), int(moment)
    while after - before > 1:
        middle = (before + after) // 2
        if datetime.fromtimestamp(middle, zone).replace(tzinfo=None) < wall:
            before = middle
        else:
            after = middle
    return float(after)
