"""A table of fixed size forgets whoever matters least, and never a caller's first call."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.memory.buckets import WAYS, BucketTable, scatter
from screener.policy.bucket import Bucket, Taken
from tests.policy.builders import brief, thorough

MINUTE = 60_000_000
BUCKET = Bucket(capacity=3, refill_per_hour=12)
FULL = 5 * MINUTE
ONE_SET = WAYS

KEYS = st.integers(0, (1 << 64) - 1)
SEEDS = st.integers(0, (1 << 64) - 1)
E164 = st.integers(1, 10**15 - 1).map("+{}".format)
OTHERS = st.sampled_from(["withheld", "malformed +14155550100", "foreign-script s", "+", "+\u0661", "withheld:00ff"])


@pytest.mark.parametrize(
    ("wanted", "slots"), [(0, 4), (1, 4), (4, 4), (5, 8), (8, 8), (9, 16), (100, 128), (1 << 20, 1 << 20)]
)
def test_there_is_room_for_as_many_callers_as_asked_for(wanted: int, slots: int) -> None:
    assert BucketTable(wanted).slots == slots


def test_each_caller_has_a_bucket_of_its_own() -> None:
    table = BucketTable(64)

    assert [table.take(7, BUCKET, 0).admitted for _ in range(4)] == [True, True, True, False]
    assert [table.take(8, BUCKET, 0).admitted for _ in range(4)] == [True, True, True, False]
    assert table.take(7, BUCKET, FULL) == Taken(admitted=True, tokens=0.0, free_in=300.0)


def test_reading_a_level_takes_nothing_and_remembers_nobody() -> None:
    table = BucketTable(ONE_SET)
    for key in (1, 2, 3, 4):
        table.take(key, BUCKET, 0)

    assert [table.level(key, BUCKET, 0) for key in (1, 99, 1, 2, 3, 4)] == [2.0, 3.0, 2.0, 2.0, 2.0, 2.0]


def test_a_table_takes_any_64_bits_for_a_key_zero_too() -> None:
    table = BucketTable(ONE_SET)
    largest = (1 << 64) - 1

    assert [table.take(key, BUCKET, 0).tokens for key in (largest, 0, 0, largest, 0)] == [2.0, 2.0, 1.0, 1.0, 0.0]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2 * FULL)), max_size=40))
@thorough
def test_as_long_as_all_fit_it_is_as_if_each_had_a_bucket(calls: list[tuple[int, int]]) -> None:
    table, now = BucketTable(ONE_SET), 0
    full_at = dict.fromkeys(range(4), 0)
    for key, gap in calls:
        now += gap
        full_at[key], taken = BUCKET.take(full_at[key], now)
        assert table.take(key, BUCKET, now) == taken


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, FULL)), max_size=40))
@thorough
def test_a_full_set_forgets_the_caller_whose_bucket_is_full_soonest(calls: list[tuple[int, int]]) -> None:
    table, now = BucketTable(ONE_SET), 0
    known: dict[int, int] = {}
    for key, gap in calls:
        now += gap
        before = {other: table.level(other, BUCKET, now) for other in known}
        if key not in known and len(known) == WAYS:
            table.take(key, BUCKET, now)
            # A caller who was forgotten has a full bucket again; where it was full anyhow nobody can tell.
            changed = [other for other in known if table.level(other, BUCKET, now) != before[other]]
            soonest = min(known.values())
            assert len(changed) == (soonest > now)
            forgotten = changed[0] if changed else min(known, key=known.__getitem__)
            assert known.pop(forgotten) == soonest
            known[key] = now + FULL
        else:
            known[key], taken = BUCKET.take(known.get(key, 0), now)
            assert table.take(key, BUCKET, now) == taken


@given(st.lists(st.integers(10, 1000), min_size=1, max_size=200), st.integers(0, FULL - 1))
@brief
def test_a_caller_over_the_rate_outlasts_any_number_of_callers_who_called_once(crowd: list[int], now: int) -> None:
    table = BucketTable(ONE_SET)
    for _ in range(3):
        table.take(1, BUCKET, 0)
    for key in crowd:
        table.take(key, BUCKET, 0)

    assert not table.take(1, BUCKET, now).admitted


def test_a_caller_over_the_rate_is_forgotten_where_all_others_of_its_set_are_worse() -> None:
    table = BucketTable(ONE_SET)
    for key, now in ((1, 0), (2, 1), (3, 2), (4, 3)):
        for _ in range(3):
            table.take(key, BUCKET, now)

    table.take(5, BUCKET, 4)

    assert [table.level(key, BUCKET, 4) == 3.0 for key in (1, 2, 3, 4)] == [True, False, False, False]


def test_a_flood_of_ten_callers_for_each_slot_denies_no_first_call_and_takes_no_room() -> None:
    table, chance = BucketTable(2048), random.Random(7)
    numbers = chance.sample(range(10**10, 10**11), 10 * table.slots)
    keys = [scatter(f"+{number}", 0x5EED) for number in numbers]
    slots = table.slots

    assert all(table.take(key, BUCKET, now).admitted for now, key in enumerate(keys))
    assert table.slots == slots == 2048


def test_who_dials_without_pause_stays_denied_all_through_a_flood() -> None:
    table, chance = BucketTable(1024), random.Random(11)
    robot = scatter("+12015550123", 0x5EED)
    came = []
    for now in range(10 * table.slots):
        table.take(scatter(f"+{chance.randrange(10**10, 10**11)}", 0x5EED), BUCKET, now)
        came.append(table.take(robot, BUCKET, now).admitted)

    assert sum(came) == 3


@given(st.lists(st.tuples(st.integers(0, 11), st.integers(0, FULL)), max_size=50))
@thorough
def test_nobody_is_denied_who_was_not_admitted_three_times_since_the_bucket_was_last_full(
    calls: list[tuple[int, int]],
) -> None:
    table, now = BucketTable(8), 0
    admitted: dict[int, list[int]] = {}
    for key, gap in calls:
        now += gap
        earlier = admitted.setdefault(key, [])
        if table.take(key, BUCKET, now).admitted:
            earlier.append(now)
        else:
            assert len([at for at in earlier if at > now - 3 * FULL]) >= 3


@given(st.lists(st.tuples(st.integers(0, 11), st.integers(0, FULL)), max_size=50), st.integers(1, 6))
@brief
def test_a_reload_that_changes_the_bucket_loses_nobody(calls: list[tuple[int, int]], capacity: int) -> None:
    table, now = BucketTable(64), 0
    full_at: dict[int, int] = {}
    for turn, (key, gap) in enumerate(calls):
        now += gap
        bucket = BUCKET if turn < len(calls) // 2 else Bucket(capacity=capacity, refill_per_hour=60)
        full_at[key], taken = bucket.take(full_at.get(key, 0), now)
        assert table.take(key, bucket, now) == taken


@given(st.lists(E164, min_size=2, max_size=30, unique=True), SEEDS)
@thorough
def test_no_two_numbers_share_a_bucket(numbers: list[str], seed: int) -> None:
    scattered = {scatter(number, seed) for number in numbers}

    assert len(scattered) == len(numbers)


@given(st.integers(1, 10**15 - 2), SEEDS)
@brief
def test_neighbours_never_share_a_bucket(number: int, seed: int) -> None:
    assert scatter(f"+{number}", seed) != scatter(f"+{number + 1}", seed)


@given(E164, OTHERS, SEEDS)
@brief
def test_who_brings_no_number_never_shares_the_bucket_of_a_number(number: str, other: str, seed: int) -> None:
    assert scatter(number, seed) != scatter(other, seed)


@given(E164 | OTHERS | st.text(), SEEDS | st.just(1 << 200) | st.just(-5))
@thorough
def test_what_is_scattered_fits_64_bits(key: str, seed: int) -> None:
    assert 0 <= scatter(key, seed) < 1 << 64


def test_numbers_in_a_row_spread_over_the_sets() -> None:
    sets = [scatter(f"+1201555{number:04}", 0x5EED) % 1024 for number in range(4096)]
    loads = [len(list(group)) for _set, group in itertools.groupby(sorted(sets))]

    assert len(loads) > 950
    assert max(loads) < 20


@pytest.mark.parametrize("seed", [0x243F6A8885A308D3, 0x13198A2E03707344, 0xA4093822299F31D0, 0x082EFA98EC4E6C89])
@pytest.mark.parametrize("step", [1 << 10, 1 << 20, 1 << 32, 1 << 42, 10**10])
def test_nobody_who_does_not_know_the_seed_can_choose_numbers_that_share_a_set(seed: int, step: int) -> None:
    numbers = [10**9 + step * turn for turn in range(200)]
    sets = [scatter(f"+{number}", seed) % 1024 for number in numbers if number < 10**15]
    loads = [len(list(group)) for _set, group in itertools.groupby(sorted(sets))]

    assert max(loads) < 10
