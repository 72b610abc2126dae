"""From office hours as they are written to calendars."""

import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, tzinfo
from typing import Final

from screener.policy.calendar import MINUTES, Calendar, Shift
from screener.policy.calendar_settings import YEARLY, CalendarSettings, HolidaySettings
from screener.policy.faults import Path, UnusableSettingError, nearest
from screener.policy.zone import read_zone

WEEK: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS: Final = re.compile(r"([0-9]{1,2}):([0-9]{2})-([0-9]{1,2}):([0-9]{2})", re.ASCII)


def read_calendars(
    written: Mapping[str, CalendarSettings], zone: tzinfo, faults: list[UnusableSettingError]
) -> Mapping[str, Calendar]:
    """Return the calendars by name; what cannot be read is added to `faults`. `zone` is for those that name none."""
    calendars = {}
    for name, settings in written.items():
        path: Path = ("calendars", name)
        own = zone if settings.timezone is None else read_zone(settings.timezone, (*path, "timezone"), faults)
        week = _week(settings.hours, (*path, "hours"), faults)
        closed = _closed(settings, (*path, "holidays"), faults)
        calendars[name] = Calendar(name=name, zone=own, week=week, closed_on=closed)
    return calendars


def _week(written: Mapping[str, str], path: Path, faults: list[UnusableSettingError]) -> tuple[tuple[Shift, ...], ...]:
    week: dict[int, tuple[Shift, ...]] = {}
    for days, hours in written.items():
        try:
            shifts = _shifts(hours)
            for day in _days(days):
                if day in week:
                    raise ValueError(f"{WEEK[day]} has its hours twice")
                week[day] = shifts
        except ValueError as error:
            faults.append(UnusableSettingError((*path, days), str(error)))
    return tuple(week.get(day, ()) for day in range(len(WEEK)))


def _days(written: str) -> Iterator[int]:
    for part in written.lower().split(","):
        first, dash, last = (day.strip() for day in part.partition("-"))
        for day in (first, last) if dash else (first,):
            if day not in WEEK:
                raise ValueError(f"expected days such as mon-fri or sat, sun, not {written!r}{nearest(day, WEEK)}")
        start, end = WEEK.index(first), WEEK.index(last if dash else first)
        yield from ((start + step) % len(WEEK) for step in range((end - start) % len(WEEK) + 1))


def _shifts(written: str) -> tuple[Shift, ...]:
    """Return the shifts of a day, in order. Raises ValueError."""
    shifts = sorted(_shift(part.strip()) for part in written.split(","))
    for (_, ends), (begins, _) in itertools.pairwise(shifts):
        if begins < ends:
            raise ValueError(f"the hours {written!r} overlap")
    return tuple(shifts)


def _shift(written: str) -> Shift:
    match = _HOURS.fullmatch(written)
    figures = [int(figure) for figure in match.groups()] if match else []
    start, end = (figures[0] * 60 + figures[1], figures[2] * 60 + figures[3]) if figures else (MINUTES, 0)
    if start >= MINUTES or end > MINUTES or any(minute > 59 for minute in figures[1::2]):
        raise ValueError(f"expected hours such as 08:00-12:00, 13:30-17:00, not {written!r}")
    if start == end:
        raise ValueError(f"{written} is no time at all; a whole day is 00:00-24:00")
    return start, end if end > start else end + MINUTES


def _closed(settings: CalendarSettings, path: Path, faults: list[UnusableSettingError]) -> Callable[[date], bool]:
    yearly = frozenset(day for day in settings.closed_on if YEARLY.fullmatch(day))
    single = frozenset(settings.closed_on) - yearly
    public = None if settings.holidays is None else _holidays(settings.holidays, path, faults)

    def closed(day: date) -> bool:
        written = day.isoformat()
        return written in single or written[-5:] in yearly or (public is not None and public(day))

    return closed


def _holidays(
    settings: HolidaySettings, path: Path, faults: list[UnusableSettingError]
) -> Callable[[date], bool] | None:
    # Here and not above: it takes 20 MB, which only those pay for who use it.
    import holidays  # noqa: PLC0415

    known = holidays.list_supported_countries()
    if settings.country not in known:
        hint = nearest(settings.country, [code for code in known if len(code) == 2])
        faults.append(UnusableSettingError((*path, "country"), f"no holidays are known of {settings.country!r}{hint}"))
        return None
    parts = known[settings.country]
    if settings.subdivision is not None and settings.subdivision not in parts:
        hint = nearest(settings.subdivision, parts)
        faults.append(
            UnusableSettingError(
                (*path, "subdivision"),
                f"no holidays are known of {settings.subdivision!r} in {settings.country}{hint}",
            )
        )
        return None
    days = holidays.country_holidays(settings.country, subdiv=settings.subdivision)
    return days.__contains__
