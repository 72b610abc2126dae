"""History: what earlier calls of the caller showed."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.policy.call import Attestation
from screener.policy.remembered import STRANGER, Failures, History, Trust, TrustKind
from screener.policy.signals.history import challenge_failed, history
from tests.policy.builders import brief, make_call, make_policy

NOW = 1e6
POLICY = make_policy()


@pytest.mark.parametrize(
    ("count", "points", "said"),
    [(1, 3, "1 challenge"), (2, 6, "2 challenges"), (3, 9, "3 challenges"), (50, 9, "50 challenges")],
)
def test_failed_challenges_add_up_to_three(count: int, points: float, said: str) -> None:
    remembered = dataclasses.replace(STRANGER, failures=Failures(count=count, last_at=NOW - 60))

    assert challenge_failed(make_call(), remembered, POLICY, NOW) == (
        points,
        f"this caller failed {said}, last 1 minute ago",
    )


@pytest.mark.parametrize(("hours", "counts"), [(0.0, True), (23.99, True), (24.0, False), (1000.0, False)])
def test_a_failed_challenge_is_forgotten_after_a_day(hours: float, counts: bool) -> None:
    remembered = dataclasses.replace(STRANGER, failures=Failures(count=1, last_at=NOW - hours * 3600))

    assert (challenge_failed(make_call(), remembered, POLICY, NOW) is not None) is counts


@given(st.integers(1, 10**6), st.floats(0, 86_399))
@brief
def test_failures_never_add_more_than_three_times_their_points(count: int, ago: float) -> None:
    remembered = dataclasses.replace(STRANGER, failures=Failures(count=count, last_at=NOW - ago))

    found = challenge_failed(make_call(), remembered, POLICY, NOW)

    assert found is not None
    assert found[0] == 3 * min(count, 3)


def test_all_that_is_remembered_is_added_up_and_told() -> None:
    past = History(calls=9, talked=2, passed=1, recorded=1, spam=1)

    assert history(make_call(), dataclasses.replace(STRANGER, history=past), POLICY, NOW) == (
        2.5,
        "earlier calls of this caller, which weigh less with time: marked as spam 1.0 times, talked with 2.0 times, "
        "passed a challenge 1.0 times, left a message 1.0 times",
    )


@pytest.mark.parametrize(("past", "points"), [(History(talked=100), -8), (History(spam=5), 8), (History(fine=1), -6)])
def test_it_adds_or_takes_no_more_than_the_policy_says(past: History, points: float) -> None:
    found = history(make_call(), dataclasses.replace(STRANGER, history=past), POLICY, NOW)

    assert found is not None
    assert found[0] == points


@pytest.mark.parametrize(
    ("earned_with", "shown", "counts"),
    [
        (["A"], "A", True),
        (["A"], "B", False),
        (["A"], "none", False),
        (["A"], "failed", False),
        (["none"], "none", True),
        (["none"], "failed", False),
        (["A", "none"], "none", True),
        ([], "none", True),
        ([], "failed", False),
    ],
)
def test_a_good_past_is_not_spent_by_a_call_that_proves_less_than_those_that_earned_it(
    earned_with: list[str], shown: str, counts: bool
) -> None:
    trust = tuple(Trust(kind=TrustKind.TALKED, until=NOW - 1, earned_with=Attestation(one)) for one in earned_with)
    remembered = dataclasses.replace(STRANGER, history=History(calls=9, talked=4, recorded=2), trust=trust)

    found = history(make_call(attestation=Attestation(shown)), remembered, POLICY, NOW)

    assert found is None if not counts else found is not None and found[0] == -5


def test_a_bad_past_counts_whatever_a_call_proves() -> None:
    trust = (Trust(until=NOW + 1, earned_with=Attestation.A),)
    remembered = dataclasses.replace(STRANGER, history=History(talked=4, spam=1), trust=trust)

    found = history(make_call(), remembered, POLICY, NOW)

    assert found == (6, "earlier calls of this caller, which weigh less with time: marked as spam 1.0 times")


def test_what_has_faded_is_not_worth_a_word() -> None:
    faded = dataclasses.replace(STRANGER, history=History(talked=0.2))

    assert history(make_call(), faded, POLICY, NOW) is None
    assert history(make_call(), STRANGER, POLICY, NOW) is None
