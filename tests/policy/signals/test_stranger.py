"""Stranger: nobody here knows the caller; and the busy tone for its first call."""

import dataclasses
from typing import Any

import pytest

from screener.policy.call import Attestation
from screener.policy.decide import decide
from screener.policy.remembered import STRANGER, Remembered
from screener.policy.signals.stranger import greylist, stranger
from screener.policy.verdict import Treatment
from tests.policy.builders import make_call, make_policy

NOW = 1e6
POLICY = make_policy()
GREY = make_policy(signals={"greylist": {"mode": "live"}})


def before(first: float | None, last: float | None, **known: Any) -> Remembered:
    """A caller who called so many seconds ago."""
    moments: dict[str, Any] = {
        "first_at": None if first is None else NOW - first,
        "last_at": None if last is None else NOW - last,
    }
    return dataclasses.replace(STRANGER, **moments, **known)


def test_a_stranger_without_attestation_a() -> None:
    assert stranger(make_call(), STRANGER, POLICY, NOW) == (
        3,
        "nobody here knows this caller, and no attestation A shows that the number is real",
    )


@pytest.mark.parametrize(
    ("level", "known"), [(Attestation.A, {}), (Attestation.NONE, {"stranger": False}), ("none", {"welcome": True})]
)
def test_who_proves_the_number_or_is_known_is_none(level: Attestation, known: dict[str, Any]) -> None:
    call = make_call(attestation=Attestation(level))

    assert stranger(call, dataclasses.replace(STRANGER, **known), POLICY, NOW) is None


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        (None, None, "the first call of a stranger: busy once, welcome when it calls again within 1 hour"),
        (4, 4, "the first call of a stranger is presented again at once: busy, as before"),
        (7200, 7200, "a stranger's second call came 2 hours after the first, and not within 1 hour"),
    ],
)
def test_a_stranger_hears_the_busy_tone_once(first: float | None, last: float | None, text: str) -> None:
    assert greylist(make_call(), before(first, last), GREY, NOW) == (0, text)

    verdict = decide(make_call(), before(first, last), GREY, NOW)
    assert (verdict.treatment, verdict.decided_by) == (Treatment.BUSY, text)


@pytest.mark.parametrize(("first", "last"), [(60, 60), (3600, 3600), (90_000, 80_000)])
def test_who_calls_again_is_welcome(first: float, last: float) -> None:
    assert greylist(make_call(), before(first, last), GREY, NOW) is None
    assert decide(make_call(), before(first, last), GREY, NOW).treatment is Treatment.PASS


def test_a_known_caller_and_one_without_a_number_never_hear_it() -> None:
    assert greylist(make_call(), before(None, None, stranger=False), GREY, NOW) is None
    assert greylist(make_call("anonymous"), before(None, None), GREY, NOW) is None


def test_in_shadow_mode_nobody_hears_it_and_a_challenge_comes_before_it() -> None:
    shadow = make_policy(signals={"greylist": {"mode": "shadow"}})
    suspicious = make_policy(signals={"greylist": {"mode": "live"}, "attestation": {"points": {"none": 5}}})

    assert decide(make_call(), STRANGER, shadow, NOW).treatment is Treatment.PASS
    assert decide(make_call(), STRANGER, suspicious, NOW).treatment is Treatment.CAPTCHA
