"""What speaks for or against a call, in sentences with the figures in them."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.policy.call import Attestation
from screener.policy.remembered import STRANGER, Failures, Remembered
from screener.policy.signals import (
    SIGNALS,
    Signal,
    attestation,
    challenge_failed,
    foreign_script,
    malformed,
    rate,
    withheld,
)
from screener.policy.verdict import Reason
from tests.policy.builders import REFUSED, brief, make_call, make_policy

NOW = 1e6
POLICY = make_policy()


def test_the_signals_have_one_order_which_is_that_of_a_verdict_s_reasons() -> None:
    assert [signal.__name__ for signal in SIGNALS] == [
        "rate",
        "withheld",
        "malformed",
        "foreign_script",
        "challenge_failed",
        "attestation",
    ]


@pytest.mark.parametrize("signal", SIGNALS)
def test_of_a_stranger_with_a_number_no_signal_has_anything_to_say(signal: Signal) -> None:
    assert signal(make_call(), STRANGER, POLICY, NOW) is None


def test_a_caller_who_calls_too_often_is_told_when_the_next_call_is_free() -> None:
    policy = make_policy(bucket={"capacity": 1, "refill_per_hour": 7}, points={"rate": 2.5})

    assert rate(make_call(), Remembered(rate=REFUSED), policy, NOW) == Reason(
        code="rate",
        points=2.5,
        text="this caller called too often: 1 call at once is free and one more every 8 minutes 34 seconds; "
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
    reason = rate(make_call(raw), Remembered(rate=REFUSED), POLICY, NOW)

    assert reason is not None
    assert reason.text.partition(":")[0] == who


@pytest.mark.parametrize(("raw", "prohibited"), [("", False), ("anonymous", False), ("+12015550123", True)])
def test_a_hidden_number_counts_whether_or_not_the_trunk_tells_it(raw: str, prohibited: bool) -> None:
    assert withheld(make_call(raw, prohibited=prohibited), STRANGER, POLICY, NOW) == Reason(
        code="withheld", points=3, text="the caller withholds the number"
    )


def test_a_malformed_caller_id_is_quoted_in_printable_form() -> None:
    assert malformed(make_call("rob\x1bot"), STRANGER, POLICY, NOW) == Reason(
        code="malformed", points=4, text="the caller ID 'rob\ufffdot' is not a number of any numbering plan"
    )


def test_a_caller_id_in_another_script_is_quoted() -> None:
    assert foreign_script(make_call("\u0661\u0662"), STRANGER, POLICY, NOW) == Reason(
        code="foreign-script",
        points=4,
        text="the caller ID '\u0661\u0662' holds characters that no telephone can dial",
    )


@pytest.mark.parametrize(
    ("count", "points", "said"),
    [(1, 3, "1 challenge"), (2, 6, "2 challenges"), (3, 9, "3 challenges"), (50, 9, "50 challenges")],
)
def test_failed_challenges_add_up_to_three(count: int, points: float, said: str) -> None:
    remembered = dataclasses.replace(STRANGER, failures=Failures(count=count, last_at=NOW - 60))

    assert challenge_failed(make_call(), remembered, POLICY, NOW) == Reason(
        code="challenge-failed", points=points, text=f"this caller failed {said}, last 1 minute ago"
    )


@pytest.mark.parametrize(("hours", "counts"), [(0.0, True), (23.99, True), (24.0, False), (1000.0, False)])
def test_a_failed_challenge_is_forgotten_after_a_day(hours: float, counts: bool) -> None:
    remembered = dataclasses.replace(STRANGER, failures=Failures(count=1, last_at=NOW - hours * 3600))

    assert (challenge_failed(make_call(), remembered, POLICY, NOW) is not None) is counts


@pytest.mark.parametrize(
    ("level", "points", "said"),
    [
        (Attestation.A, -1, "the caller ID is signed with attestation A"),
        (Attestation.B, 0, "the caller ID is signed with attestation B"),
        (Attestation.C, 0, "the caller ID is signed with attestation C"),
        (Attestation.NONE, 2, "the caller ID is not signed"),
        (Attestation.FAILED, 0, "the caller ID is signed, but the signature did not verify"),
    ],
)
def test_what_is_signed_is_said_even_where_it_adds_nothing(level: Attestation, points: float, said: str) -> None:
    policy = make_policy(points={"attestation": {"A": -1, "none": 2}})

    assert attestation(make_call(attestation=level), STRANGER, policy, NOW) == Reason(
        code="attestation", points=points, text=said
    )


def test_where_nobody_signs_an_unsigned_call_is_not_worth_a_word() -> None:
    assert attestation(make_call(), STRANGER, POLICY, NOW) is None


@given(st.integers(1, 10**6), st.floats(0, 86_399))
@brief
def test_failures_never_add_more_than_three_times_their_points(count: int, ago: float) -> None:
    remembered = dataclasses.replace(STRANGER, failures=Failures(count=count, last_at=NOW - ago))

    reason = challenge_failed(make_call(), remembered, POLICY, NOW)

    assert reason is not None
    assert reason.points == 3 * min(count, 3)
