"""The token bucket admits what a textbook's would, and never more than its rate."""

import itertools
from dataclasses import dataclass
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.policy.bucket import MICROSECONDS, Bucket, Taken, microseconds
from tests.policy.builders import thorough

MINUTE = 60 * MICROSECONDS
THREE_AND_TWELVE = Bucket(capacity=3, refill_per_hour=12)
LATE = 10**15

BUCKETS = st.builds(
    Bucket,
    capacity=st.integers(1, 12),
    refill_per_hour=st.sampled_from([0.001, 0.1, 7, 12, 3600, 1e6 / 3, 3.6e9]) | st.floats(0.001, 3.6e9),
)


@dataclass
class Textbook:
    """The token bucket as textbooks have it: a level, and the time at which it held; exact, and slow."""

    bucket: Bucket
    level: Fraction
    at: int = 0

    def take(self, now: int) -> Taken:
        interval = self.bucket.interval
        self.level = min(Fraction(self.bucket.capacity), self.level + Fraction(now - self.at, interval))
        self.at = now
        admitted = self.level >= 1
        if admitted:
            self.level -= 1
        return Taken(admitted, float(self.level), float(max((1 - self.level) * interval, Fraction(0)) / MICROSECONDS))


def play(bucket: Bucket, times: list[int], full_at: int = 0) -> list[Taken]:
    """Put calls at `times` to one bucket and return what came of each."""
    came = []
    for now in times:
        full_at, taken = bucket.take(full_at, now)
        came.append(taken)
    return came


def admitted(bucket: Bucket, times: list[int]) -> list[int]:
    return [now for now, taken in zip(times, play(bucket, times), strict=True) if taken.admitted]


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[Bucket, list[int]]:
    """A bucket and the times of calls, many of them at the moments at which one microsecond decides."""
    bucket = draw(BUCKETS)
    edges = [0, 0, 1, bucket.interval - 1, bucket.interval, bucket.interval + 1, bucket.capacity * bucket.interval]
    gaps = draw(st.lists(st.sampled_from(edges) | st.integers(0, 2 * bucket.interval), min_size=1, max_size=30))
    return bucket, list(itertools.accumulate(gaps, initial=draw(st.integers(0, LATE))))


def test_three_calls_are_free_and_the_fourth_waits_five_minutes() -> None:
    assert play(THREE_AND_TWELVE, [0, 0, 0, 0]) == [
        Taken(admitted=True, tokens=2.0, free_in=0.0),
        Taken(admitted=True, tokens=1.0, free_in=0.0),
        Taken(admitted=True, tokens=0.0, free_in=300.0),
        Taken(admitted=False, tokens=0.0, free_in=300.0),
    ]


def test_a_caller_who_keeps_dialling_is_not_punished_for_it() -> None:
    times = [0, 0, 0, *range(0, 5 * MINUTE, MINUTE), 5 * MINUTE]

    assert play(THREE_AND_TWELVE, times)[-2:] == [
        Taken(admitted=False, tokens=0.8, free_in=60.0),
        Taken(admitted=True, tokens=0.0, free_in=300.0),
    ]


def test_a_bucket_that_may_be_overdrawn_makes_who_goes_on_calling_rest_longer() -> None:
    bucket = Bucket(capacity=2, refill_per_hour=60, rest=2)
    full_at, minute, admitted = 0, 60 * MICROSECONDS, []
    for _ in range(6):
        full_at, taken = bucket.take(full_at, minute)
        admitted.append(taken.admitted)

    assert admitted == [True, True, False, False, False, False]
    assert taken.free_in == 180  # two tokens overdrawn, and one for the call
    assert bucket.take(full_at, minute + 179 * MICROSECONDS)[1].admitted is False
    assert bucket.take(full_at, minute + 180 * MICROSECONDS)[1].admitted is True
    assert bucket.fills_in_seconds == 240


def test_a_token_that_is_given_back_is_there_again() -> None:
    bucket = Bucket(capacity=1, refill_per_hour=1)
    full_at, _ = bucket.take(0, 5)

    assert not bucket.take(full_at, 6)[1].admitted
    assert bucket.take(bucket.give(full_at), 6)[1].admitted


def test_the_last_token_of_a_burst_is_not_lost_to_a_rounding_error() -> None:
    bucket = Bucket(capacity=10, refill_per_hour=3600)
    times = [microseconds(now / 10) for now in range(100)]

    assert len(admitted(bucket, times)) == 19


@pytest.mark.parametrize(
    ("refill_per_hour", "interval"),
    [(12, 300_000_000), (3600, 1_000_000), (7, 514_285_715), (0.001, 3_600_000_000_000), (3.6e9, 1)],
)
def test_a_token_takes_a_whole_number_of_microseconds_rounded_up(refill_per_hour: float, interval: int) -> None:
    assert Bucket(capacity=1, refill_per_hour=refill_per_hour).interval == interval


@pytest.mark.parametrize(
    ("capacity", "refill_per_hour"),
    [
        (0, 12),
        (-1, 12),
        (3, 0),
        (3, -1),
        (3, 3.7e9),
        (3, float("nan")),
        (3, float("inf")),
        (3, 1e-300),
        (1000, 1e-8),
    ],
)
def test_a_bucket_that_nobody_could_use_cannot_be_built(capacity: int, refill_per_hour: float) -> None:
    with pytest.raises(ValueError, match="a bucket"):
        Bucket(capacity=capacity, refill_per_hour=refill_per_hour)


@pytest.mark.parametrize(
    ("seconds", "whole"), [(0.0, 0), (1.0, 1_000_000), (0.0000019, 1), (1.9999999, 1_999_999), (1e9, 10**15)]
)
def test_seconds_become_whole_microseconds_rounded_down(seconds: float, whole: int) -> None:
    assert microseconds(seconds) == whole


@pytest.mark.parametrize(
    ("now", "tokens"), [(0, 0.0), (150_000_000, 0.5), (300_000_000, 1.0), (900_000_000, 3.0), (10**12, 3.0)]
)
def test_the_level_can_be_read_without_taking_a_token(now: int, tokens: float) -> None:
    assert THREE_AND_TWELVE.level(900_000_000, now) == tokens


def test_an_empty_bucket_of_three_at_five_minutes_each_is_full_after_a_quarter_of_an_hour() -> None:
    assert THREE_AND_TWELVE.fills_in_seconds == 900.0


def test_the_level_of_a_bucket_emptied_by_another_size_is_zero_and_no_less() -> None:
    assert THREE_AND_TWELVE.level(10**15, 0) == 0.0


def test_a_bucket_made_smaller_by_a_reload_owes_no_negative_tokens() -> None:
    assert THREE_AND_TWELVE.take(1_200_000_000, 0) == (1_200_000_000, Taken(False, 0.0, 600.0))


@given(arrivals())
@thorough
def test_no_window_ever_sees_more_than_the_capacity_and_the_rate_times_its_length(
    flood: tuple[Bucket, list[int]],
) -> None:
    bucket, times = flood
    # A rate of refill / hour as whole numbers: exact, and quick enough for each pair.
    refill, an_hour = (Fraction(bucket.refill_per_hour) / (3600 * MICROSECONDS)).as_integer_ratio()
    through = admitted(bucket, times)

    for first, last in itertools.combinations_with_replacement(range(len(through)), 2):
        assert (last - first + 1 - bucket.capacity) * an_hour <= refill * (through[last] - through[first])


@given(BUCKETS, st.lists(st.floats(0, 1e6), max_size=20))
@thorough
def test_no_window_in_seconds_gains_more_than_the_microsecond_of_the_clock(
    bucket: Bucket, seconds: list[float]
) -> None:
    rate = Fraction(bucket.refill_per_hour) / 3600
    seconds.sort()
    taken = play(bucket, [microseconds(now) for now in seconds])
    through = [Fraction(now) for now, came in zip(seconds, taken, strict=True) if came.admitted]

    for first, last in itertools.combinations_with_replacement(range(len(through)), 2):
        # Two, because the product of a float and a million is itself rounded before it is cut.
        window = through[last] - through[first] + Fraction(2, MICROSECONDS)
        assert last - first + 1 <= bucket.capacity + rate * window


@given(arrivals())
@thorough
def test_it_admits_exactly_when_a_textbook_s_bucket_does(flood: tuple[Bucket, list[int]]) -> None:
    bucket, times = flood
    textbook = Textbook(bucket=bucket, level=Fraction(bucket.capacity), at=times[0])

    assert play(bucket, times) == [textbook.take(now) for now in times]


@given(arrivals(), st.integers(1, 50))
@thorough
def test_a_clock_that_stands_still_gives_no_token(flood: tuple[Bucket, list[int]], calls: int) -> None:
    bucket, times = flood
    still = [times[-1]] * calls
    left = int(play(bucket, times)[-1].tokens)

    assert len(admitted(bucket, times + still)) - len(admitted(bucket, times)) == min(left, calls)


@given(arrivals(), st.lists(st.integers(0, LATE), min_size=1, max_size=30))
@thorough
def test_a_clock_that_steps_back_gives_no_token(flood: tuple[Bucket, list[int]], steps: list[int]) -> None:
    bucket, times = flood
    back = [max(times[-1] - step, 0) for step in steps]
    left = int(play(bucket, times)[-1].tokens)

    assert len(admitted(bucket, times + back)) - len(admitted(bucket, times)) <= left


@given(BUCKETS, st.lists(st.integers(0, LATE), min_size=1, max_size=40))
@thorough
def test_a_clock_gone_mad_never_moves_the_moment_of_fullness_back_nor_beats_the_rate(
    bucket: Bucket, times: list[int]
) -> None:
    full_at, through = 0, []
    for now in times:
        before = full_at
        full_at, taken = bucket.take(full_at, now)
        assert full_at >= before
        if taken.admitted:
            through.append(now)

    rate = Fraction(bucket.refill_per_hour) / (3600 * MICROSECONDS)
    assert len(through) <= bucket.capacity + rate * (max(times) - min(times))


@given(BUCKETS, st.integers(0, LATE))
@thorough
def test_every_moment_fits_the_64_bits_of_a_table(bucket: Bucket, now: int) -> None:
    full_at = 0
    for _ in range(bucket.capacity):
        full_at, _taken = bucket.take(full_at, now)

    assert full_at == now + bucket.capacity * bucket.interval
    assert full_at < 1 << 63
