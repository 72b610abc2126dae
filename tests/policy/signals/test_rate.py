"""Rate: who calls too often, and what is said of it."""

import dataclasses

import pytest

from screener.policy.bucket import Taken
from screener.policy.remembered import STRANGER, Remembered
from screener.policy.signals.rate import rate
from tests.policy.builders import REFUSED, TAKEN, make_call, make_policy

NOW = 1e6
POLICY = make_policy()


def test_a_caller_who_calls_too_often_is_told_when_the_next_call_is_free() -> None:
    policy = make_policy(bucket={"capacity": 1, "refill_per_hour": 7}, signals={"rate": {"points": 2.5}})

    assert rate(make_call(), Remembered(rate=REFUSED), policy, NOW) == (
        2.5,
        "this caller called too often: 1 call at once is free and one more every 8 minutes 34 seconds; "
        "the next is free in 2 minutes 30 seconds",
    )


@pytest.mark.parametrize(
    ("raw", "who"),
    [
        ("", "withheld callers to this number, taken together, called too often"),
        ("hello", "malformed callers to this number, taken together, called too often"),
        ("\u0661", "foreign-script callers to this number, taken together, called too often"),
    ],
)
def test_callers_without_a_number_are_counted_together_and_the_sentence_says_so(raw: str, who: str) -> None:
    found = rate(make_call(raw), Remembered(rate=REFUSED), POLICY, NOW)

    assert found is not None
    assert found[1].partition(":")[0] == who


def test_a_slower_bucket_catches_who_calls_not_fast_but_for_hours() -> None:
    policy = make_policy(bucket={"sustained": {"capacity": 4, "refill_per_hour": 2}})
    tired = Remembered(rate=TAKEN, sustained=Taken(False, 0.0, 60.0))

    assert rate(make_call(), tired, policy, NOW) == (
        5,
        "this caller called too often: 4 calls at once are free and one more every 30 minutes; "
        "the next is free in 1 minute",
    )


def test_a_policy_without_a_slower_bucket_ignores_what_a_memory_claims_of_it() -> None:
    assert rate(make_call(), Remembered(rate=TAKEN, sustained=REFUSED), POLICY, NOW) is None


@pytest.mark.parametrize("sustained", [None, TAKEN])
def test_who_calls_seldom_is_not_worth_a_word(sustained: Taken | None) -> None:
    policy = make_policy(bucket={"sustained": {}})

    assert rate(make_call(), dataclasses.replace(STRANGER, sustained=sustained), policy, NOW) is None
