"""Figures as a person says them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.policy.phrase import duration, every, plural
from tests.policy.builders import brief


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-5, "0 seconds"),
        (0, "0 seconds"),
        (0.4, "0 seconds"),
        (0.6, "1 second"),
        (59.4, "59 seconds"),
        (59.6, "1 minute"),
        (60, "1 minute"),
        (61, "1 minute 1 second"),
        (119.7, "2 minutes"),
        (300, "5 minutes"),
        (3599.4, "59 minutes 59 seconds"),
        (3599.7, "1 hour"),
        (3600, "1 hour"),
        (3659, "1 hour"),
        (5400, "1 hour 30 minutes"),
        (7199, "1 hour 59 minutes"),
        (86_399.6, "1 day"),
        (86_400, "1 day"),
        (90_000, "1 day 1 hour"),
        (86_459, "1 day"),
        (2_592_000, "30 days"),
    ],
)
def test_a_span_of_time_is_said_in_its_two_largest_units(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(3600, "every hour"), (60, "every minute"), (300, "every 5 minutes"), (3660, "every 1 hour 1 minute")],
)
def test_how_often_something_comes(seconds: float, said: str) -> None:
    assert every(seconds) == said


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 calls"), (1, "1 call"), (1.0, "1 call"), (1.5, "1.5 calls"), (3, "3 calls"), (1_000_000, "1000000 calls")],
)
def test_one_is_singular_and_the_rest_is_not(count: float, said: str) -> None:
    assert plural(count, "call") == said


@given(st.floats(0, 1e8))
@brief
def test_what_is_said_is_never_more_than_half_a_second_above_and_never_a_whole_smaller_unit_below(
    seconds: float,
) -> None:
    size = {"day": 86_400, "hour": 3600, "minute": 60, "second": 1}
    words = duration(seconds).split()
    said = [(int(count), size[unit.rstrip("s")]) for count, unit in zip(words[::2], words[1::2], strict=True)]
    below = {86_400: 3600, 3600: 60, 60: 1, 1: 1}[said[0][1]]

    assert -0.5 <= seconds - sum(count * unit for count, unit in said) < below
    assert len(said) <= 2
    assert all(count < 60 for count, unit in said if unit != 86_400)
