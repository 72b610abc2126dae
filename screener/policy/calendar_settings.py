"""Office hours as an administrator writes them."""

import re
from datetime import date
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

from screener.policy.section import Section

YEARLY: Final = re.compile(r"[0-9]{2}-[0-9]{2}", re.ASCII)
LEAP_YEAR: Final = 2000
"""A year that has every day there is."""


def _day(value: Any) -> Any:
    """Take what YAML made a date of, and text; return it as text."""
    if type(value) is date:
        return value.isoformat()
    if isinstance(value, str):
        written = value.strip()
        try:
            day = date.fromisoformat(f"{LEAP_YEAR}-{written}" if YEARLY.fullmatch(written) else written)
        except ValueError:
            pass
        else:
            return written if YEARLY.fullmatch(written) else day.isoformat()
    raise ValueError("expected a date such as 2026-12-24, or 12-24 for that day of every year")


Day = Annotated[str, BeforeValidator(_day)]


class HolidaySettings(Section):
    """The public holidays of a country, by the package `holidays`."""

    country: Annotated[str, Field(min_length=2, max_length=2)]
    """ISO 3166, two letters."""
    subdivision: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    """A state, province or canton (ISO 3166-2 without the country: CA, ZH), for holidays that only it has."""


class CalendarSettings(Section):
    """When somebody is there."""

    timezone: Annotated[str, Field(min_length=1, max_length=60)] | None = None
    """The time zone (IANA) of the hours; left out: the policy's."""
    hours: Annotated[dict[str, str], Field(min_length=1, max_length=7)]
    """For days (`mon-fri`, `sat, sun`) their hours: `08:00-12:00, 13:30-17:00`. `22:00-06:00` ends on the next day."""
    holidays: HolidaySettings | None = None
    """Public holidays on which it is closed."""
    closed_on: Annotated[tuple[Day, ...], Field(max_length=1000)] = ()
    """Other days on which it is closed: `2026-12-24`, or `12-24` for that day of every year."""
