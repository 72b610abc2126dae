"""What is usual at an hour of the week."""

import pytest

from screener.memory.normal import HOUR, LEARNING_FACTOR, WEEK, Normal


def weeks(normal: Normal, count: int, per_hour: dict[int, int], *, begin: int = 0) -> float:
    """Play weeks with so many calls in some hours of each; return when the next one begins."""
    for week in range(begin, begin + count):
        for hour, calls in sorted(per_hour.items()):
            for _ in range(calls):
                normal.count((week * WEEK + hour) * HOUR + 60)
    return (begin + count) * WEEK * HOUR


def test_in_the_first_day_much_is_usual() -> None:
    normal = Normal(10)

    assert normal.expected(0) == normal.expected(23 * HOUR) == LEARNING_FACTOR * 10


def test_an_hour_of_the_week_has_its_own_usual() -> None:
    normal = Normal(5)
    now = weeks(normal, 6, {8: 60, 9: 10, 30: 10})

    assert 40 < normal.expected(now + 8 * HOUR) <= 60
    assert normal.expected(now + 100 * HOUR) == 5


def test_a_peak_that_comes_an_hour_early_is_taken_as_usual_too() -> None:
    normal = Normal(5)
    now = weeks(normal, 6, {8: 60})

    before, early, peak = [normal.expected(now + hour * HOUR) for hour in (6, 7, 8)]

    assert early == pytest.approx(0.8 * peak, rel=0.01)
    assert before == 5


def test_a_flood_teaches_little_and_a_new_usual_is_learned_in_some_weeks() -> None:
    normal = Normal(5)
    quiet = weeks(normal, 4, dict.fromkeys(range(WEEK), 4))
    for _ in range(20_000):
        normal.count(quiet + 8 * HOUR)
    week = quiet + WEEK * HOUR
    assert normal.expected(week + 8 * HOUR) < 12

    later = weeks(normal, 12, dict.fromkeys(range(WEEK), 20), begin=5)
    assert 15 < normal.expected(later + 8 * HOUR) <= 20


def test_hours_without_a_call_count_too() -> None:
    normal = Normal(1)
    weeks(normal, 4, dict.fromkeys(range(WEEK), 30))

    assert normal.expected(12 * WEEK * HOUR) < 7


def test_a_clock_that_steps_back_changes_nothing() -> None:
    normal = Normal(5)
    now = weeks(normal, 2, {8: 60})
    before = normal.expected(now)
    normal.count(now - 50 * HOUR)

    assert normal.expected(now) == before


def test_whole_hours_can_be_taken_over() -> None:
    told, lived = Normal(5), Normal(5)
    now = weeks(lived, 5, {8: 40, 9: 3})
    for week in range(5):
        told.add(week * WEEK + 8, 40)
        told.add(week * WEEK + 9, 3)

    assert told.expected(now + 8 * HOUR) == lived.expected(now + 8 * HOUR)
