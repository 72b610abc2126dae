"""Office hours: by the clock on the wall, over both nights on which it is moved."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from screener.policy.calendar import KEPT_DAYS, Calendar
from screener.policy.calendar_settings import CalendarSettings
from screener.policy.faults import UnusableSettingError
from screener.policy.hours import read_calendars
from tests.policy.builders import brief, thorough

NEW_YORK = ZoneInfo("America/New_York")
OFFICE = {"mon-fri": "08:00-12:00, 13:30-17:00", "sat": "09:00-12:00"}


def calendar(hours: dict[str, str], zone: str = "America/New_York", **more: object) -> Calendar:
    faults: list[UnusableSettingError] = []
    settings = CalendarSettings.model_validate({"hours": hours, "timezone": zone, **more})
    calendars = read_calendars({"office": settings}, UTC, faults)
    assert not faults, faults
    return calendars["office"]


def at(written: str, zone: str = "America/New_York", fold: int = 0) -> float:
    return datetime.fromisoformat(written).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


@pytest.mark.parametrize(
    ("moment", "opened", "until"),
    [
        ("2026-11-25 07:59:59", False, "2026-11-25 08:00"),  # a Wednesday
        ("2026-11-25 08:00", True, "2026-11-25 12:00"),
        ("2026-11-25 12:00", False, "2026-11-25 13:30"),
        ("2026-11-25 16:59:59", True, "2026-11-25 17:00"),
        ("2026-11-25 17:00", False, "2026-11-26 08:00"),
        ("2026-11-28 11:00", True, "2026-11-28 12:00"),
        ("2026-11-28 12:00", False, "2026-11-30 08:00"),  # over Sunday
    ],
)
def test_an_office_is_open_in_its_hours_and_says_until_when(moment: str, opened: bool, until: str) -> None:
    office = calendar(OFFICE)

    assert office.open(at(moment)) is opened
    assert office.until(at(moment)) == at(until)
    assert office.says(at(moment)) == f"office is {'open' if opened else 'closed'} until {until}"


def test_hours_are_those_of_the_calendars_own_zone() -> None:
    tokyo = calendar({"mon": "09:00-17:00"}, "Asia/Tokyo")

    assert tokyo.open(at("2026-11-22 19:30"))  # Sunday evening in New York
    assert not tokyo.open(at("2026-11-23 09:30"))


@pytest.mark.parametrize(
    ("moment", "opened", "until"),
    [
        ("2026-11-27 21:59", False, "2026-11-27 22:00"),
        ("2026-11-27 23:00", True, "2026-11-28 06:00"),  # Friday night
        ("2026-11-28 05:59", True, "2026-11-28 06:00"),  # goes on into Saturday
        ("2026-11-28 06:00", False, "2026-11-30 22:00"),
        ("2026-11-28 23:00", False, "2026-11-30 22:00"),
    ],
)
def test_a_night_shift_ends_on_the_next_day(moment: str, opened: bool, until: str) -> None:
    night = calendar({"mon-fri": "22:00-06:00"})

    assert (night.open(at(moment)), night.until(at(moment))) == (opened, at(until))


def test_shifts_that_touch_are_one_over_midnight_too() -> None:
    around = calendar({"fri": "08:00-12:00, 12:00-24:00", "sat": "00:00-06:00"})
    assert around.until(at("2026-11-27 09:00")) == at("2026-11-28 06:00")


def test_what_never_changes_has_no_end() -> None:
    always = calendar({"mon-sun": "00:00-24:00"})
    assert always.open(at("2026-03-08 02:30"))
    assert always.until(at("2026-11-25 12:00")) is None
    assert always.says(at("2026-11-25 12:00")) == "office is open"


def test_days_wrap_around_the_week() -> None:
    weekend = calendar({"fri-mon": "10:00-11:00"})
    opened = [weekend.open(at(f"2026-11-{day} 10:30")) for day in range(23, 30)]  # Monday to Sunday
    assert opened == [True, False, False, False, True, True, True]


@pytest.mark.parametrize(
    ("day", "opened"),
    [
        ("2026-12-24", False),  # every year
        ("2027-12-24", False),
        ("2026-11-27", False),  # once
        ("2025-11-27", False),  # Thanksgiving
        ("2026-11-26", False),
        ("2026-07-03", False),  # Independence Day, observed
        ("2026-12-25", False),
        ("2026-12-23", True),
        ("2026-02-12", False),  # Lincoln's Birthday, in the State of New York
    ],
)
def test_holidays_and_other_days_are_closed(day: str, opened: bool) -> None:
    office = calendar(OFFICE, holidays={"country": "US", "subdivision": "NY"}, closed_on=["12-24", "2026-11-27"])
    assert office.open(at(f"{day} 10:00")) is opened


def test_a_shift_that_began_before_a_holiday_goes_on_into_it() -> None:
    night = calendar({"mon-sun": "22:00-06:00"}, closed_on=["2026-12-25"])

    assert night.open(at("2026-12-25 05:00"))
    assert not night.open(at("2026-12-25 23:00"))
    assert not night.open(at("2026-12-26 05:00"))
    assert night.until(at("2026-12-25 07:00")) == at("2026-12-26 22:00")


SPRING, AUTUMN = "2026-03-08", "2026-11-01"  # Sundays on which the clocks of New York are moved, at two in the morning


def test_the_night_on_which_clocks_go_forward_is_an_hour_shorter() -> None:
    night = calendar({"mon-sun": "22:00-06:00"})
    begins, ends = at("2026-03-07 22:00"), at(f"{SPRING} 06:00")

    assert ends - begins == 7 * 3600
    assert night.until(begins) == ends
    assert night.open(ends - 1)


def test_the_night_on_which_clocks_go_back_is_an_hour_longer() -> None:
    night = calendar({"mon-sun": "22:00-06:00"})
    begins, ends = at("2026-10-31 22:00"), at(f"{AUTUMN} 06:00")

    assert ends - begins == 9 * 3600
    assert night.until(begins) == ends
    assert night.open(at(f"{AUTUMN} 01:30", fold=1))


@pytest.mark.parametrize(
    ("hours", "opens", "closes"),
    [
        ("02:30-05:00", f"{SPRING} 03:00", f"{SPRING} 05:00"),  # half past two is never shown: three comes at once
        ("01:00-02:30", f"{SPRING} 01:00", f"{SPRING} 03:00"),
        ("02:00-03:00", None, None),  # the whole of it is skipped
        ("01:30-05:00", f"{AUTUMN} 01:30", f"{AUTUMN} 05:00"),  # half past one is shown twice: the first one counts
        ("00:00-01:30", f"{AUTUMN} 00:00", f"{AUTUMN} 01:30"),
    ],
)
def test_an_hour_that_is_skipped_or_shown_twice(hours: str, opens: str | None, closes: str | None) -> None:
    early = calendar({"sun": hours})
    night = at((opens or SPRING)[:10] + " 00:00")
    if opens is None or closes is None:
        assert not any(early.open(night + minutes * 60) for minutes in range(24 * 60))
        return
    assert [early.open(at(opens) - 1), early.open(at(opens)), early.open(at(closes) - 1), early.open(at(closes))] == [
        False, True, True, False,
    ]  # fmt: skip


ZONES = ("America/New_York", "Europe/Zurich", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kathmandu", "UTC")
"""Clocks that are moved by an hour, by half an hour, at midnight (in Brazil, until 2019), and not at all."""
SHIFTS = st.tuples(st.integers(0, 95), st.integers(1, 96)).filter(lambda shift: shift[0] != shift[1] % 96)
MOVED = {
    "America/New_York": ("2026-03-08", "2026-11-01"),
    "Europe/Zurich": ("2026-03-29", "2026-10-25"),
    "Australia/Lord_Howe": ("2026-04-05", "2026-10-04"),
    "America/Sao_Paulo": ("2018-11-04", "2018-02-18"),
    "Asia/Kathmandu": ("2026-03-08", "2026-11-01"),
    "UTC": ("2026-03-08", "2026-11-01"),
}


def written(quarters: int) -> str:
    return f"{quarters // 4:02}:{quarters % 4 * 15:02}"


@given(st.sampled_from(ZONES), SHIFTS, st.booleans(), st.integers(-24 * 60, 48 * 60))
@thorough
def test_around_both_moves_it_is_what_the_clock_on_the_wall_says(
    zone: str, shift: tuple[int, int], autumn: bool, minutes: int
) -> None:
    start, end = shift
    hours = calendar({"mon-sun": f"{written(start)}-{written(end)}"}, zone)
    now = at(f"{MOVED[zone][autumn]} 00:00", zone) + minutes * 60
    wall = datetime.fromtimestamp(now, ZoneInfo(zone))
    twice = wall.utcoffset() != wall.replace(fold=1 - wall.fold).utcoffset()
    quarters = (wall.hour * 60 + wall.minute) / 15
    there = start <= quarters < end if start < end else quarters >= start or quarters < end

    # Of an hour that the clock shows twice, the first one decides when a shift begins and ends.
    if not twice:
        assert hours.open(now) is there


@given(st.sampled_from(ZONES), st.lists(SHIFTS, min_size=1, max_size=7), st.booleans(), st.integers(-5000, 5000))
@brief
def test_until_its_next_change_it_stays_as_it_is_and_then_it_is_not(
    zone: str, shifts: list[tuple[int, int]], autumn: bool, minutes: int
) -> None:
    week = {day: f"{written(a)}-{written(b)}" for day, (a, b) in zip(("mon", "tue", "wed", "thu", "fri", "sat", "sun"),
                                                                    shifts, strict=False)}  # fmt: skip
    hours = calendar(week, zone)
    now = at(f"{MOVED[zone][autumn]} 00:00", zone) + minutes * 60
    change = hours.until(now)

    assert change is not None
    assert now < change <= now + 8 * 86400
    assert hours.open(change) is not hours.open(now)
    assert {hours.open(now + (change - now) * part / 7) for part in range(7)} == {hours.open(now)}


@given(st.dates(date(1971, 1, 1), date(2100, 1, 1)), st.integers(0, 24 * 60 - 1))
@brief
def test_any_day_can_be_asked_about(day: date, minutes: int) -> None:
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=minutes)
    office = calendar(OFFICE, holidays={"country": "CH", "subdivision": "ZH"})
    change = office.until(moment.timestamp())
    assert change is not None
    assert change > moment.timestamp()


@given(st.lists(st.integers(-3000, 3000), min_size=2, max_size=6))
@brief
def test_what_was_asked_before_changes_no_answer(asked: list[int]) -> None:
    used, begin = calendar(OFFICE), at(f"{SPRING} 00:00")
    for minutes in asked:
        fresh, now = calendar(OFFICE), begin + minutes * 60
        assert (used.open(now), used.until(now), used.says(now)) == (fresh.open(now), fresh.until(now), fresh.says(now))


WRITTEN = st.text("montuefrisatd -,:0123456789\u0663\u2013", max_size=20)


@given(WRITTEN, WRITTEN, WRITTEN)
@thorough
def test_whatever_is_written_is_a_calendar_or_a_fault(days: str, hours: str, zone: str) -> None:
    faults: list[UnusableSettingError] = []
    settings = CalendarSettings(hours={days: hours}, timezone=zone or None)
    calendars = read_calendars({"office": settings}, UTC, faults)

    assert faults or calendars["office"].open(at("2026-11-25 12:00")) in (True, False)
    assert all(fault.path[:2] == ("calendars", "office") for fault in faults)


def test_a_day_may_be_written_as_yaml_reads_it() -> None:
    read = CalendarSettings.model_validate({"hours": OFFICE, "closed_on": [date(2026, 12, 24), "12-25"]})

    assert read.closed_on == ("2026-12-24", "12-25")
    with pytest.raises(ValidationError, match="expected a date such as 2026-12-24"):
        CalendarSettings.model_validate({"hours": OFFICE, "closed_on": [7]})


def test_a_calendar_that_is_asked_about_years_keeps_no_more_days_than_it_may() -> None:
    office = calendar(OFFICE)
    begin = at("2020-01-01 10:00")
    days = [office.open(begin + day * 86_400) for day in range(KEPT_DAYS + 50)]

    assert len(office._kept) <= KEPT_DAYS
    assert days[:14] == [office.open(begin + day * 86_400) for day in range(14)]
